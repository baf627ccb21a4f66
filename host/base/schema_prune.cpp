#include "host/base/schema_prune.h"

#include <algorithm>

namespace garland {
namespace {

constexpr int kDeepest = 64; // JSON that the host takes is no deeper

class Pruner {
public:
  explicit Pruner(json::value const& root) : root_(root) {}

  json::value prune(json::value const* rules, json::value const& value, int depth) const {
    rules = resolved(rules);
    if (rules == nullptr || depth > kDeepest) return value;
    if (auto const* members = value.if_object()) return pruneObject(*rules, *members, depth);
    if (auto const* items = value.if_array()) {
      auto const* each = find(*rules, "/items");
      json::array out;
      for (auto const& item : *items) out.push_back(prune(each, item, depth + 1));
      return out;
    }
    return value;
  }

private:
  json::value pruneObject(json::value const& rules, json::object const& members, int depth) const {
    auto const* described = find(rules, "/properties");
    auto const* others = find(rules, "/additionalProperties");
    bool const closed = others != nullptr && others->is_bool() && !others->get_bool();
    json::object out;
    for (auto const& [name, member] : members) {
      auto const* own = described != nullptr && described->is_object()
                            ? described->get_object().if_contains(name)
                            : nullptr;
      if (own == nullptr && closed) continue;
      out[name] = prune(own != nullptr ? own : others, member, depth + 1);
    }
    return out;
  }

  // Null for what says nothing about members.
  json::value const* resolved(json::value const* rules) const {
    for (int hops = 0; hops < kDeepest && rules != nullptr && rules->is_object(); ++hops) {
      auto const target = textOr(*rules, "/$ref", "");
      if (target.empty()) return rules;
      rules = target.starts_with("#/") ? find(root_, target.substr(1)) : nullptr;
    }
    return nullptr;
  }

  json::value const& root_;
};

} // namespace

json::value withoutUnknownMembers(json::value const& schema, json::value const& value) {
  return Pruner(schema).prune(&schema, value, 0);
}

json::value withoutMember(json::value schema, std::string_view member) {
  auto* const object = schema.if_object();
  if (object == nullptr) return schema;
  if (auto* members = object->if_contains("properties"); members != nullptr && members->is_object())
    members->get_object().erase(member);
  if (auto* required = object->if_contains("required"); required != nullptr && required->is_array()) {
    auto& names = required->get_array();
    auto const place = std::find(names.begin(), names.end(), json::value(member));
    if (place != names.end()) names.erase(place);
  }
  return schema;
}

} // namespace garland
