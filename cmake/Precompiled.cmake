# garland_precompile(TARGET NAME [further compile options ...])
#   TARGET's C++ sources begin with what cmake/precompiled/NAME.h includes, read once for all. A third of the time
#   of a build is saved. The options are those which TARGET has beyond the preset's and which a compiler compares.
#
# The file lies in the user's cache, under a name made of all that went into it: the same for every clone, so that
# the compiler cache finds its objects in each. It holds system headers only, for which sources never wait.
# -DGARLAND_PRECOMPILE=OFF builds without, as g++ always does: then every source must name what it uses.
option(GARLAND_PRECOMPILE "Read system headers once for all sources (clang only)" ON)

function(garland_precompile target name)
  if(NOT GARLAND_PRECOMPILE OR NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    return()
  endif()
  set(options ${ARGN})
  if(NOT name STREQUAL "sdk") # with Asio
    list(APPEND options -pthread)
    target_compile_options(${target} PRIVATE -pthread)
  endif()
  garland_precompiled_file_(file ${name} ${options})
  target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-include-pch> $<$<COMPILE_LANGUAGE:CXX>:${file}>)
endfunction()

function(garland_precompiled_file_ out name)
  string(TOUPPER "${CMAKE_BUILD_TYPE}" type)
  separate_arguments(flags NATIVE_COMMAND "${CMAKE_CXX_FLAGS} ${CMAKE_CXX_FLAGS_${type}}")
  list(FILTER flags EXCLUDE REGEX "^-ffile-prefix-map=") # of this clone, and nothing to a header
  list(APPEND flags -std=c++20 -fvisibility=hidden -fvisibility-inlines-hidden ${ARGN})
  if(NOT name STREQUAL "sdk")
    get_target_property(definitions garland_asio INTERFACE_COMPILE_DEFINITIONS)
    if(name STREQUAL "test")
      list(APPEND definitions GTEST_HAS_PTHREAD=1) # as CMake's GTest::gtest has it
    endif()
    list(TRANSFORM definitions PREPEND -D)
    list(APPEND flags ${definitions})
  endif()
  set(texts "")
  foreach(header IN ITEMS sdk room test)
    file(READ ${CMAKE_SOURCE_DIR}/cmake/precompiled/${header}.h text)
    string(APPEND texts "${text}")
    set_property(DIRECTORY ${CMAKE_SOURCE_DIR} APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
                 ${CMAKE_SOURCE_DIR}/cmake/precompiled/${header}.h)
  endforeach()
  string(SHA256 key "${name} ${flags} ${texts} ${CMAKE_CXX_COMPILER_VERSION} ${Boost_VERSION} ${GTest_VERSION}")
  string(SUBSTRING ${key} 0 16 key)
  set(cache "$ENV{XDG_CACHE_HOME}")
  if(NOT cache)
    set(cache "$ENV{HOME}/.cache")
  endif()
  set(folder ${cache}/garland/precompiled/${key})
  set(file ${folder}/${name}.pch)
  set(${out} ${file} PARENT_SCOPE)
  if(EXISTS ${file})
    return()
  endif()
  file(COPY ${CMAKE_SOURCE_DIR}/cmake/precompiled/ DESTINATION ${folder})
  string(RANDOM LENGTH 8 own) # two builds may make it at once
  execute_process(
    COMMAND ${CMAKE_CXX_COMPILER} ${flags} -x c++-header ${name}.h -o ${name}.${own}
            -Xclang -fno-pch-timestamp -fpch-instantiate-templates
    WORKING_DIRECTORY ${folder} RESULT_VARIABLE failed ERROR_VARIABLE problem)
  if(failed)
    message(FATAL_ERROR "The headers of cmake/precompiled/${name}.h cannot be read once for all: ${problem}"
                        "Build with -DGARLAND_PRECOMPILE=OFF to go on without.")
  endif()
  file(RENAME ${folder}/${name}.${own} ${file})
endfunction()
