// Checks of what a vendor reads while connecting.
#include "certification/check.h"

namespace garland::certification {
namespace {

std::string noSettings(Subject const& subject) {
  auto const* all = garland::find(subject.plugin.manifest.settings_schema, "/properties");
  bool const any = all != nullptr && all->is_object() && !all->get_object().empty();
  return any ? "" : "the manifest has no settings";
}

// ---- DOC-02
void explainsItsSettings(Trial& trial) {
  auto const& all = *garland::find(trial.subject().plugin.manifest.settings_schema, "/properties");
  for (auto const& member : all.get_object()) {
    auto const where = "connector.json /settings/properties/" + std::string(member.key());
    trial.expect(!textOr(member.value(), "/title", "").empty(), "the setting has no title", where);
    trial.expect(textOr(member.value(), "/description", "").size() >= 20, "the setting is not explained",
                 where);
  }
}

constexpr Check kChecks[] = {
    {.id = "DOC-02",
     .run = explainsItsSettings,
     .skip = noSettings,
     .needs_twin = false,
     .calls_plugin = false},
};

} // namespace

std::span<Check const> docsChecks() { return kChecks; }

} // namespace garland::certification
