// What may pass by itself, and how long to wait for it. No I/O.
#pragma once

#include "host/base/clock.h"
#include "host/base/random.h"
#include "host/base/result.h"

#include <cstdint>
#include <optional>
#include <string>

namespace garland::sync {

inline constexpr std::int64_t kMostAttempts = 8;
inline constexpr Milliseconds kRest{5'000}; // after trouble with the store

// A while in which nothing is begun, of the time that passes: the time of day may be set back meanwhile.
class Rest {
public:
  explicit Rest(Clock const& clock, Milliseconds span = {})
      : clock_(&clock), until_(clock.monotonic() + span) {}
  bool lasts() const { return clock_->monotonic() < until_; }
  // The time of day at which it ends, unless that is set.
  TimePoint end() const {
    return clock_->now() + std::chrono::ceil<Milliseconds>(until_ - clock_->monotonic());
  }

private:
  Clock const* clock_;
  Monotonic until_;
};

// Anything else about what came in by itself is for a person.
bool passes(Error const& error);

// Full jitter over a span that is doubled with each attempt from five seconds to an hour, so that what one
// bad minute has gathered does not come back together; it begins when the provider's has passed.
Milliseconds pauseAfter(std::int64_t attempts, std::optional<Milliseconds> retry_after, Random& random);

// A text for people, of what may come from anybody: one line of UTF-8, which the store always takes.
std::string cut(std::string const& text);

} // namespace garland::sync
