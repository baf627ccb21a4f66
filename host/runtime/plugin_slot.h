// The place of one plugin version: at most one worker at a time, started when a call needs it and
// again, after a pause, when it has died. A plugin that may not run says why to every call.
#pragma once

#include "host/runtime/backoff.h"
#include "host/runtime/worker_link.h"

#include <memory>
#include <optional>
#include <string>

namespace garland::runtime {

// [loop thread]
class PluginSlot : public std::enable_shared_from_this<PluginSlot> {
public:
  PluginSlot(asio::any_io_executor const& executor, Clock& clock, Random& random, Log const& log,
             SupervisorOptions options, Spawner& spawner, PluginInfo plugin);
  ~PluginSlot();
  PluginSlot(PluginSlot const&) = delete;
  PluginSlot& operator=(PluginSlot const&) = delete;

  // A worker that is ready, started if need be; waits out the pause after a death if `patience`
  // allows. Errors: pluginBug (it may never run: loading failed, or it lies about itself),
  // transient "worker_died" or "worker_backing_off" (with retry_after), unsupported (sandbox).
  Task<std::shared_ptr<WorkerLink>> acquire(Milliseconds patience);
  // Null if there is none that takes calls.
  std::shared_ptr<WorkerLink> ready() const { return ready_ && !ready_->isEnding() ? ready_ : nullptr; }

  WorkerStatus status() const;
  void refuseCalls(); // no worker is started any more
  void askToEnd();    // the worker may take a second to end by itself, then it is killed
  Task<void> ended(); // returns when it is gone

private:
  struct Start {
    explicit Start(asio::any_io_executor const& executor) : finished(executor) {}
    Latch finished;
    std::optional<Error> error;
  };

  using Self = std::shared_ptr<PluginSlot>;
  static asio::awaitable<void> runStart(Self self, std::shared_ptr<Start> start);
  Task<void> startWorker();
  Result<void> link(Spawned spawned);
  std::optional<Error> objectionTo(wire::Hello const& hello) const;
  std::optional<Error> objectionTo(wire::Closed const& sandbox) const;
  Error refuse(Error error);
  void onEnded(std::string const& how);
  std::vector<std::string> arguments() const;

  asio::any_io_executor executor_;
  Clock& clock_;
  Log const& log_;
  SupervisorOptions options_;
  Spawner& spawner_;
  PluginInfo plugin_;
  Backoff backoff_;

  std::shared_ptr<OwnedFd const> image_; // sealed at the first start, kept for the next ones
  std::shared_ptr<WorkerLink> worker_;   // from its start to its end
  std::shared_ptr<WorkerLink> ready_;    // worker_ once it has greeted
  std::shared_ptr<Start> starting_;
  std::optional<Error> refusal_; // for good
  std::optional<asio::steady_timer> stop_timer_;
  bool stopping_ = false;
  std::uint64_t starts_ = 0;
  std::string last_exit_;
};

} // namespace garland::runtime
