// The worker's scheduler: read messages, run the fibers that can go on, write what they said, wait.
//
// One thread. A call runs on its own fiber from its first instruction to its last; whatever it waits for
// (an answer, a timer, room for a record, its turn) parks the fiber, and the loop goes on with others. A new
// call begins as soon as it is read: most end without ever waiting, and so many of them cost little memory.
#pragma once

#include "host/runtime/worker_call.h"
#include "host/runtime/worker_channel.h"
#include "host/runtime/worker_instances.h"
#include "host/runtime/worker_stack.h"

#include <garland/plugin.h>

#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>

namespace garland::runtime::worker {

// [worker thread]
class Loop {
public:
  explicit Loop(int ipc) : channel_(ipc) {}
  Loop(Loop const&) = delete;
  Loop& operator=(Loop const&) = delete;

  // Serves calls until shutdown or until the host is gone; the exit code (wire::kExit...).
  int run(garland_plugin const& plugin);

  Channel& channel() { return channel_; }
  // True on the thread that made the loop. [any thread]
  bool onOwnThread() const { return std::this_thread::get_id() == thread_; }
  wire::Config const& config() const { return config_; }
  // The call whose fiber runs now; null outside of one.
  Call* running() const { return running_; }

  // The following are called on the fiber of `call`.

  // Parks until `done` says so: OK. Or until the call is cancelled: CANCELLED.
  garland_status waitUntil(Call& call, std::function<bool()> const& done);
  // The same, and wakes the call at that time to ask `done` again.
  garland_status waitUntil(Call& call, std::int64_t time, std::function<bool()> const& done);
  // Lets others run if this call has held the processor for a while.
  void giveWay(Call& call);
  // Reads what the host has sent, without waiting: a call that computes learns that it is cancelled.
  void poll();

private:
  void runReady();
  void resume(Call& call); // `call` may be gone afterwards
  void serve(Call& call);
  garland_status perform(Call& call);
  void importState(Call& call, garland_instance* self);
  void finish(Call& call, garland_status status);

  void wake(Call& call);
  void park(Call& call);
  std::optional<std::int64_t> nextTimer() const;
  void fireTimers();

  Result<void> dispatchAll();
  Result<void> dispatch(wire::Message const& message);
  Result<void> start(std::uint64_t id, wire::Call ask, bool exporting = false);
  void begin(Call& call, bool exporting); // as resume()
  Result<void> startExport(wire::Message const& message);
  void refuse(std::uint64_t id, Error error);
  template <class Answer> Result<void> take(wire::Message const& message);
  Result<void> takeCredit(wire::Message const& message);
  void cancel(std::uint64_t id);

  std::thread::id const thread_ = std::this_thread::get_id();
  Channel channel_;
  wire::Config config_;
  bool configured_ = false;
  bool stopping_ = false;
  std::optional<Error> broken_; // what the host sent that does not decode

  garland_plugin const* plugin_ = nullptr;
  std::unique_ptr<Instances> instances_;
  StackPool stacks_;
  std::unordered_map<std::uint64_t, Call> calls_;
  std::deque<Call*> ready_;
  std::set<std::pair<std::int64_t, Call*>> timers_;
  Call* running_ = nullptr;
  std::int64_t received_at_ = 0; // what is dispatched now
  std::int64_t polled_at_ = 0;
};

} // namespace garland::runtime::worker
