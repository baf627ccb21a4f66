// When an event takes place: its start, its rules and dates, less its exceptions, with single
// occurrences replaced by their overrides (RFC 5545, 3.8.5).
#include "host/calendar/calendar.h"

#include "host/calendar/event_time.h"
#include "host/calendar/rule.h"
#include "host/calendar/zones.h"

#include <algorithm>
#include <optional>
#include <set>
#include <tuple>

namespace garland::calendar {
namespace {

using namespace std::chrono;

constexpr std::size_t max_steps = 100'000;

struct Span {
  sys_seconds start;
  sys_seconds end;
};

class Series {
public:
  static Result<Series> of(json::value const& event, std::string_view home_zone);

  // Generates every start up to `until`, then removes exceptions.
  Result<void> expand(sys_seconds until);
  // What single occurrences have of their own; they take their place out of the series.
  Result<std::vector<Occurrence>> takeOverrides();
  // What is left of the series.
  std::vector<Occurrence> rest() const;

private:
  Result<Zone> zoneOf(EventTime const& time, std::string_view field) const;
  Result<sys_seconds> instant(EventTime const& time, std::string_view field) const;
  Result<EventTime> timeAt(std::string_view pointer) const;
  Result<void> addRules(sys_seconds until);
  Result<void> addDates(sys_seconds until);
  Result<void> removeExceptions();
  Result<std::optional<Occurrence>> overridden(json::value const& change, std::string const& field);
  sys_seconds endOf(sys_seconds start) const;

  json::value const* event_ = nullptr;
  ZoneBook book_;
  Zone home_;
  Zone zone_; // of the event's start
  EventTime start_;
  days whole_days_{1}; // length of an all-day event
  seconds length_{0};  // length of any other
  std::string title_;
  std::set<sys_seconds> starts_;
};

Result<Series> Series::of(json::value const& event, std::string_view home_zone) {
  Series series;
  series.event_ = &event;
  TRY(book, ZoneBook::of(event));
  series.book_ = std::move(book);
  TRY(home, series.book_.find(home_zone, "home_zone"));
  series.home_ = home;
  TRY(start, series.timeAt("/start"));
  series.start_ = start;
  TRY(zone, series.zoneOf(start, "/start/zone"));
  series.zone_ = zone;
  series.title_ = textOr(event, "/title", "");
  if (find(event, "/end") == nullptr) return series;
  TRY(end, series.timeAt("/end"));
  if (end.isDate() != start.isDate())
    return Error(ErrorKind::invalidInput, "/end: must be a date if and only if start is one", "/end");
  if (start.isDate()) {
    series.whole_days_ = std::max(days(1), floor<days>(end.local - start.local));
    return series;
  }
  TRY(begin_instant, series.instant(start, "/start"));
  TRY(end_instant, series.instant(end, "/end"));
  series.length_ = std::max(seconds(0), end_instant - begin_instant);
  return series;
}

Result<EventTime> Series::timeAt(std::string_view pointer) const {
  auto const* found = find(*event_, pointer);
  if (found == nullptr)
    return Error(ErrorKind::invalidInput, std::string(pointer) + ": is missing", std::string(pointer));
  return readTime(*found, pointer);
}

Result<Zone> Series::zoneOf(EventTime const& time, std::string_view field) const {
  switch (time.form) {
  case EventTime::Form::utc: return Zone();
  case EventTime::Form::zoned: return book_.find(time.zone, field);
  default: return home_;
  }
}

Result<sys_seconds> Series::instant(EventTime const& time, std::string_view field) const {
  TRY(zone, zoneOf(time, std::string(field) + "/zone"));
  return zone.toUtc(time.local);
}

Result<void> Series::expand(sys_seconds until) {
  starts_.insert(zone_.toUtc(start_.local));
  TRY_VOID(addRules(until));
  TRY_VOID(addDates(until));
  return removeExceptions();
}

Result<void> Series::addRules(sys_seconds until) {
  auto const* rules = find(*event_, "/recurrence/rules");
  if (rules == nullptr || !rules->is_array()) return {};
  if (rules->get_array().size() > max_rules)
    return Error(ErrorKind::invalidInput, "/recurrence/rules: must be 16 rules or fewer",
                 "/recurrence/rules");
  std::size_t steps = max_steps;
  for (std::size_t i = 0; i < rules->get_array().size(); ++i) {
    std::string const field = "/recurrence/rules/" + std::to_string(i);
    TRY(text, textAt(*event_, field));
    RuleRun const run{text, field, start_, zone_.toLocal(until),
                      [this](sys_seconds when) { return zone_.toLocal(when); }};
    TRY_VOID(runRule(run, steps, [this](local_seconds local) { starts_.insert(zone_.toUtc(local)); }));
  }
  return {};
}

Result<void> Series::addDates(sys_seconds until) {
  auto const* dates = find(*event_, "/recurrence/dates");
  if (dates == nullptr || !dates->is_array()) return {};
  for (std::size_t i = 0; i < dates->get_array().size(); ++i) {
    std::string const field = "/recurrence/dates/" + std::to_string(i);
    TRY(date, readTime(dates->get_array()[i], field));
    TRY(when, instant(date, field));
    if (when <= until) starts_.insert(when);
  }
  return {};
}

Result<void> Series::removeExceptions() {
  auto const* except = find(*event_, "/recurrence/except");
  if (except == nullptr || !except->is_array()) return {};
  std::set<local_seconds> whole_days;
  for (std::size_t i = 0; i < except->get_array().size(); ++i) {
    std::string const field = "/recurrence/except/" + std::to_string(i);
    TRY(time, readTime(except->get_array()[i], field));
    // A date takes out whatever starts on that day, also where the event has a time of day.
    if (time.isDate()) {
      whole_days.insert(time.local);
      continue;
    }
    TRY(when, instant(time, field));
    starts_.erase(when);
  }
  if (whole_days.empty()) return {};
  std::erase_if(starts_,
                [&](sys_seconds when) { return whole_days.contains(floor<days>(zone_.toLocal(when))); });
  return {};
}

sys_seconds Series::endOf(sys_seconds start) const {
  if (!start_.isDate()) return start + length_;
  return zone_.toUtc(zone_.toLocal(start) + whole_days_);
}

Result<std::vector<Occurrence>> Series::takeOverrides() {
  std::vector<Occurrence> result;
  auto const* overrides = find(*event_, "/overrides");
  if (overrides == nullptr || !overrides->is_array()) return result;
  for (std::size_t i = 0; i < overrides->get_array().size(); ++i) {
    TRY(occurrence, overridden(overrides->get_array()[i], "/overrides/" + std::to_string(i)));
    if (occurrence) result.push_back(std::move(*occurrence));
  }
  return result;
}

Result<std::optional<Occurrence>> Series::overridden(json::value const& change, std::string const& field) {
  TRY(original, timeAt(field + "/occurrence"));
  TRY(replaced, instant(original, field + "/occurrence"));
  starts_.erase(replaced);
  if (boolOr(change, "/cancelled", false) || textOr(change, "/status", "") == "cancelled")
    return std::optional<Occurrence>();
  Occurrence occurrence{replaced, endOf(replaced), start_.isDate(), textOr(change, "/title", title_)};
  if (find(change, "/start") != nullptr) {
    TRY(start, timeAt(field + "/start"));
    TRY(when, instant(start, field + "/start"));
    occurrence.start = when;
    occurrence.all_day = start.isDate();
    occurrence.end = start.isDate() == start_.isDate() ? endOf(when) : when;
    if (start.isDate() && !start_.isDate()) occurrence.end = home_.toUtc(start.local + days(1));
  }
  if (find(change, "/end") != nullptr) {
    TRY(end, timeAt(field + "/end"));
    TRY(when, instant(end, field + "/end"));
    occurrence.end = std::max(when, sys_seconds(floor<seconds>(occurrence.start)));
  }
  return std::optional<Occurrence>(std::move(occurrence));
}

std::vector<Occurrence> Series::rest() const {
  std::vector<Occurrence> result;
  result.reserve(starts_.size());
  for (auto const start : starts_) result.push_back({start, endOf(start), start_.isDate(), title_});
  return result;
}

// An event without length takes place at its start.
bool overlaps(Occurrence const& occurrence, TimePoint from, TimePoint until) {
  if (occurrence.end == occurrence.start) return occurrence.start >= from && occurrence.start < until;
  return occurrence.start < until && occurrence.end > from;
}

} // namespace

Result<std::vector<Occurrence>> occurrences(json::value const& event, TimePoint from, TimePoint until,
                                            std::string_view home_zone, std::size_t limit) {
  std::vector<Occurrence> result;
  if (textOr(event, "/status", "") == "cancelled") return result;
  TRY(series, Series::of(event, home_zone));
  TRY_VOID(series.expand(ceil<seconds>(until)));
  TRY(overrides, series.takeOverrides());
  result = series.rest();
  result.insert(result.end(), overrides.begin(), overrides.end());
  std::erase_if(result, [&](Occurrence const& one) { return !overlaps(one, from, until); });
  std::sort(result.begin(), result.end(), [](Occurrence const& a, Occurrence const& b) {
    return std::tie(a.start, a.end, a.title) < std::tie(b.start, b.end, b.title);
  });
  if (result.size() > limit) result.resize(limit);
  return result;
}

} // namespace garland::calendar
