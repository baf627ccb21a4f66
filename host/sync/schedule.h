// Starts a sync of every connection whose time has come.
#pragma once

#include "host/sync/runs.h"

#include <boost/asio/cancellation_signal.hpp>

namespace garland::sync {

class Schedule {
public:
  Schedule(Context& context, Runs& runs) : context_(context), runs_(runs) {}

  void start();
  Task<void> stop();

private:
  Task<void> loop();
  Task<void> startDue();

  Context& context_;
  Runs& runs_;
  asio::cancellation_signal cancel_;
  std::shared_ptr<Event> ended_; // null until started
};

} // namespace garland::sync
