// How fast a provider may be asked: a bucket of tokens that fills at a rate. The rate goes down at once when
// the provider is asked too much, and comes back bit by bit. No I/O and no timers: what has changed since is
// reckoned when it is asked for.
#pragma once

#include "host/base/clock.h"
#include "host/runtime/runtime.h"

#include <cstddef>
#include <optional>

namespace garland::sync {

class Pace {
public:
  // Nothing declared: as fast as it goes, until the provider says otherwise.
  Pace(std::optional<runtime::RequestLimit> declared, Monotonic now);

  // How long until a request may go, if so many others ask before it; zero: it may go at once.
  Milliseconds wait(Monotonic now, std::size_t before = 0);
  // Of a request that goes now.
  void take(Monotonic now);

  // What an answer says of the pace.
  struct Seen {
    int status = 0;
    Monotonic took{0};
    std::optional<Milliseconds> retry_after;
  };
  void answered(Monotonic now, Seen const& seen);
  // The provider wants to be left alone until then, whatever the bucket holds.
  void close(Monotonic until) { closed_until_ = std::max(closed_until_, until); }
  Monotonic closedUntil() const { return closed_until_; }

  // Nothing of what it knows would change anything: a new one would do as well.
  bool isIdle(Monotonic now);
  // Requests a second; nothing: no bucket.
  std::optional<double> rate(Monotonic now);

private:
  void reckon(Monotonic now);
  double growth() const;
  double untilFull() const; // seconds
  double spanOf(double tokens) const;
  void slowDown(Monotonic now, double factor);
  bool isSlow(Monotonic took);

  bool declared_;
  double full_ = 0; // requests a second, when nothing is wrong; 0: no bucket
  double rate_ = 0; // at present
  double most_ = 1; // tokens that the bucket holds
  double tokens_ = 1;
  Monotonic at_; // of the last reckoning
  Monotonic closed_until_{Monotonic::min()};
  Monotonic slowed_{Monotonic::min()};
  // Requests since then, and those before by the second: without a bucket they tell the rate that was too
  // much.
  Monotonic counted_since_;
  double counted_ = 0;
  double before_ = 0;
  // Of the time that answers take: what is usual, in nanoseconds, and from how many.
  double usual_ = 0;
  int answers_ = 0;
  int slow_in_a_row_ = 0;
};

// Too many requests, or none at all for a while.
bool isRefusal(Pace::Seen const& seen);

} // namespace garland::sync
