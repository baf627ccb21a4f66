#include "ends.h"

#include <algorithm>
#include <charconv>

namespace garland::ical_feed {
namespace {

using std::chrono::days;
using std::chrono::sys_days;
using std::chrono::year_month_day;

// Of "2026-06-13T14:00:00" or "20260613T140000Z"; nothing if there is no day in it.
std::optional<sys_days> dayOf(std::string_view text) {
  std::string digits;
  for (char const c : text.substr(0, text.find('T')))
    if (c >= '0' && c <= '9') digits += c;
  int number = 0;
  auto const [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || digits.size() != 8) return std::nullopt;
  year_month_day const day(std::chrono::year(number / 10'000),
                           std::chrono::month(static_cast<unsigned>(number / 100 % 100)),
                           std::chrono::day(static_cast<unsigned>(number % 100)));
  if (!day.ok()) return std::nullopt;
  return sys_days(day);
}

// The value of one part of a rule, "COUNT" of "FREQ=DAILY;COUNT=3"; empty if it has none.
std::string_view partOf(std::string_view rule, std::string_view name) {
  while (!rule.empty()) {
    auto const part = rule.substr(0, rule.find(';'));
    rule.remove_prefix(std::min(rule.size(), part.size() + 1));
    if (part.starts_with(name) && part.substr(name.size()).starts_with('='))
      return part.substr(name.size() + 1);
  }
  return {};
}

std::int64_t numberOf(std::string_view text, std::int64_t otherwise) {
  constexpr std::int64_t largest = 1'000'000; // of days or periods: beyond any calendar
  std::int64_t number = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && number > 0 ? std::min(number, largest) : otherwise;
}

std::optional<sys_days> lastDayOf(std::string_view rule, sys_days start) {
  if (auto const until = partOf(rule, "UNTIL"); !until.empty()) return dayOf(until);
  auto const count = numberOf(partOf(rule, "COUNT"), 0);
  if (count == 0) return std::nullopt;
  auto const frequency = partOf(rule, "FREQ");
  int const period = frequency == "YEARLY"    ? 366
                     : frequency == "MONTHLY" ? 31
                     : frequency == "WEEKLY"  ? 7
                                              : 1;
  return start +
         days(std::min<std::int64_t>(count * numberOf(partOf(rule, "INTERVAL"), 1) * period, 1'000'000));
}

} // namespace

std::optional<sys_days> lastDayOf(sdk::calendar::Event const& event) {
  auto const start = dayOf(event.start.text);
  if (!start) return std::nullopt;
  auto const day = [&start](sdk::calendar::Time const& time) { return dayOf(time.text).value_or(*start); };
  auto const length = event.end ? std::max(day(*event.end) - *start, days(0)) : days(0);
  auto last_start = *start;
  for (auto const& rule : event.recurrence.rules) {
    auto const end = lastDayOf(rule, *start);
    if (!end) return std::nullopt;
    last_start = std::max(last_start, *end);
  }
  for (auto const& date : event.recurrence.dates) last_start = std::max(last_start, day(date));
  auto last = last_start;
  for (auto const& change : event.overrides) {
    last_start = std::max(last_start, day(change.start.value_or(change.occurrence)));
    if (change.end) last = std::max(last, day(*change.end));
  }
  return std::max(last, last_start + length);
}

} // namespace garland::ical_feed
