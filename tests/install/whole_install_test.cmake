# `cmake --install` after building garland-all, which is all that the tour builds: nothing that is installed may be
# missing from that target, and the service starts the program where it was installed.
cmake_minimum_required(VERSION 3.25)

function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE code OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT code EQUAL 0)
    list(JOIN ARGN " " line)
    message(FATAL_ERROR "failed (${code}): ${line}\n${output}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

file(REMOVE_RECURSE ${WORK})
run(${NINJA} -C ${BUILD} -t targets all)
set(built "${output}")
run(${NINJA} -C ${BUILD} -t inputs garland-all)
set(inputs "\n${output}\n")
# Ninja 1.11 leaves the target's own inputs out of that list.
run(${NINJA} -C ${BUILD} -t query garland-all)
string(REGEX REPLACE "\n +" "\n" output "${output}")
string(APPEND inputs "${output}")

# What is installed from the build folder must be made by garland-all, if a target makes it at all.
file(GLOB_RECURSE scripts ${BUILD}/cmake_install.cmake)
# Other tests configure projects of their own below this folder meanwhile, and nothing of it is installed.
list(FILTER scripts EXCLUDE REGEX "^${BUILD}/tests/")
foreach(script IN LISTS scripts)
  file(READ ${script} text)
  string(REGEX MATCHALL "FILES \"${BUILD}/[^\"]+\"" files "${text}")
  foreach(file IN LISTS files)
    string(REGEX REPLACE "^FILES \"${BUILD}/([^\"]+)\"$" "\\1" file "${file}")
    string(FIND "${built}" "\n${file}: " made)
    string(FIND "${inputs}" "\n${file}\n" asked)
    if(NOT made EQUAL -1 AND asked EQUAL -1)
      message(FATAL_ERROR "${file} is installed, but garland-all does not build it")
    endif()
  endforeach()
endforeach()

run(${CMAKE_COMMAND} --build ${BUILD} --target garland-all)
run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${WORK}/prefix)
file(READ ${WORK}/prefix/lib/systemd/system/garlandd.service service)
string(FIND "${service}" "\nExecStart=${WORK}/prefix/bin/garlandd\n" found)
if(found EQUAL -1)
  message(FATAL_ERROR "the service does not start ${WORK}/prefix/bin/garlandd:\n${service}")
endif()
run(${WORK}/prefix/bin/garlandd --version)
run(${WORK}/prefix/bin/garland --version)
