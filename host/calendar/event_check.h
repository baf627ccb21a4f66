// What a schema cannot say about an event: zones that exist, rules that can be read, an end after
// the start.
#pragma once

#include "host/base/json.h"

#include <set>
#include <string>

namespace garland::calendar {

// invalidInput with the field for the first thing that is wrong.
Result<void> checkEvent(json::value const& event);

// The IANA zones that any time of the event names, without those that it defines itself.
std::set<std::string> ianaZonesOf(json::value const& event);

} // namespace garland::calendar
