// Starts a sync of every connection whose time has come. What else is done now and then has its turn here,
// too.
#pragma once

#include "host/sync/runs.h"

#include <boost/asio/cancellation_signal.hpp>

#include <functional>

namespace garland::sync {

class Schedule {
public:
  // `also` is called every few seconds.
  Schedule(Context& context, Runs& runs, std::function<Task<void>()> also)
      : context_(context), runs_(runs), also_(std::move(also)) {}

  void start();
  // A connection may be due before the next look.
  void look();
  Task<void> stop();

private:
  Task<void> loop();
  Task<void> startDue();

  Context& context_;
  Runs& runs_;
  std::function<Task<void>()> also_;
  asio::cancellation_signal cancel_;
  std::shared_ptr<Event> woken_;
  std::shared_ptr<Event> ended_; // null until started
};

} // namespace garland::sync
