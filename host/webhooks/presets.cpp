// Well-known schemes, each a file of presets/: data, like a connector's own.
#include "host/webhooks/preset_table.h"
#include "host/webhooks/scheme.h"

#include <algorithm>

namespace garland::webhooks {
namespace {

std::string plain(std::string_view name) {
  std::string text(name);
  std::replace(text.begin(), text.end(), '_', '-');
  return text;
}

// By name and alias. A preset that does not parse is missing here; a test reads every one.
std::map<std::string, json::value, std::less<>> readAll() {
  std::map<std::string, json::value, std::less<>> all;
  for (auto const& preset : presetTexts()) {
    auto const document = parseJson(preset.text);
    if (!document) continue;
    all.emplace(plain(preset.name), *document);
    if (auto const* aliases = find(*document, "/aliases"))
      for (auto const& alias : aliases->as_array())
        all.emplace(plain(std::string_view(alias.as_string())), *document);
  }
  return all;
}

} // namespace

json::value const* presetNamed(std::string_view name) {
  static auto const all = readAll();
  auto const found = all.find(plain(name));
  return found == all.end() ? nullptr : &found->second;
}

std::vector<std::string> presetNames() {
  std::vector<std::string> names;
  for (auto const& preset : presetTexts()) names.emplace_back(preset.name);
  std::sort(names.begin(), names.end());
  return names;
}

} // namespace garland::webhooks
