// What a calendar event means: its kind for the sync engine, and when it takes place.
#pragma once

#include "host/base/clock.h"
#include "host/base/json.h"
#include "host/sync/sync.h"

#include <string>
#include <vector>

namespace garland::calendar {

// The "calendar.event" kind: schema, projection, checks, VTIMEZONE texts for the zones used.
sync::Kind eventKind();

// One time at which an event happens, after recurrence, exceptions and overrides.
struct Occurrence {
  TimePoint start; // UTC; all-day and floating events are read in `home_zone`
  TimePoint end;   // exclusive
  bool all_day = false;
  std::string title; // an override may rename a single occurrence
};

// Occurrences that overlap [from, until), in order, at most `limit`.
// invalidInput (bad rule or zone, with the field); unsupported (BYSETPOS in a daily or weekly rule);
// hostLimit if the rule does not get there within 100,000 steps (FREQ=SECONDLY and the like).
Result<std::vector<Occurrence>> occurrences(json::value const& event, TimePoint from, TimePoint until,
                                            std::string_view home_zone, std::size_t limit);

} // namespace garland::calendar
