// Brings the schema of a PostgreSQL database up to date.
#pragma once

#include "host/store/pg_connection.h"

namespace garland::store {

// What migrate() would apply; writes nothing.
Task<std::vector<Migration>> missingMigrations(PgConnection* connection, std::vector<Migration> known);

// Daemons that start together take turns by an advisory lock of the database. Each migration is a
// transaction of its own; a database that plan() refuses is left as it is. `unsupported` if daemons are at
// work on it that are too old for a migration: that one and what follows are not applied.
Task<void> migrate(PgConnection* connection, std::vector<Migration> known);

// For each later session of a daemon that writes, before its first unit: shows by a lock of the session how
// old the daemon is, and refuses a database that has become too new for it meanwhile.
Task<void> admit(PgConnection* connection, std::vector<Migration> known);

} // namespace garland::store
