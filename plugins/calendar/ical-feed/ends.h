// When an event is over, so that one that falls out of a feed's window is told from one that was called off.
#pragma once

#include <garland/sdk/calendar.hpp>

#include <chrono>
#include <optional>

namespace garland::ical_feed {

// The last day of its last occurrence as it is written, in whatever zone; nothing if it has no end. For a
// rule with COUNT it is an estimate: so many of its periods.
std::optional<std::chrono::sys_days> lastDayOf(sdk::calendar::Event const& event);

} // namespace garland::ical_feed
