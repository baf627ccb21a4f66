# Tests of which worker and which build a call runs in: isolation, idle workers, upgrades, what is kept.
if(NOT BUILD_TESTING)
  return()
endif()

set(releases ${CMAKE_BINARY_DIR}/tests/releases)

# One connector in several builds: garland_test_release(folder version [what it does wrong]).
function(garland_test_release folder version)
  configure_file(test_plugins/upgrading.json.in ${releases}/${folder}.json @ONLY)
  set_property(GLOBAL PROPERTY GARLAND_CONNECTOR_test.upgrading "") # the same id on purpose, each in its own folder
  garland_add_connector(garland_test_release_${folder} MANIFEST ${releases}/${folder}.json
    SOURCES test_plugins/upgrading.c LANGUAGE C OUTPUT ${releases}/${folder} NO_INSTALL)
  target_compile_definitions(garland_test_release_${folder}_objects PRIVATE ${ARGN})
  add_dependencies(runtime_fleet_test garland_test_release_${folder})
endfunction()

garland_test(runtime_fleet_test
  SOURCES fleet_test.cpp kept_builds_test.cpp releases_test.cpp semver_test.cpp upgrade_test.cpp
  USES garland_runtime
  LABELS unit)
add_dependencies(runtime_fleet_test garland-worker garland_test_host_probe)

foreach(minor RANGE 0 5)
  garland_test_release(1.${minor}.0 1.${minor}.0)
endforeach()
garland_test_release(other 1.1.0 OTHER_BYTES=1)
garland_test_release(boasts 1.1.0 BOASTS)
garland_test_release(chokes 1.2.0 CHOKES)
garland_test_release(refuses 1.2.0 REFUSES)
garland_test_release(crashes 1.2.0 CRASHES)
