# Tests of crash capsules, stacks and symbol tables.
if(NOT BUILD_TESTING)
  return()
endif()
garland_test(crash_capsule_test SOURCES crash_capsule_test.cpp USES garland_runtime LABELS unit)
add_dependencies(crash_capsule_test garland-worker garland_test_host_probe)
if(COMMAND garland_fuzzer)
  garland_fuzzer(elf_symbols_fuzz SOURCES elf_symbols_fuzz.cpp USES garland_runtime)
endif()
