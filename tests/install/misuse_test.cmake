# Every wrong use of garland_add_connector ends the configuration with a sentence that says what to do.
cmake_minimum_required(VERSION 3.25)
file(REMOVE_RECURSE ${WORK})

function(expect case sentence)
  execute_process(COMMAND ${CMAKE_COMMAND} -S ${SOURCE} -B ${WORK}/${case} -G ${GENERATOR}
                          -DMODULE=${MODULE} -DCASE=${case}
                  RESULT_VARIABLE code OUTPUT_VARIABLE output ERROR_VARIABLE output)
  string(REGEX REPLACE "[ \n]+" " " output "${output}")
  string(FIND "${output}" "${sentence}" found)
  if(sentence STREQUAL "" AND NOT code EQUAL 0)
    message(FATAL_ERROR "${case} was refused: ${output}")
  elseif(NOT sentence STREQUAL "" AND (code EQUAL 0 OR found EQUAL -1))
    message(FATAL_ERROR "${case} (exit ${code}) did not say \"${sentence}\": ${output}")
  endif()
endfunction()

expect(none "")
expect(no_manifest "MANIFEST is missing; name the connector's connector.json")
expect(lost_manifest "lost.json does not exist")
expect(not_json "is not JSON with an \"id\"")
expect(bad_id "/id is \"../etc\"; it must be in reverse DNS form")
expect(no_version "/version is missing")
expect(no_sources "SOURCES is missing")
expect(bad_language "LANGUAGE is \"Rust\"; it must be C or CXX")
expect(unknown_argument "unknown argument \"STATIC;ON\"")
expect(same_id_twice "which is the id of one already")
