// Instants as text. Zones and recurrence are the host's business (and ical.hpp's).
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace garland::sdk {

using Milliseconds = std::chrono::milliseconds;
using TimePoint = std::chrono::sys_time<Milliseconds>; // UTC

// RFC 3339 in UTC, with milliseconds only where there are some: "2026-06-13T12:00:00Z".
std::string rfc3339(TimePoint when);

// Any RFC 3339 date-time, with "Z" or an offset (of hours only, too: "2026-06-13 12:00:00+00"), of which
// milliseconds are kept. Nothing if the text is not one or names a day that does not exist.
std::optional<TimePoint> parseRfc3339(std::string_view text);

} // namespace garland::sdk
