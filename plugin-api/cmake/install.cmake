# cmake --install BUILD --component plugin-api: what a partner needs, found by find_package(garland-plugin).
# The same from the build tree, without installing anything.
include(CMakePackageConfigHelpers)
set(package ${CMAKE_INSTALL_LIBDIR}/cmake/garland-plugin)

set(libraries garland_plugin garland_schemas garland_boost garland_sdk garland_testing)
if(TARGET garland_sdk_ical)
  list(APPEND libraries garland_sdk_ical)
endif()
install(TARGETS ${libraries} EXPORT garland-plugin
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT plugin-api)
install(EXPORT garland-plugin NAMESPACE garland:: DESTINATION ${package} COMPONENT plugin-api
  FILE garland-pluginTargets.cmake)

install(DIRECTORY include/garland DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT plugin-api)
install(DIRECTORY schemas/ DESTINATION ${CMAKE_INSTALL_DATADIR}/garland/schemas COMPONENT plugin-api
  FILES_MATCHING PATTERN "*.json")
install(FILES cmake/GarlandConnector.cmake cmake/connector.map cmake/manifest_note.c.in
  cmake/mapped_connector.cpp.in
  DESTINATION ${package} COMPONENT plugin-api)

# What `garland init` copies.
install(DIRECTORY templates DESTINATION ${CMAKE_INSTALL_DATADIR}/garland COMPONENT plugin-api)

configure_package_config_file(cmake/garland-pluginConfig.cmake.in
  ${CMAKE_CURRENT_BINARY_DIR}/garland-pluginConfig.cmake INSTALL_DESTINATION ${package})
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/garland-pluginConfigVersion.cmake
  VERSION ${PROJECT_VERSION} COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/garland-pluginConfig.cmake
  ${CMAKE_CURRENT_BINARY_DIR}/garland-pluginConfigVersion.cmake DESTINATION ${package} COMPONENT plugin-api)

# The build tree is laid out like an installed prefix, so that both are found alike, by find_package and by the tool.
set(tree ${CMAKE_BINARY_DIR}/lib/cmake/garland-plugin)
export(EXPORT garland-plugin NAMESPACE garland:: FILE ${tree}/garland-pluginTargets.cmake)
configure_package_config_file(cmake/garland-pluginConfig.cmake.in ${tree}/garland-pluginConfig.cmake
  INSTALL_DESTINATION ${tree} INSTALL_PREFIX ${CMAKE_BINARY_DIR})
configure_file(${CMAKE_CURRENT_BINARY_DIR}/garland-pluginConfigVersion.cmake ${tree}/ COPYONLY)
foreach(file IN ITEMS GarlandConnector.cmake connector.map manifest_note.c.in mapped_connector.cpp.in)
  configure_file(cmake/${file} ${tree}/${file} COPYONLY)
endforeach()
file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/share/garland)
file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR}/templates ${CMAKE_BINARY_DIR}/share/garland/templates SYMBOLIC)
