// The time that a worker had for itself, in which it worked or slept. Time in which it was ready and got no
// processor is the machine's: nobody is ended for that. Pure: the readings are handed in.
#pragma once

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

namespace garland::runtime {

class OwnTime {
public:
  using Time = std::chrono::steady_clock::time_point;
  using Span = std::chrono::nanoseconds;

  // Between two looks so far apart the host itself stood still: nobody knows what the worker did meanwhile.
  static constexpr std::chrono::seconds kUnseen{1};

  // `processor`: used since its start. `sleeps`: at this moment.
  void look(Time now, Span processor, bool sleeps) {
    auto const last = std::exchange(last_, Look{now, processor});
    if (!last) return;
    auto const passed = std::max(Span::zero(), Span(now - last->now));
    auto const worked = std::clamp(processor - last->processor, Span::zero(), passed);
    own_ += sleeps ? std::max(worked, std::min<Span>(passed, kUnseen)) : worked;
  }

  Span sum() const { return own_; } // since the first look

private:
  struct Look {
    Time now;
    Span processor;
  };
  std::optional<Look> last_;
  Span own_{0};
};

} // namespace garland::runtime
