// What one transaction does on SQLite: many units at once, or a migration. Straight-line blocking code
// for the writer thread; queues and threads are in sqlite.cpp.
#pragma once

#include "host/store/pending.h"
#include "host/store/sqlite_connection.h"

#include <span>

namespace garland::store {

// What migrate() would apply; writes nothing.
Result<std::vector<Migration>> missingMigrations(SqliteConnection& connection, std::vector<Migration> known);

// Brings the schema up to date, each migration in a transaction of its own. A database that plan()
// refuses is left as it is.
Result<void> migrate(SqliteConnection& connection, std::vector<Migration> known);

// Applies the units in one transaction and returns when it is durable. A unit that fails is rolled
// back alone; if the transaction itself fails, every unit fails with it. When no room is left for one of
// them, each gets a transaction of its own: the others may do with the room that there is.
std::vector<UnitResult> applyBatch(SqliteConnection& connection, std::span<PendingUnit const> batch);

} // namespace garland::store
