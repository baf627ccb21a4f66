# Tests of the host side, against the real worker, a probe plugin and workers that misbehave.
if(NOT BUILD_TESTING)
  return()
endif()

set(host_plugins ${CMAKE_BINARY_DIR}/tests/plugins)
foreach(id IN ITEMS host_probe host_liar host_early)
  garland_add_connector(garland_test_${id} MANIFEST test_plugins/${id}.json SOURCES test_plugins/host_probe.c
    LANGUAGE C OUTPUT ${host_plugins} NO_INSTALL)
endforeach()
target_compile_definitions(garland_test_host_liar_objects PRIVATE PROBE_ID="test.somebody_else")
target_compile_definitions(garland_test_host_early_objects PRIVATE PROBE_SPEAKS_EARLY)

garland_add_connector(garland_test_poison_probe MANIFEST test_plugins/poison_probe.json
  SOURCES test_plugins/poison_probe.c LANGUAGE C OUTPUT ${host_plugins} NO_INSTALL)

foreach(fake IN ITEMS 1 2 3 4 5 6)
  add_executable(garland_fake_worker_${fake} test_plugins/host_fake_worker.cpp)
  target_link_libraries(garland_fake_worker_${fake} PRIVATE garland_runtime_worker)
  target_compile_definitions(garland_fake_worker_${fake} PRIVATE GARLAND_FAKE=${fake})
  set_target_properties(garland_fake_worker_${fake} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
endforeach()

foreach(odd IN ITEMS bare many)
  add_library(garland_odd_${odd} MODULE test_plugins/host_odd_object.c)
  set_target_properties(garland_odd_${odd} PROPERTIES PREFIX "" OUTPUT_NAME ${odd}
    LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests/odd)
endforeach()
target_compile_definitions(garland_odd_many PRIVATE ODD_NOTE)

garland_test(runtime_test
  SOURCES backoff_test.cpp call_journal_test.cpp catalogue_test.cpp connection_test.cpp crash_ledger_test.cpp elf_image_test.cpp event_ring_test.cpp
    image_test.cpp manifest_test.cpp memory_use_test.cpp operation_doubt_test.cpp process_test.cpp history_test.cpp
    poison_culprit_test.cpp poison_test.cpp restart_policy_test.cpp turn_queue_test.cpp work_watch_test.cpp
    supervisor_death_test.cpp supervisor_hostile_test.cpp supervisor_memory_test.cpp supervisor_test.cpp tainted_test.cpp
    running_call_test.cpp talk_meter_test.cpp worker_link_test.cpp
  USES garland_runtime garland_schemas
  LABELS unit)
add_dependencies(runtime_test garland-worker garland_test_host_probe garland_test_host_liar
  garland_fake_worker_1 garland_fake_worker_2 garland_fake_worker_3 garland_fake_worker_4
  garland_fake_worker_5 garland_fake_worker_6 garland_test_host_early garland_test_poison_probe
  garland_odd_bare garland_odd_many)

garland_test(plugin_clock_test SOURCES plugin_clock_test.cpp USES garland_runtime LABELS unit)
add_dependencies(plugin_clock_test garland-worker garland_test_host_probe)

if(COMMAND garland_fuzzer)
  garland_fuzzer(elf_image_fuzz SOURCES elf_image_fuzz.cpp USES garland_runtime CORPUS corpus/elf)
  garland_fuzzer(manifest_fuzz SOURCES manifest_fuzz.cpp USES garland_runtime CORPUS corpus/manifest)
  garland_fuzzer(package_fuzz SOURCES package_fuzz.cpp USES garland_runtime garland_schemas CORPUS corpus/package)
endif()
