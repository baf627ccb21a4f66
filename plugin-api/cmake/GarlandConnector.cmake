# garland_add_connector(): builds one connector into a shared object that the host accepts.
# The same file serves this source tree and find_package(garland-plugin).
#
#   garland_add_connector(<target>
#     MANIFEST connector.json        # what the connector is; its "id" names the folder
#     SOURCES  connector.cpp ...
#     [USES    target ...]           # further libraries, linked in statically
#     [LANGUAGE C | CXX]             # CXX, with the C++ SDK, if left out
#     [OUTPUT folder]                # where <id>/ is made; ${CMAKE_BINARY_DIR}/plugins if left out
#     [NO_INSTALL])                  # no install rule (samples, tests)
#
# It makes <OUTPUT>/<id>/connector.so and connector.json beside it (and README.md, CHANGELOG.md, LICENSE and
# icon.svg of the manifest's folder, if there, and sbom.json, the bill of what is linked in), with the
# manifest embedded as an ELF note and garland_entry_v1 as the only exported symbol. The compiled
# sources are also the object library <target>_objects, for tests to link. They see the macros
# GARLAND_CONNECTOR_ID and GARLAND_CONNECTOR_VERSION with the texts of the manifest.
#
# garland_add_mapped_connector(<target> MANIFEST connector.json MAPPING mapping.json [OUTPUT folder] [NO_INSTALL]):
# builds a connector that has no code of its own: it reads hooks and CSV files by the mapping, which is embedded
# into the object (sdk-docs/intake.md).
#
# garland_add_twin(): builds the twin of a connector, the stand-in for its provider. Arguments as above;
# CERTIFICATION names a JSON file that says how `garland certify` uses the two together (certification/README.md).
# MANIFEST is the connector's own, and the twin's is made of it: id "<id>-twin", the one operation
# twin.serve/1, no credentials and no hosts. It goes to ${CMAKE_BINARY_DIR}/twins/<id>-twin/, which no daemon
# reads: a twin is served by `garland twin serve`, never offered to a vendor.

set(GARLAND_CONNECTOR_DIR ${CMAKE_CURRENT_LIST_DIR})

function(garland_add_connector target)
  garland_connector_build_(connector ${target} ${ARGN})
endfunction()

function(garland_add_twin target)
  garland_connector_build_(twin ${target} ${ARGN})
endfunction()

function(garland_add_mapped_connector target)
  cmake_parse_arguments(PARSE_ARGV 1 MAPPED "NO_INSTALL" "MANIFEST;MAPPING;OUTPUT" "")
  if(NOT MAPPED_MAPPING)
    message(FATAL_ERROR "garland_add_mapped_connector(${target}): MAPPING is missing; name the connector's mapping.json")
  endif()
  get_filename_component(mapping "${MAPPED_MAPPING}" ABSOLUTE BASE_DIR ${CMAKE_CURRENT_SOURCE_DIR})
  if(NOT EXISTS "${mapping}")
    message(FATAL_ERROR "garland_add_mapped_connector(${target}): the mapping ${mapping} does not exist")
  endif()
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${mapping}")
  file(READ "${mapping}" text)
  string(JSON version ERROR_VARIABLE problem GET "${text}" mapping)
  if(problem OR NOT version EQUAL 1)
    message(FATAL_ERROR "garland_add_mapped_connector(${target}): ${mapping} is not JSON with \"mapping\": 1: ${problem}")
  endif()
  set(source ${CMAKE_CURRENT_BINARY_DIR}/${target}_mapped.cpp)
  set(GARLAND_MAPPING_PATH "${mapping}")
  configure_file(${GARLAND_CONNECTOR_DIR}/mapped_connector.cpp.in ${source} @ONLY)
  set_source_files_properties(${source} PROPERTIES OBJECT_DEPENDS "${mapping}")
  set(further "")
  if(MAPPED_OUTPUT)
    list(APPEND further OUTPUT ${MAPPED_OUTPUT})
  endif()
  if(MAPPED_NO_INSTALL)
    list(APPEND further NO_INSTALL)
  endif()
  garland_add_connector(${target} MANIFEST "${MAPPED_MANIFEST}" SOURCES ${source} ${further} ${MAPPED_UNPARSED_ARGUMENTS})
endfunction()

# `kind`: connector or twin.
function(garland_connector_build_ kind target)
  cmake_parse_arguments(PARSE_ARGV 2 CONNECTOR "NO_INSTALL" "MANIFEST;LANGUAGE;OUTPUT;CERTIFICATION"
                        "SOURCES;USES")
  if(CONNECTOR_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "garland_add_${kind}(${target}): unknown argument \"${CONNECTOR_UNPARSED_ARGUMENTS}\"")
  endif()
  if(NOT CONNECTOR_SOURCES)
    message(FATAL_ERROR "garland_add_${kind}(${target}): SOURCES is missing; name the connector's source files")
  endif()
  if(NOT CONNECTOR_LANGUAGE)
    set(CONNECTOR_LANGUAGE CXX)
  elseif(NOT CONNECTOR_LANGUAGE MATCHES "^(C|CXX)$")
    message(FATAL_ERROR "garland_add_${kind}(${target}): LANGUAGE is \"${CONNECTOR_LANGUAGE}\"; it must be C or CXX")
  endif()
  garland_connector_read_manifest_("garland_add_${kind}(${target})" ${target} "${CONNECTOR_MANIFEST}" ${kind} manifest
                                   id version)

  if(kind STREQUAL "twin")
    set(folders twins)
  else()
    set(folders plugins)
  endif()

  add_library(${target}_objects OBJECT ${CONNECTOR_SOURCES})
  set_target_properties(${target}_objects PROPERTIES
    POSITION_INDEPENDENT_CODE ON
    C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  target_compile_options(${target}_objects PRIVATE
    -ffunction-sections -fdata-sections -fstack-protector-strong -fstack-clash-protection)
  # What the descriptor says of itself comes from the manifest, so that the two cannot differ.
  target_compile_definitions(${target}_objects PRIVATE
    GARLAND_CONNECTOR_ID="${id}" GARLAND_CONNECTOR_VERSION="${version}")
  target_link_libraries(${target}_objects PUBLIC garland::plugin ${CONNECTOR_USES})
  if(CONNECTOR_LANGUAGE STREQUAL "C")
    target_compile_features(${target}_objects PUBLIC c_std_11)
    # For this check, C's functions are never of the type that the C++ host calls them by (noexcept).
    target_compile_options(${target}_objects PRIVATE $<$<C_COMPILER_ID:Clang>:-fno-sanitize=function>)
  else()
    target_compile_features(${target}_objects PUBLIC cxx_std_20)
    target_link_libraries(${target}_objects PUBLIC garland::sdk)
    if(COMMAND garland_precompile) # in Garland's own tree
      garland_precompile(${target}_objects sdk -fPIC)
    endif()
  endif()

  garland_connector_note_(${target} "${manifest}" ${CONNECTOR_LANGUAGE} note)
  add_library(${target} MODULE ${note})
  if(NOT CONNECTOR_OUTPUT)
    set(CONNECTOR_OUTPUT ${CMAKE_BINARY_DIR}/${folders})
  endif()
  set(folder ${CONNECTOR_OUTPUT}/${id})
  set_target_properties(${target} PROPERTIES
    OUTPUT_NAME connector PREFIX "" SUFFIX .so LIBRARY_OUTPUT_DIRECTORY ${folder}
    LINKER_LANGUAGE ${CONNECTOR_LANGUAGE} SKIP_BUILD_RPATH ON
    LINK_DEPENDS ${GARLAND_CONNECTOR_DIR}/connector.map)
  target_link_libraries(${target} PRIVATE ${target}_objects)
  target_link_options(${target} PRIVATE
    -Wl,--version-script=${GARLAND_CONNECTOR_DIR}/connector.map
    -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,--build-id=sha1 -Wl,--gc-sections -Wl,--as-needed)
  # A sanitized object takes the sanitizer's symbols from the worker, so it cannot be complete.
  string(TOUPPER "${CMAKE_BUILD_TYPE}" config)
  if(NOT "${CMAKE_${CONNECTOR_LANGUAGE}_FLAGS} ${CMAKE_${CONNECTOR_LANGUAGE}_FLAGS_${config}}" MATCHES "-fsanitize=")
    target_link_options(${target} PRIVATE -Wl,-z,defs)
  endif()

  add_custom_command(OUTPUT ${folder}/connector.json
    COMMAND ${CMAKE_COMMAND} -E copy ${manifest} ${folder}/connector.json
    DEPENDS ${manifest} VERBATIM)
  set(beside ${folder}/connector.json)
  if(CONNECTOR_CERTIFICATION)
    get_filename_component(certification ${CONNECTOR_CERTIFICATION} ABSOLUTE BASE_DIR ${CMAKE_CURRENT_SOURCE_DIR})
    add_custom_command(OUTPUT ${folder}/certification.json
      COMMAND ${CMAKE_COMMAND} -E copy ${certification} ${folder}/certification.json
      DEPENDS ${certification} VERBATIM)
    list(APPEND beside ${folder}/certification.json)
  endif()
  if(kind STREQUAL "connector")
    garland_connector_bill_(${target} ${id} ${version} ${folder})
    garland_connector_documents_("${manifest}" ${folder} documents)
    list(APPEND beside ${documents})
  endif()
  add_custom_target(${target}_manifest DEPENDS ${beside})
  add_dependencies(${target} ${target}_manifest)
  if(NOT TARGET garland-${kind}s)
    add_custom_target(garland-${kind}s) # all of them
  endif()
  add_dependencies(garland-${kind}s ${target})

  if(NOT CONNECTOR_NO_INSTALL)
    set_property(GLOBAL APPEND PROPERTY GARLAND_INSTALLED ${target})
    include(GNUInstallDirs)
    set(destination ${CMAKE_INSTALL_LIBDIR}/garland/${folders}/${id})
    install(TARGETS ${target} LIBRARY DESTINATION ${destination} COMPONENT ${kind}s)
    install(FILES ${manifest} DESTINATION ${destination} RENAME connector.json COMPONENT ${kind}s)
    if(CONNECTOR_CERTIFICATION)
      install(FILES ${certification} DESTINATION ${destination} RENAME certification.json COMPONENT ${kind}s)
    endif()
  endif()
endfunction()

# README.md, CHANGELOG.md, LICENSE and icon.svg of the manifest's folder, or of the one above for a family of
# connectors, go beside the object: `garland pack` takes them along, `garland certify` reads them.
function(garland_connector_documents_ manifest folder out)
  get_filename_component(own "${manifest}" DIRECTORY)
  get_filename_component(above "${own}" DIRECTORY)
  set(copies "")
  foreach(name IN ITEMS README.md CHANGELOG.md LICENSE icon.svg)
    foreach(place IN ITEMS ${own} ${above})
      # A folder above that is built by itself is another matter's.
      if(EXISTS ${place}/${name} AND (place STREQUAL own OR NOT EXISTS ${place}/CMakeLists.txt))
        add_custom_command(OUTPUT ${folder}/${name} COMMAND ${CMAKE_COMMAND} -E copy ${place}/${name} ${folder}/${name}
                           DEPENDS ${place}/${name} VERBATIM)
        list(APPEND copies ${folder}/${name})
        break()
      endif()
    endforeach()
  endforeach()
  set(${out} ${copies} PARENT_SCOPE)
endfunction()

# Writes the bill of materials (sbom.json, CycloneDX) of what is linked in. A library of yours that holds foreign code
# says so before the connector is added, one text for each:
#   set_property(TARGET mine APPEND PROPERTY GARLAND_COMPONENTS "zlib|1.3.1|Zlib|pkg:generic/zlib@1.3.1")
function(garland_connector_bill_ target id version folder)
  set(todo ${target}_objects)
  set(seen "")
  set(components "")
  while(todo)
    list(POP_FRONT todo one)
    string(REGEX REPLACE "^\\$<LINK_ONLY:(.*)>$" "\\1" one "${one}")
    if(one IN_LIST seen OR NOT TARGET "${one}")
      continue()
    endif()
    list(APPEND seen ${one})
    get_target_property(said ${one} GARLAND_COMPONENTS)
    if(said)
      list(APPEND components ${said})
    endif()
    foreach(property IN ITEMS LINK_LIBRARIES INTERFACE_LINK_LIBRARIES)
      get_target_property(next ${one} ${property})
      if(next)
        list(APPEND todo ${next})
      endif()
    endforeach()
  endwhile()
  list(REMOVE_DUPLICATES components)
  set(rows "")
  foreach(component IN LISTS components)
    if(NOT component MATCHES "^([^|]+)[|]([^|]*)[|]([^|]+)[|]([^|]+)$")
      message(FATAL_ERROR "${target}: the component \"${component}\" must be \"name|version|licence|package URL\"")
    endif()
    list(APPEND rows "    { \"type\": \"library\", \"bom-ref\": \"${CMAKE_MATCH_4}\", \"name\": \"${CMAKE_MATCH_1}\", \"version\": \"${CMAKE_MATCH_2}\",
      \"licenses\": [{ \"expression\": \"${CMAKE_MATCH_3}\" }], \"purl\": \"${CMAKE_MATCH_4}\" }")
  endforeach()
  list(JOIN rows ",\n" rows)
  file(GENERATE OUTPUT ${folder}/sbom.json CONTENT "{
  \"bomFormat\": \"CycloneDX\", \"specVersion\": \"1.5\", \"version\": 1,
  \"metadata\": { \"component\": { \"type\": \"library\", \"bom-ref\": \"${id}\", \"name\": \"${id}\", \"version\": \"${version}\" } },
  \"components\": [
${rows}
  ]
}
")
endfunction()

# Sets <path_out> to the manifest's absolute path, <id_out> and <version_out> to those members; stops
# with a sentence if the file cannot serve. What else is wrong with it, the host says by its schema.
function(garland_connector_read_manifest_ where target file kind path_out id_out version_out)
  if(NOT file)
    message(FATAL_ERROR "${where}: MANIFEST is missing; name the connector's connector.json")
  endif()
  get_filename_component(path "${file}" ABSOLUTE BASE_DIR ${CMAKE_CURRENT_SOURCE_DIR})
  if(NOT EXISTS "${path}")
    message(FATAL_ERROR "${where}: the manifest ${path} does not exist")
  endif()
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${path}")
  file(READ "${path}" text)
  string(JSON id ERROR_VARIABLE problem GET "${text}" id)
  if(problem)
    message(FATAL_ERROR "${where}: ${path} is not JSON with an \"id\": ${problem}")
  endif()
  string(JSON version ERROR_VARIABLE problem GET "${text}" version)
  if(problem)
    message(FATAL_ERROR "${where}: ${path}: /version is missing: ${problem}")
  endif()
  if(NOT id MATCHES "^[a-z][a-z0-9]*(\\.[a-z][a-z0-9_-]*)+$")
    message(FATAL_ERROR "${where}: ${path}: /id is \"${id}\"; it must be in reverse DNS form, "
                        "lower case, such as \"com.example.calendar\"")
  endif()
  if(kind STREQUAL "twin")
    garland_twin_manifest_(${target} "${text}" path id)
  endif()
  get_property(owner GLOBAL PROPERTY GARLAND_CONNECTOR_${id})
  if(owner)
    message(FATAL_ERROR "${where}: ${path}: /id is \"${id}\", which is the id of ${owner} already")
  endif()
  set_property(GLOBAL PROPERTY GARLAND_CONNECTOR_${id} ${target})
  set(${path_out} "${path}" PARENT_SCOPE)
  set(${id_out} ${id} PARENT_SCOPE)
  set(${version_out} "${version}" PARENT_SCOPE)
endfunction()

# Writes the manifest of the twin of the connector whose manifest is `text`.
function(garland_twin_manifest_ target text path_out id_out)
  string(JSON id GET "${text}" id)
  string(JSON name GET "${text}" name)
  foreach(member IN ITEMS version category)
    string(JSON ${member} GET "${text}" ${member})
  endforeach()
  set(id ${id}-twin)
  set(manifest [[{
  "manifest": 1,
  "id": "@id@",
  "name": "",
  "version": "@version@",
  "category": "@category@",
  "summary": "A deterministic stand-in for the provider, for tests and demonstrations.",
  "operations": ["twin.serve/1"],
  "auth": [],
  "hosts": [],
  "settings": {
    "type": "object",
    "additionalProperties": false,
    "required": ["seed"],
    "properties": {
      "seed": { "type": "integer", "title": "What all randomness is made of" },
      "volume": { "type": "integer", "minimum": 0, "title": "How many records it begins with" },
      "start": { "type": "string", "title": "When its clock begins, RFC 3339" }
    }
  }
}]])
  string(CONFIGURE "${manifest}" manifest @ONLY)
  string(REPLACE "\"" "\\\"" name "${name}")
  string(JSON manifest SET "${manifest}" name "\"${name}\"")
  set(path ${CMAKE_CURRENT_BINARY_DIR}/${target}.json)
  file(CONFIGURE OUTPUT ${path} CONTENT "${manifest}\n" @ONLY)
  set(${path_out} ${path} PARENT_SCOPE)
  set(${id_out} ${id} PARENT_SCOPE)
endfunction()

# Writes the source whose only content is the note ".note.garland": name "Garland", type 1, the
# manifest's bytes. Linkers keep notes, so it survives --gc-sections and strip.
function(garland_connector_note_ target manifest language out)
  if(language STREQUAL "C")
    set(note ${CMAKE_CURRENT_BINARY_DIR}/${target}_note.c)
  else()
    set(note ${CMAKE_CURRENT_BINARY_DIR}/${target}_note.cpp)
  endif()
  set(GARLAND_MANIFEST_PATH "${manifest}")
  configure_file(${GARLAND_CONNECTOR_DIR}/manifest_note.c.in ${note} @ONLY)
  set_source_files_properties(${note} PROPERTIES OBJECT_DEPENDS "${manifest}")
  set(${out} ${note} PARENT_SCOPE)
endfunction()
