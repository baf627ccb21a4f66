# cmake -DOUTPUT=schemas.cpp -DFOLDER=schemas -P EmbedSchemas.cmake
# Writes a C++ file that holds every *.json of FOLDER, sorted by name.
file(GLOB files ${FOLDER}/*.json)
list(SORT files)
list(LENGTH files count)
set(rows "")
foreach(path IN LISTS files)
  get_filename_component(name ${path} NAME)
  file(READ ${path} text)
  string(APPEND rows "    {\"${name}\", R\"schema(${text})schema\"},\n")
endforeach()
file(WRITE ${OUTPUT} "#include \"garland/schemas.hpp\"

#include <array>

namespace garland::schemas {
namespace {
struct Entry {
  std::string_view name;
  std::string_view text;
};
constexpr std::array<Entry, ${count}> entries{{
${rows}}};
} // namespace

std::string_view schemaText(std::string_view name) {
  for (auto const& entry : entries)
    if (entry.name == name) return entry.text;
  return {};
}

std::vector<std::string_view> schemaNames() {
  std::vector<std::string_view> names;
  for (auto const& entry : entries) names.push_back(entry.name);
  return names;
}
} // namespace garland::schemas
")
