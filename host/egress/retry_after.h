// How long a server asks to be left alone.
#pragma once

#include "host/base/clock.h"

#include <optional>
#include <string>

namespace garland::egress {

// Both forms of RFC 9110: seconds, or a date. A date is compared with the server's own `date` header
// if it sent one, so that the two clocks need not agree. Never negative, at most 30 days.
std::optional<Milliseconds> retryAfter(std::string const& value, std::string const& date, TimePoint now);

} // namespace garland::egress
