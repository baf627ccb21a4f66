#include "host/sync/tombstones.h"

#include "host/sync/forgetting.h"
#include "host/sync/sql.h"
#include "host/sync/storage.h"

#include <map>

namespace garland::sync {
namespace {

constexpr std::int64_t kDeletedAtOnce = 500;

// A link that is not deleted says that a provider still has the record: the tombstone alone keeps it deleted
// here. $1: the vendor, $2: deleted before.
constexpr char const* kSettled =
    "vendor_id=$1 AND deleted=1 AND updated<$2 AND NOT EXISTS (SELECT 1 FROM links l WHERE "
    "l.vendor_id=$1 AND l.record_id=records.record_id AND l.state<>'deleted') AND "
    "record_id NOT IN (SELECT record_id FROM pushes WHERE vendor_id=$1) AND "
    "record_id NOT IN (SELECT record_id FROM conflicts WHERE vendor_id=$1)";

struct Links {
  std::int64_t count = 0;
  std::map<std::string, Storage> shrinks; // by connection
};

// A link that only a write has made was never counted.
Links linksFrom(store::Rows const& rows) {
  Links links;
  for (auto const& row : rows.rows) {
    ++links.count;
    if (row.integer(1) == 0) continue;
    auto& shrinks = links.shrinks[row.text(0)];
    shrinks.records -= 1;
    shrinks.record_bytes -= row.integer(1);
  }
  return links;
}

// Locks in the order of Writes: the counts of connections, the vendor's changes, then the rows. So nobody
// brings a record back between the two deletions.
store::Unit tombstonesGo(Context const& context, std::string const& vendor_id, TimePoint before,
                         std::vector<std::string> const& ids, Links const& links) {
  store::Unit unit;
  for (auto const& [connection_id, shrinks] : links.shrinks)
    unit.push_back(recordsGrow(Owner{vendor_id, connection_id}, shrinks, context.doors.limits));
  unit.push_back(
      store::Statement("UPDATE counters SET value=value WHERE vendor_id=$1 AND name='changes'", {vendor_id})
          .expecting(1)
          .contendingFor(vendor_id));
  Values records = {vendor_id, toMillis(before)};
  auto const those = inList(records, ids);
  unit.push_back(store::Statement("DELETE FROM records WHERE " + std::string(kSettled) +
                                      " AND record_id IN (" + those + ")",
                                  std::move(records))
                     .expecting(std::ssize(ids)));
  Values of_them = {vendor_id};
  auto const their = inList(of_them, ids);
  unit.push_back(store::Statement("DELETE FROM links WHERE vendor_id=$1 AND record_id IN (" + their + ")",
                                  std::move(of_them))
                     .expecting(links.count));
  unit.push_back(toldForgotten(context, Owner{vendor_id, ""}, "deleted records", std::ssize(ids)));
  return unit;
}

} // namespace

Task<bool> forgetDeletedBefore(Context* context, std::string vendor_id, TimePoint before) {
  store::Statement query("SELECT record_id FROM records WHERE " + std::string(kSettled) +
                             " ORDER BY updated LIMIT $3",
                         {vendor_id, toMillis(before), kDeletedAtOnce});
  CO_TRY(oldest, co_await context->doors.store.read(std::move(query)));
  if (oldest.rows.empty()) co_return false;
  std::vector<std::string> ids;
  for (auto const& row : oldest.rows) ids.push_back(row.text(0));
  Values args = {vendor_id};
  auto const list = inList(args, ids);
  store::Statement linked("SELECT connection_id, bytes FROM links WHERE vendor_id=$1 AND record_id IN (" +
                              list + ")",
                          std::move(args));
  CO_TRY(rows, co_await context->doors.store.read(std::move(linked)));
  auto const links = linksFrom(rows);
  auto unit = tombstonesGo(*context, vendor_id, before, ids, links);
  auto const gone = co_await context->doors.store.commit(std::move(unit));
  // One of them has just come back, or its connection was ended: the next tick looks again.
  if (!gone && gone.error().kind == ErrorKind::conflict) co_return true;
  if (!gone) co_return gone.error();
  co_return std::ssize(ids) == kDeletedAtOnce;
}

} // namespace garland::sync
