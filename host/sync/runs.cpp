#include "host/sync/runs.h"

#include "host/base/store_error.h"
#include "host/sync/commits.h"
#include "host/sync/pull.h"
#include "host/sync/push.h"
#include "host/sync/retry.h"

#include <algorithm>

namespace garland::sync {
namespace {

constexpr int kRestarts = 5;
constexpr Milliseconds kPullDeadline{600'000};
constexpr Milliseconds kPollIfUnknown{900'000};
constexpr std::size_t kGetAtOnce = 1000;

bool workerDied(Error const& error) { return error.provider_code == "worker_died"; }

// It asks for a setting that nobody gave, and that the manifest lets be left out.
bool wantsSetting(Error const& error, json::value const& settings) {
  constexpr std::string_view kPlace = "/settings/";
  if (error.kind != ErrorKind::invalidInput || !error.field.starts_with(kPlace)) return false;
  return find(settings, error.field.substr(kPlace.size() - 1)) == nullptr;
}

// The next kind would fare no better: the account, the network, the provider, the worker, or the store's
// room.
bool endsRun(Error const& error) {
  switch (error.kind) {
  case ErrorKind::authExpired:
  case ErrorKind::authRevoked:
  case ErrorKind::rateLimited:
  case ErrorKind::transient:
  case ErrorKind::cancelled:
  case ErrorKind::quota: return true;
  default: return workerDied(error);
  }
}

} // namespace

Runs::Runs(Context& context, Connections& connections, AuditTrail& audit)
    : context_(context), connections_(connections), audit_(audit), nursery_(context.doors.executor) {}

Task<Run> Runs::start(std::string connection_id, Priority priority) {
  return begin(std::move(connection_id), {}, priority);
}

Task<Run> Runs::hint(std::string connection_id, std::vector<Hint> hints) {
  if (hints.empty()) co_return Error(ErrorKind::invalidInput, "a hint names at least one record", "/hints");
  CO_TRY(session, co_await connections_.open(connection_id));
  for (auto const& hint : hints) {
    auto const* const kind = context_.kind(hint.kind);
    if (kind == nullptr || !brings(session.plugin->manifest, kind->kind))
      co_return Error(ErrorKind::invalidInput,
                      session.plugin->manifest.name + " brings no records of kind \"" + hint.kind + "\"",
                      "/kind");
  }
  co_return co_await begin(std::move(connection_id), std::move(hints), Priority::normal);
}

// No hints: everything.
Task<Run> Runs::begin(std::string connection_id, std::vector<Hint> hints, Priority priority) {
  CO_TRY(connection, co_await connections_.one(connection_id));
  CO_TRY_VOID(refuseIfPaused(connection));
  if (!mine(context_, connection_id)) co_return co_await elsewhere(std::move(connection), std::move(hints));
  priority = context_.amongAll(connection.vendor_id, priority);
  for (;;) {
    if (context_.stopping)
      co_return Error(ErrorKind::cancelled, "the daemon is stopping; try again when it is back");
    if (closing_.contains(connection_id))
      co_return Error(ErrorKind::notFound,
                      "connection \"" + connection_id + "\" is being changed or disconnected");
    auto const found = in_flight_.find(connection_id);
    if (found == in_flight_.end()) break;
    auto const state = found->second;
    if (state->ending) {
      CO_TRY_VOID(co_await state->ended->wait());
      continue;
    }
    bool const joins = hints.empty() && state->was_whole;
    if (!joins) state->ask(std::move(hints));
    state->priority = std::min(state->priority, priority); // it may not even wait yet
    context_.run_places.hasten(connection_id, priority);
    co_return state->run;
  }
  co_return co_await queue(std::move(connection), std::move(hints), priority);
}

Task<Run> Runs::queue(Connection connection, std::vector<Hint> hints, Priority priority) {
  Run run;
  run.id = context_.newId("run");
  run.connection_id = connection.id;
  run.state = "queued";
  run.started = context_.now();
  auto const state =
      std::make_shared<RunState>(context_.doors.executor, std::move(run), connection.vendor_id);
  state->connector = connection.plugin_id;
  state->ask(std::move(hints));
  state->priority = priority;
  in_flight_.emplace(connection.id, state);
  store::Unit unit;
  unit.push_back(row(*state));
  Owner const owner{connection.vendor_id, connection.id};
  auto const saved = co_await commitOwned(&context_, owner, std::move(unit));
  if (!saved) {
    in_flight_.erase(connection.id);
    unsaved_.emplace(connection.id, owner); // it may be there all the same
    state->run.state = "failed";
    state->run.error = saved.error();
    state->ended->set();
    co_return saved.error();
  }
  nursery_.spawn(carryOut(state));
  co_return state->run;
}

Task<void> Runs::carryOut(State state) {
  Result<RunPlaces::Place> place = RunPlaces::Place();
  if (!state->stop_requested)
    place = co_await context_.run_places.enter(state->run.connection_id, state->connector, state->priority);
  auto poll_every = kPollIfUnknown;
  auto outcome = Result<void>();
  if (!place || context_.stopping || state->stop_requested) {
    outcome = Error(ErrorKind::cancelled, "the sync was stopped before it began; the next one does it");
  } else {
    state->run.state = "running";
    auto const session = co_await connections_.open(state->run.connection_id);
    if (session) {
      state->credential_version = session->credential_version;
      poll_every = session->plugin->manifest.poll_every;
      outcome = co_await sync(state, &*session);
      if (!outcome && state->store_failed) outcome = passing(outcome.error());
    } else {
      outcome = session.error();
    }
  }
  state->ending = true;
  auto const finished = co_await finish(state, std::move(outcome), poll_every);
  if (!finished) {
    unsaved_.emplace(state->run.connection_id, Owner{state->vendor_id, state->run.connection_id});
    context_.doors.log.error("the end of a sync could not be saved: " + finished.error().message);
  }
  in_flight_.erase(state->run.connection_id);
  if (context_.doors.on_run_ended) context_.doors.on_run_ended(state->run);
  state->ended->set();
  co_return Result<void>();
}

// More may be asked for while it runs.
Task<void> Runs::sync(State state, Session const* session) {
  while (state->whole || !state->hints.empty()) {
    if (context_.stopping || state->stop_requested)
      co_return Error(ErrorKind::cancelled, "the sync was stopped; the next one goes on");
    if (std::exchange(state->whole, false)) {
      CO_TRY_VOID(co_await everything(state, session));
    } else {
      CO_TRY_VOID(co_await hinted(state, session));
    }
  }
  state->to_the_end = true;
  state->partly = state->kinds_synced > 0;
  co_return state->verdict();
}

Task<void> Runs::everything(State state, Session const* session) {
  bool any = false;
  for (auto const& kind : context_.kinds()) {
    bool const pulled = brings(session->plugin->manifest, kind.kind);
    if (!pulled && !arrives(session->plugin->manifest, kind.kind)) continue;
    any = true;
    auto synced = co_await syncKind(state, session, &kind);
    CO_TRY_VOID(judge(state.get(), session, &kind, std::move(synced)));
  }
  if (!any)
    co_return Error(ErrorKind::unsupported,
                    session->plugin->manifest.name + " offers nothing that can be synced");
  co_return Result<void>();
}

Task<void> Runs::hinted(State state, Session const* session) {
  std::map<std::string, std::set<std::string>> wanted;
  for (auto& hint : std::exchange(state->hints, std::vector<Hint>()))
    wanted[hint.kind].insert(std::move(hint.external_id));
  for (auto const& [name, ids] : wanted) {
    auto const* const kind = context_.kind(name);
    std::vector<std::string> all(ids.begin(), ids.end());
    auto fetched = co_await fetch(state, session, kind, std::move(all));
    CO_TRY_VOID(judge(state.get(), session, kind, std::move(fetched)));
  }
  co_return Result<void>();
}

// Whether the run goes on after this kind.
Result<void> Runs::judge(RunState* state, Session const* session, KindEntry const* kind,
                         Result<void> outcome) const {
  if (outcome) {
    ++state->kinds_synced;
    return outcome;
  }
  if (!state->store_failed && wantsSetting(outcome.error(), session->connection.settings)) {
    auto error = std::move(outcome).error();
    error.message += "; give it with: garland connections set " + session->connection.id + " --set " +
                     error.field.substr(error.field.rfind('/') + 1) + "=VALUE";
    state->leftOut(kind->kind.name, std::move(error));
    return Result<void>();
  }
  if (state->store_failed || endsRun(outcome.error())) return outcome;
  state->failedKind(kind->kind.name, std::move(outcome).error());
  return Result<void>();
}

Task<void> Runs::syncKind(State state, Session const* session, KindEntry const* kind) {
  Push push(context_, audit_, *session, *kind, *state);
  auto const synced = co_await pushAndPull(state, session, kind, &push);
  auto const told = co_await push.tellSetAside();
  if (!synced) co_return synced;
  co_return told;
}

// Push first: what the provider then shows is compared with what it was given.
Task<void> Runs::pushAndPull(State state, Session const* session, KindEntry const* kind, Push* push) {
  CO_TRY_VOID(co_await push->everything());
  // What comes in by itself is not asked for.
  if (!brings(session->plugin->manifest, kind->kind)) co_return Result<void>();
  CO_TRY_VOID(co_await pull(state, session, kind));
  co_return co_await push->conflictsAgain();
}

Task<void> Runs::pull(State state, Session const* session, KindEntry const* kind) {
  if (session->confirm_deletes) {
    Place place{session->connection.vendor_id, session->connection.id, state->run.id, kind};
    Inbound inbound(context_, std::move(place));
    state->approval_pulled = true;
    CO_TRY(deleted, co_await inbound.deleteHeld());
    state->approval_deleted = state->approval_deleted || !deleted.outcomes.empty();
    state->count(kind->kind.name, deleted);
  }
  CO_TRY(missed, co_await missedBefore(state, session, kind));
  std::vector<std::string> what_changed;
  CO_TRY_VOID(co_await bring(state, session, kind, std::move(what_changed)));
  if (!missed.empty()) {
    auto brought = co_await bring(state, session, kind, std::move(missed));
    CO_TRY_VOID(judgeMissed(state.get(), kind, std::move(brought)));
  }
  co_return co_await tellHeld(state, session, kind);
}

// What earlier pulls could not take, to be looked at again.
Task<std::vector<std::string>> Runs::missedBefore(State state, Session const* session,
                                                  KindEntry const* kind) {
  if (!offers(session->plugin->manifest, kGetOperation)) co_return std::vector<std::string>();
  Place place{session->connection.vendor_id, session->connection.id, state->run.id, kind};
  Missed missed(context_, std::move(place));
  co_return co_await missed.due();
}

// The pull itself went well, so what one old record does to its request keeps nothing back.
Result<void> Runs::judgeMissed(RunState* state, KindEntry const* kind, Result<void> outcome) const {
  if (outcome || state->store_failed || outcome.error().kind == ErrorKind::cancelled) return outcome;
  auto const& error = outcome.error();
  ItemProblem item{kind->kind.name, std::string(name(error.kind)),
                   "not all records that could not be taken before were read again: " + error.message};
  state->problem(std::move(item), false);
  return Result<void>();
}

Task<void> Runs::fetch(State state, Session const* session, KindEntry const* kind,
                       std::vector<std::string> ids) {
  if (!offers(session->plugin->manifest, kGetOperation)) co_return co_await pull(state, session, kind);
  for (std::size_t at = 0; at < ids.size(); at += kGetAtOnce) {
    auto const first = ids.begin() + static_cast<std::ptrdiff_t>(at);
    auto const count = std::min(kGetAtOnce, ids.size() - at);
    std::vector<std::string> some(first, first + static_cast<std::ptrdiff_t>(count));
    CO_TRY_VOID(co_await bring(state, session, kind, std::move(some)));
  }
  co_return Result<void>();
}

// What the plugin emits, in as many calls as it takes. No ids: what a pull finds.
Task<void> Runs::bring(State state, Session const* session, KindEntry const* kind,
                       std::vector<std::string> ids) {
  std::string const operation(ids.empty() ? std::string_view(kind->kind.pull_operation) : kGetOperation);
  // Whatever has no cursor brings much.
  CO_TRY(first, co_await input(session, kind, ids));
  bool const much = ids.empty() && first.at("cursor").is_null();
  auto const priority = much ? Priority::bulk : Priority::normal;
  for (int restarts = 0;; ++restarts) {
    CO_TRY(turn, co_await context_.lanes->enter(session->connection.id, priority, operation));
    if (context_.stopping || state->stop_requested)
      co_return Error(ErrorKind::cancelled, "the sync was stopped; the next one goes on");
    CO_TRY(asked, co_await input(session, kind, ids));
    PullSink sink(context_, *session, *kind, *state, ids);
    auto const answered =
        co_await callPlugin(&context_, &audit_, session, operation, std::move(asked), &sink, kPullDeadline);
    auto const kept = co_await sink.finish();
    state->store_failed = sink.storeError().has_value();
    if (sink.storeError()) co_return *sink.storeError();
    if (!kept) co_return kept.error();
    if (answered) {
      auto const quiet = std::chrono::seconds(integerOr(*answered, "/quiet_seconds", 0));
      state->quiet = std::max<Milliseconds>(state->quiet, quiet);
      co_return co_await sink.wasWhole();
    }
    auto const& error = answered.error();
    auto const open = co_await sink.wasCut();
    state->store_failed = !open;
    if (!open) co_return open.error();
    if (context_.stopping || state->stop_requested)
      co_return Error(ErrorKind::cancelled,
                      "the sync was stopped; the next one goes on from its last checkpoint");
    if (sink.gaveWay() && error.kind == ErrorKind::cancelled) {
      --restarts; // this is none
      continue;
    }
    bool const worth_it = workerDied(error) || (error.kind == ErrorKind::transient && sink.movedOn());
    if (error.provider_code == "poisoned") co_return setAside(error, session->connection.id);
    if (!worth_it || restarts == kRestarts) co_return error;
    if (workerDied(error)) ++state->run.worker_restarts;
    if (!ids.empty() && open->empty()) co_return Result<void>(); // all came
    ids = *open;
    context_.doors.log.warn("a pull ended early and goes on from its checkpoint: " + error.message);
  }
}

// A pull has no record that one could edit, so its way out is told here.
Error Runs::setAside(Error error, std::string const& connection_id) const {
  error.message += "; this one again ";
  if (error.retry_after) {
    auto const at = rfc3339(std::chrono::ceil<std::chrono::minutes>(context_.now() + *error.retry_after));
    error.message += "after " + at.substr(at.find('T') + 1, 5) + " UTC, or ";
  }
  error.message += "as soon as you type: garland sync retry " + connection_id;
  return error;
}

Task<void> Runs::tellHeld(State state, Session const* session, KindEntry const* kind) {
  Place place{session->connection.vendor_id, session->connection.id, state->run.id, kind};
  Inbound inbound(context_, std::move(place));
  CO_TRY(scopes, co_await inbound.held());
  for (auto const& [scope, count] : scopes) {
    state->run.held_deletions += count;
    ItemProblem item;
    item.place = scope;
    item.kind = "held";
    item.message =
        std::to_string(count) +
        " records are no longer listed there, too many to be believed at once, so none was deleted; if "
        "that is right, confirm the deletions of connection " +
        session->connection.id + " and sync again";
    state->problem(std::move(item), false);
  }
  co_return Result<void>();
}

Task<json::value> Runs::input(Session const* session, KindEntry const* kind, std::vector<std::string> ids) {
  if (!ids.empty()) {
    json::array wanted(ids.begin(), ids.end());
    co_return json::value(json::object{{"entity", kind->kind.name}, {"ids", std::move(wanted)}});
  }
  store::Statement query(
      "SELECT cursor_json FROM cursors WHERE vendor_id=$1 AND connection_id=$2 AND kind=$3",
      {session->connection.vendor_id, session->connection.id, kind->kind.name});
  CO_TRY(rows, co_await context_.doors.store.read(std::move(query)));
  json::object input = kind->kind.input;
  if (kind->kind.pull_context)
    for (auto const& member : kind->kind.pull_context(session->connection.settings))
      input[member.key()] = member.value();
  input["cursor"] = nullptr;
  if (!rows.rows.empty()) input["cursor"] = readJson(rows.rows[0].text(0));
  co_return json::value(std::move(input));
}

Runs::State Runs::inFlight(std::string const& run_id) const {
  for (auto const& [connection, state] : in_flight_)
    if (state->run.id == run_id) return state;
  return nullptr;
}

Task<Run> Runs::wait(std::string run_id) {
  if (auto const state = inFlight(run_id)) {
    CO_TRY_VOID(co_await state->ended->wait());
    co_return state->run;
  }
  co_return co_await waitElsewhere(std::move(run_id));
}

Task<Runs::Ended> Runs::waitForKinds(std::string run_id) {
  auto const state = inFlight(run_id);
  Ended ended;
  CO_TRY(run, co_await wait(std::move(run_id)));
  ended.run = std::move(run);
  if (state)
    for (auto const& [kind, error] : state->kinds_failed) ended.kinds_failed.insert(kind);
  co_return ended;
}

Task<void> Runs::stopOf(std::string connection_id) {
  auto const found = in_flight_.find(connection_id);
  if (found == in_flight_.end()) co_return Result<void>();
  auto const state = found->second;
  state->stop_requested = true;
  context_.run_places.callOff(connection_id);
  co_return co_await state->ended->wait();
}

Task<void> Runs::drained() { return nursery_.drained(); }

} // namespace garland::sync
