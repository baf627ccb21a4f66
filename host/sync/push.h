// Writes local edits to the provider: one operation per record, state-based, at most one in flight.
//
// An operation is a row of `pushes`: pending -> sent -> gone. "sent" is committed before the call, so
// an operation whose end nobody saw is known, and is repeated with the same key and the same content
// until the provider has answered; only then is anything newer written. One that can do no good is
// set aside ("parked"): no run tries it before an edit or a retry, and every run says so.
#pragma once

#include "host/sync/call_host.h"
#include "host/sync/run_state.h"
#include "host/sync/storage.h"
#include "host/sync/writes.h"

#include <set>
#include <string>

namespace garland::sync {

class Push {
public:
  Push(Context& context, AuditTrail& audit, Session const& session, KindEntry const& kind, RunState& run)
      : context_(context), audit_(audit), session_(session), kind_(kind), run_(run),
        owner_{session.connection.vendor_id, session.connection.id} {}

  // Writes everything that waits. Errors: those that concern the whole connection (sign-in, the
  // store); the rest is told item by item in the run.
  Task<void> everything();
  // After a pull: those that met a conflict, once more.
  Task<void> conflictsAgain();
  // Last, however the rest ended: the writes that are set aside, by this run or an earlier one.
  Task<void> tellSetAside();

private:
  struct Op;
  struct Sent;
  struct Lost;
  enum class Next { goOn, stop };

  Task<std::vector<std::string>> waiting();
  Task<std::optional<Op>> read(std::string record_id);
  Task<Next> one(std::string record_id, bool last_chance);
  Task<std::optional<Op>> prepare(Op op);
  Result<void> compose(Op& op) const;
  Task<json::value> call(Op const* op);
  Task<void> complete(Op op, json::value output);
  Task<Lost> completeOnce(Op const* op, Sent const* sent);
  void tellLost(Op const& op, Lost const& lost);
  Task<void> completeDelete(Op op);
  Task<Next> failed(Op op, Error error, bool last_chance);
  Task<void> setState(Op const* op, std::string state);
  Task<void> park(Op const* op, Error error);
  std::string advice(std::string const& record_id) const;
  Task<void> drop(Op const* op);
  Task<void> forgetUntaken();
  void tellUntaken(std::string place, bool in_doubt);
  Task<void> relink(Writes* writes, Link link);
  void tell(Op const& op, std::string kind, std::string message);

  Context& context_;
  AuditTrail& audit_;
  Session const& session_;
  KindEntry const& kind_;
  RunState& run_;
  Owner const owner_;
  std::set<std::string> conflicted_;
  std::set<std::string> parked_now_; // told already
  int in_a_row_ = 0;                 // transient failures
  bool written_kind_noted_ = false;  // that this connection writes this kind is durable
};

} // namespace garland::sync
