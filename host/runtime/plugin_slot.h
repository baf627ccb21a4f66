// The place of one plugin version: at most one worker at a time, started when a call needs it and
// again, as RestartPolicy allows, when it has died. A plugin that may not run says why to every call.
#pragma once

#include "host/runtime/restart_policy.h"
#include "host/runtime/worker_link.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace garland::runtime {

// What is remembered of a build's workers: by the slot they have one after the other, or by all slots that
// serve one call each.
struct WorkerRecord {
  WorkerRecord(Milliseconds base, Milliseconds cap, Random& random) : policy(base, cap, random) {}
  // Nothing would be forgotten if it went away.
  bool isClean(TimePoint now) const;
  std::string quarantineReason() const;

  RestartPolicy policy;
  std::string last_exit;
  std::optional<TimePoint> last_crash;
};

// What a call is told whose build is in quarantine; `vendor_id` "": for everybody.
Error quarantineError(Manifest const& manifest, std::string_view vendor_id, std::string_view why);

// [loop thread]
class PluginSlot : public std::enable_shared_from_this<PluginSlot> {
public:
  // `vendor_id`: whose calls it takes; "" everybody's. `shared`: the record of slots for one call each; null:
  // it has one of its own.
  PluginSlot(asio::any_io_executor const& executor, Clock& clock, Random& random, Log const& log,
             SupervisorOptions options, Spawner& spawner, PluginInfo plugin, std::string vendor_id,
             std::shared_ptr<WorkerRecord> shared = nullptr);
  ~PluginSlot();
  PluginSlot(PluginSlot const&) = delete;
  PluginSlot& operator=(PluginSlot const&) = delete;

  // A worker that is ready, started if need be; waits out the pause after a death if `patience`
  // allows. Errors: pluginBug (it may never run: loading failed, or it lies about itself),
  // transient "worker_died", "worker_backing_off" (with retry_after) or "plugin_quarantined",
  // unsupported (sandbox). Give it back with release().
  struct Lease {
    std::shared_ptr<WorkerLink> worker;
    bool trial = false; // its survival decides about all others
  };
  Task<Lease> acquire(Milliseconds patience);
  // Null if there is none that takes calls.
  std::shared_ptr<WorkerLink> ready() const {
    return ready_ && !ready_->isEnding() && record_->policy.state() == RestartPolicy::State::open ? ready_
                                                                                                  : nullptr;
  }
  enum class Use { lived, died, dropped }; // dropped: the call said nothing about the worker
  void release(Lease const& lease, Use use);
  // A place of its own for one call that must not meet others. Its deaths do not count here.
  std::shared_ptr<PluginSlot> sibling();

  PluginInfo const& plugin() const { return plugin_; }
  bool isQuarantined() const { return record_->policy.state() == RestartPolicy::State::quarantined; }
  bool isShut() const { return record_->policy.state() != RestartPolicy::State::open; }
  // Of the last worker; nothing before the first has ended.
  std::optional<WorkerEnd> const& lastEnd() const { return last_end_; }
  // The file about the last crash; "" if there is none.
  std::string const& lastCapsule() const { return last_capsule_; }
  void tell(SupervisorEvent::Kind kind, std::string reason, bool build_at_fault = false,
            std::string capsule = {}, std::optional<CallPlace> call = {}) const;

  bool hasWorker() const { return worker_ || starting_ || !replaced_.empty(); }
  // Nothing would be forgotten if the slot went away: no worker, no crash of late, nothing refused.
  bool isClean() const;

  WorkerStatus status() const;
  void rest();              // ends an idle worker in order; the next call starts another
  void refuseCalls();       // no worker is started any more
  void cancelCalls();       // those that run
  void withdraw(Error why); // its build may not run any more: both, and who waits for a worker is told why
  void askToEnd();          // the worker may take a second to end by itself, then it is killed
  Task<void> ended();       // returns when it is gone

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
  void onEnded(WorkerLink const* worker, WorkerEnd const& end);
  void replace(WorkerLink const* worker, MemoryUse const& use);
  std::size_t memoryLimit() const;
  Milliseconds slice() const;
  void stopWorker(std::string why_killed);
  void countDeath();
  Error notStarted(Error error);
  bool couldNotCloseSandbox() const;
  CapsuleNote keepCapsule(WorkerEnd const& end) const;
  Error backingOff(Monotonic now) const;
  Error quarantined() const;
  std::vector<std::string> arguments() const;

  asio::any_io_executor executor_;
  Clock& clock_;
  Log const& log_;
  SupervisorOptions options_;
  Spawner& spawner_;
  PluginInfo plugin_;
  Random& random_;
  std::string vendor_id_;
  bool one_call_ = false;
  std::shared_ptr<WorkerRecord> record_;
  bool solo_ = false;     // a sibling
  bool on_trial_ = false; // one call: it is the one that was let through

  std::shared_ptr<OwnedFd const> image_;              // sealed at the first start, kept for the next ones
  std::shared_ptr<WorkerLink> worker_;                // from its start to its end
  std::shared_ptr<WorkerLink> ready_;                 // worker_ once it has greeted
  std::vector<std::shared_ptr<WorkerLink>> replaced_; // used up, but they have calls to end
  std::shared_ptr<Start> starting_;
  std::optional<Error> refusal_; // for good
  std::optional<asio::steady_timer> stop_timer_;
  bool stopping_ = false;
  std::uint64_t starts_ = 0;
  int open_sandboxes_ = 0; // workers in a row that could not close theirs
  std::optional<WorkerEnd> last_end_;
  std::string last_capsule_;
};

} // namespace garland::runtime
