#include "host/sync/missed.h"

#include "host/sync/commits.h"

namespace garland::sync {
namespace {

constexpr std::size_t kRemembered = 1000; // of a kind
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

store::Statement Missed::looking(std::string const& id, std::int64_t when) const {
  return store::Statement(
      "UPDATE missed SET looked=$1 WHERE vendor_id=$2 AND connection_id=$3 AND kind=$4 AND remote_id=$5",
      Values{when, place_.vendor_id, place_.connection_id, place_.kind->kind.name, id});
}

Task<void> Missed::looked(std::string id) {
  store::Unit unit;
  unit.push_back(looking(id, toMillis(context_.now()) + 1)); // after those that came with it
  Owner owner{place_.vendor_id, place_.connection_id};
  CO_TRY_VOID(co_await commitOwned(&context_, std::move(owner), std::move(unit)));
  co_return Result<void>();
}

Task<void> Missed::remember(std::set<std::string> ids) {
  if (ids.empty()) co_return Result<void>();
  store::Statement query("SELECT remote_id FROM missed WHERE vendor_id=$1 AND connection_id=$2 AND kind=$3",
                         {place_.vendor_id, place_.connection_id, place_.kind->kind.name});
  CO_TRY(rows, co_await context_.doors.store.read(std::move(query)));
  std::set<std::string> known;
  for (auto const& row : rows.rows) known.insert(row.text(0));
  store::Unit unit;
  for (auto const& id : ids) {
    if (known.contains(id)) {
      unit.push_back(looking(id, toMillis(context_.now())));
      continue;
    }
    if (known.size() >= kRemembered) continue;
    known.insert(id);
    unit.emplace_back(
        "INSERT INTO missed (vendor_id,connection_id,kind,remote_id,looked) VALUES "
        "($1,$2,$3,$4,$5) ON CONFLICT (vendor_id,connection_id,kind,remote_id) DO NOTHING",
        Values{place_.vendor_id, place_.connection_id, place_.kind->kind.name, id, toMillis(context_.now())});
  }
  if (unit.empty()) co_return Result<void>();
  Owner owner{place_.vendor_id, place_.connection_id};
  CO_TRY_VOID(co_await commitOwned(&context_, std::move(owner), std::move(unit)));
  co_return Result<void>();
}

Task<void> Missed::forget(std::set<std::string> ids) {
  if (ids.empty()) co_return Result<void>();
  store::Unit unit;
  for (auto const& id : ids)
    unit.emplace_back(
        "DELETE FROM missed WHERE vendor_id=$1 AND connection_id=$2 AND kind=$3 AND remote_id=$4",
        Values{place_.vendor_id, place_.connection_id, place_.kind->kind.name, id});
  Owner owner{place_.vendor_id, place_.connection_id};
  CO_TRY_VOID(co_await commitOwned(&context_, std::move(owner), std::move(unit)));
  co_return Result<void>();
}

} // namespace garland::sync
