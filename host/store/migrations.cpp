#include "host/store/migrations.h"

#include <algorithm>
#include <chrono>
#include <map>

namespace garland::store {
namespace {

std::string numbered(Migration const& migration) {
  return "migration " + std::to_string(migration.version) + " (" + migration.name + ")";
}

Result<void> checkKnown(std::vector<Migration> const& sorted) {
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    if (sorted[i].version <= 0)
      return Error(ErrorKind::invalidInput, numbered(sorted[i]) + " must have a positive version");
    if (i > 0 && sorted[i].version == sorted[i - 1].version)
      return Error(ErrorKind::invalidInput, numbered(sorted[i]) + " has the version of " +
                                                numbered(sorted[i - 1]) +
                                                "; give each migration a version of its own");
    if (sorted[i].compatible_from < 0 || sorted[i].compatible_from > sorted[i].version)
      return Error(ErrorKind::invalidInput,
                   numbered(sorted[i]) + " must be compatible from its own version or an earlier one");
  }
  return {};
}

Error newerDatabase(std::int64_t version) {
  return Error(ErrorKind::unsupported, "this database was written by a newer Garland (migration " +
                                           std::to_string(version) +
                                           "); install that version or restore a backup");
}

// What lies between those that we know is of another line of versions, whatever it says.
bool mayGoOn(std::int64_t newest, AppliedMigration const& unknown) {
  auto const from = unknown.compatible_from == 0 ? unknown.version : unknown.compatible_from;
  return unknown.version > newest && from <= newest;
}

} // namespace

std::vector<AppliedMigration> appliedFrom(Rows const& rows) {
  std::vector<AppliedMigration> applied;
  for (auto const& row : rows.rows)
    applied.push_back(AppliedMigration{row.integer(0), row.text(2), row.size() > 4 ? row.integer(4) : 0});
  return applied;
}

std::int64_t newestOf(std::vector<Migration> const& known) {
  return known.empty() ? 0 : std::ranges::max_element(known, {}, &Migration::version)->version;
}

std::int64_t compatibleFrom(Migration const& migration) {
  return migration.compatible_from == 0 ? migration.version : migration.compatible_from;
}

std::string checksum(std::string_view sql) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (char const c : sql) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3U;
  }
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text(16, '0');
  for (auto digit = text.rbegin(); digit != text.rend(); ++digit, hash >>= 4U) *digit = kDigits[hash & 15U];
  return text;
}

Result<std::vector<Migration>> plan(std::vector<Migration> known,
                                    std::vector<AppliedMigration> const& applied) {
  std::ranges::sort(known, {}, &Migration::version);
  TRY_VOID(checkKnown(known));
  std::map<std::int64_t, std::string_view> present;
  for (auto const& row : applied) {
    present.emplace(row.version, row.checksum);
    bool const unknown = std::ranges::find(known, row.version, &Migration::version) == known.end();
    if (unknown && !mayGoOn(newestOf(known), row)) return newerDatabase(row.version);
  }
  std::vector<Migration> missing;
  for (auto& migration : known) {
    auto const found = present.find(migration.version);
    if (found == present.end()) {
      if (!present.empty() && migration.version < present.rbegin()->first)
        return Error(ErrorKind::invalidInput, numbered(migration) + " comes before migration " +
                                                  std::to_string(present.rbegin()->first) +
                                                  ", which is applied already; give it a higher version");
      missing.push_back(std::move(migration));
    } else if (found->second != checksum(migration.sql)) {
      return Error(ErrorKind::unsupported,
                   "the text of " + numbered(migration) +
                       " is not the one this database was made with; install the version of Garland that "
                       "made it, or put the change into a new migration");
    }
  }
  return missing;
}

Statement markApplied(Migration const& migration) {
  using std::chrono::duration_cast;
  using std::chrono::milliseconds;
  auto const now = std::chrono::system_clock::now().time_since_epoch();
  return Statement("INSERT INTO garland_migrations (version, name, checksum, applied_at, compatible_from) "
                   "VALUES ($1, $2, $3, $4, $5)",
                   std::vector<Value>{migration.version, migration.name, checksum(migration.sql),
                                      std::int64_t{duration_cast<milliseconds>(now).count()},
                                      compatibleFrom(migration)});
}

} // namespace garland::store
