#include "host/sync/tombstones.h"

#include "host/sync/forgetting.h"
#include "host/sync/sql.h"
#include "host/sync/storage.h"

namespace garland::sync {
namespace {

constexpr std::int64_t kAtOnce = 500;

// A link that is not deleted keeps its provider's word from bringing the record back to life.
constexpr std::string_view kSettled =
    "deleted=1 AND updated<$2 AND NOT EXISTS (SELECT 1 FROM links l WHERE l.vendor_id=records.vendor_id AND "
    "l.record_id=records.record_id AND l.state<>'deleted') AND NOT EXISTS (SELECT 1 FROM pushes p WHERE "
    "p.vendor_id=records.vendor_id AND p.record_id=records.record_id)";

// Of some records, what each connection has.
store::Statement sharesOf(std::string const& vendor_id, std::vector<std::string> const& ids) {
  Values args = {vendor_id};
  auto const list = inList(args, ids);
  return store::Statement("SELECT connection_id, COUNT(*), CAST(SUM(bytes) AS BIGINT) FROM links WHERE "
                          "vendor_id=$1 AND record_id IN (" +
                              list + ") GROUP BY connection_id",
                          std::move(args));
}

// Their links, and what they count for.
void linksGo(Context const& context, std::string const& vendor_id, std::vector<std::string> const& ids,
             store::Rows const& shares, store::Unit& unit) {
  std::int64_t links = 0;
  for (auto const& share : shares.rows) {
    Storage shrinks;
    shrinks.records = -share.integer(1);
    shrinks.record_bytes = -share.integer(2);
    links += share.integer(1);
    unit.push_back(recordsGrow(Owner{vendor_id, share.text(0)}, shrinks, context.doors.limits));
  }
  Values args = {vendor_id};
  auto const list = inList(args, ids);
  unit.push_back(store::Statement("DELETE FROM links WHERE vendor_id=$1 AND record_id IN (" + list + ")",
                                  std::move(args))
                     .expecting(links));
}

} // namespace

Task<bool> forgetDeletedBefore(Context* context, std::string vendor_id, TimePoint before) {
  std::string const settled(kSettled);
  store::Statement query("SELECT record_id FROM records WHERE vendor_id=$1 AND " + settled +
                             " ORDER BY updated LIMIT $3",
                         {vendor_id, toMillis(before), kAtOnce});
  CO_TRY(found, co_await context->doors.store.read(std::move(query)));
  if (found.rows.empty()) co_return false;
  std::vector<std::string> ids;
  for (auto const& row : found.rows) ids.push_back(row.text(0));
  auto reading = sharesOf(vendor_id, ids);
  CO_TRY(shares, co_await context->doors.store.read(std::move(reading)));

  // A record that comes back to life meanwhile is none of them any more: all of it is done again.
  Owner nobody{vendor_id, ""};
  store::Unit unit;
  unit.push_back(toldForgotten(*context, std::move(nobody), "deleted_records", std::ssize(ids)));
  Values args = {vendor_id, toMillis(before)};
  auto const list = inList(args, ids);
  linksGo(*context, vendor_id, ids, shares, unit);
  unit.push_back(store::Statement("DELETE FROM records WHERE vendor_id=$1 AND record_id IN (" + list +
                                      ") AND " + settled,
                                  std::move(args))
                     .expecting(std::ssize(ids)));
  auto const done = co_await context->doors.store.commit(std::move(unit));
  if (!done && done.error().kind == ErrorKind::conflict) co_return true;
  if (!done) co_return done.error();
  co_return std::ssize(ids) == kAtOnce;
}

} // namespace garland::sync
