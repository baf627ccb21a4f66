// Brings the schema of a PostgreSQL database up to date.
#pragma once

#include "host/store/pg_connection.h"

namespace garland::store {

// What migrate() would apply; writes nothing.
Task<std::vector<Migration>> missingMigrations(PgConnection* connection, std::vector<Migration> known);

// Daemons that start together take turns by an advisory lock of the database. Each migration is a
// transaction of its own; a database that plan() refuses is left as it is.
Task<void> migrate(PgConnection* connection, std::vector<Migration> known);

} // namespace garland::store
