// The newest supervisor events, for whoever asks what happened.
#pragma once

#include "host/runtime/runtime.h"

#include <deque>

namespace garland::runtime {

class EventRing {
public:
  static constexpr std::size_t kMost = 256;

  void add(SupervisorEvent event) {
    if (events_.size() == kMost) events_.pop_front();
    events_.push_back(std::move(event));
  }
  std::vector<SupervisorEvent> all() const { return {events_.begin(), events_.end()}; }

private:
  std::deque<SupervisorEvent> events_;
};

} // namespace garland::runtime
