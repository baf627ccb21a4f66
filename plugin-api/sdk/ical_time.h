// Times between libical and the canonical event.
#pragma once

#include "ical_zones.h"

#include <garland/sdk/calendar.hpp>

#include <chrono>
#include <functional>
#include <optional>

namespace garland::sdk::ical {

// The first time of a property (of a period its start), in a zone that `zones` knows. Failure if
// there is none or it names a day that does not exist.
calendar::Time readTime(icalproperty* property, ZoneNames const& zones);

// The clock time of any form, for arithmetic within one form. Failure(invalidInput) if unreadable.
std::chrono::local_seconds clockOf(calendar::Time const& time);
// `like` with another clock time.
calendar::Time withClock(calendar::Time const& like, std::chrono::local_seconds clock);

// `start` plus a DURATION. Hours count on the clock: without zone rules a clock change within the
// duration is not seen.
calendar::Time plus(calendar::Time const& start, icaldurationtype const& duration);

// A property of `kind` (ICAL_DTSTART_PROPERTY, ...) with that time. `tzid` gives the TZID for a zone name.
PropertyPtr timeProperty(icalproperty_kind kind, calendar::Time const& time,
                         std::function<std::string(std::string const& zone)> const& tzid);

} // namespace garland::sdk::ical
