// Time comes in through Clock, so that tests and certification run on a virtual one.
#pragma once

#include "host/base/task.h"

#include <chrono>
#include <map>
#include <memory>

namespace garland {

using Milliseconds = std::chrono::milliseconds;
using TimePoint = std::chrono::sys_time<Milliseconds>; // UTC
using Monotonic = std::chrono::nanoseconds;            // since an arbitrary start

class Clock {
public:
  virtual ~Clock() = default;
  virtual TimePoint now() const = 0;       // [any thread]
  virtual Monotonic monotonic() const = 0; // [any thread]
  // Ends after the span, or with `cancelled` if the awaiting coroutine is cancelled.
  virtual Task<void> sleepFor(Milliseconds span) = 0; // [loop thread]
};

class SystemClock final : public Clock {
public:
  TimePoint now() const override;
  Monotonic monotonic() const override;
  Task<void> sleepFor(Milliseconds span) override;
};

// Stands still until advance() moves it; sleepers wake in the order of their deadlines.
// Single-threaded: use it on one loop only.
class VirtualClock final : public Clock {
public:
  explicit VirtualClock(TimePoint start);
  TimePoint now() const override { return start_ + passed_; }
  Monotonic monotonic() const override { return passed_; }
  Task<void> sleepFor(Milliseconds span) override;
  void advance(Milliseconds span);
  // Somebody sets the time of day, back or forward: no time has passed by that, so nobody wakes.
  void set(TimePoint now) { start_ = now - passed_; }
  // How many coroutines sleep on this clock.
  std::size_t sleepers() const { return sleepers_.size(); }

private:
  struct Sleeper;
  TimePoint start_;
  Milliseconds passed_{0};
  std::multimap<Milliseconds, std::shared_ptr<Sleeper>> sleepers_; // by what will have passed
};

// RFC 3339 in UTC with milliseconds: "2026-06-13T12:00:00.000Z".
std::string rfc3339(TimePoint when);
Result<TimePoint> parseRfc3339(std::string_view text);

} // namespace garland
