#include "host/store/pg_units.h"

#include "host/store/pg_errors.h"
#include "host/store/values.h"

namespace garland::store {
namespace {

// The isolation is named because the server's default may be another one.
Statement const kBegin("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE");
Statement const kCommit("COMMIT");
Statement const kRollback("ROLLBACK");
Statement const kSavepoint("SAVEPOINT garland_unit");
Statement const kRelease("RELEASE SAVEPOINT garland_unit");
Statement const kRollbackUnit("ROLLBACK TO SAVEPOINT garland_unit");

using Batch = std::vector<PendingUnit> const*;

struct Attempt {
  std::vector<UnitResult> results; // empty: the units must be judged one by one
  std::optional<Error> lost;       // the session ended; the error's effect is what is known
};

bool hasExpectation(std::vector<PendingUnit> const& batch) {
  for (auto const& pending : batch)
    for (auto const& statement : pending.unit)
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

std::vector<UnitResult> judgeAll(std::vector<PendingUnit> const& batch, PgReplies& replies) {
  std::vector<UnitResult> results;
  std::size_t first = 1; // after BEGIN
  for (auto const& pending : batch) {
    results.push_back(judge(pending.unit, replies, first));
    first += pending.unit.size();
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
asio::awaitable<Attempt> commitTogether(PgConnection* connection, Batch batch) {
  Attempt attempt;
  bool const one_trip = !hasExpectation(*batch);
  PgSteps steps{&kBegin};
  for (auto const& pending : *batch)
    for (auto const& statement : pending.unit) steps.push_back(&statement);
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
  bool const decided = batch->size() == 1 && !worthRepeating(attempt.results.front().error());
  if (!decided) attempt.results.clear();
  co_return attempt;
}

// Each unit in a savepoint and a round trip of its own.
asio::awaitable<Attempt> commitOneByOne(PgConnection* connection, Batch batch) {
  Attempt attempt;
  PgSteps before{&kBegin};
  for (auto const& pending : *batch) {
    auto steps = before;
    steps.push_back(&kSavepoint);
    auto const first = steps.size();
    for (auto const& statement : pending.unit) steps.push_back(&statement);
    auto replies = co_await connection->run(std::move(steps));
    if (replies.lost) {
      attempt.lost = std::move(replies.lost);
      co_return attempt;
    }
    auto result = judge(pending.unit, replies, first);
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

asio::awaitable<Attempt> attemptOnce(PgSession* session, Batch batch) {
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

} // namespace

asio::awaitable<void> serveUnits(PgSession* session, asio::any_io_executor executor,
                                 std::vector<PendingUnit> batch) {
  auto attempt = co_await attemptOnce(session, &batch);
  if (attempt.lost && attempt.lost->effect == Effect::notApplied)
    attempt = co_await attemptOnce(session, &batch);
  if (attempt.lost) attempt.results.assign(batch.size(), UnitResult(*attempt.lost));
  answerAll(executor, std::move(batch), std::move(attempt.results));
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
