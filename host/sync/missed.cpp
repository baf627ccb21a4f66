#include "host/sync/missed.h"

#include "host/sync/sql.h"

namespace garland::sync {
namespace {

constexpr std::int64_t kRemembered = 1000; // of a kind
constexpr std::int64_t kLooksPerRun = 100;

} // namespace

Task<std::vector<std::string>> Missed::due() {
  store::Statement query("SELECT remote_id FROM missed WHERE vendor_id=$1 AND connection_id=$2 AND kind=$3 "
                         "ORDER BY looked, remote_id LIMIT $4",
                         {place_.vendor_id, place_.connection_id, place_.kind->kind.name, kLooksPerRun});
  CO_TRY(rows, co_await context_.doors.store.read(std::move(query)));
  std::vector<std::string> ids;
  for (auto const& row : rows.rows) ids.push_back(row.text(0));
  co_return ids;
}

Task<void> Missed::remember(std::set<std::string> ids) {
  if (ids.empty()) co_return Result<void>();
  store::Statement query("SELECT COUNT(*) FROM missed WHERE vendor_id=$1 AND connection_id=$2 AND kind=$3",
                         {place_.vendor_id, place_.connection_id, place_.kind->kind.name});
  CO_TRY(rows, co_await context_.doors.store.read(std::move(query)));
  auto room = kRemembered - rows.rows[0].integer(0);
  store::Unit unit;
  for (auto const& id : ids) {
    unit.emplace_back(
        "UPDATE missed SET looked=$1 WHERE vendor_id=$2 AND connection_id=$3 AND kind=$4 AND "
        "remote_id=$5",
        Values{toMillis(context_.now()), place_.vendor_id, place_.connection_id, place_.kind->kind.name, id});
    if (room-- > 0)
      unit.emplace_back("INSERT INTO missed (vendor_id,connection_id,kind,remote_id,looked) VALUES "
                        "($1,$2,$3,$4,$5) ON CONFLICT (vendor_id,connection_id,kind,remote_id) DO NOTHING",
                        Values{place_.vendor_id, place_.connection_id, place_.kind->kind.name, id,
                               toMillis(context_.now())});
  }
  CO_TRY_VOID(co_await context_.doors.store.commit(std::move(unit)));
  co_return Result<void>();
}

Task<void> Missed::forget(std::set<std::string> ids) {
  if (ids.empty()) co_return Result<void>();
  store::Unit unit;
  for (auto const& id : ids)
    unit.emplace_back(
        "DELETE FROM missed WHERE vendor_id=$1 AND connection_id=$2 AND kind=$3 AND remote_id=$4",
        Values{place_.vendor_id, place_.connection_id, place_.kind->kind.name, id});
  CO_TRY_VOID(co_await context_.doors.store.commit(std::move(unit)));
  co_return Result<void>();
}

} // namespace garland::sync
