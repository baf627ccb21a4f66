// The table of this room. Forward only: a change is a new migration, never an edit of an old one.
#include "host/backup/backup.h"

namespace garland::backup {
namespace {

// One row for each restore on the way to this database; it belongs to the installation, not to a vendor.
constexpr char const* kRestores = R"sql(
CREATE TABLE restores (
  backup_id TEXT NOT NULL PRIMARY KEY,
  made BIGINT NOT NULL,
  settled BIGINT
)
)sql";

std::int64_t millis(TimePoint when) { return when.time_since_epoch().count(); }

} // namespace

// An older daemon would do again what may have been done, so none goes on beside it.
std::vector<store::Migration> migrations() {
  std::vector<store::Migration> all;
  all.push_back(store::Migration{24, "backup: from which backups this database was restored", kRestores});
  return all;
}

// Its id is of letters, digits and "_": manifestFrom() takes no other.
std::string restoredSql(Manifest const& manifest) {
  return "INSERT INTO restores (backup_id,made,settled) VALUES ('" + manifest.id + "'," +
         std::to_string(millis(manifest.made)) + ",NULL);\n";
}

Task<std::optional<Restored>> unsettled(store::Store& store) {
  store::Statement query("SELECT backup_id, made FROM restores WHERE settled IS NULL");
  CO_TRY(rows, co_await store.read(std::move(query)));
  std::optional<Restored> found;
  if (rows.rows.empty()) co_return found;
  Restored restored;
  restored.backup_id = rows.rows[0].text(0);
  restored.made = TimePoint(Milliseconds(rows.rows[0].integer(1)));
  found = std::move(restored);
  co_return found;
}

store::Statement settled(Restored const& restored, TimePoint now) {
  return store::Statement("UPDATE restores SET settled=$1 WHERE backup_id=$2 AND settled IS NULL",
                          {millis(now), restored.backup_id})
      .expecting(1);
}

} // namespace garland::backup
