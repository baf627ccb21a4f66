#include "host/sync/due.h"

#include "host/sync/commits.h"

#include <algorithm>
#include <set>

namespace garland::sync {
namespace {

constexpr std::int64_t kRowsAtOnce = 256;
constexpr std::size_t kMost = 1024; // those that were found are named in the next query

} // namespace

store::Statement dueRows(Context const& context, Queues const& queues, TimePoint now,
                         std::vector<std::string> const& without) {
  Values args{toMillis(now), kRowsAtOnce};
  std::string sql =
      "SELECT " + queues.id + ", connection_id FROM " + queues.table + " WHERE next_attempt<=$1";
  if (!without.empty()) sql += " AND connection_id NOT IN (" + inList(args, without) + ")";
  std::string const rests =
      queues.signs_in ? "(c.paused=1 OR c.state IN ('reconnect needed','revoked'))" : "c.paused=1";
  sql += " AND NOT EXISTS (SELECT 1 FROM connections c WHERE " + rests + " AND c.vendor_id=" + queues.table +
         ".vendor_id AND c.connection_id=" + queues.table + ".connection_id)";
  sql += andMine(context, queues.table, args);
  return store::Statement(sql + " ORDER BY " + queues.order + " LIMIT $2", std::move(args));
}

// Connections that were found are passed over from then on, so each read brings another one or is the last.
Task<std::vector<Due>> firstOfEach(Context* context, Queues queues, TimePoint now, std::size_t most) {
  std::vector<Due> due;
  std::vector<std::string> found;
  std::set<std::string> seen;
  most = std::min(most, kMost);
  bool more = true;
  while (more && due.size() < most) {
    auto query = dueRows(*context, queues, now, found);
    CO_TRY(rows, co_await context->doors.store.read(std::move(query)));
    for (auto const& row : rows.rows) {
      if (due.size() == most || !seen.insert(row.text(1)).second) continue;
      found.push_back(row.text(1));
      due.push_back(Due{row.text(0), row.text(1)});
    }
    more = std::ssize(rows.rows) == kRowsAtOnce;
  }
  co_return due;
}

} // namespace garland::sync
