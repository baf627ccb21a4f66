// What becomes of rows that wait for a time of day when that is set back: one that began to wait at a moment
// which is still to come was kept before.
#include "host/store/store.h"

namespace garland::store {
namespace {

constexpr char const* kNow = "CAST($1 AS BIGINT)";
constexpr char const* kSoon = "CAST($1 AS BIGINT)+60000"; // so far the clocks of daemons may be apart

} // namespace

std::string waitsTooLong(Waiting const& waiting) {
  auto const& [table, until, since, at_once] = waiting;
  std::string const now(kNow);
  auto const set_back = since + ">" + kSoon + " AND " + until + ">=" + since + " AND " + until + "-" + since +
                        "<" + since + "-" + now;
  return " FROM " + table + " WHERE " + until + ">" + kSoon + " AND (" + at_once + " OR (" + set_back + "))";
}

std::string bringForward(Waiting const& waiting) {
  auto const& [table, until, since, at_once] = waiting;
  std::string const now(kNow);
  auto const which = waitsTooLong(waiting);
  return "UPDATE " + table + " SET " + until + "=CASE WHEN " + at_once + " THEN " + now + " ELSE " + now +
         "+" + until + "-" + since + " END" + which.substr(which.find(" WHERE "));
}

} // namespace garland::store
