// Starts a sync of every connection whose time has come. What else is done now and then has its turn here,
// too. There is one timer for all connections and one query each time, which reads only what is due: the
// database keeps their order. While runs wait for a place, it looks again soon.
#pragma once

#include "host/sync/runs.h"

#include <boost/asio/cancellation_signal.hpp>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <set>
#include <string>

namespace garland::sync {

class Schedule {
public:
  // `also` is called every few seconds.
  Schedule(Context& context, Runs& runs, std::function<Task<void>()> also)
      : context_(context), runs_(runs), also_(std::move(also)),
        most_started_(std::max<std::size_t>(256, 2 * context.doors.runs.all)) {}

  void start();
  // A connection may be due before the next look.
  void look();
  Task<void> stop();
  std::uint64_t wakeUps() const { return wake_ups_; }

private:
  Task<void> loop();
  Task<void> begin(); // what is due
  Task<void> rest(Milliseconds longest);
  Task<void> startDue();
  bool isFull() const { return started_.size() >= most_started_; }

  Context& context_;
  Runs& runs_;
  std::function<Task<void>()> also_;
  std::set<std::string> started_;  // connections whose runs it started, as long as those are in flight
  std::size_t const most_started_; // enough that no place stays empty between two looks
  std::uint64_t wake_ups_ = 0;
  asio::cancellation_signal cancel_;
  std::shared_ptr<Event> woken_;
  std::shared_ptr<Event> ended_; // null until started
};

} // namespace garland::sync
