// Messages as the sync engine sees them.
#include "host/messaging/messaging.h"

#include <garland/schemas.hpp>

#include <array>
#include <string>
#include <string_view>

namespace garland::messaging {
namespace {

constexpr std::array<std::string_view, 2> kEntities{"messaging.message", "messaging.received"};

json::value schemaOf(std::string_view entity) {
  auto schema = parseJson(schemas::schemaText("record." + std::string(entity) + ".json"));
  return schema ? std::move(*schema) : json::value(json::object());
}

// Members that the schema knows; what has no value is absent already.
json::value mapped(json::value const& schema, json::value const& data) {
  json::object members;
  if (!data.is_object()) return members;
  for (auto const& member : data.get_object())
    if (find(schema, "/properties/" + std::string(member.key())) != nullptr)
      members.emplace(member.key(), member.value());
  return members;
}

sync::Kind kindOf(std::string_view entity) {
  sync::Kind kind;
  kind.name = entity;
  kind.goes_with_person = true;
  kind.pull_operation = "messaging.pull/1";
  kind.input = json::object{{"entity", entity}};
  kind.schema = schemaOf(entity);
  kind.project = [schema = kind.schema](json::value const& data) { return mapped(schema, data); };
  return kind;
}

} // namespace

std::vector<sync::Kind> kinds() {
  std::vector<sync::Kind> all;
  for (auto const entity : kEntities) all.push_back(kindOf(entity));
  return all;
}

} // namespace garland::messaging
