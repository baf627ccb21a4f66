// The JSON Schemas of plugin-api/schemas, compiled into the program (library garland_schemas).
#pragma once

#include <string_view>
#include <vector>

namespace garland::schemas {

// The text of one schema by its file name ("manifest.json"); empty if there is none of that name.
// Valid for ever. [any thread]
std::string_view schemaText(std::string_view name);

// Every file name, sorted.
std::vector<std::string_view> schemaNames();

} // namespace garland::schemas

namespace garland {
using schemas::schemaText;
} // namespace garland
