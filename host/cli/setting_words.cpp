#include "host/cli/setting_words.h"

#include <algorithm>

namespace garland::cli {
namespace {

bool isCredential(json::value const& plugin, std::string_view name) {
  auto const* const slots = find(plugin, "/auth");
  if (slots == nullptr || !slots->is_array()) return false;
  for (auto const& slot : slots->get_array()) {
    auto const* const fields = find(slot, "/fields");
    if (fields == nullptr || !fields->is_array()) continue;
    auto const& names = fields->get_array();
    if (std::ranges::find(names, json::value(name)) != names.end()) return true;
  }
  return false;
}

std::string listOf(json::object const& members) {
  std::string names;
  for (auto const& member : members) names += (names.empty() ? "" : ", ") + std::string(member.key());
  return names;
}

std::string whatItHas(json::object const* known) {
  return known == nullptr || known->empty() ? "it has none" : "it has: " + listOf(*known);
}

} // namespace

Result<void> checkSettingNames(json::value const& plugin, json::object const& settings) {
  auto const* const properties = find(plugin, "/settings_schema/properties");
  auto const* const known = properties == nullptr ? nullptr : properties->if_object();
  for (auto const& setting : settings) {
    std::string const name(setting.key());
    if (known != nullptr && known->contains(name)) continue;
    if (isCredential(plugin, name))
      return Error(ErrorKind::invalidInput,
                   "\"" + name +
                       "\" is no setting but what this connector signs in with: it is "
                       "asked for, or piped in with --password-stdin");
    return Error(ErrorKind::invalidInput, textOr(plugin, "/name", "the connector") + " has no setting \"" +
                                              name + "\"; " + whatItHas(known));
  }
  auto const* const required = find(plugin, "/settings_schema/required");
  if (required == nullptr || !required->is_array()) return {};
  for (auto const& one : required->get_array()) {
    if (!one.is_string() || settings.contains(one.get_string())) continue;
    std::string const name(one.get_string());
    auto const about = textOr(plugin, "/settings_schema/properties/" + name + "/description", "");
    return Error(ErrorKind::invalidInput, "the setting \"" + name + "\" is missing: --set " + name +
                                              "=VALUE" + (about.empty() ? "" : " (" + about + ")"));
  }
  return {};
}

} // namespace garland::cli
