// A kind whose contract is its schema, as the kinds of CRMs and of payments are.
#include "host/sync/sync.h"

#include <garland/schemas.hpp>

#include <set>

namespace garland::sync {
namespace {

json::value schemaOf(std::string_view name) {
  auto schema = parseJson(schemas::schemaText("record." + std::string(name) + ".json"));
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

} // namespace

Kind entityKind(std::string_view name) {
  std::string const area(name.substr(0, name.find('.')));
  Kind kind;
  kind.name = name;
  kind.pull_operation = area + ".pull/1";
  kind.upsert_operation = area + ".upsert/1";
  kind.delete_operation = area + ".delete/1";
  kind.input = json::object{{"entity", name}};
  kind.schema = schemaOf(name);
  kind.project = [members = membersOf(kind.schema)](json::value const& data) {
    json::object mapped;
    if (data.is_object())
      for (auto const& member : data.get_object())
        if (members.contains(std::string(member.key()))) mapped.emplace(member.key(), member.value());
    return normalised(mapped);
  };
  return kind;
}

} // namespace garland::sync
