# garland::sdk-ical: iCalendar for connectors. It holds Debian's static libical, made fit for a shared
# object in two steps, so that a connector depends on nothing but the C library:
#  - the archive is not position independent where it names `stderr`, a variable of another object:
#    that name, and the calls that open files or ask for memory, are turned into our own hidden ones
#    (ical_stubs.c, ical_memory.cpp);
#  - its references to ICU serve recurrence iteration only, which connectors do not do (icu_stub.c).
find_library(GARLAND_LIBICAL_ARCHIVE NAMES libical.a)
find_file(GARLAND_TZDATA tzdata.zi PATHS /usr/share/zoneinfo NO_DEFAULT_PATH)
if(NOT GARLAND_LIBICAL_ARCHIVE OR NOT GARLAND_TZDATA)
  message(FATAL_ERROR "libical.a (package libical-dev) or tzdata.zi (package tzdata) is missing: run tools/setup")
endif()

set(ical_dir ${CMAKE_CURRENT_BINARY_DIR}/libical)
execute_process(COMMAND ${CMAKE_AR} t ${GARLAND_LIBICAL_ARCHIVE}
                OUTPUT_VARIABLE ical_members OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
string(REPLACE "\n" ";" ical_members "${ical_members}")
list(TRANSFORM ical_members PREPEND ${ical_dir}/ OUTPUT_VARIABLE ical_objects)
add_custom_command(OUTPUT ${ical_objects}
  COMMAND ${CMAKE_COMMAND} -E make_directory ${ical_dir}
  COMMAND ${CMAKE_OBJCOPY} --redefine-sym stderr=garland_ical_stderr
          --redefine-sym fopen=garland_ical_fopen --redefine-sym access=garland_ical_access
          --redefine-sym malloc=garland_ical_malloc --redefine-sym calloc=garland_ical_calloc
          --redefine-sym realloc=garland_ical_realloc --redefine-sym strdup=garland_ical_strdup
          ${GARLAND_LIBICAL_ARCHIVE} ${ical_dir}/libical.a
  COMMAND ${CMAKE_COMMAND} -E chdir ${ical_dir} ${CMAKE_AR} x libical.a
  DEPENDS ${GARLAND_LIBICAL_ARCHIVE} VERBATIM)
set_source_files_properties(${ical_objects} PROPERTIES EXTERNAL_OBJECT TRUE GENERATED TRUE)

# The names of all zones, for telling an IANA name from any other TZID: a connector sees no files.
set(zone_names ${CMAKE_CURRENT_BINARY_DIR}/zone_names.inc)
add_custom_command(OUTPUT ${zone_names}
  COMMAND ${CMAKE_COMMAND} -DINPUT=${GARLAND_TZDATA} -DOUTPUT=${zone_names}
          -P ${CMAKE_CURRENT_SOURCE_DIR}/cmake/ZoneNames.cmake
  DEPENDS ${GARLAND_TZDATA} cmake/ZoneNames.cmake VERBATIM)

add_library(garland_sdk_ical STATIC
  sdk/ical_document.cpp sdk/ical_edit.cpp sdk/ical_editions.cpp sdk/ical_read.cpp sdk/ical_time.cpp sdk/ical_write.cpp
  sdk/ical_zones.cpp sdk/ical_memory.cpp sdk/ical_stubs.c sdk/icu_stub.c ${zone_names} ${ical_objects})
add_library(garland::sdk-ical ALIAS garland_sdk_ical)
set_target_properties(garland_sdk_ical PROPERTIES EXPORT_NAME sdk-ical POSITION_INDEPENDENT_CODE ON)
target_compile_features(garland_sdk_ical PUBLIC cxx_std_20)
target_compile_options(garland_sdk_ical PRIVATE -ffunction-sections -fdata-sections)
target_include_directories(garland_sdk_ical PRIVATE ${CMAKE_CURRENT_BINARY_DIR})
target_link_libraries(garland_sdk_ical PUBLIC garland_sdk)
garland_component(garland_sdk_ical libical "${LIBICAL_VERSION}" "MPL-2.0 OR LGPL-2.1-only" libical-dev)

garland_test(sdk_ical_test SOURCES sdk/ical_read_test.cpp sdk/ical_time_test.cpp sdk/ical_write_test.cpp
             USES garland_sdk_ical LABELS unit)
# Against what others wrote; skips itself where that is missing.
garland_test(sdk_ical_contract_test SOURCES sdk/ical_contract_test.cpp USES garland_sdk_ical LABELS contracts ONE_PROCESS)
# It puts itself before malloc, as sanitizers do.
if(NOT GARLAND_SANITIZER)
  garland_test(sdk_ical_memory_test SOURCES sdk/ical_memory_test.cpp USES garland_sdk_ical LABELS unit)
endif()
if(COMMAND garland_fuzzer)
  garland_fuzzer(sdk_ical_fuzz SOURCES sdk/ical_fuzz.cpp USES garland_sdk_ical)
endif()
