// The newest supervisor events, for whoever asks what happened; and the newest crash of every plugin, however
// much others have to tell since.
#pragma once

#include "host/runtime/runtime.h"

#include <algorithm>
#include <deque>
#include <map>
#include <string>

namespace garland::runtime {

class EventRing {
public:
  static constexpr std::size_t kMost = 256;

  void add(SupervisorEvent event) {
    if (event.kind == SupervisorEvent::Kind::crashed) old_crashes_.erase(event.plugin_id);
    if (events_.size() == kMost) dropOldest();
    events_.push_back(std::move(event));
  }
  // From the oldest to the newest.
  std::vector<SupervisorEvent> all() const {
    std::vector<SupervisorEvent> out;
    for (auto const& [plugin_id, crash] : old_crashes_) out.push_back(crash);
    std::ranges::sort(out, {}, &SupervisorEvent::time);
    out.insert(out.end(), events_.begin(), events_.end());
    return out;
  }

private:
  void dropOldest() {
    auto const oldest = std::move(events_.front());
    events_.pop_front();
    auto const same = [&](SupervisorEvent const& other) {
      return other.kind == oldest.kind && other.plugin_id == oldest.plugin_id;
    };
    if (oldest.kind == SupervisorEvent::Kind::crashed && std::ranges::none_of(events_, same))
      old_crashes_.insert_or_assign(oldest.plugin_id, oldest);
  }

  std::deque<SupervisorEvent> events_;
  std::map<std::string, SupervisorEvent> old_crashes_; // by plugin id; older than all of events_
};

} // namespace garland::runtime
