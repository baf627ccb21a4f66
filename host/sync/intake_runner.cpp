// The loop that has items read, and what follows from what their connector made of one.
#include "host/sync/intake_runner.h"

#include "host/sync/commits.h"
#include "host/sync/retry.h"

#include <boost/asio/co_spawn.hpp>

#include <algorithm>
#include <exception>

namespace garland::sync {
namespace {

constexpr std::size_t kAtOnce = 16;
constexpr std::size_t kLookedAt = 4 * kAtOnce; // some of them are just coming from another daemon, or going
constexpr std::size_t kMostReason = 2'000;

} // namespace

std::vector<std::string> problemsOf(IntakeSink const& sink, std::vector<std::string> const& wrong) {
  auto problems = sink.problems();
  problems.insert(problems.end(), wrong.begin(), wrong.end());
  if (problems.empty() && sink.count() == 0)
    problems.emplace_back("the connector took it, but found no record in it");
  return problems;
}

std::string sentenceOf(std::vector<std::string> const& problems) {
  auto text =
      problems.size() < 2 ? std::string() : std::to_string(problems.size()) + " parts are not clear: ";
  for (std::size_t i = 0; i < problems.size() && text.size() < kMostReason; ++i)
    text += (i == 0 ? "" : "; ") + problems[i];
  return cut(text);
}

IntakeRunner::IntakeRunner(Context& context, Connections& connections, AuditTrail& audit)
    : context_(context), connections_(connections), audit_(audit), store_(context), doors_(context),
      nursery_(context.doors.executor), call_ended_(std::make_shared<Event>(context.doors.executor)),
      rest_(context.doors.clock) {}

Task<void> IntakeRunner::start() {
  if (loop_ended_) co_return Result<void>();
  CO_TRY_VOID(co_await doors_.load());
  loop_ended_ = std::make_shared<Event>(context_.doors.executor);
  auto const ended = loop_ended_;
  asio::co_spawn(context_.doors.executor, loop(),
                 [ended](std::exception_ptr, Result<void>) { ended->set(); });
  co_return Result<void>();
}

Task<void> IntakeRunner::stop() {
  wake();
  if (loop_ended_) {
    auto const ended = loop_ended_;
    CO_TRY_VOID(co_await ended->wait());
  }
  co_return co_await nursery_.drained();
}

void IntakeRunner::wake() {
  if (woken_) woken_->set();
}

Task<void> IntakeRunner::loop() {
  while (!context_.stopping) {
    auto const woken = std::make_shared<Event>(context_.doors.executor);
    woken_ = woken;
    auto const next = co_await startDue();
    if (context_.stopping) break;
    if (!next) {
      context_.doors.log.error("the items that are due could not be read: " + next.error().message);
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
Task<std::optional<TimePoint>> IntakeRunner::startDue() {
  if (rest_.lasts()) co_return std::optional<TimePoint>(rest_.end());
  auto const now = context_.now();
  std::erase_if(resting_, [](auto const& one) { return !one.second.lasts(); });
  if (in_flight_.size() < kAtOnce) {
    // Those whose connection cannot begin another one are still due by their rows, and must not hide others.
    auto const most = kLookedAt + in_flight_.size() + held_.size() + resting_.size();
    CO_TRY(due, co_await store_.due(now, most));
    for (auto& one : due) begin(std::move(one));
  }
  CO_TRY(next, co_await store_.nextDue(now));
  for (auto const& [connection, rest] : resting_)
    if (!next || rest.end() < *next) next = rest.end();
  co_return next;
}

void IntakeRunner::begin(Due due) {
  if (context_.stopping || in_flight_.size() >= kAtOnce || in_flight_.contains(due.connection_id) ||
      held_.contains(due.connection_id) || resting_.contains(due.connection_id) ||
      !mine(context_, due.connection_id))
    return;
  in_flight_.emplace(due.connection_id, std::string());
  nursery_.spawn(carryOut(std::move(due)));
}

Task<void> IntakeRunner::carryOut(Due due) {
  Reading reading(*this, due.connection_id);
  auto done = co_await inTurn(due);
  if (!done && !context_.stopping && mine(context_, due.connection_id)) {
    context_.doors.log.error("what became of item " + due.id +
                             " could not be kept: " + cut(done.error().message));
    done = co_await putOff(std::move(due.id), done.error());
  }
  reading.well = done.has_value();
  co_return Result<void>();
}

// Its time begins when its turn comes. Rows of a file go as the pages of a sync do: there may be thousands.
Task<void> IntakeRunner::inTurn(Due due) {
  CO_TRY(item, co_await store_.one(due.id));
  auto const priority = item.source == IntakeSource::csv ? Priority::bulk : Priority::interactive;
  std::string operation(kIntakeOperation);
  CO_TRY(turn, co_await context_.lanes->enter(due.connection_id, priority, std::move(operation)));
  if (held_.contains(due.connection_id) || !mine(context_, due.connection_id)) co_return Result<void>();
  in_flight_[due.connection_id] = due.id;
  co_return co_await step(due.id);
}

IntakeRunner::Reading::~Reading() {
  if (!well) runner.resting_.insert_or_assign(connection_id, Rest(runner.context_.doors.clock, kRest));
  runner.in_flight_.erase(connection_id);
  std::exchange(runner.call_ended_, std::make_shared<Event>(runner.context_.doors.executor))->set();
  runner.wake();
}

// What came of the item could not be stored. So that it does not stand before all later ones for ever, it
// waits like one that could not be read; an error here means that the store takes nothing at all.
Task<void> IntakeRunner::putOff(std::string id, Error error) {
  CO_TRY(item, co_await store_.one(std::move(id)));
  if (item.state != IntakeState::waiting) co_return Result<void>();
  ++item.attempts;
  if (error.kind == ErrorKind::conflict) error.kind = ErrorKind::transient; // others changed the same records
  error.message = "what came of it could not be stored: " + error.message;
  co_return co_await failed(std::move(item), std::move(error));
}

Task<void> IntakeRunner::step(std::string id) {
  CO_TRY(item, co_await store_.one(id));
  if (item.state != IntakeState::waiting || context_.stopping) co_return Result<void>();
  auto const session = co_await connections_.open(item.connection_id);
  if (session) co_return co_await read(std::move(item), &*session);
  auto const kind = session.error().kind;
  bool const for_a_person =
      kind == ErrorKind::notFound || kind == ErrorKind::forbidden || kind == ErrorKind::unsupported;
  if (!for_a_person) co_return session.error();
  co_return co_await review(std::move(item), session.error().message);
}

Task<void> IntakeRunner::read(IntakeItem item, Session const* session) {
  CO_TRY(content, co_await store_.contentOf(item.id));
  ++item.attempts;
  auto input = inputFor(item, std::move(content.content));
  IntakeSink sink(context_, *session, item.id);
  auto answer = co_await callPlugin(&context_, &audit_, session, std::string(kIntakeOperation),
                                    std::move(input), &sink, kIntakeDeadline);
  if (context_.stopping) co_return Result<void>();
  if (!answer) co_return co_await failed(std::move(item), answer.error());
  co_return co_await answered(std::move(item), session, std::move(*answer), &sink);
}

Task<void> IntakeRunner::answered(IntakeItem item, Session const* session, json::value output,
                                  IntakeSink const* sink) {
  auto const outcome = textOr(output, "/outcome", "");
  auto reason = context_.scrub(textOr(output, "/reason", ""));
  if (outcome == "unknown") {
    // A word that was given is not asked for once more.
    bool const acceptable = boolOr(output, "/acceptable", false) && item.accepted_by.empty();
    co_return co_await review(std::move(item), std::move(reason), acceptable);
  }
  if (outcome == "ignored" && sink->count() > 0) {
    reason = "the connector ignored it (" + reason + ") but brought records of it; none was stored";
    co_return co_await review(std::move(item), std::move(reason));
  }
  auto content_key = textOr(output, "/dedupe_key", "");
  if (!content_key.empty()) {
    CO_TRY(other, co_await store_.otherWith(&item, content_key));
    if (!other.empty())
      co_return co_await settle(std::move(item), IntakeState::ignored, "the same came before, as " + other);
  }
  if (outcome == "ignored")
    co_return co_await settle(std::move(item), IntakeState::ignored, std::move(reason));
  co_return co_await take(std::move(item), session, std::move(content_key), sink);
}

// The mark is in the unit that stores the records.
Task<void> IntakeRunner::take(IntakeItem item, Session const* session, std::string content_key,
                              IntakeSink const* sink) {
  auto const now = context_.now();
  IntakeWriter::Mark const mark = [&](std::vector<std::string> const& wrong, std::int64_t good) {
    auto const problems = problemsOf(*sink, wrong);
    IntakeItem marked = item;
    marked.records = good;
    marked.next_attempt.reset();
    marked.state = problems.empty() ? IntakeState::taken : IntakeState::review;
    marked.reason = sentenceOf(problems);
    if (problems.empty()) marked.finished = now;
    // While a part of it waits for a person, the same may come again in a better form.
    bool const keyless = content_key.empty() || marked.state != IntakeState::taken;
    store::Unit unit;
    unit.push_back(keyless ? store_.update(marked) : store_.update(marked, content_key));
    if (marked.state == IntakeState::review) unit.push_back(store_.toldReview(marked));
    return unit;
  };
  IntakeWriter writer(context_, *session);
  auto const applied = co_await writer.apply(&sink->found(), &mark);
  if (!applied && applied.error().kind == ErrorKind::quota)
    co_return co_await review(std::move(item), applied.error().message);
  co_return co_await saved(std::move(item), applied);
}

Task<void> IntakeRunner::failed(IntakeItem item, Error error) {
  auto const& message = error.message;
  if (!passes(error) || item.attempts >= kMostAttempts)
    co_return co_await review(std::move(item), "it could not be read: " + message);
  item.reason = cut("it is read again: " + message);
  item.next_attempt = context_.now() + pauseAfter(item.attempts, error.retry_after, context_.doors.random);
  auto const done = co_await store_.saveOwned(item);
  co_return co_await saved(std::move(item), done);
}

// Every way into review, and whether a person who says "it is genuine" is enough (`acceptable`):
//   the connector understands it, but nothing proves who sent it    yes: it is read again, and asked no proof
//   the connector does not understand it: no rule fits              no: widen the mapping, then retry
//   a part of it is not clear, or no record was found in it (take)  no: what was good is stored already
//   an error that does not pass, or a limit                         no: mend that, then retry
//   the connector is gone, or switched off                          no: install or enable it, then retry
//   it was ignored, but brought records                             no: the connector contradicts itself
// Whatever it is, it can be dismissed.
Task<void> IntakeRunner::review(IntakeItem item, std::string reason, bool acceptable) {
  item.acceptable = acceptable;
  return settle(std::move(item), IntakeState::review, std::move(reason));
}

Task<void> IntakeRunner::settle(IntakeItem item, IntakeState state, std::string reason) {
  item.state = state;
  item.reason = cut(reason);
  item.next_attempt.reset();
  if (state != IntakeState::review) item.finished = context_.now();
  auto const done = co_await store_.saveOwned(item);
  co_return co_await saved(std::move(item), done);
}

// conflict: somebody dealt with the item meanwhile.
Task<void> IntakeRunner::saved(IntakeItem item, Result<void> result) {
  if (result || result.error().kind != ErrorKind::conflict) co_return result;
  CO_TRY(now, co_await store_.one(item.id));
  if (now.revision != item.revision) co_return Result<void>();
  co_return result;
}

} // namespace garland::sync
