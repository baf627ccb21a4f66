// What can be wrong with an RRULE value before libical may see it.
//
// libical 3.0.16 keeps each list of a rule (BYDAY, BYSETPOS, ...) in an array of fixed length and
// writes one element past its end when a list is one longer than that. Both sides that parse rules,
// connectors and the host, therefore ask here first. What a rule means is not decided here.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace garland::sdk {

// The sentence's end ("has too many values in BYDAY"), or empty if nothing is wrong.
inline std::string_view recurrenceRuleProblem(std::string_view rule) noexcept {
  struct Limit {
    std::string_view part;
    std::ptrdiff_t values;
  };
  constexpr std::array<Limit, 9> limits{{{"BYSECOND", 61},
                                         {"BYMINUTE", 60},
                                         {"BYHOUR", 24},
                                         {"BYDAY", 366},
                                         {"BYMONTHDAY", 31},
                                         {"BYYEARDAY", 366},
                                         {"BYWEEKNO", 53},
                                         {"BYMONTH", 12},
                                         {"BYSETPOS", 366}}};
  auto const sameWord = [](std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](char x, char y) { return (x >= 'a' && x <= 'z' ? x - 32 : x) == y; });
  };
  if (rule.empty()) return "is empty";
  if (rule.size() > 2000) return "is longer than 2,000 characters";
  for (char const c : rule)
    if (c < ' ' || c > '~') return "has a character that does not belong into a rule";
  while (!rule.empty()) {
    auto const part = rule.substr(0, rule.find(';'));
    rule.remove_prefix(std::min(rule.size(), part.size() + 1));
    auto const name = part.substr(0, part.find('='));
    auto const values = 1 + std::count(part.begin(), part.end(), ',');
    for (auto const& limit : limits)
      if (sameWord(name, limit.part) && values > limit.values)
        return "has too many values in one of its lists";
  }
  return {};
}

} // namespace garland::sdk
