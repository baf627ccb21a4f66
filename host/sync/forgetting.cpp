#include "host/sync/forgetting.h"

#include "host/sync/sql.h"

namespace garland::sync {
namespace {

constexpr std::int64_t kForgottenAtOnce = 1'000;

} // namespace

store::Statement toldForgotten(Context const& context, Owner whose, std::string what, std::int64_t count,
                               Forgets why) {
  json::object facts{{"by", "host"}, {"count", count}, {"why", why == Forgets::old ? "old" : "room"}};
  return told(context, "retention.forget", std::move(whose.vendor_id), std::move(whose.connection_id),
              std::move(what), std::move(facts));
}

Task<std::int64_t> forgetEnded(Context* context, std::string table, std::string key, TimePoint before) {
  auto const old = "(SELECT " + key + " FROM " + table + " WHERE finished<$1 ORDER BY finished LIMIT $2)";
  Values const which = {toMillis(before), kForgottenAtOnce};
  store::Statement query("SELECT COUNT(*) FROM " + old + " AS old", which);
  CO_TRY(rows, co_await context->doors.store.read(std::move(query)));
  auto const count = rows.rows[0].integer(0);
  if (count == 0) co_return std::int64_t{0}; // who has nothing to forget writes nothing
  store::Unit unit;
  Owner nobody;
  unit.push_back(toldForgotten(*context, std::move(nobody), table, count));
  unit.push_back(
      store::Statement("DELETE FROM " + table + " WHERE " + key + " IN " + old, which).expecting(count));
  auto const done = co_await context->doors.store.commit(std::move(unit));
  if (!done && done.error().kind == ErrorKind::conflict) co_return std::int64_t{0};
  if (!done) co_return done.error();
  co_return std::int64_t{count};
}

} // namespace garland::sync
