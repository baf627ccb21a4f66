// The canonical form of an event: two events with equal projections mean the same to Garland.
#pragma once

#include "host/base/json.h"

namespace garland::calendar {

// Mapped members only; text trimmed, addresses in lower case, sets sorted, and what says nothing
// (null, "", [], {}, a default) left out. Never fails: a member of the wrong type is left as it is.
json::value projectEvent(json::value const& event);

} // namespace garland::calendar
