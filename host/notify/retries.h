// When an attempt that failed is followed by another. No I/O.
#pragma once

#include "host/base/clock.h"
#include "host/base/random.h"

#include <cstdint>
#include <optional>

namespace garland::notify {

// Full jitter over 5 s, 30 s, 2 min, 10 min, 30 min, 1 h, 2 h, 4 h and then 8 h each time; never shorter than
// the receiver asks for, of which eight hours are heard. `tries`: that failed, this one too.
Milliseconds pauseAfter(std::int64_t tries, std::optional<Milliseconds> retry_after, Random& random);

// How long an endpoint is left alone after so many failures in a row, whatever else is due there: from one
// second to a minute.
Milliseconds restAfter(std::int64_t failures);

} // namespace garland::notify
