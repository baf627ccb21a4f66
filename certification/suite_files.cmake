# What the verdicts of the suite depend on: its own sources, the worker and sandbox that connectors run in and what watches
# over them, and the schemas that answers are held against. A change of any of them is another suite.
function(garland_suite_files out root) # more words: what file(GLOB) takes, such as CONFIGURE_DEPENDS
  file(GLOB_RECURSE files ${ARGN} RELATIVE ${root} ${root}/certification/*.cpp ${root}/certification/*.h)
  file(GLOB others ${ARGN} RELATIVE ${root}
       ${root}/certification/catalogue.json ${root}/certification/advisories.json ${root}/certification/brief.schema.json
       ${root}/host/runtime/*.cpp ${root}/host/runtime/*.h ${root}/host/worker/main.cpp ${root}/plugin-api/schemas/*.json)
  list(APPEND files ${others})
  list(FILTER files EXCLUDE REGEX "/mutants/|_test\\.cpp$|_fuzz\\.cpp$|_(test_kit|fixture)\\.h$|/test_worker\\.")
  list(SORT files)
  set(${out} ${files} PARENT_SCOPE)
endfunction()
