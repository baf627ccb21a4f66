#include "host/calendar/zones.h"

#include <libical/ical.h>

#include <algorithm>
#include <cctype>

namespace garland::calendar {
namespace {

using namespace std::chrono;

constexpr std::size_t max_definition_bytes = 64U << 10U;
constexpr std::size_t max_definition_rules = 200;
// libical works out clock changes up to this year only, and anew on each call past it.
constexpr int last_expanded_year = 2037;

struct FreeComponent {
  void operator()(icalcomponent* component) const { icalcomponent_free(component); }
};
using Component = std::unique_ptr<icalcomponent, FreeComponent>;

icaltimetype toIcal(sys_seconds when) {
  auto const day = floor<days>(when);
  year_month_day const date(day);
  hh_mm_ss const clock(when - day);
  icaltimetype time = icaltime_null_time();
  time.year = static_cast<int>(date.year());
  time.month = static_cast<int>(static_cast<unsigned>(date.month()));
  time.day = static_cast<int>(static_cast<unsigned>(date.day()));
  time.hour = static_cast<int>(clock.hours().count());
  time.minute = static_cast<int>(clock.minutes().count());
  time.second = static_cast<int>(clock.seconds().count());
  return time;
}

// A year up to 2037 whose days fall on the same weekdays, for rules like "last Sunday in March".
int likeYear(year_month_day date) {
  auto const weekdayOf = [](int year, month m, day d) {
    return weekday(sys_days(std::chrono::year(year) / m / d)).c_encoding();
  };
  bool const leap_day = date.month() == February && date.day() == day(29);
  day const probe_day = leap_day ? day(28) : date.day();
  auto const wanted = weekdayOf(static_cast<int>(date.year()), date.month(), probe_day);
  for (int year = last_expanded_year; year > last_expanded_year - 12; --year)
    if (weekdayOf(year, date.month(), probe_day) == wanted) return year;
  return last_expanded_year;
}

sys_seconds withinExpandedYears(sys_seconds when) {
  auto const midnight = floor<days>(when);
  year_month_day date(midnight);
  if (static_cast<int>(date.year()) <= last_expanded_year) return when;
  year const like(likeYear(date));
  day const safe = date.month() == February && date.day() == day(29) ? day(28) : date.day();
  return sys_days(like / date.month() / safe) + (when - midnight);
}

// Names reach the file system inside libical, so only the shape that zone names have is let through.
bool looksLikeZoneName(std::string_view name) {
  if (name.empty() || name.size() > 64 || name.front() == '/' || name.find("..") != std::string_view::npos)
    return false;
  return std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '/' || c == '_' || c == '+' || c == '-';
  });
}

bool isUtcName(std::string_view name) {
  return name == "UTC" || name == "Etc/UTC" || name == "GMT" || name == "Etc/GMT";
}

icaltimezone* builtin(std::string_view name) {
  preloadZones();
  if (!looksLikeZoneName(name)) return nullptr;
  icaltimezone* zone = icaltimezone_get_builtin_timezone(std::string(name).c_str());
  if (zone == nullptr || icaltimezone_get_component(zone) == nullptr) return nullptr;
  return zone;
}

// libical works out every change of a rule up to 2037: a rule finer than monthly would fill memory.
std::string_view problemOf(icalcomponent* zone) {
  std::size_t rules = 0;
  for (auto* part = icalcomponent_get_first_component(zone, ICAL_ANY_COMPONENT); part != nullptr;
       part = icalcomponent_get_next_component(zone, ICAL_ANY_COMPONENT)) {
    if (++rules > max_definition_rules) return "has too many rules";
    auto* start = icalcomponent_get_first_property(part, ICAL_DTSTART_PROPERTY);
    auto* offset = icalcomponent_get_first_property(part, ICAL_TZOFFSETTO_PROPERTY);
    if (start == nullptr || offset == nullptr) return "has a rule without DTSTART or TZOFFSETTO";
    if (icaltime_is_null_time(icalproperty_get_dtstart(start))) return "has a rule without DTSTART";
    for (auto* rule = icalcomponent_get_first_property(part, ICAL_RRULE_PROPERTY); rule != nullptr;
         rule = icalcomponent_get_next_property(part, ICAL_RRULE_PROPERTY)) {
      auto const frequency = icalproperty_get_rrule(rule).freq;
      if (frequency != ICAL_YEARLY_RECURRENCE && frequency != ICAL_MONTHLY_RECURRENCE)
        return "has a rule that is neither yearly nor monthly";
    }
  }
  return rules == 0 ? "has no STANDARD or DAYLIGHT rule" : "";
}

Result<icaltimezone*> parseDefinition(std::string const& text, std::string const& field) {
  auto const refuse = [&field](std::string_view why) {
    return Error(ErrorKind::invalidInput, field + ": the zone definition " + std::string(why), field);
  };
  if (text.size() > max_definition_bytes) return refuse("is longer than 64 KiB");
  if (std::count(text.begin(), text.end(), '\n') > 4000) return refuse("has more than 4,000 lines");
  Component parsed(icalparser_parse_string(text.c_str()));
  icalcomponent* zone = parsed.get();
  if (zone != nullptr && icalcomponent_isa(zone) == ICAL_VCALENDAR_COMPONENT)
    zone = icalcomponent_get_first_component(zone, ICAL_VTIMEZONE_COMPONENT);
  if (zone == nullptr || icalcomponent_isa(zone) != ICAL_VTIMEZONE_COMPONENT)
    return refuse("is not a VTIMEZONE component");
  if (auto const problem = problemOf(zone); !problem.empty()) return refuse(problem);
  icaltimezone* made = icaltimezone_new();
  if (icaltimezone_set_component(made, icalcomponent_new_clone(zone)) == 0) {
    icaltimezone_free(made, 1);
    return refuse("has no TZID");
  }
  return made;
}

} // namespace

seconds Zone::offsetAt(sys_seconds when) const {
  if (rules_ == nullptr) return seconds(0);
  icaltimetype time = toIcal(withinExpandedYears(when));
  return seconds(icaltimezone_get_utc_offset_of_utc_time(rules_, &time, nullptr));
}

sys_seconds Zone::toUtc(local_seconds local) const {
  sys_seconds const as_if_utc(local.time_since_epoch());
  auto const before = offsetAt(as_if_utc - days(1));
  auto const after = offsetAt(as_if_utc + days(1));
  if (offsetAt(as_if_utc - before) == before) return as_if_utc - before;
  if (offsetAt(as_if_utc - after) == after) return as_if_utc - after;
  return as_if_utc - before;
}

local_seconds Zone::toLocal(sys_seconds when) const {
  return local_seconds((when + offsetAt(when)).time_since_epoch());
}

void ZoneBook::Release::operator()(icaltimezone* zone) const { icaltimezone_free(zone, 1); }

Result<ZoneBook> ZoneBook::of(json::value const& event) {
  ZoneBook book;
  auto const* definitions = garland::find(event, "/zone_definitions");
  if (definitions == nullptr || !definitions->is_object()) return book;
  preloadZones();
  for (auto const& [name, text] : definitions->get_object()) {
    std::string const field = "/zone_definitions/" + std::string(name);
    if (!text.is_string()) return Error(ErrorKind::invalidInput, field + ": must be a string", field);
    TRY(zone, parseDefinition(std::string(text.get_string()), field));
    book.defined_.emplace(std::string(name), zone);
  }
  return book;
}

Result<Zone> ZoneBook::find(std::string_view name, std::string_view field) const {
  if (auto const defined = defined_.find(name); defined != defined_.end()) return Zone(defined->second.get());
  if (isUtcName(name)) return Zone();
  if (icaltimezone* zone = builtin(name)) return Zone(zone);
  std::string const place(field);
  return Error(ErrorKind::invalidInput,
               place + ": the time zone \"" + std::string(name.substr(0, 100)) +
                   "\" is not an IANA zone and the event does not define it",
               place);
}

void preloadZones() {
  static bool const loaded = [] {
    icalerror_set_errors_are_fatal(0);
    icaltimezone_set_builtin_tzdata(0);
    return icaltimezone_get_builtin_timezones() != nullptr;
  }();
  static_cast<void>(loaded);
}

Result<std::string> vtimezone(std::string_view name, int from_year) {
  icaltimezone* zone = isUtcName(name) ? nullptr : builtin(name);
  if (zone == nullptr)
    return Error(ErrorKind::notFound, "there is no VTIMEZONE for the zone \"" + std::string(name) + "\"");
  Component copy(icalcomponent_new_clone(icaltimezone_get_component(zone)));
  auto* id = icalcomponent_get_first_property(copy.get(), ICAL_TZID_PROPERTY);
  if (id != nullptr) icalproperty_set_tzid(id, std::string(name).c_str());
  icaltimetype start = icaltime_null_time();
  start.year = from_year;
  start.month = start.day = 1;
  start.zone = icaltimezone_get_utc_timezone();
  icaltimezone_truncate_vtimezone(copy.get(), start, icaltime_null_time(), 0);
  char* text = icalcomponent_as_ical_string_r(copy.get());
  std::string result(text);
  icalmemory_free_buffer(text);
  return result;
}

} // namespace garland::calendar
