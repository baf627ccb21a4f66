// CRM records as the sync engine sees them.
#include "host/crm/crm.h"

#include <garland/schemas.hpp>

#include <array>
#include <set>
#include <string>
#include <string_view>

namespace garland::crm {
namespace {

constexpr std::array<std::string_view, 7> kEntities{
    "crm.client", "crm.project", "crm.participant", "crm.event", "crm.order", "crm.payment", "crm.note"};

json::value schemaOf(std::string_view entity) {
  auto schema = parseJson(schemas::schemaText("record." + std::string(entity) + ".json"));
  return schema ? std::move(*schema) : json::value(json::object());
}

std::set<std::string> membersOf(json::value const& schema) {
  std::set<std::string> names;
  if (auto const* properties = find(schema, "/properties"); properties != nullptr && properties->is_object())
    for (auto const& property : properties->get_object()) names.emplace(property.key());
  return names;
}

bool saysNothing(json::value const& value) {
  return value.is_null() || (value.is_string() && value.get_string().empty()) ||
         (value.is_array() && value.get_array().empty()) || (value.is_object() && value.get_object().empty());
}

// "No value" has one spelling: the member is absent.
json::value normalised(json::value const& value) {
  if (!value.is_object()) return value;
  json::object kept;
  for (auto const& member : value.get_object())
    if (auto inner = normalised(member.value()); !saysNothing(inner))
      kept.emplace(member.key(), std::move(inner));
  return kept;
}

sync::Kind kindOf(std::string_view entity) {
  sync::Kind kind;
  kind.name = entity;
  kind.pull_operation = "crm.pull/1";
  kind.upsert_operation = "crm.upsert/1";
  kind.delete_operation = "crm.delete/1";
  kind.input = json::object{{"entity", entity}};
  kind.schema = schemaOf(entity);
  kind.project = [members = membersOf(kind.schema)](json::value const& data) {
    json::object mapped;
    if (data.is_object())
      for (auto const& member : data.get_object())
        if (members.contains(std::string(member.key()))) mapped.emplace(member.key(), member.value());
    return normalised(mapped);
  };
  return kind;
}

} // namespace

std::vector<sync::Kind> kinds() {
  std::vector<sync::Kind> all;
  for (auto const entity : kEntities) all.push_back(kindOf(entity));
  return all;
}

} // namespace garland::crm
