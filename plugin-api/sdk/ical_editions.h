// Which of several VEVENTs of one UID count, if a text holds more than one version of the same.
#pragma once

#include "ical_document.h"

#include <vector>

namespace garland::sdk::ical {

// Keeps of each RECURRENCE-ID (none: the master) the newest part, by SEQUENCE, then LAST-MODIFIED, then
// DTSTAMP, and the last in the text if all of these are equal. False if parts that are equally new begin at
// different times: then they are no versions of one event.
bool keepNewest(std::vector<EventPart>& parts);

} // namespace garland::sdk::ical
