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

// Members that begin with a day, by the pattern that their schemas have for one.
std::set<std::string> daysOf(json::value const& schema) {
  constexpr std::string_view pattern = "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])";
  std::set<std::string> names;
  for (auto const& name : membersOf(schema))
    if (textOr(schema, "/properties/" + name + "/pattern", "").starts_with(pattern)) names.insert(name);
  return names;
}

// No pattern knows that there is no 30 February. Of what conforms to the schema.
Result<void> checkDays(std::string const& kind, std::set<std::string> const& names, json::value const& data) {
  for (auto const& name : names) {
    auto const day = textOr(data, "/" + name, "").substr(0, 10);
    if (day.empty() || parseRfc3339(day + "T00:00:00Z")) continue;
    return Error(ErrorKind::invalidInput, kind + ": /" + name + ": there is no day " + day, "/" + name);
  }
  return {};
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
  kind.check = [what = kind.name, days = daysOf(kind.schema)](json::value const& data) {
    return checkDays(what, days, data);
  };
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
