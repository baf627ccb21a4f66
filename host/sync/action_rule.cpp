#include "host/sync/action_rule.h"

#include <algorithm>
#include <array>

namespace garland::sync {
namespace {

constexpr std::array<std::pair<ActionState, std::string_view>, 5> kStates{
    {{ActionState::waiting, "waiting"},
     {ActionState::sent, "sent"},
     {ActionState::done, "done"},
     {ActionState::failed, "failed"},
     {ActionState::unknown, "unknown"}}};

json::object const* actionsObject(runtime::Manifest const& manifest) {
  auto const* actions = find(manifest.document, "/actions");
  return actions == nullptr ? nullptr : actions->if_object();
}

// The second half of a name such as "payments.create/1" is of no use to a JSON Pointer: it has a slash.
json::value const* member(json::object const* object, std::string_view name) {
  return object == nullptr ? nullptr : object->if_contains(name);
}

} // namespace

std::string_view name(ActionState state) {
  auto const found = std::find_if(kStates.begin(), kStates.end(),
                                  [state](auto const& entry) { return entry.first == state; });
  return found == kStates.end() ? "unknown" : found->second;
}

std::optional<ActionState> actionStateNamed(std::string_view name) {
  auto const found = std::find_if(kStates.begin(), kStates.end(),
                                  [name](auto const& entry) { return entry.second == name; });
  if (found == kStates.end()) return std::nullopt;
  return found->first;
}

Effect effectOf(ActionState state) {
  switch (state) {
  case ActionState::waiting:
  case ActionState::failed: return Effect::notApplied;
  case ActionState::done: return Effect::applied;
  case ActionState::sent:
  case ActionState::unknown: break;
  }
  return Effect::unknown;
}

std::string noticeOf(Action const& action) {
  if (action.state != ActionState::unknown) return {};
  std::string text =
      "whether " + action.operation + " with the key " + action.key + " took place is not known";
  if (action.next_attempt)
    return text + " yet; the provider is asked again at " + rfc3339(*action.next_attempt);
  return text +
         ", and nothing can find it out by itself: look it up at the provider, then type `garland "
         "actions settle " +
         action.id + " --applied` or `--not-applied`";
}

std::optional<ActionRule> actionRule(runtime::Manifest const& manifest, std::string_view operation) {
  auto const* entry = member(actionsObject(manifest), operation);
  if (entry == nullptr) return std::nullopt;
  ActionRule rule;
  rule.lookup = textOr(*entry, "/lookup", "");
  if (textOr(*entry, "/repeat", "") == "same_key")
    rule.repeat_for = std::chrono::seconds(integerOr(*entry, "/repeat_for", 0));
  return rule;
}

std::vector<std::string> actionsOf(runtime::Manifest const& manifest) {
  std::vector<std::string> names;
  if (auto const* actions = actionsObject(manifest))
    for (auto const& entry : *actions) names.emplace_back(entry.key());
  return names;
}

std::string providerKey(std::string_view vendor_id, std::string_view connection_id, std::string_view key) {
  auto const hex =
      vault::sha256Hex(std::string(vendor_id) + "\n" + std::string(connection_id) + "\n" + std::string(key));
  constexpr std::size_t kVersion = 12;
  constexpr std::size_t kVariant = 16;
  std::string uuid;
  for (std::size_t i = 0; i < 32; ++i) {
    if (i == 8 || i == 12 || i == 16 || i == 20) uuid += '-';
    if (i == kVersion)
      uuid += '8';
    else if (i == kVariant)
      uuid += "89ab"[static_cast<std::size_t>(hex[i]) % 4];
    else
      uuid += hex[i];
  }
  return uuid;
}

json::value callInput(Action const& action) {
  json::object input = action.input.is_object() ? action.input.get_object() : json::object();
  input["idempotency_key"] = action.provider_key;
  return input;
}

json::value lookupInput(Action const& action) {
  json::object input;
  input["idempotency_key"] = action.provider_key;
  input["operation"] = action.operation;
  input["input"] = action.input;
  // Only the last attempt is in doubt: an earlier one would have been found out before another was made.
  if (action.last_sent) input["sent_at"] = rfc3339(*action.last_sent);
  return input;
}

} // namespace garland::sync
