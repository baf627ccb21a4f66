// The loop that does actions, and one step of one of them.
#include "host/sync/action_runner.h"

#include "host/sync/commits.h"
#include "host/sync/leases.h"
#include "host/sync/standing.h"

#include <boost/asio/co_spawn.hpp>

#include <algorithm>
#include <exception>

namespace garland::sync {
namespace {

constexpr std::size_t kAtOnce = 32;
// A connector's calls for one account do not overlap: a second one would only wait in the worker and use up
// its time there.
constexpr std::size_t kAtOncePerConnection = 1;
constexpr Milliseconds kSweepEvery{300'000};
constexpr Milliseconds kKeepTurn{60'000}; // so long a sync waits for what the provider's limit keeps waiting,
constexpr int kKeptInARow = 3;            // and no more often; then a piece of it goes
constexpr std::size_t kLookedAt = 4 * kAtOnce; // some of them are just coming from another daemon, or going

bool isFinal(Error const& error) {
  return error.kind == ErrorKind::notFound || error.kind == ErrorKind::forbidden ||
         error.kind == ErrorKind::unsupported;
}

} // namespace

ActionRunner::ActionRunner(Context& context, Connections& connections, AuditTrail& audit)
    : context_(context), connections_(connections), audit_(audit), store_(context),
      nursery_(context.doors.executor), call_ended_(std::make_shared<Event>(context.doors.executor)),
      rest_(context.doors.clock) {}

Task<void> ActionRunner::start() {
  if (loop_ended_) co_return Result<void>();
  if (!context_.leases) {
    CO_TRY_VOID(co_await recover(std::nullopt));
  }
  loop_ended_ = std::make_shared<Event>(context_.doors.executor);
  auto const ended = loop_ended_;
  asio::co_spawn(context_.doors.executor, loop(),
                 [ended](std::exception_ptr, Result<void>) { ended->set(); });
  co_return Result<void>();
}

Task<void> ActionRunner::stop() {
  kept_.clear();
  wake();
  if (loop_ended_) {
    auto const ended = loop_ended_;
    CO_TRY_VOID(co_await ended->wait());
  }
  co_return co_await nursery_.drained();
}

Task<void> ActionRunner::tick() {
  if (context_.leases) wake(); // the net under what other daemons tell
  auto const looked = context_.doors.clock.monotonic();
  if (looked < next_sweep_ || !caresFor(context_, "old actions")) co_return Result<void>();
  next_sweep_ = looked + kSweepEvery;
  CO_TRY(forgotten, co_await store_.forget(context_.now() - context_.doors.actions_kept));
  if (forgotten > 0) next_sweep_ = looked; // there may be more
  co_return Result<void>();
}

void ActionRunner::wake() {
  if (woken_) woken_->set();
}

Task<void> ActionRunner::loop() {
  while (!context_.stopping) {
    auto const woken = std::make_shared<Event>(context_.doors.executor);
    woken_ = woken;
    auto const next = co_await startDue();
    if (context_.stopping) break;
    if (!next) {
      context_.doors.log.error("the actions that are due could not be begun: " + next.error().message);
      rest_ = Rest(context_.doors.clock, kRest);
    }
    auto until = next ? *next : std::optional<TimePoint>(rest_.end());
    if (until && *until <= context_.now()) continue;
    std::optional<Alarm> alarm;
    if (until) alarm.emplace(context_.doors.executor, context_.doors.clock, *until - context_.now(), woken);
    CO_TRY_VOID(co_await woken->wait());
  }
  co_return Result<void>();
}

// Begins what is due, and says when to look again if nothing happens before.
Task<std::optional<TimePoint>> ActionRunner::startDue() {
  if (rest_.lasts()) co_return std::optional<TimePoint>(rest_.end());
  auto const now = context_.now();
  CO_TRY_VOID(co_await keepUnsaved());
  if (in_flight_.size() - queued_.size() < kAtOnce) {
    // Lookups in flight are still due by their rows, and must not hide others.
    auto const most = kLookedAt + busy_.size() + held_.size();
    CO_TRY(due, co_await store_.due(now, most));
    for (auto& one : due) begin(std::move(one));
  }
  auto const kept_until = dropKept();
  CO_TRY(next, co_await store_.nextDue(now));
  if (kept_until && (!next || *kept_until < *next)) next = kept_until;
  co_return next;
}

// Gives back every turn whose action did not come at its moment: something else has become of it. Answers
// with the moment of the next.
std::optional<TimePoint> ActionRunner::dropKept() {
  std::erase_if(kept_,
                [&](auto const& one) { return !one.second.until->lasts() && !busy_.contains(one.first); });
  std::optional<TimePoint> next;
  for (auto const& [connection, kept] : kept_)
    if (kept.until->lasts() && (!next || kept.until->end() < *next)) next = kept.until->end();
  return next;
}

void ActionRunner::begin(Due due) {
  if (context_.stopping || in_flight_.size() - queued_.size() >= kAtOnce || in_flight_.contains(due.id) ||
      held_.contains(due.connection_id) || !mine(context_, due.connection_id))
    return;
  if (auto const busy = busy_.find(due.connection_id);
      busy != busy_.end() && busy->second >= kAtOncePerConnection)
    return;
  in_flight_.emplace(due.id, due.connection_id);
  ++busy_[due.connection_id];
  nursery_.spawn(carryOut(std::move(due)));
}

Task<void> ActionRunner::carryOut(Due due) {
  Flight flight(*this, due.id);
  auto const done = co_await inTurn(due);
  if (!done && !context_.stopping)
    context_.doors.log.error("a step of action " + due.id + " could not be kept: " + done.error().message);
  flight.well = done.has_value();
  co_return Result<void>();
}

ActionRunner::Flight::~Flight() {
  if (!well) runner.rest_ = Rest(runner.context_.doors.clock, kRest);
  runner.queued_.erase(id);
  runner.limited_.erase(id);
  if (!runner.unsaved_.contains(id)) runner.release(id);
  runner.wake();
}

// Its time, and its attempt, begin when nothing of its connection is before it any more.
Task<void> ActionRunner::inTurn(Due due) {
  Kept own;
  if (auto kept = kept_.extract(due.connection_id)) own = std::move(kept.mapped());
  if (!own.turn.isTaken()) {
    queued_.insert(due.id);
    // Who waits here leaves room for another connection's.
    if (!context_.lanes->holder(due.connection_id).empty()) wake();
    auto entered = co_await context_.lanes->enter(due.connection_id, Priority::interactive, due.id);
    queued_.erase(due.id);
    if (!entered) co_return entered.error();
    own.turn = std::move(*entered);
  }
  if (held_.contains(due.connection_id) || !mine(context_, due.connection_id)) co_return Result<void>();
  auto const stepped = co_await step(due.id);
  auto const limit = limited_.extract(due.id); // of this step, however it ended
  if (!stepped) co_return stepped.error();
  auto const left = limit ? limit.mapped() - context_.now() : Milliseconds();
  bool const soon = limit && left <= kKeepTurn;
  bool const goes_on = !context_.stopping && !held_.contains(due.connection_id);
  if (!soon || !goes_on || ++own.times > kKeptInARow) co_return Result<void>();
  own.until.emplace(context_.doors.clock, left);
  kept_.insert_or_assign(due.connection_id, std::move(own));
  co_return Result<void>();
}

void ActionRunner::release(std::string const& id) {
  auto const place = in_flight_.find(id);
  if (place == in_flight_.end()) return;
  auto const busy = busy_.find(place->second);
  if (--busy->second == 0) busy_.erase(busy);
  in_flight_.erase(place);
  std::exchange(call_ended_, std::make_shared<Event>(context_.doors.executor))->set();
}

Task<void> ActionRunner::step(std::string id) {
  CO_TRY(action, co_await store_.one(id));
  bool const open = action.state == ActionState::waiting || action.state == ActionState::unknown;
  if (!open || context_.stopping) co_return Result<void>();
  auto const session = co_await connections_.open(action.connection_id);
  if (!session && isFinal(session.error())) co_return co_await lost(std::move(action), session.error());
  if (!session) co_return session.error();
  if (needsReconnect(session->connection)) co_return Result<void>(); // since it was found to be due
  auto rule = actionRule(session->plugin->manifest, action.operation);
  if (!rule) {
    Error error(ErrorKind::unsupported,
                session->plugin->manifest.name + " no longer has the action " + action.operation);
    co_return co_await lost(std::move(action), std::move(error));
  }
  if (action.state == ActionState::unknown)
    co_return co_await resolve(std::move(action), &*session, std::move(*rule));
  co_return co_await attempt(std::move(action), &*session, std::move(*rule));
}

// Its connection or connector cannot be used.
Task<void> ActionRunner::lost(Action action, Error error) {
  course(ActionRule()).refused(action, std::move(error));
  co_return co_await keep(std::move(action));
}

ActionRunner::Doubt::Doubt(ActionRunner& runner_in, Action action) : runner(runner_in) {
  action.state = ActionState::unknown;
  action.next_attempt = runner.context_.now();
  action.error = Error(ErrorKind::cancelled, "garlandd could not take the connector's answer")
                     .withEffect(Effect::unknown);
  unsaved.emplace(action.id, action);
}

// "sent" is durable before the connector is called: whatever happens then, nobody takes it for unsent.
Task<void> ActionRunner::attempt(Action action, Session const* session, ActionRule rule) {
  bool const in_doubt = action.state == ActionState::unknown;
  auto const before = action;
  course(rule).sent(action);
  auto const committed = co_await store_.saveOwned(action);
  // Settled this very moment.
  if (!committed && (committed.error().kind == ErrorKind::conflict || isOthers(action)))
    co_return Result<void>();
  if (!committed) {
    // The row may say "sent" although nothing was.
    unsaved_.insert_or_assign(before.id, before);
    co_return committed.error();
  }
  ++action.revision;
  Doubt doubt(*this, action);
  bool asked = false;
  auto const answer = co_await callPlugin(&context_, &audit_, session, action.operation, callInput(action),
                                          nullptr, kActionDeadline, &asked);
  if (answer)
    course(rule).answered(action, *answer);
  else if (asked)
    course(rule).failed(action, answer.error(), in_doubt);
  else
    course(rule).neverAsked(action, before, answer.error(), in_doubt, session->resumed);
  bool const limited = !answer && answer.error().kind == ErrorKind::rateLimited;
  if (limited && action.state == ActionState::waiting)
    limited_.insert_or_assign(action.id, *action.next_attempt);
  auto const kept = co_await keep(std::move(action));
  doubt.unsaved.clear();
  if (!kept) co_return kept.error();
  if (answer) co_return Result<void>();
  co_return co_await tellSignIn(session, answer.error());
}

Task<void> ActionRunner::resolve(Action action, Session const* session, ActionRule rule) {
  if (!rule.lookup.empty()) {
    auto const answer = co_await lookUp(&action, session, rule.lookup);
    if (answer)
      course(rule).lookedUp(action, *answer);
    else
      course(rule).lookupFailed(action, answer.error());
    CO_TRY_VOID(co_await keep(std::move(action)));
    if (answer) co_return Result<void>();
    co_return co_await tellSignIn(session, answer.error());
  }
  if (course(rule).mayRepeat(action)) co_return co_await attempt(std::move(action), session, std::move(rule));
  action.next_attempt.reset();
  co_return co_await keep(std::move(action));
}

// Its answer; the output in it conforms to what the operation itself would have answered.
Task<json::value> ActionRunner::lookUp(Action const* action, Session const* session, std::string lookup) {
  CO_TRY(answer, co_await callPlugin(&context_, &audit_, session, lookup, lookupInput(*action), nullptr,
                                     kActionDeadline));
  auto* const object = answer.if_object();
  if (object == nullptr || !boolOr(answer, "/found", false)) co_return answer;
  auto& output = (*object)["output"];
  output = context_.knownOfOutput(action->operation, output);
  CO_TRY_VOID(context_.requireOutput(action->operation, output));
  co_return answer;
}

// The end of a step. What is known of an effect is not given up because the store is away.
Task<void> ActionRunner::keep(Action action) {
  auto const saved = co_await store_.saveOwned(action);
  if (saved) {
    tell(action);
    co_return Result<void>();
  }
  if (saved.error().kind == ErrorKind::conflict) {
    if (action.finished)
      context_.doors.log.warn("action " + action.id + " was settled by an operator while it became " +
                              std::string(name(action.state)));
    co_return Result<void>();
  }
  if (isOthers(action)) {
    tellLate(action);
    co_return Result<void>();
  }
  unsaved_.insert_or_assign(action.id, std::move(action));
  co_return saved.error();
}

// A commit that failed may have been applied all the same. A row that says "sent" is still ours to write.
Task<void> ActionRunner::keepUnsaved() {
  while (!unsaved_.empty()) {
    Action action = unsaved_.begin()->second;
    if (isOthers(action)) {
      tellLate(action);
      unsaved_.erase(action.id);
      release(action.id);
      continue;
    }
    CO_TRY(row, co_await store_.one(action.id));
    auto saved = Result<void>();
    if (row.state == ActionState::sent || row.revision == action.revision) {
      action.revision = row.revision;
      saved = co_await store_.saveOwned(action);
    }
    if (!saved) co_return saved.error();
    unsaved_.erase(action.id);
    release(action.id);
    tell(action);
  }
  co_return Result<void>();
}

// Another daemon has taken its connection over, and with it what is written of it.
bool ActionRunner::isOthers(Action const& action) const {
  return context_.leases && !context_.leases->leaseOf(action.connection_id);
}

// To its new owner it is unknown, as after a crash. Whoever settles it by hand finds here what came.
void ActionRunner::tellLate(Action const& action) const {
  context_.doors.log.warn("what became of action " + action.id +
                              " was known only when another daemon ran its connection already: it is " +
                              std::string(name(action.state)),
                          json::object{{"vendor", action.vendor_id}, {"connection", action.connection_id}});
}

// The vendor is to be asked for another credential, unless that has happened already.
Task<void> ActionRunner::tellSignIn(Session const* session, Error error) {
  if (error.kind != ErrorKind::authExpired && error.kind != ErrorKind::authRevoked) co_return Result<void>();
  Owner owner{session->connection.vendor_id, session->connection.id};
  NewStanding standing{std::string(kReconnect), std::string(name(error.kind)), session->credential_version};
  store::Unit unit;
  tellStanding(context_, owner, std::move(standing), unit);
  unit.emplace_back("UPDATE connections SET state=$1, state_reason=$2 WHERE vendor_id=$3 AND "
                    "connection_id=$4 AND credential_version=$5",
                    Values{std::string(kReconnect), std::move(error.message), owner.vendor_id,
                           owner.connection_id, session->credential_version});
  CO_TRY_VOID(co_await commitOwned(&context_, std::move(owner), std::move(unit)));
  co_return Result<void>();
}

Task<Action> ActionRunner::one(std::string id) {
  CO_TRY(action, co_await store_.one(std::move(id)));
  std::vector<std::string> connections(1, action.connection_id);
  CO_TRY(without_sign_in, co_await store_.withoutSignIn(std::move(connections)));
  action.waits_for = waitsFor(action, without_sign_in);
  co_return action;
}

Task<std::vector<Action>> ActionRunner::list(ActionQuery query) {
  CO_TRY(actions, co_await store_.list(std::move(query)));
  std::set<std::string> all;
  for (auto const& action : actions)
    if (action.state == ActionState::waiting) all.insert(action.connection_id);
  std::vector<std::string> connections(all.begin(), all.end());
  CO_TRY(without_sign_in, co_await store_.withoutSignIn(std::move(connections)));
  for (auto& action : actions) action.waits_for = waitsFor(action, without_sign_in);
  co_return actions;
}

std::string ActionRunner::waitsFor(Action const& action,
                                   std::map<std::string, std::string> const& without_sign_in) const {
  if (action.state != ActionState::waiting || !action.next_attempt) return {};
  if (auto const found = without_sign_in.find(action.connection_id); found != without_sign_in.end())
    return "its account to be connected again: " + found->second;
  auto const now = context_.now();
  bool const limited = action.error && action.error->kind == ErrorKind::rateLimited;
  if (*action.next_attempt > now)
    return (limited ? "the provider's rate limit, until " : "its next attempt, at ") +
           rfc3339(*action.next_attempt);
  auto const holder = context_.lanes->holder(action.connection_id);
  if (holder.empty() || holder == action.id) return "its turn";
  if (holder.starts_with("act_")) return "another action of its connection, " + holder;
  auto const closed = context_.limits.closedFor(action.connection_id);
  bool const pulls = std::ranges::any_of(
      context_.kinds(), [&](auto const& entry) { return entry.kind.pull_operation == holder; });
  return (pulls ? "the next checkpoint of " : "the end of ") + holder +
         ", which its connection runs right now" +
         (closed ? "; the provider's rate limit lasts until " + rfc3339(now + *closed) : std::string());
}

void ActionRunner::tell(Action const& action) const {
  if (action.state == ActionState::unknown && !action.next_attempt)
    context_.doors.log.warn(noticeOf(action),
                            json::object{{"vendor", action.vendor_id}, {"connection", action.connection_id}});
}

} // namespace garland::sync
