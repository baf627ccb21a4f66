#include "host/store/pg_migrate.h"

#include "host/store/migrations.h"
#include "host/store/pg_errors.h"

namespace garland::store {
namespace {

using namespace std::chrono_literals;

// Longer than the server's own limit below, so that its sentence is the one that is heard.
constexpr auto kLimit = 11min;
// The key is a number of our own; it lives and dies with the session.
constexpr std::string_view kLock = "SET lock_timeout = '10min'; SELECT pg_advisory_lock(7125961840312)";
constexpr std::string_view kUnlock = "SET lock_timeout = '20s'; SELECT pg_advisory_unlock(7125961840312)";

// Whoever waits for the table behind a migration that waits for it itself waits no longer than this at a
// time.
constexpr std::string_view kBegin =
    "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL lock_timeout = '1s'";
constexpr int kTries = 30; // with a second between them
constexpr std::string_view kBetweenTries = "SELECT pg_sleep(1)";

// Locks the table too, so that a session which comes now reads it when the migration is durable or undone.
constexpr std::string_view kCompatibleColumn =
    "ALTER TABLE garland_migrations ADD COLUMN IF NOT EXISTS compatible_from BIGINT";

// Sessions of daemons that are older than the given version; what each has locked is told by admit().
constexpr std::string_view kOlder =
    "SELECT COALESCE(string_agg(DISTINCT pid::text, ', '), '') FROM pg_locks WHERE locktype='advisory' AND "
    "granted AND objsubid=2 AND classid::bigint=7125961 AND objid::bigint<$1 AND "
    "database=(SELECT oid FROM pg_database WHERE datname=current_database())";
// A daemon that has just ended may still have a session for a moment.
constexpr auto kVacateLimit = 2s;
constexpr std::string_view kVacatePause = "SELECT pg_sleep(0.05)";

Statement const kTableExists("SELECT to_regclass('garland_migrations')::text");
Statement const kApplied{std::string(kAppliedMigrations)};

Task<Rows> query(PgConnection* connection, Statement const* statement) {
  PgSteps steps(1, statement);
  auto replies = co_await connection->run(std::move(steps));
  if (replies.each.front()) co_return std::move(*replies.each.front());
  co_return replies.lost.value_or(Error(ErrorKind::transient, "PostgreSQL did not answer"));
}

Task<std::vector<AppliedMigration>> appliedMigrations(PgConnection* connection) {
  CO_TRY(table, co_await query(connection, &kTableExists));
  if (table.rows.front().isNull(0)) co_return std::vector<AppliedMigration>();
  CO_TRY(found, co_await query(connection, &kApplied));
  co_return appliedFrom(found);
}

// Nobody takes such a lock for itself alone, so nobody waits. It lives and dies with the session.
Task<void> showVersion(PgConnection* connection, std::int64_t version) {
  auto const lock = "SELECT pg_advisory_lock_shared(7125961, " + std::to_string(version) + ")";
  co_return co_await connection->script(lock, kLimit);
}

} // namespace

Task<std::vector<Migration>> missingMigrations(PgConnection* connection, std::vector<Migration> known) {
  CO_TRY(applied, co_await appliedMigrations(connection));
  co_return plan(std::move(known), applied);
}

Task<void> admit(PgConnection* connection, std::vector<Migration> known) {
  CO_TRY_VOID(co_await showVersion(connection, newestOf(known)));
  CO_TRY_VOID(co_await missingMigrations(connection, std::move(known)));
  co_return Result<void>();
}

namespace {

Task<void> nobodyIsOlder(PgConnection* connection, std::int64_t version) {
  Statement const older(std::string(kOlder), {version});
  auto const give_up = std::chrono::steady_clock::now() + kVacateLimit;
  while (true) {
    CO_TRY(found, co_await query(connection, &older));
    auto const sessions = found.rows.front().text(0);
    if (sessions.empty()) co_return Result<void>();
    if (std::chrono::steady_clock::now() >= give_up)
      co_return Error(ErrorKind::unsupported,
                      "daemons of an older version, which could not go on after it, are at work on this "
                      "database (sessions " +
                          sessions + "); stop them first, `garland doctor` lists the daemons");
    CO_TRY_VOID(co_await connection->script(std::string(kVacatePause), kLimit));
  }
}

Task<void> applyInTransaction(PgConnection* connection, Migration migration) {
  CO_TRY_VOID(co_await connection->script(std::string(kBegin), kLimit));
  CO_TRY_VOID(co_await connection->script(std::string(kMigrationTable), kLimit));
  CO_TRY_VOID(co_await connection->script(std::string(kCompatibleColumn), kLimit));
  CO_TRY_VOID(co_await nobodyIsOlder(connection, compatibleFrom(migration)));
  CO_TRY_VOID(co_await connection->script(migration.sql, kLimit));
  auto const mark = markApplied(migration);
  CO_TRY_VOID(co_await query(connection, &mark));
  co_return co_await connection->script("COMMIT", kLimit);
}

// Daemons at work have the tables locked for moments, a backup has them for long.
Task<void> applyPatiently(PgConnection* connection, Migration migration) {
  for (int tries = 1;; ++tries) {
    auto done = co_await applyInTransaction(connection, migration);
    if (done) co_return done;
    auto const undone = co_await connection->script("ROLLBACK", kLimit);
    if (!undone || tries == kTries || !worthRepeating(done.error()))
      co_return std::move(done).error().within("migration " + std::to_string(migration.version) + " (" +
                                               migration.name + ")");
    CO_TRY_VOID(co_await connection->script(std::string(kBetweenTries), kLimit));
  }
}

Task<void> applyMissing(PgConnection* connection, std::vector<Migration> known) {
  CO_TRY(missing, co_await missingMigrations(connection, std::move(known)));
  for (auto const& migration : missing) {
    CO_TRY_VOID(co_await applyPatiently(connection, migration));
  }
  co_return Result<void>();
}

} // namespace

Task<void> migrate(PgConnection* connection, std::vector<Migration> known) {
  CO_TRY_VOID(co_await showVersion(connection, newestOf(known)));
  CO_TRY_VOID(co_await connection->script(std::string(kLock), kLimit));
  auto done = co_await applyMissing(connection, std::move(known));
  auto unlocked = co_await connection->script(std::string(kUnlock), kLimit);
  if (done && !unlocked) co_return unlocked;
  co_return done;
}

} // namespace garland::store
