// Which migrations a database still needs, or why it may not be touched. No database is seen here:
// the drivers read the table garland_migrations, ask plan(), and apply what it answers one by one.
#pragma once

#include "host/store/store.h"

namespace garland::store {

struct AppliedMigration {
  std::int64_t version;
  std::string checksum;
  std::int64_t compatible_from = 0; // as in Migration
};

inline constexpr std::string_view kMigrationTable =
    "CREATE TABLE IF NOT EXISTS garland_migrations (version BIGINT PRIMARY KEY, name TEXT NOT NULL, "
    "checksum TEXT NOT NULL, applied_at BIGINT NOT NULL, compatible_from BIGINT)";
// For appliedFrom(). Tables of before decision 0045 have no compatible_from.
inline constexpr std::string_view kAppliedMigrations = "SELECT * FROM garland_migrations ORDER BY version";

std::vector<AppliedMigration> appliedFrom(Rows const& rows);

// 64-bit FNV-1a of the SQL text, as 16 lower-case hex digits. It notices an edited migration; it is
// no protection against somebody who wants to deceive.
std::string checksum(std::string_view sql);

// The version of a daemon that knows these.
std::int64_t newestOf(std::vector<Migration> const& known);
// The oldest version whose daemons may be at work while it is applied, and after.
std::int64_t compatibleFrom(Migration const& migration);

// The migrations still to apply, in order. Errors: unsupported (the database is newer than we are compatible
// with, or an applied migration's text has changed since), invalidInput (a version is given twice, is not
// positive, or lies below one that is applied already or the one it is compatible from).
Result<std::vector<Migration>> plan(std::vector<Migration> known,
                                    std::vector<AppliedMigration> const& applied);

// Records the migration; to be run in its transaction.
Statement markApplied(Migration const& migration);

} // namespace garland::store
