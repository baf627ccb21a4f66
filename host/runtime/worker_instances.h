// The plugin's instances, one per account: opened when first needed, used by one call at a time unless the
// plugin declares that calls may interleave, closed at shutdown.
#pragma once

#include "host/runtime/worker_call.h"

#include <garland/plugin.h>

#include <deque>
#include <functional>
#include <string>
#include <unordered_map>

namespace garland::runtime::worker {

// [worker thread]
class Instances {
public:
  static constexpr std::size_t kMostIdle = 64;

  // What the scheduler does for a call that has to wait its turn.
  struct Turns {
    std::function<void(Call&)> park; // suspends the running call until wake, or until it is cancelled
    std::function<void(Call&)> wake;
  };
  Instances(garland_plugin const& plugin, Turns turns) : plugin_(plugin), turns_(std::move(turns)) {}

  // On the call's fiber: runs `body` with the instance of its account, opened with the account's present
  // settings. The status of open if that failed, CANCELLED if the call was cancelled before its turn came.
  garland_status with(Call& call, std::function<garland_status(garland_instance*)> const& body);

  // On the call's fiber: what the account's instance wants to hand on becomes the call's result. No result if
  // there is no instance, or if the plugin hands nothing on.
  garland_status exportState(Call& call);

  // After the last call has ended.
  void closeAll();

private:
  struct Instance {
    garland_instance* self = nullptr;
    std::string account;     // JSON it was opened with
    Call* holder = nullptr;  // has it to itself: a serial call, or one that is opening it
    std::size_t sharing = 0; // interleaved calls
    std::deque<Call*> queue; // wait to become the holder
  };

  garland_status use(Instance& instance, std::function<garland_status(garland_instance*)> const& body);
  bool hold(Instance& instance, Call& call);
  void release(Instance& instance);
  garland_status open(Instance& instance, Call& call);
  void close(Instance& instance);
  void closeIdle();

  garland_plugin const& plugin_;
  Turns turns_;
  std::unordered_map<std::string, Instance> instances_; // by account id; addresses are stable
};

} // namespace garland::runtime::worker
