#include "host/store/sqlite_batch.h"

#include "host/store/migrations.h"
#include "host/store/values.h"

#include <algorithm>

namespace garland::store {
namespace {

Statement const kBegin("BEGIN IMMEDIATE");
Statement const kCommit("COMMIT");
Statement const kRollback("ROLLBACK");
Statement const kSavepoint("SAVEPOINT garland_unit");
Statement const kRelease("RELEASE garland_unit");
Statement const kRollbackUnit("ROLLBACK TO garland_unit");

Result<std::vector<AppliedMigration>> appliedMigrations(SqliteConnection& connection) {
  TRY(tables, connection.run(Statement("SELECT 1 FROM sqlite_master WHERE name = 'garland_migrations'")));
  if (tables.rows.empty()) return std::vector<AppliedMigration>();
  TRY(found, connection.run(Statement(std::string(kAppliedMigrations))));
  return appliedFrom(found);
}

Result<void> makeMigrationTable(SqliteConnection& connection) {
  TRY_VOID(connection.script(std::string(kMigrationTable)));
  TRY(column, connection.run(Statement(
                  "SELECT 1 FROM pragma_table_info('garland_migrations') WHERE name = 'compatible_from'")));
  if (!column.rows.empty()) return {};
  return connection.script("ALTER TABLE garland_migrations ADD COLUMN compatible_from BIGINT");
}

Result<void> useWriteAheadLog(SqliteConnection& connection) {
  TRY(mode, connection.run(Statement("PRAGMA journal_mode=WAL")));
  if (!mode.rows.empty() && mode.rows.front().text(0) == "wal") return {};
  return Error(ErrorKind::unsupported, "SQLite cannot keep a write-ahead log on this file system; put the "
                                       "database on a local disk");
}

Result<void> applyMigration(SqliteConnection& connection, Migration const& migration) {
  TRY_VOID(connection.run(kBegin));
  TRY_VOID(makeMigrationTable(connection));
  TRY_VOID(connection.script(migration.sql));
  TRY_VOID(connection.run(markApplied(migration)));
  TRY_VOID(connection.run(kCommit));
  return {};
}

UnitResult runStatements(SqliteConnection& connection, Unit const& unit) {
  std::vector<Rows> results;
  results.reserve(unit.size());
  for (std::size_t i = 0; i < unit.size(); ++i) {
    TRY(rows, connection.run(unit[i], i));
    if (unit[i].expected_rows && countedRows(rows) != *unit[i].expected_rows)
      return expectationFailed(unit[i], i, rows);
    results.push_back(std::move(rows));
  }
  return results;
}

struct Applied {
  UnitResult result;
  bool transaction_lost; // and with it the units before this one
};

// Alone in its transaction a unit needs no savepoint: what undoes it is the end of the transaction.
Applied applyAlone(SqliteConnection& connection, Unit const& unit) {
  auto result = runStatements(connection, unit);
  bool const lost = result.has_error() && !connection.inTransaction();
  return Applied{std::move(result), lost};
}

Applied applyUnit(SqliteConnection& connection, Unit const& unit) {
  auto const lost = [](Error error) { return Applied{std::move(error), true}; };
  if (auto begun = connection.run(kSavepoint); !begun) return lost(begun.error());
  auto result = runStatements(connection, unit);
  if (result.has_error()) {
    // After a full disk and the like SQLite has rolled everything back by itself.
    if (!connection.inTransaction()) return lost(result.error());
    if (auto undone = connection.run(kRollbackUnit); !undone) return lost(undone.error());
  }
  if (auto ended = connection.run(kRelease); !ended) return lost(ended.error());
  return Applied{std::move(result), false};
}

std::vector<UnitResult> failAll(SqliteConnection& connection, std::size_t units, Error const& error) {
  if (connection.inTransaction()) (void)connection.run(kRollback);
  return std::vector<UnitResult>(units, UnitResult(error));
}

// When the log cannot be synced nobody knows whether the commit mark reached the disk: the file is
// right either way, but after a power cut the transaction may or may not be there.
Effect effectOfFailedCommit(Error const& error) {
  return error.kind == ErrorKind::transient ? Effect::unknown : Effect::notApplied;
}

std::vector<UnitResult> applyTogether(SqliteConnection& connection, std::span<PendingUnit const> batch) {
  if (auto begun = connection.run(kBegin); !begun) return failAll(connection, batch.size(), begun.error());
  std::vector<UnitResult> results;
  results.reserve(batch.size());
  bool any = false;
  for (auto const& pending : batch) {
    auto applied =
        batch.size() == 1 ? applyAlone(connection, pending.unit) : applyUnit(connection, pending.unit);
    if (applied.transaction_lost) return failAll(connection, batch.size(), applied.result.error());
    any = any || applied.result.has_value();
    results.push_back(std::move(applied.result));
  }
  auto ended = connection.run(any ? kCommit : kRollback);
  if (ended) return results;
  auto const effect = any ? effectOfFailedCommit(ended.error()) : Effect::notApplied;
  return failAll(connection, batch.size(), std::move(ended).error().withEffect(effect));
}

} // namespace

Result<std::vector<Migration>> missingMigrations(SqliteConnection& connection, std::vector<Migration> known) {
  TRY(applied, appliedMigrations(connection));
  return plan(std::move(known), applied);
}

Result<void> migrate(SqliteConnection& connection, std::vector<Migration> known) {
  TRY(missing, missingMigrations(connection, std::move(known)));
  TRY_VOID(useWriteAheadLog(connection));
  for (auto const& migration : missing) {
    auto done = applyMigration(connection, migration);
    if (done) continue;
    if (connection.inTransaction()) (void)connection.run(kRollback);
    return std::move(done).error().within("migration " + std::to_string(migration.version) + " (" +
                                          migration.name + ")");
  }
  return {};
}

std::vector<UnitResult> applyBatch(SqliteConnection& connection, std::span<PendingUnit const> batch) {
  auto results = applyTogether(connection, batch);
  auto const hasNoRoom = [](UnitResult const& one) {
    return !one && one.error().kind == ErrorKind::hostLimit && one.error().effect == Effect::notApplied;
  };
  if (batch.size() < 2 || !std::ranges::all_of(results, hasNoRoom)) return results;
  results.clear();
  for (std::size_t i = 0; i < batch.size(); ++i)
    results.push_back(std::move(applyTogether(connection, batch.subspan(i, 1)).front()));
  return results;
}

} // namespace garland::store
