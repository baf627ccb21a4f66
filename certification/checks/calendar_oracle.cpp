#include "certification/checks/calendar_oracle.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <iterator>

namespace garland::certification::oracle {
namespace {

using namespace std::chrono;

constexpr char const* kDays[] = {"SU", "MO", "TU", "WE", "TH", "FR", "SA"};

std::int64_t bigEndian(std::string const& bytes, std::size_t at, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i) value = (value << 8U) | static_cast<unsigned char>(bytes.at(at + i));
  if (size == 4) return static_cast<std::int32_t>(static_cast<std::uint32_t>(value));
  return static_cast<std::int64_t>(value);
}

// The counts of a header of RFC 8536.
struct Header {
  std::size_t isutc, isstd, leap, times, types, chars;
};
Header headerAt(std::string const& bytes, std::size_t at) {
  auto const count = [&](std::size_t i) {
    return static_cast<std::size_t>(bigEndian(bytes, at + 20 + 4 * i, 4));
  };
  return {count(0), count(1), count(2), count(3), count(4), count(5)};
}

template <class... Numbers> std::string format(char const* pattern, Numbers... numbers) {
  std::array<char, 64> out{};
  std::snprintf(out.data(), out.size(), pattern, numbers...);
  return out.data();
}

std::string icsDate(local_seconds clock) {
  year_month_day const date(floor<days>(clock));
  return format("%04d%02u%02u", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()));
}
std::string icsClock(local_seconds clock) {
  hh_mm_ss const time(clock - floor<days>(clock));
  return icsDate(clock) + format("T%02d%02d%02d", static_cast<int>(time.hours().count()),
                                 static_cast<int>(time.minutes().count()),
                                 static_cast<int>(time.seconds().count()));
}

std::string timed(Event const& event, std::string const& name, local_seconds clock) {
  if (event.all_day) return name + ";VALUE=DATE:" + icsDate(clock);
  if (event.zone == "UTC") return name + ":" + icsClock(clock) + "Z";
  return name + (event.zone.empty() ? "" : ";TZID=" + event.zone) + ":" + icsClock(clock);
}

sys_seconds instantOf(Event const& event, local_seconds clock, std::string_view home) {
  if (event.zone == "UTC" && !event.all_day) return sys_seconds(clock.time_since_epoch());
  auto const zone = Zone::load(event.zone.empty() || event.all_day ? home : std::string_view(event.zone));
  return zone ? zone->instant(clock) : sys_seconds(clock.time_since_epoch());
}

std::string ruleText(Event const& event) {
  auto const& rule = *event.rule;
  constexpr char const* words[] = {"DAILY", "WEEKLY", "MONTHLY", "YEARLY"};
  std::string out = std::string("RRULE:FREQ=") + words[static_cast<int>(rule.every)];
  if (rule.interval != 1) out += ";INTERVAL=" + std::to_string(rule.interval);
  std::string names;
  for (auto const day : rule.weekdays)
    names += (names.empty() ? "" : ",") + (rule.nth ? std::to_string(*rule.nth) : "") + kDays[day];
  if (!names.empty()) out += ";BYDAY=" + names;
  if (rule.count) out += ";COUNT=" + std::to_string(*rule.count);
  if (rule.until) {
    auto const when = instantOf(event, *rule.until, "UTC");
    out += ";UNTIL=" + (event.all_day || event.zone.empty()
                            ? (event.all_day ? icsDate(*rule.until) : icsClock(*rule.until))
                            : icsClock(local_seconds(when.time_since_epoch())) + "Z");
  }
  return out;
}

// Is that day one of the rule's, its count and end aside?
bool isOfRule(Rule const& rule, local_days first, local_days day) {
  year_month_day const from(first);
  year_month_day const date(day);
  auto const weekday_of = weekday(day);
  auto const months = (static_cast<int>(date.year()) - static_cast<int>(from.year())) * 12 +
                      static_cast<int>(static_cast<unsigned>(date.month())) -
                      static_cast<int>(static_cast<unsigned>(from.month()));
  switch (rule.every) {
  case Rule::Every::day: return (day - first).count() % rule.interval == 0;
  case Rule::Every::week: {
    auto const monday = [](local_days d) { return d - (weekday(d) - Monday); };
    bool const this_week = (monday(day) - monday(first)).count() / 7 % rule.interval == 0;
    return this_week && (rule.weekdays.empty() ? weekday_of == weekday(first)
                                               : rule.weekdays.contains(weekday_of.c_encoding()));
  }
  case Rule::Every::month: {
    if (months % rule.interval != 0) return false;
    if (!rule.nth) return date.day() == from.day();
    if (!rule.weekdays.contains(weekday_of.c_encoding())) return false;
    auto const number = static_cast<int>(static_cast<unsigned>(date.day()));
    auto const last =
        static_cast<int>(static_cast<unsigned>((date.year() / date.month() / std::chrono::last).day()));
    return *rule.nth > 0 ? (number - 1) / 7 + 1 == *rule.nth : (last - number) / 7 + 1 == -*rule.nth;
  }
  case Rule::Every::year:
    return date.month() == from.month() && date.day() == from.day() && months / 12 % rule.interval == 0;
  }
  return false;
}

// Those of the series; what was moved is none of it.
std::vector<local_seconds> startsOf(Event const& event, local_seconds horizon) {
  std::set<local_seconds> starts;
  if (!event.rule) {
    starts.insert(event.start);
  } else {
    auto const first = floor<days>(event.start);
    auto const of_day = event.start - first;
    int left = event.rule->count.value_or(1'000'000);
    for (auto day = first; day <= floor<days>(horizon) && left > 0; day += days(1)) {
      if (event.rule->until && day + of_day > *event.rule->until) break;
      if (!isOfRule(*event.rule, first, day)) continue;
      starts.insert(day + of_day);
      --left;
    }
  }
  starts.insert(event.further.begin(), event.further.end());
  for (auto const& each : event.except) starts.erase(each);
  for (auto const& each : event.called_off) starts.erase(each);
  for (auto const& [from, to] : event.moved) starts.erase(from);
  return {starts.begin(), starts.end()};
}

void writeEvent(std::string& out, Event const& event) {
  auto const head = [&](local_seconds start) {
    out += "BEGIN:VEVENT\r\nUID:" + event.uid + "\r\nDTSTAMP:20260101T000000Z\r\nSUMMARY:Event " + event.uid +
           "\r\n" + timed(event, "DTSTART", start) + "\r\n";
    if (event.by_duration)
      out += "DURATION:" +
             (event.all_day ? "P" + std::to_string(event.length / days(1)) + "D"
                            : "PT" + std::to_string(event.length / minutes(1)) + "M") +
             "\r\n";
    else
      out += timed(event, "DTEND", start + event.length) + "\r\n";
    if (!event.busy) out += "TRANSP:TRANSPARENT\r\n";
  };
  head(event.start);
  if (event.cancelled) out += "STATUS:CANCELLED\r\n";
  if (event.rule) out += ruleText(event) + "\r\n";
  for (auto const& each : event.except) out += timed(event, "EXDATE", each) + "\r\n";
  for (auto const& each : event.further) out += timed(event, "RDATE", each) + "\r\n";
  out += "END:VEVENT\r\n";
  for (auto const& [from, to] : event.moved) {
    head(to);
    out += timed(event, "RECURRENCE-ID", from) + "\r\nEND:VEVENT\r\n";
  }
  for (auto const& each : event.called_off) {
    head(each);
    out += timed(event, "RECURRENCE-ID", each) + "\r\nSTATUS:CANCELLED\r\nEND:VEVENT\r\n";
  }
}

class Dice {
public:
  explicit Dice(std::uint64_t seed) : state_(seed * 2 + 1) {}
  int below(int bound) {
    state_ = state_ * 6'364'136'223'846'793'005U + 1'442'695'040'888'963'407U;
    return static_cast<int>((state_ >> 33U) % static_cast<std::uint64_t>(bound));
  }
  bool once(int in) { return below(in) == 0; }

private:
  std::uint64_t state_;
};

Rule someRule(Dice& dice, local_seconds start) {
  Rule rule;
  rule.every = static_cast<Rule::Every>(dice.below(4));
  rule.interval = 1 + dice.below(3);
  auto const day = floor<days>(start);
  if (rule.every == Rule::Every::week && dice.once(2)) {
    rule.weekdays = {weekday(day).c_encoding()};
    for (int i = 0; i < 2; ++i) rule.weekdays.insert(static_cast<unsigned>(dice.below(7)));
  }
  if (rule.every == Rule::Every::month && dice.once(2)) {
    auto const number = static_cast<int>(static_cast<unsigned>(year_month_day(day).day()));
    rule.weekdays = {weekday(day).c_encoding()};
    rule.nth = (number - 1) / 7 + 1;
    if (*rule.nth == 5) rule.nth = -1;
  }
  if (dice.once(2))
    rule.count = 2 + dice.below(12);
  else if (dice.once(2))
    rule.until = day + (start - day) + days(30 + dice.below(300));
  return rule;
}

} // namespace

std::optional<Zone> Zone::load(std::string_view name) {
  static std::map<std::string, std::optional<Zone>, std::less<>> thread_local known;
  if (auto const found = known.find(name); found != known.end()) return found->second;
  std::ifstream file("/usr/share/zoneinfo/" + std::string(name), std::ios::binary);
  std::string const bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (bytes.size() < 88 || !bytes.starts_with("TZif") || bytes[4] < '2')
    return known[std::string(name)] = std::nullopt;
  auto const old = headerAt(bytes, 0);
  auto const second = 44 + old.times * 5 + old.types * 6 + old.chars + old.leap * 8 + old.isstd + old.isutc;
  auto const header = headerAt(bytes, second);
  auto const times = second + 44;
  auto const indices = times + header.times * 8;
  auto const types = indices + header.times;
  if (types + header.types * 6 > bytes.size()) return known[std::string(name)] = std::nullopt;
  auto const offset = [&](std::size_t type) {
    return static_cast<std::int32_t>(bigEndian(bytes, types + type * 6, 4));
  };
  Zone zone;
  zone.first_ = offset(0);
  for (std::size_t i = 0; i < header.times; ++i)
    zone.steps_.emplace_back(bigEndian(bytes, times + i * 8, 8),
                             offset(static_cast<unsigned char>(bytes[indices + i])));
  return known[std::string(name)] = std::move(zone);
}

seconds Zone::offsetAt(sys_seconds when) const {
  auto const after = std::ranges::upper_bound(steps_, when.time_since_epoch().count(), {},
                                              &std::pair<std::int64_t, std::int32_t>::first);
  return seconds(after == steps_.begin() ? first_ : std::prev(after)->second);
}

sys_seconds Zone::instant(local_seconds clock) const {
  sys_seconds const as_utc(clock.time_since_epoch());
  auto const before = offsetAt(as_utc - hours(24));
  auto const after = offsetAt(as_utc + hours(24));
  auto const one = as_utc - before;
  auto const other = as_utc - after;
  bool const one_is = offsetAt(one) == before;
  bool const other_is = offsetAt(other) == after;
  if (one_is && other_is) return std::min(one, other);
  return other_is ? other : one;
}

std::vector<sys_seconds> Zone::changes(sys_seconds from, sys_seconds until) const {
  std::vector<sys_seconds> out;
  std::int32_t before = first_;
  for (auto const& [at, offset] : steps_) {
    sys_seconds const when{seconds(at)};
    if (offset != before && when >= from && when < until) out.push_back(when);
    before = offset;
  }
  return out;
}

std::string icsOf(std::vector<Event> const& events) {
  std::string out = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Oracle//Events//EN\r\n";
  for (auto const& event : events) writeEvent(out, event);
  return out + "END:VCALENDAR\r\n";
}

std::vector<Span> occurrencesOf(Event const& event, sys_seconds from, sys_seconds until,
                                std::string_view home) {
  std::vector<Span> out;
  if (event.cancelled) return out;
  auto const add = [&](local_seconds start, sys_seconds end) {
    auto const begin = instantOf(event, start, home);
    if (begin < until && end > from) out.push_back({begin, end});
  };
  auto const own_end = [&](local_seconds start) { return instantOf(event, start + event.length, home); };
  // RFC 5545, 3.8.5.3: an end that is written makes all of a series as long as the first, in time that
  // passes. So is a DURATION in minutes; whole days are counted in days.
  auto const exact =
      event.by_duration ? event.length : own_end(event.start) - instantOf(event, event.start, home);
  for (auto const start : startsOf(event, local_seconds(until.time_since_epoch()) + days(2)))
    add(start, event.all_day ? own_end(start) : instantOf(event, start, home) + exact);
  for (auto const& [from_start, start] : event.moved) // has an end of its own
    add(start, event.all_day || !event.by_duration ? own_end(start) : instantOf(event, start, home) + exact);
  std::ranges::sort(out);
  return out;
}

std::vector<Span> merged(std::vector<Span> spans) {
  std::ranges::sort(spans);
  std::vector<Span> out;
  for (auto const& span : spans)
    if (!out.empty() && span.begin <= out.back().end)
      out.back().end = std::max(out.back().end, span.end);
    else
      out.push_back(span);
  return out;
}

std::vector<Event> someEvents(std::uint64_t seed, int count) {
  constexpr char const* zones[] = {"Europe/Berlin", "America/New_York", "Australia/Sydney", "UTC", ""};
  Dice dice(seed);
  std::vector<Event> out;
  for (int i = 0; i < count; ++i) {
    Event event;
    event.uid = "event-" + std::to_string(i) + "@oracle.example";
    event.all_day = dice.once(6);
    event.zone = event.all_day ? "" : zones[dice.below(5)];
    // Never at night, when clocks change: that is looked at apart.
    event.start =
        local_days(year(2026) / March / 2) + days(dice.below(60)) +
        (event.all_day ? seconds(0) : seconds(hours(7 + dice.below(12)) + minutes(15 * dice.below(4))));
    event.length =
        event.all_day ? seconds(days(1 + dice.below(3))) : seconds(minutes(30 + 15 * dice.below(16)));
    event.by_duration = dice.once(4);
    event.busy = !dice.once(8);
    event.cancelled = dice.once(10);
    if (!dice.once(4)) event.rule = someRule(dice, event.start);
    if (event.rule) {
      auto const starts = startsOf(event, event.start + days(400));
      auto const pick = [&] {
        return starts[static_cast<std::size_t>(dice.below(static_cast<int>(starts.size())))];
      };
      if (starts.size() > 2 && dice.once(2)) event.except.insert(pick());
      if (starts.size() > 2 && dice.once(3)) {
        auto const which = pick();
        if (!event.except.contains(which))
          event.moved[which] = which + (event.all_day ? seconds(days(1)) : seconds(hours(2)));
      }
      if (starts.size() > 2 && dice.once(4)) {
        auto const which = pick();
        if (!event.except.contains(which) && !event.moved.contains(which)) event.called_off.insert(which);
      }
    }
    if (dice.once(5)) event.further.insert(event.start + days(3 + dice.below(20)));
    out.push_back(std::move(event));
  }
  return out;
}

std::string text(sys_seconds when) {
  auto const clock = icsClock(local_seconds(when.time_since_epoch()));
  return clock.substr(0, 4) + "-" + clock.substr(4, 2) + "-" + clock.substr(6, 5) + ":" +
         clock.substr(11, 2) + ":" + clock.substr(13, 2) + "Z";
}

} // namespace garland::certification::oracle
