// What is known of a feed that cannot be read: said once, and tried by one at a time. No I/O.
#pragma once

#include "host/base/clock.h"

#include <algorithm>
#include <utility>

namespace garland::realtime {

class Outage {
public:
  // Whether a read may begin now. While there is an outage only one may after each pause; the next pause is
  // twice as long.
  bool mayRead(Monotonic now) {
    if (!lasts_) return true;
    if (now < next_try_) return false;
    pause_ = std::min(pause_ * 2, kLongestPause);
    next_try_ = now + pause_;
    return true;
  }
  // True: this is the first failure of an outage, which is worth a word.
  bool failed(Monotonic now) {
    if (std::exchange(lasts_, true)) return false;
    pause_ = kShortestPause;
    next_try_ = now + pause_;
    return true;
  }
  // True: it ended an outage.
  bool worked() { return std::exchange(lasts_, false); }

private:
  static constexpr Milliseconds kShortestPause{1'000};
  static constexpr Milliseconds kLongestPause{8'000};

  bool lasts_ = false;
  Milliseconds pause_{0};
  Monotonic next_try_{};
};

} // namespace garland::realtime
