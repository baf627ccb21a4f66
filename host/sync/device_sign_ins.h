// Accounts that are connected by a sign-in on another device (RFC 8628): somebody types a short code at the
// provider, who is asked now and then whether that has happened.
#pragma once

#include "host/sync/connections.h"
#include "host/sync/waiting.h"

#include <functional>

namespace garland::sync {

class DeviceSignIns {
public:
  // `connected`: told of each account that came of one.
  DeviceSignIns(Context& context, Vendors& vendors, Connections& connections,
                std::function<void(Connection const&)> connected)
      : context_(context), vendors_(vendors), connections_(connections), connected_(std::move(connected)),
        asking_(context.doors.executor) {}

  Task<oauth::DeviceSignIn> begin(ConnectRequest request);
  // Begins to ask about those that are due.
  void tick();
  // After Context::stopping is set: answers when nobody is being asked any more.
  Task<void> stop() { return asking_.drained(); }

private:
  struct Prepared {
    ConnectRequest request;
    oauth::Use use;
  };
  Task<void> askAll();
  Task<void> ask(std::shared_ptr<oauth::Devices::Due const> due);
  Task<void> connectOrNot(std::shared_ptr<oauth::Devices::Due const> due);
  Task<Prepared> prepare(ConnectRequest request);

  Context& context_;
  Vendors& vendors_;
  Connections& connections_;
  std::function<void(Connection const&)> connected_;
  Nursery asking_;
  bool looks_ = false;
};

} // namespace garland::sync
