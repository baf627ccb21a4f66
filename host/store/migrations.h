// Which migrations a database still needs, or why it may not be touched. No database is seen here:
// the drivers read the table garland_migrations, ask plan(), and apply what it answers one by one.
#pragma once

#include "host/store/store.h"

namespace garland::store {

struct AppliedMigration {
  std::int64_t version;
  std::string checksum;
};

inline constexpr std::string_view kMigrationTable =
    "CREATE TABLE IF NOT EXISTS garland_migrations (version BIGINT PRIMARY KEY, name TEXT NOT NULL, "
    "checksum TEXT NOT NULL, applied_at BIGINT NOT NULL)";
inline constexpr std::string_view kAppliedMigrations =
    "SELECT version, checksum FROM garland_migrations ORDER BY version";

// 64-bit FNV-1a of the SQL text, as 16 lower-case hex digits. It notices an edited migration; it is
// no protection against somebody who wants to deceive.
std::string checksum(std::string_view sql);

// The migrations still to apply, in order. Errors: unsupported (the database is newer, or an applied
// migration's text has changed since), invalidInput (a version is given twice, is not positive, or
// lies below one that is applied already).
Result<std::vector<Migration>> plan(std::vector<Migration> known,
                                    std::vector<AppliedMigration> const& applied);

// Records the migration; to be run in its transaction.
Statement markApplied(Migration const& migration);

} // namespace garland::store
