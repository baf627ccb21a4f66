#include "host/calendar/projection.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>

namespace garland::calendar {
namespace {

constexpr std::array<std::string_view, 15> mapped{
    "uid",       "title",     "description", "location",   "url",
    "status",    "busy",      "start",       "end",        "recurrence",
    "overrides", "organizer", "attendees",   "categories", "zone_definitions"};

std::string trimmed(std::string_view text) {
  auto const isSpace = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!text.empty() && isSpace(text.front())) text.remove_prefix(1);
  while (!text.empty() && isSpace(text.back())) text.remove_suffix(1);
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i)
    if (text[i] != '\r' || i + 1 == text.size() || text[i + 1] != '\n') result += text[i];
  return result;
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return result;
}

bool saysNothing(json::value const& value) {
  return value.is_null() || (value.is_string() && value.get_string().empty()) ||
         (value.is_array() && value.get_array().empty()) || (value.is_object() && value.get_object().empty());
}

json::value normalised(json::value const& value);

json::value normalisedObject(json::object const& object) {
  json::object result;
  for (auto const& [name, member] : object) {
    auto kept = normalised(member);
    if (name == "email" && kept.is_string()) kept = lower(kept.get_string());
    if (!saysNothing(kept)) result.emplace(name, std::move(kept));
  }
  return result;
}

// Every list of an event is a set: rules, dates, exceptions, overrides, people, labels.
json::value normalisedSet(json::array const& list) {
  std::vector<std::pair<std::string, json::value>> members;
  for (auto const& member : list) {
    auto kept = normalised(member);
    if (saysNothing(kept)) continue;
    auto key = canonicalJson(kept);
    members.emplace_back(std::move(key), std::move(kept));
  }
  std::sort(members.begin(), members.end(), [](auto const& a, auto const& b) { return a.first < b.first; });
  auto const last = std::unique(members.begin(), members.end(),
                                [](auto const& a, auto const& b) { return a.first == b.first; });
  json::array result;
  for (auto one = members.begin(); one != last; ++one) result.push_back(std::move(one->second));
  return result;
}

json::value normalised(json::value const& value) {
  if (value.is_string()) return json::value(trimmed(value.get_string()));
  if (value.is_array()) return normalisedSet(value.get_array());
  if (value.is_object()) return normalisedObject(value.get_object());
  return value;
}

// Members of lists that mean the same whether they are there or not.
void dropDefaults(json::object& event) {
  if (auto* attendees = event.if_contains("attendees"); attendees != nullptr && attendees->is_array())
    for (auto& person : attendees->get_array())
      if (person.is_object() && textOr(person, "/answer", "") == "needs_action")
        person.get_object().erase("answer");
  if (auto* overrides = event.if_contains("overrides"); overrides != nullptr && overrides->is_array())
    for (auto& change : overrides->get_array())
      if (change.is_object() && !boolOr(change, "/cancelled", false)) change.get_object().erase("cancelled");
}

} // namespace

json::value projectEvent(json::value const& event) {
  if (!event.is_object()) return event;
  json::object result;
  for (auto const name : mapped) {
    auto const* member = event.get_object().if_contains(name);
    if (member == nullptr) continue;
    auto kept = normalised(*member);
    if (!saysNothing(kept)) result.emplace(name, std::move(kept));
  }
  dropDefaults(result);
  return result;
}

} // namespace garland::calendar
