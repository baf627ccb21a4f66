# Every library from outside, found once. tools/setup installs them on Debian 12.
set(Boost_USE_STATIC_LIBS ON)
find_package(Boost 1.81 REQUIRED COMPONENTS context json url filesystem)
find_package(Threads REQUIRED)
find_package(OpenSSL 3 REQUIRED)
find_package(CURL REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(PostgreSQL REQUIRED)
find_package(fmt REQUIRED)
find_package(ZLIB REQUIRED)
find_package(CLI11 REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(SECCOMP REQUIRED IMPORTED_TARGET libseccomp)
pkg_check_modules(SYSTEMD REQUIRED IMPORTED_TARGET libsystemd)
pkg_check_modules(TOMLPLUSPLUS REQUIRED IMPORTED_TARGET tomlplusplus)
pkg_check_modules(PROMETHEUS REQUIRED IMPORTED_TARGET prometheus-cpp-core)
pkg_check_modules(LIBARCHIVE REQUIRED IMPORTED_TARGET libarchive)
pkg_check_modules(GMIME REQUIRED IMPORTED_TARGET gmime-3.0)
pkg_check_modules(LIBICAL REQUIRED IMPORTED_TARGET libical)
# Not by pkg-config, whose -pthread would be a flag of every translation unit.
find_library(RE2_LIBRARY re2 REQUIRED)
find_library(JEMALLOC_LIBRARY NAMES libjemalloc_pic.a REQUIRED)
if(BUILD_TESTING)
  find_package(GTest REQUIRED)
endif()

# valijson is header-only; tools/setup unpacks Debian's package without the 69 packages (Qt, Poco,
# MariaDB, ...) that it names for adapters which Garland does not use.
find_path(VALIJSON_INCLUDE_DIR valijson/validator.hpp
          HINTS ${CMAKE_SOURCE_DIR}/build/third_party/valijson/usr/include)
if(NOT VALIJSON_INCLUDE_DIR)
  message(FATAL_ERROR "valijson is missing: run tools/setup, which installs what the build needs")
endif()

# Asio and Beast are configured alike in every translation unit.
add_library(garland_asio INTERFACE)
target_link_libraries(garland_asio INTERFACE Boost::headers Threads::Threads)
target_compile_definitions(garland_asio INTERFACE
  BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_DISABLE_VISIBILITY BOOST_ERROR_CODE_HEADER_ONLY)

# Foreign code that a library brings into connectors: garland_add_connector() writes it into their bill of materials.
# PACKAGE: of Debian, "" if it is in none.
function(garland_component target name version licence package)
  string(TOLOWER "${name}" word)
  string(REPLACE " " "-" word "${word}")
  set(place pkg:generic/${word}@${version})
  if(package)
    execute_process(COMMAND dpkg-query -W -f "\${source:Version}" ${package}
                    OUTPUT_VARIABLE debian ERROR_QUIET RESULT_VARIABLE failed)
    if(failed EQUAL 0 AND debian)
      string(REPLACE "+" "%2B" debian "${debian}")
      string(REPLACE ":" "%3A" debian "${debian}")
      set(place pkg:deb/debian/${word}@${debian})
    endif()
  endif()
  set_property(TARGET ${target} APPEND PROPERTY GARLAND_COMPONENTS "${name}|${version}|${licence}|${place}")
  get_target_property(imported ${target} IMPORTED)
  if(NOT imported)
    set_property(TARGET ${target} PROPERTY EXPORT_PROPERTIES GARLAND_COMPONENTS)
  endif()
endfunction()
