// What of a run is kept: its row while it lasts, its end, and what a crash left open.
#include "host/sync/runs.h"

#include "host/sync/commits.h"
#include "host/sync/standing.h"

namespace garland::sync {
namespace {

constexpr int kRunsKept = 50; // per connection; of those that only followed hints, so many besides
constexpr Milliseconds kHintsAgain{60'000};
constexpr Milliseconds kFailedAgain{std::chrono::minutes(15)}; // what may pass by itself, at the latest

} // namespace

Run runFrom(store::Row const& row) {
  auto run = runFromDocument(readJson(row.text(3)));
  run.id = row.text(0);
  run.connection_id = row.text(1);
  run.state = row.text(2);
  run.started = fromMillis(row.integer(4));
  run.finished = timeAt(row, 5);
  return run;
}

namespace {

// An outage, or too many requests: later the same may go well.
bool passes(Error const& error) {
  return error.kind == ErrorKind::transient || error.kind == ErrorKind::rateLimited;
}

NewStanding standingAfter(Error const& error, std::int64_t credential_version) {
  bool const sign_in = error.kind == ErrorKind::authExpired || error.kind == ErrorKind::authRevoked;
  return NewStanding{std::string(sign_in ? kReconnect : "failing"), std::string(name(error.kind)),
                     credential_version};
}

} // namespace

store::Statement Runs::row(RunState const& state) const {
  auto const& run = state.run;
  store::Value finished = nullptr;
  if (run.finished) finished = toMillis(*run.finished);
  return store::Statement(
      "INSERT INTO runs (vendor_id,connection_id,run_id,state,document,started,finished,hinted) "
      "VALUES ($1,$2,$3,$4,$5,$6,$7,$8) ON CONFLICT (vendor_id,connection_id,run_id) DO UPDATE SET "
      "state=excluded.state, document=excluded.document, finished=excluded.finished, hinted=excluded.hinted",
      Values{state.vendor_id, run.connection_id, run.id, run.state, json::serialize(toDocument(run)),
             toMillis(run.started), finished, std::int64_t{!state.was_whole}});
}

// Nobody else knows what was hinted at, so the poll that finds it comes early. An earlier one stays.
void Runs::addHintsAgain(RunState const& state, store::Unit* unit) const {
  auto const& run = state.run;
  auto const due = *run.finished + std::max(kHintsAgain, run.error->retry_after.value_or(kHintsAgain));
  unit->emplace_back(
      "UPDATE connections SET next_due=$1 WHERE vendor_id=$2 AND connection_id=$3 AND next_due>$1",
      Values{toMillis(due), state.vendor_id, run.connection_id});
}

// What the end means for the connection, and when it is due again: an outage is not waited out for a week
// because a provider is asked once a week. A run that only followed hints says nothing of the rest, and must
// not put off the next poll; but a refused sign-in is one.
void Runs::addStanding(RunState const& state, Milliseconds poll_every, store::Unit* unit) const {
  auto const& run = state.run;
  auto const span = run.error && passes(*run.error) ? std::min(poll_every, kFailedAgain) : poll_every;
  auto const jitter = Milliseconds(
      static_cast<std::int64_t>(context_.doors.random.next() %
                                static_cast<std::uint64_t>(std::max<std::int64_t>(1, span.count() / 10))));
  auto due = *run.finished + std::max(span, state.quiet) + jitter;
  Owner const owner{state.vendor_id, run.connection_id};
  if (!run.error) {
    if (!state.was_whole) return;
    tellStanding(context_, owner, NewStanding{"connected", ""}, *unit);
    unit->emplace_back(
        "UPDATE connections SET state='connected', state_reason='', last_success=$1, next_due=$2 "
        "WHERE vendor_id=$3 AND connection_id=$4",
        Values{toMillis(*run.finished), toMillis(due), state.vendor_id, run.connection_id});
    return;
  }
  auto const& error = *run.error;
  if (error.kind == ErrorKind::cancelled) {
    unit->emplace_back("UPDATE connections SET next_due=0 WHERE vendor_id=$1 AND connection_id=$2",
                       Values{state.vendor_id, run.connection_id});
    return;
  }
  if (error.retry_after) due = std::max(due, *run.finished + *error.retry_after);
  auto const standing = standingAfter(error, state.credential_version);
  if (!state.was_whole && standing.state != kReconnect) {
    if (passes(error)) addHintsAgain(state, unit);
    return;
  }
  tellStanding(context_, owner, standing, *unit);
  unit->emplace_back(
      "UPDATE connections SET state=$1, state_reason=$2, "
      "next_due=CASE WHEN CAST($3 AS BIGINT)=1 THEN $4 ELSE next_due END "
      "WHERE vendor_id=$5 AND connection_id=$6 AND CAST($7 AS BIGINT) IN (-1, credential_version)",
      Values{standing.state, error.message, std::int64_t{state.was_whole}, toMillis(due), state.vendor_id,
             run.connection_id, state.credential_version});
}

// An approval is used up by the run that pulled with it, unless that failed before it deleted anything.
void Runs::addApproval(RunState const& state, store::Unit* unit) const {
  bool const ended_well = !state.run.error || state.partly;
  if (!state.approval_deleted && !(state.approval_pulled && ended_well)) return;
  unit->emplace_back("UPDATE connections SET confirm_deletes=0 WHERE vendor_id=$1 AND connection_id=$2",
                     Values{state.vendor_id, state.run.connection_id});
}

// The run's row stays; the oldest go.
Task<void> Runs::finish(State state, Result<void> outcome, Milliseconds poll_every) {
  auto& run = state->run;
  run.finished = context_.now();
  run.state = outcome ? "done" : state->partly ? "partly failed" : "failed";
  if (!outcome) run.error = std::move(outcome).error();
  state->tellKinds();
  store::Unit unit;
  addStanding(*state, poll_every, &unit);
  addApproval(*state, &unit);
  unit.push_back(row(*state));
  unit.emplace_back(
      "DELETE FROM runs WHERE vendor_id=$1 AND connection_id=$2 AND hinted=$3 AND run_id < "
      "(SELECT MIN(run_id) FROM (SELECT run_id FROM runs "
      "WHERE vendor_id=$1 AND connection_id=$2 AND hinted=$3 ORDER BY run_id DESC LIMIT $4) AS kept)",
      Values{state->vendor_id, run.connection_id, std::int64_t{!state->was_whole}, std::int64_t{kRunsKept}});
  Owner owner{state->vendor_id, run.connection_id};
  CO_TRY_VOID(co_await commitOwned(&context_, std::move(owner), std::move(unit)));
  co_return Result<void>();
}

Task<Run> Runs::one(std::string run_id) {
  if (auto const state = inFlight(run_id)) co_return state->run;
  store::Statement query(std::string(kRunColumns) + "WHERE run_id=$1", {run_id});
  CO_TRY(rows, co_await context_.doors.store.read(std::move(query)));
  if (rows.rows.empty()) co_return Error(ErrorKind::notFound, "there is no sync run \"" + run_id + "\"");
  co_return runFrom(rows.rows[0]);
}

// The last one of everything: those that follow hints come often, and say nothing of the rest.
Task<std::optional<Run>> Runs::last(std::string connection_id) {
  if (auto const found = in_flight_.find(connection_id); found != in_flight_.end())
    co_return std::optional<Run>(found->second->run);
  CO_TRY(connection, co_await connections_.one(connection_id));
  store::Statement query(std::string(kRunColumns) +
                             "WHERE vendor_id=$1 AND connection_id=$2 ORDER BY hinted, run_id DESC LIMIT 1",
                         {connection.vendor_id, connection_id});
  CO_TRY(rows, co_await context_.doors.store.read(std::move(query)));
  if (rows.rows.empty()) co_return std::optional<Run>();
  co_return std::optional<Run>(runFrom(rows.rows[0]));
}

Task<void> Runs::recover(std::optional<Owner> of) {
  co_return co_await endOpen(std::move(of), "the daemon ended in the middle of this sync");
}

// Of runs that are not under way: whoever looks at such a row would wait for it.
Task<void> Runs::endOpen(std::optional<Owner> of, std::string why) {
  std::string innocent = "UPDATE pushes SET dispatches=0 WHERE state='sent'";
  Values whose;
  if (of) innocent += ofOne(of->vendor_id, of->connection_id, whose);
  // That the daemon or the database went away is no sign against a write that was under way: only workers are
  // ended by one.
  store::Unit unit;
  unit.emplace_back(std::move(innocent), std::move(whose));
  CO_TRY_VOID(co_await settle(of, std::move(unit)));
  std::string left = std::string(kRunColumns) + "WHERE state IN ('queued','running')";
  Values which;
  if (of) left += ofOne(of->vendor_id, of->connection_id, which);
  store::Statement query(std::move(left), std::move(which));
  CO_TRY(rows, co_await context_.doors.store.read(std::move(query)));
  for (auto const& row : rows.rows) {
    auto run = runFrom(row);
    if (inFlight(run.id)) continue;
    run.state = "failed";
    run.finished = context_.now();
    run.error = Error(ErrorKind::cancelled, why + "; the next one goes on from its last checkpoint");
    store::Unit end;
    end.emplace_back("UPDATE runs SET state=$1, document=$2, finished=$3 WHERE run_id=$4 AND "
                     "state IN ('queued','running')",
                     Values{run.state, json::serialize(toDocument(run)), toMillis(*run.finished), run.id});
    end.emplace_back("UPDATE connections SET next_due=0 WHERE connection_id=$1", Values{run.connection_id});
    CO_TRY_VOID(co_await settle(of, std::move(end)));
  }
  co_return Result<void>();
}

Task<void> Runs::tick() {
  auto const owners = unsaved_;
  for (auto const& [id, owner] : owners) {
    unsaved_.erase(id);
    if (!mine(context_, id)) continue; // who has it now has seen to that
    auto const ended = co_await endOpen(owner, "the end of this sync could not be saved");
    if (ended) continue;
    unsaved_.emplace(id, owner);
    co_return ended;
  }
  co_return Result<void>();
}

Task<void> Runs::settle(std::optional<Owner> of, store::Unit unit) {
  if (of) {
    CO_TRY_VOID(co_await commitOwned(&context_, *of, std::move(unit)));
  } else {
    CO_TRY_VOID(co_await context_.doors.store.commit(std::move(unit)));
  }
  co_return Result<void>();
}

} // namespace garland::sync
