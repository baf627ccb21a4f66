// A call as its caller sees it: run among others, run again if the worker died under it, run alone if
// it is suspected to be why, and set aside if it ends even a worker of its own.
//
// What an earlier run asked of the host is answered from the call's journal, so that nothing happens
// twice at the provider. Nothing here knows processes: PluginSlot gives workers, WorkerLink runs.
#pragma once

#include "host/runtime/plugin_slot.h"

#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <string>

namespace garland::runtime {

// [loop thread]
class PoisonControl {
public:
  static constexpr int kRuns = 3;           // of one call, the last one alone
  static constexpr std::size_t kAlone = 16; // workers with a single call at once

  // `key_seed`: see callKey(). `new_id` numbers calls; no two in one worker may be the same.
  // `convicted` is told of each call that ended a worker of its own.
  using Convicted = std::function<void(PluginSlot const& slot, std::string const& operation,
                                       std::string const& account_id)>;
  PoisonControl(asio::any_io_executor executor, Clock& clock, Log const& log, std::uint64_t key_seed,
                std::function<std::uint64_t()> new_id, Convicted convicted)
      : executor_(std::move(executor)), clock_(clock), log_(log), key_seed_(key_seed),
        new_id_(std::move(new_id)), convicted_(std::move(convicted)) {}

  // The call as it goes to workers. `state`: what an older version exported for the account, JSON; empty:
  // nothing.
  std::shared_ptr<WorkerCall> prepare(PluginInfo const& plugin, Call call,
                                      std::chrono::steady_clock::time_point deadline,
                                      std::string state) const;
  Task<std::string> run(std::shared_ptr<PluginSlot> slot, std::shared_ptr<WorkerCall> call, CallHost& host);

  // See Supervisor::retryParked().
  std::size_t retryParked(std::string_view account_id) {
    return ledger_.forgive(account_id, clock_.monotonic());
  }
  void refuseCalls() { stopping_ = true; } // no call is run again any more
  void cancelCalls();                      // those that run alone
  // The same for builds that may not run any more.
  void withdraw(std::function<Result<void>(PluginInfo const&)> const& may_run);

private:
  struct Patient {
    std::shared_ptr<PluginSlot> slot;
    std::shared_ptr<WorkerCall> call;
    CallHost& host;
    std::string capsule = {}; // of its last death alone
    int runs = 0;
    bool alone = false;
    bool blamed = false;
    bool moved = false;                    // to another worker, because its own had used up its memory
    std::optional<Death> first_blame = {}; // the worker that died when this call was named
    std::string title() const { return call->title(); }
  };
  class Turn;
  class Solo;

  std::optional<Error> examine(Patient& patient);
  Task<std::string> treat(Patient* patient);
  Task<RunEnd> runWithOthers(Patient* patient);
  Task<RunEnd> runAlone(Patient* patient);
  Task<void> awaitTurn();
  // The call's end, or nothing if it is to be run again.
  std::optional<Result<std::string>> judge(Patient& patient, Result<RunEnd> end);
  std::optional<Result<std::string>> judgeDeath(Patient& patient, RunEnd& end);
  std::optional<Result<std::string>> afterUsedUp(Patient& patient, RunEnd& end) const;
  void survivedAlone(Patient const& patient);
  Error park(Patient& patient, std::string const& how);
  Error parkedError(Patient const& patient, std::string const& reason, Effect effect) const;
  json::object factsOf(Patient const& patient) const;

  asio::any_io_executor executor_;
  Clock& clock_;
  Log const& log_;
  std::uint64_t key_seed_;
  CrashLedger ledger_;
  std::shared_ptr<JournalBudget> budget_ = std::make_shared<JournalBudget>();
  std::set<std::shared_ptr<PluginSlot>> solos_; // of calls that run alone
  std::deque<std::shared_ptr<Latch>> queue_;    // for a worker of their own
  std::size_t alone_ = 0;
  std::function<std::uint64_t()> new_id_;
  Convicted convicted_;
  bool stopping_ = false;
};

} // namespace garland::runtime
