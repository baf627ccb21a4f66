# Tests of the worker's side: of its parts, and of a real garland-worker with test plugins in it.
garland_test(runtime_worker_unit_test
  SOURCES wire_test.cpp worker_arena_test.cpp worker_fiber_test.cpp worker_host_table_test.cpp
  USES garland_runtime_worker LABELS unit)

# Plugins that the worker's tests load: plain modules, built as a connector is.
function(garland_test_plugin name source)
  add_library(test_plugin_${name} MODULE test_plugins/${source})
  target_include_directories(test_plugin_${name} PRIVATE ${CMAKE_SOURCE_DIR}/plugin-api/include)
  target_compile_definitions(test_plugin_${name} PRIVATE ${ARGN})
  target_link_options(test_plugin_${name} PRIVATE
    -Wl,--version-script=${CMAKE_SOURCE_DIR}/plugin-api/cmake/connector.map)
  set_target_properties(test_plugin_${name} PROPERTIES
    PREFIX "" OUTPUT_NAME ${name} LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests/plugins)
  add_dependencies(runtime_worker_test test_plugin_${name})
endfunction()

garland_test(runtime_worker_test
  SOURCES sandbox_test.cpp test_worker.cpp worker_calls_test.cpp worker_crash_test.cpp
  USES garland_runtime garland_runtime_worker LABELS sandbox)
if(BUILD_TESTING)
  add_executable(test_without test_plugins/without.c)
  target_link_libraries(test_without PRIVATE PkgConfig::SECCOMP)
  set_target_properties(test_without PROPERTIES
    OUTPUT_NAME without RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  add_dependencies(runtime_worker_test garland-worker test_without)
  garland_test_plugin(hostile hostile.c)
  garland_test_plugin(hostile_at_start hostile.c AT_START)
  garland_test_plugin(calls calls.c)
  garland_test_plugin(calls_interleaved calls.c INTERLEAVED)
  garland_test_plugin(exceptions exceptions.cpp)
  garland_test_plugin(broken_no_entry broken.c NO_ENTRY)
  garland_test_plugin(broken_undefined broken.c UNDEFINED_SYMBOL)
  garland_test_plugin(broken_refuses broken.c ENTRY_REFUSES)
  garland_test_plugin(broken_incomplete broken.c)
  garland_test_plugin(broken_dies broken.c DIES_AT_START)
  garland_test_plugin(broken_spins broken.c SPINS_AT_START)
endif()
if(COMMAND garland_fuzzer)
  garland_fuzzer(runtime_wire_fuzz SOURCES wire_fuzz.cpp USES garland_runtime_worker CORPUS corpus/wire)
endif()
