// What is known when a worker has ended, and what that means for a call that ran in it.
#pragma once

#include "host/runtime/call_journal.h"
#include "host/runtime/crash_capsule.h"
#include "host/runtime/crash_ledger.h"
#include "host/runtime/memory_use.h"
#include "host/runtime/runtime.h"

#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace garland::runtime {

struct WorkerEnd {
  std::string how;           // "was killed by SIGKILL while calendar.pull/1 of garland.caldav ran"
  bool crashed = false;      // false: it was asked to end, and did so in order
  bool from_outside = false; // a SIGKILL that the host did not send
  bool overstayed = false;   // asked to end, it took too long and was killed for that
  // Of a death by the plugin's fault: what the worker knew of it. The slot knows the rest.
  std::shared_ptr<CrashReport> report;
  std::string stack;             // raw, for symbolise()
  std::optional<CallPlace> call; // the culprit, if one is known
};

// Why a call's worker died, seen from that call.
struct Death {
  // Of the culprit: the plugin's own words and the page it can write to say so, therefore it is a
  // suspicion, not a verdict.
  enum class Blame { thisCall, anotherCall, nobody };
  Blame blame = Blame::nobody;
  bool from_outside = false;           // a SIGKILL that the host did not send: memory ran out, or an operator
  std::string how;                     // as in WorkerEnd
  std::shared_ptr<RecentCalls> recent; // what the worker had run
};

// A call on its way to a worker, kept because it may have to go to another one.
struct WorkerCall {
  explicit WorkerCall(std::shared_ptr<JournalBudget> budget) : journal(std::move(budget)) {}

  wire::Call ask;
  std::string plugin_id;
  std::string vendor_id; // as in Call
  std::string record_id;
  CallKey key = 0;
  CallJournal journal;
  std::chrono::steady_clock::time_point deadline{};
  Milliseconds waited{0}; // for the provider's limit, in all runs

  std::chrono::steady_clock::time_point end() const { return deadline + waited; }
  CallPlace place() const { return {ask.operation, vendor_id, ask.account_id, record_id}; }
  std::string title() const {
    return ask.operation + " of " + plugin_id;
  } // "calendar.pull/1 of garland.caldav"
};

struct RunEnd {
  // Explicit, or an Error would be taken for a RunEnd by Result<RunEnd>.
  RunEnd(Result<std::string> result_in, std::optional<Death> death_in)
      : result(std::move(result_in)), death(std::move(death_in)) {}

  Result<std::string> result; // JSON, or empty if the plugin gave none
  std::optional<Death> death; // the worker ended before the plugin was done; then `result` says worker_died
  // The plugin was done and said no, and its worker had used up its memory: another worker may do better.
  std::optional<MemoryUse> used_up;
  bool began = true; // false: the call was not handed over, so `result` knows of no effect
};

} // namespace garland::runtime
