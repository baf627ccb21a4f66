#include "ical_editions.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <tuple>

namespace garland::sdk::ical {
namespace {

// With its parameters, as it stands; empty if there is none.
std::string lineOf(icalcomponent* part, icalproperty_kind kind) {
  auto* const property = icalcomponent_get_first_property(part, kind);
  if (property == nullptr) return {};
  char* const text = icalproperty_as_ical_string_r(property);
  std::string result = text != nullptr ? text : "";
  icalmemory_free_buffer(text);
  return result;
}

// UTC times as their digits, which sort as the times do; a time that is absent is older than any.
std::string digitsOf(icalcomponent* part, icalproperty_kind kind) {
  auto line = lineOf(part, kind);
  line.erase(0, line.find(':'));
  std::erase_if(line, [](char c) { return c < '0' || c > '9'; });
  return line;
}

using Edition = std::tuple<long, std::string, std::string>;

Edition editionOf(icalcomponent* part) {
  auto const sequence = digitsOf(part, ICAL_SEQUENCE_PROPERTY);
  return {std::strtol(sequence.c_str(), nullptr, 10), digitsOf(part, ICAL_LASTMODIFIED_PROPERTY),
          digitsOf(part, ICAL_DTSTAMP_PROPERTY)};
}

} // namespace

bool keepNewest(std::vector<EventPart>& parts) {
  if (parts.size() < 2) return true;
  bool clear = true;
  std::map<std::string, std::size_t> places;
  std::vector<EventPart> kept;
  for (auto const& part : parts) {
    auto const [found, is_new] = places.emplace(lineOf(part.tree, ICAL_RECURRENCEID_PROPERTY), kept.size());
    if (is_new) {
      kept.push_back(part);
      continue;
    }
    auto& known = kept[found->second];
    auto const older = editionOf(known.tree);
    auto const newer = editionOf(part.tree);
    if (newer < older) continue;
    if (newer == older &&
        lineOf(part.tree, ICAL_DTSTART_PROPERTY) != lineOf(known.tree, ICAL_DTSTART_PROPERTY))
      clear = false;
    known = part;
  }
  parts = std::move(kept);
  return clear;
}

} // namespace garland::sdk::ical
