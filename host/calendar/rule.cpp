#include "host/calendar/rule.h"

#include <garland/sdk/recurrence.hpp>

#include <libical/ical.h>

#include <algorithm>
#include <memory>

namespace garland::calendar {
namespace {

using namespace std::chrono;

struct FreeText {
  void operator()(char* text) const { icalmemory_free_buffer(text); }
};

// A parsed rule with the one piece of memory that libical leaves to its caller.
struct Rule {
  icalrecurrencetype type;
  std::unique_ptr<char, FreeText> scale;
};

Error wrongRule(std::string_view rule, std::string_view field, std::string_view why) {
  std::string const place(field);
  return {ErrorKind::invalidInput,
          place + ": the recurrence rule \"" + std::string(rule.substr(0, 200)) + "\" " + std::string(why),
          place};
}

Result<Rule> parseRule(std::string_view text, std::string_view field) {
  if (auto const problem = sdk::recurrenceRuleProblem(text); !problem.empty())
    return wrongRule(text, field, problem);
  icalerror_set_errors_are_fatal(0);
  icalrecurrencetype type = icalrecurrencetype_from_string(std::string(text).c_str());
  if (type.freq == ICAL_NO_RECURRENCE) return wrongRule(text, field, "cannot be read");
  return Rule{type, std::unique_ptr<char, FreeText>(type.rscale)};
}

icaltimetype toIcal(local_seconds local, bool date_only) {
  auto const day = floor<days>(local);
  year_month_day const date(day);
  hh_mm_ss const clock(local - day);
  icaltimetype time = icaltime_null_time();
  time.year = static_cast<int>(date.year());
  time.month = static_cast<int>(static_cast<unsigned>(date.month()));
  time.day = static_cast<int>(static_cast<unsigned>(date.day()));
  time.is_date = date_only ? 1 : 0;
  if (date_only) return time;
  time.hour = static_cast<int>(clock.hours().count());
  time.minute = static_cast<int>(clock.minutes().count());
  time.second = static_cast<int>(clock.seconds().count());
  return time;
}

local_seconds fromIcal(icaltimetype const& time) {
  year_month_day const date{year(time.year), month(static_cast<unsigned>(time.month)),
                            day(static_cast<unsigned>(time.day))};
  return local_days(date) + hours(time.hour) + minutes(time.minute) + seconds(time.second);
}

// UNTIL in the event's clock. A date stands for its whole day.
local_seconds untilOf(icaltimetype const& until, RuleRun const& run) {
  auto const local = fromIcal(until);
  if (icaltime_is_date(until) != 0) return local + days(1) - seconds(1);
  if (icaltime_is_utc(until) == 0) return local;
  return run.to_local(sys_seconds(local.time_since_epoch()));
}

bool hasParts(icalrecurrencetype const& rule) {
  for (short const* part : {rule.by_second, rule.by_minute, rule.by_hour, rule.by_day, rule.by_month_day,
                            rule.by_year_day, rule.by_week_no, rule.by_month, rule.by_set_pos})
    if (part[0] != ICAL_RECURRENCE_ARRAY_MAX) return true;
  return false;
}

// How many candidates libical walks over at most; it does so inside one call, where no count stops it.
std::size_t candidates(icalrecurrencetype const& rule, seconds span) {
  seconds unit{};
  switch (rule.freq) {
  case ICAL_SECONDLY_RECURRENCE: unit = seconds(1); break;
  case ICAL_MINUTELY_RECURRENCE: unit = minutes(1); break;
  case ICAL_HOURLY_RECURRENCE: unit = hours(1); break;
  default: unit = days(1); break;
  }
  auto const count = static_cast<std::size_t>(std::max<std::int64_t>(span / (unit * rule.interval), 0)) + 1;
  bool const counted = rule.count > 0 && !hasParts(rule);
  return counted ? std::min(count, static_cast<std::size_t>(rule.count)) : count;
}

Error tooMuchWork(RuleRun const& run) {
  std::string const place(run.field);
  return {ErrorKind::hostLimit,
          place + ": the recurrence rule \"" + std::string(run.rule.substr(0, 200)) +
              "\" takes more than 100,000 steps to reach the time asked for; ask for an earlier time",
          place};
}

// libical 3.0.16 leaves BYSETPOS out of daily and weekly rules: better no answer than a wrong one.
bool ignoresPosition(icalrecurrencetype const& rule) {
  bool const positioned = rule.by_set_pos[0] != ICAL_RECURRENCE_ARRAY_MAX;
  return positioned && rule.freq != ICAL_MONTHLY_RECURRENCE && rule.freq != ICAL_YEARLY_RECURRENCE;
}

} // namespace

Result<void> runRule(RuleRun const& run, std::size_t& steps,
                     std::function<void(local_seconds)> const& yield) {
  TRY(rule, parseRule(run.rule, run.field));
  if (ignoresPosition(rule.type)) {
    auto error =
        wrongRule(run.rule, run.field, "uses BYSETPOS with a frequency other than monthly or yearly");
    error.kind = ErrorKind::unsupported;
    return error;
  }
  auto through = run.through;
  if (icaltime_is_null_time(rule.type.until) == 0) through = std::min(through, untilOf(rule.type.until, run));
  if (through < run.start.local) return {};
  if (candidates(rule.type, through - run.start.local) > steps) return tooMuchWork(run);
  // With UNTIL set, libical also stops inside its own loops.
  rule.type.until = toIcal(through, run.start.isDate());

  auto const free = [](icalrecur_iterator* iterator) { icalrecur_iterator_free(iterator); };
  std::unique_ptr<icalrecur_iterator, decltype(free)> const iterator(
      icalrecur_iterator_new(rule.type, toIcal(run.start.local, run.start.isDate())), free);
  if (iterator == nullptr) {
    // libical gives no iterator both for a combination it does not know and for a rule without any
    // time; a rule that never comes true is not an error of the event.
    return {};
  }
  for (auto time = icalrecur_iterator_next(iterator.get()); icaltime_is_null_time(time) == 0;
       time = icalrecur_iterator_next(iterator.get())) {
    if (steps == 0) return tooMuchWork(run);
    --steps;
    auto const local = fromIcal(time);
    if (local > through) break;
    yield(local);
  }
  return {};
}

Result<void> checkRule(std::string_view rule, std::string_view field) {
  TRY_VOID(parseRule(rule, field));
  return {};
}

} // namespace garland::calendar
