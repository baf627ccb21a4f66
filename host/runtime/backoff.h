// How long a plugin's next worker has to wait after one has died: not at all the first time, then
// doubling with jitter up to a cap, and from the start again after ten clean minutes.
// Pure: time is handed in.
#pragma once

#include "host/base/clock.h"
#include "host/base/random.h"

#include <algorithm>

namespace garland::runtime {

class Backoff {
public:
  Backoff(Milliseconds base, Milliseconds cap, Random& random) : base_(base), cap_(cap), random_(random) {}

  // A worker died at `now`; gives when the next one may start.
  Monotonic died(Monotonic now) {
    if (deaths_ > 0 && now - last_death_ >= kClean) deaths_ = 0;
    last_death_ = now;
    ++deaths_;
    not_before_ = now + (deaths_ == 1 ? Monotonic(0) : jittered(span()));
    return not_before_;
  }
  void reset() {
    deaths_ = 0;
    not_before_ = Monotonic::min();
  }
  Monotonic notBefore() const { return not_before_; }
  bool waits(Monotonic now) const { return now < not_before_; }

private:
  static constexpr std::chrono::minutes kClean{10};
  static constexpr int kMostDoublings = 20;

  Milliseconds span() const {
    auto const doublings = std::min(deaths_ - 2, kMostDoublings);
    return std::min(cap_, base_ * (std::int64_t{1} << doublings));
  }
  // Between half of the span and all of it, so that many workers do not return at one instant.
  Monotonic jittered(Milliseconds span) {
    auto const half = std::chrono::duration_cast<Monotonic>(span) / 2;
    if (half.count() <= 0) return half;
    return half + Monotonic(static_cast<std::int64_t>(random_.next() %
                                                      static_cast<std::uint64_t>(half.count() + 1)));
  }

  Milliseconds base_;
  Milliseconds cap_;
  Random& random_;
  int deaths_ = 0;
  Monotonic last_death_{0};
  Monotonic not_before_{Monotonic::min()};
};

} // namespace garland::runtime
