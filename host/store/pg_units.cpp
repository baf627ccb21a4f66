#include "host/store/pg_units.h"

#include "host/store/pg_errors.h"
#include "host/store/values.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <string_view>

namespace garland::store {
namespace {

// The isolation is named because the server's default may be another one.
Statement const kBegin("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE");
Statement const kCommit("COMMIT");
Statement const kRollback("ROLLBACK");
Statement const kSavepoint("SAVEPOINT garland_unit");
Statement const kRelease("RELEASE SAVEPOINT garland_unit");
Statement const kRollbackUnit("ROLLBACK TO SAVEPOINT garland_unit");

// A unit that alone is in somebody's way so often is given up. The pauses double.
constexpr int kMostTries = 6;
constexpr std::chrono::milliseconds kFirstPause{20};

// The units stay with the caller until the call has ended.
using Batch = std::vector<Unit const*>;

struct Attempt {
  std::vector<UnitResult> results; // empty: the units must be judged one by one
  std::optional<Error> lost;       // the session ended; the error's effect is what is known
};

bool hasExpectation(Batch const& batch) {
  for (auto const* unit : batch)
    for (auto const& statement : *unit)
      if (statement.expected_rows) return true;
  return false;
}

bool allGood(std::vector<UnitResult> const& results) {
  for (auto const& result : results)
    if (!result) return false;
  return true;
}

// The outcome of one unit, whose replies begin at `first`.
UnitResult judge(Unit const& unit, PgReplies& replies, std::size_t first) {
  std::vector<Rows> results;
  results.reserve(unit.size());
  for (std::size_t i = 0; i < unit.size(); ++i) {
    auto& reply = replies.each[first + i];
    if (!reply)
      return Error(ErrorKind::transient, describe(unit[i].sql, i) + " was not carried out; try again");
    if (reply->has_error()) return reply->error();
    auto const& expected = unit[i].expected_rows;
    if (expected && countedRows(**reply) != *expected) return expectationFailed(unit[i], i, **reply);
    results.push_back(std::move(**reply));
  }
  return results;
}

std::vector<UnitResult> judgeAll(Batch const& batch, PgReplies& replies) {
  std::vector<UnitResult> results;
  std::size_t first = 1; // after BEGIN
  for (auto const* unit : batch) {
    results.push_back(judge(*unit, replies, first));
    first += unit->size();
  }
  auto const& begin = replies.each.front();
  auto const& commit = replies.each.back(); // or a unit's statement, whose error is in `results` already
  if (begin && begin->has_error())
    results.assign(batch.size(), UnitResult(begin->error()));
  else if (commit && commit->has_error() && allGood(results))
    results.assign(batch.size(), UnitResult(commit->error()));
  return results;
}

bool anyGood(std::vector<UnitResult> const& results) {
  for (auto const& result : results)
    if (result) return true;
  return false;
}

bool isVictim(UnitResult const& result) { return !result && wasVictim(result.error()); }

// Sends COMMIT (with what still has to precede it) and says what became of the transaction.
asio::awaitable<std::optional<Error>> finish(PgConnection* connection, PgSteps steps) {
  steps.push_back(&kCommit);
  auto const replies = co_await connection->run(std::move(steps));
  // An answer to COMMIT counts even if the session ended right after it.
  auto const& commit = replies.each.back();
  if (commit && commit->has_value()) co_return std::nullopt;
  auto const error = replies.firstError();
  if (error) co_return *error;
  auto lost = replies.lost.value_or(Error(ErrorKind::transient, "COMMIT was not answered"));
  co_return std::move(lost).withEffect(Effect::unknown).within("whether the change was kept is not known");
}

// All units at once, as if nothing could go wrong.
asio::awaitable<Attempt> commitTogether(PgConnection* connection, Batch const* batch) {
  Attempt attempt;
  bool const one_trip = !hasExpectation(*batch);
  PgSteps steps{&kBegin};
  for (auto const* unit : *batch)
    for (auto const& statement : *unit) steps.push_back(&statement);
  if (one_trip) steps.push_back(&kCommit);
  auto replies = co_await connection->run(std::move(steps));
  bool const committed = one_trip && replies.each.back() && replies.each.back()->has_value();
  if (replies.lost && !committed) {
    // Had a statement failed, the server would have skipped the COMMIT behind it.
    bool const certain = !one_trip || replies.firstError().has_value();
    attempt.lost = std::move(*replies.lost).withEffect(certain ? Effect::notApplied : Effect::unknown);
    co_return attempt;
  }
  attempt.results = judgeAll(*batch, replies);
  if (committed) co_return attempt;
  if (replies.allSucceeded() && allGood(attempt.results)) {
    auto failure = co_await finish(connection, PgSteps());
    if (failure) attempt.results.assign(batch->size(), UnitResult(*failure));
    co_return attempt;
  }
  PgSteps undo{&kRollback};
  auto const undone = co_await connection->run(std::move(undo));
  if (undone.lost) attempt.lost = undone.lost;
  // One more transaction for all of them would be in the same way again.
  auto const victim = std::ranges::find_if(attempt.results, isVictim);
  if (victim != attempt.results.end()) {
    UnitResult const all(victim->error());
    attempt.results.assign(batch->size(), all);
    co_return attempt;
  }
  bool const decided = batch->size() == 1 && !worthRepeating(attempt.results.front().error());
  if (!decided) attempt.results.clear();
  co_return attempt;
}

// Each unit in a savepoint and a round trip of its own.
asio::awaitable<Attempt> commitOneByOne(PgConnection* connection, Batch const* batch) {
  Attempt attempt;
  PgSteps before{&kBegin};
  for (auto const* unit : *batch) {
    auto steps = before;
    steps.push_back(&kSavepoint);
    auto const first = steps.size();
    for (auto const& statement : *unit) steps.push_back(&statement);
    auto replies = co_await connection->run(std::move(steps));
    if (replies.lost) {
      attempt.lost = std::move(replies.lost);
      co_return attempt;
    }
    auto result = judge(*unit, replies, first);
    before.clear();
    if (!result) before.push_back(&kRollbackUnit);
    before.push_back(&kRelease);
    attempt.results.push_back(std::move(result));
  }
  if (!anyGood(attempt.results)) {
    PgSteps undo{&kRollback};
    auto const undone = co_await connection->run(std::move(undo));
    co_return attempt;
  }
  auto failure = co_await finish(connection, std::move(before));
  if (failure) attempt.results.assign(batch->size(), UnitResult(*failure));
  co_return attempt;
}

asio::awaitable<Attempt> attemptOnce(PgSession* session, Batch const* batch) {
  Attempt attempt;
  auto connection = co_await session->connected();
  if (!connection) {
    attempt.results.assign(batch->size(), UnitResult(connection.error()));
    co_return attempt;
  }
  attempt = co_await commitTogether(*connection, batch);
  if (attempt.lost || !attempt.results.empty()) co_return attempt;
  co_return co_await commitOneByOne(*connection, batch);
}

asio::awaitable<std::vector<UnitResult>> commitBatch(PgSession* session, Batch const* batch) {
  auto attempt = co_await attemptOnce(session, batch);
  if (attempt.lost && attempt.lost->effect == Effect::notApplied)
    attempt = co_await attemptOnce(session, batch);
  if (attempt.lost) attempt.results.assign(batch->size(), UnitResult(*attempt.lost));
  co_return std::move(attempt.results);
}

// Drawn at random, so that two who met do not meet again.
asio::awaitable<void> pauseAfter(int tries, Random* random) {
  auto const longest = static_cast<std::uint64_t>((kFirstPause * (1 << (tries - 1))).count());
  std::chrono::milliseconds const drawn(static_cast<std::int64_t>(1 + random->next() % longest));
  asio::steady_timer pause(co_await asio::this_coro::executor);
  pause.expires_after(drawn);
  co_await pause.async_wait(asio::as_tuple(asio::use_awaitable));
}

// A transaction of its own holds nothing that others wait for on account of another unit.
asio::awaitable<UnitResult> commitAlone(PgSession* session, Unit const* unit, Random* random) {
  Batch const alone(1, unit);
  auto results = co_await commitBatch(session, &alone);
  for (int tries = 1; isVictim(results.front()) && tries < kMostTries; ++tries) {
    co_await pauseAfter(tries, random);
    results = co_await commitBatch(session, &alone);
  }
  co_return std::move(results.front());
}

std::string_view contendedRow(Unit const& unit) {
  for (auto const& statement : unit)
    if (!statement.contended_row.empty()) return statement.contended_row;
  return {};
}

// Whoever takes rows in one order never waits for somebody who waits for him.
std::vector<PendingUnit> inOrder(std::vector<PendingUnit> batch) {
  std::vector<std::pair<std::string_view, std::size_t>> order;
  for (std::size_t i = 0; i < batch.size(); ++i) order.emplace_back(contendedRow(batch[i].unit), i);
  std::ranges::sort(order);
  std::vector<PendingUnit> sorted;
  sorted.reserve(batch.size());
  for (auto const& place : order) sorted.push_back(std::move(batch[place.second]));
  return sorted;
}

} // namespace

asio::awaitable<void> serveUnits(PgSession* session, asio::any_io_executor executor,
                                 std::vector<PendingUnit> batch, std::shared_ptr<Random> random) {
  auto pending = inOrder(std::move(batch));
  Batch units;
  for (auto const& one : pending) units.push_back(&one.unit);
  auto results = co_await commitBatch(session, &units);
  for (std::size_t i = 0; i < units.size(); ++i) {
    if (!isVictim(results[i])) continue;
    auto again = co_await commitAlone(session, units[i], random.get());
    results[i] = std::move(again);
  }
  answerAll(executor, std::move(pending), std::move(results));
}

asio::awaitable<void> serveRead(PgSession* session, PendingRead pending) {
  Result<Rows> answer = Error(ErrorKind::transient, "the query was not answered; try again");
  // A query may be asked again: after a restart of the server, or when a migration changed its table.
  for (int attempt = 0; attempt < 2; ++attempt) {
    auto connection = co_await session->connected();
    if (!connection) {
      answer = std::move(connection).error();
      break;
    }
    PgSteps steps{&pending.statement};
    auto replies = co_await (*connection)->run(std::move(steps));
    auto& reply = replies.each.front();
    if (reply) answer = std::move(*reply);
    if (!reply && replies.lost) answer = std::move(*replies.lost);
    bool const again = reply ? answer.has_error() && needsPreparing(answer.error()) : true;
    if (!again) break;
  }
  pending.answer.give(std::move(answer));
}

} // namespace garland::store
