// Recurrence rules: RRULE text to starting times, with libical's iterator and a bound on its work.
#pragma once

#include "host/calendar/event_time.h"

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

namespace garland::calendar {

// More rules than any calendar program writes; each may cost libical a search over many years.
constexpr std::size_t max_rules = 16;

// invalidInput with `field` if libical cannot read the rule.
Result<void> checkRule(std::string_view rule, std::string_view field);

struct RuleRun {
  std::string_view rule;
  std::string_view field;             // of the rule, for errors
  EventTime start;                    // the rule counts from here
  std::chrono::local_seconds through; // starts after this are not wanted
  // UNTIL in UTC is compared in the event's clock.
  std::function<std::chrono::local_seconds(std::chrono::sys_seconds)> to_local;
};

// Starting times in the event's own clock, ascending, at or before `through`. The event's start is
// among them only if the rule yields it. Takes from `steps`; hostLimit when they are used up.
Result<void> runRule(RuleRun const& run, std::size_t& steps,
                     std::function<void(std::chrono::local_seconds)> const& yield);

} // namespace garland::calendar
