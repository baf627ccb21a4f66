// What is known in memory of an endpoint that is told things: its row as it was read last, and how it goes.
#pragma once

#include "host/notify/endpoints.h"
#include "host/notify/retries.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace garland::notify {

struct Line {
  KeptEndpoint kept;
  bool behind = true;        // the feed may hold what is no delivery yet
  TimePoint look_at{};       // something may be due from then on
  Monotonic rests_until{};   // nothing is sent before, whatever becomes of the time of day
  std::int64_t failures = 0; // in a row
  std::size_t in_flight = 0;

  // How many attempts may begin now. One that fails is tried with one at a time.
  std::size_t room(Monotonic now, std::size_t most) const {
    if (!kept.endpoint.enabled || rests_until > now) return 0;
    if (failures > 0) most = 1;
    return most - std::min(most, in_flight);
  }
  void wentWell() {
    failures = 0;
    rests_until = {};
  }
  // Attempts that were on their way together fail as one.
  void wentWrong(Monotonic now, std::optional<Milliseconds> retry_after) {
    if (rests_until <= now) ++failures;
    auto const asked = std::min(retry_after.value_or(Milliseconds(0)), kLongestAsked);
    rests_until = std::max<Monotonic>(rests_until, now + std::max(restAfter(failures), asked));
  }

private:
  static constexpr Milliseconds kLongestAsked{3'600'000};
};

} // namespace garland::notify
