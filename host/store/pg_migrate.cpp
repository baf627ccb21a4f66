#include "host/store/pg_migrate.h"

#include "host/store/migrations.h"

namespace garland::store {
namespace {

using namespace std::chrono_literals;

// Longer than the server's own limit below, so that its sentence is the one that is heard.
constexpr auto kLimit = 11min;
// The key is a number of our own; it lives and dies with the session.
constexpr std::string_view kLock = "SET lock_timeout = '10min'; SELECT pg_advisory_lock(7125961840312)";
constexpr std::string_view kUnlock = "SET lock_timeout = '20s'; SELECT pg_advisory_unlock(7125961840312)";

Statement const kTableExists("SELECT to_regclass('garland_migrations')::text");
Statement const kApplied{std::string(kAppliedMigrations)};

Task<Rows> query(PgConnection* connection, Statement const* statement) {
  PgSteps steps(1, statement);
  auto replies = co_await connection->run(std::move(steps));
  if (replies.each.front()) co_return std::move(*replies.each.front());
  co_return replies.lost.value_or(Error(ErrorKind::transient, "PostgreSQL did not answer"));
}

Task<std::vector<AppliedMigration>> appliedMigrations(PgConnection* connection) {
  std::vector<AppliedMigration> applied;
  CO_TRY(table, co_await query(connection, &kTableExists));
  if (table.rows.front().isNull(0)) co_return applied;
  CO_TRY(found, co_await query(connection, &kApplied));
  for (auto const& row : found.rows) applied.push_back(AppliedMigration{row.integer(0), row.text(1)});
  co_return applied;
}

} // namespace

Task<std::vector<Migration>> missingMigrations(PgConnection* connection, std::vector<Migration> known) {
  CO_TRY(applied, co_await appliedMigrations(connection));
  co_return plan(std::move(known), applied);
}

namespace {

Task<void> applyInTransaction(PgConnection* connection, Migration migration) {
  CO_TRY_VOID(co_await connection->script("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE", kLimit));
  CO_TRY_VOID(co_await connection->script(std::string(kMigrationTable), kLimit));
  CO_TRY_VOID(co_await connection->script(migration.sql, kLimit));
  auto const mark = markApplied(migration);
  CO_TRY_VOID(co_await query(connection, &mark));
  co_return co_await connection->script("COMMIT", kLimit);
}

Task<void> applyMissing(PgConnection* connection, std::vector<Migration> known) {
  CO_TRY(missing, co_await missingMigrations(connection, std::move(known)));
  for (auto const& migration : missing) {
    auto done = co_await applyInTransaction(connection, migration);
    if (done) continue;
    auto const undone = co_await connection->script("ROLLBACK", kLimit);
    co_return std::move(done).error().within("migration " + std::to_string(migration.version) + " (" +
                                             migration.name + ")");
  }
  co_return Result<void>();
}

} // namespace

Task<void> migrate(PgConnection* connection, std::vector<Migration> known) {
  CO_TRY_VOID(co_await connection->script(std::string(kLock), kLimit));
  auto done = co_await applyMissing(connection, std::move(known));
  auto unlocked = co_await connection->script(std::string(kUnlock), kLimit);
  if (done && !unlocked) co_return unlocked;
  co_return done;
}

} // namespace garland::store
