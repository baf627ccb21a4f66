// Small helpers for building statements; no meaning of any table lives here.
#pragma once

#include "host/base/clock.h"
#include "host/base/json.h"
#include "host/store/store.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace garland::sync {

using Values = std::vector<store::Value>;

// "$FIRST,$FIRST+1,..." for a list of values, which are added to `args`. The list is padded with its
// last value to the next power of two, so that few different statement texts exist to be prepared.
std::string inList(Values& args, std::vector<std::string> const& list);

// Things of one list: a page of the API, and one more by which it is known whether there is another page.
inline constexpr int kMostListed = 1001;

// "WHERE 1=1" and what is asked for.
class Where {
public:
  void also(std::string const& condition, store::Value value) {
    args.push_back(std::move(value));
    text += " AND " + condition + "$" + std::to_string(args.size());
  }
  std::string text = "WHERE 1=1";
  Values args;
};

// The page of things of connections that a query asks for, in the order of their ids. `columns`: "SELECT a,b
// FROM t "; `id`: which of them is the id.
template <class Query>
store::Statement pageOf(std::string const& columns, std::string const& id, Query const& query) {
  Where where;
  where.also(id + ">", query.after_id);
  if (!query.vendor_id.empty()) where.also("vendor_id=", query.vendor_id);
  if (!query.connection_id.empty()) where.also("connection_id=", query.connection_id);
  if (query.state) where.also("state=", std::string(name(*query.state)));
  where.args.emplace_back(std::int64_t{std::clamp(query.limit, 1, kMostListed)});
  auto sql = columns + where.text + " ORDER BY " + id + " LIMIT $" + std::to_string(where.args.size());
  return store::Statement(std::move(sql), std::move(where.args));
}

// Rows of one table, written as few statements of a fixed set of sizes (for the same reason).
class BulkInsert {
public:
  // `head`: "INSERT INTO t (a,b) VALUES"; `columns`: how many values a row has. `tail`: what becomes of rows
  // that are there already, "ON CONFLICT ..."; with it not every row has to be inserted.
  BulkInsert(std::string head, std::size_t columns, std::string tail = {})
      : head_(std::move(head)), columns_(columns), tail_(std::move(tail)) {}
  void add(Values row);
  std::size_t size() const { return rows_.size(); }
  // Appends the statements to the unit; without a tail each must insert all of its rows.
  void into(store::Unit& unit) &&;

private:
  std::string head_;
  std::size_t columns_;
  std::string tail_;
  std::vector<Values> rows_;
};

// Narrows a WHERE to one connection: "AND vendor_id=$N AND connection_id=$N+1".
std::string ofOne(std::string vendor_id, std::string connection_id, Values& args);

// Of a row `p` of pushes and its record `r`: false for one that was deleted before it was ever written.
inline constexpr std::string_view kWritesSomething =
    "(r.deleted=0 OR EXISTS (SELECT 1 FROM links l WHERE l.vendor_id=p.vendor_id "
    "AND l.connection_id=p.connection_id AND l.record_id=p.record_id AND l.state<>'deleted'))";

std::int64_t toMillis(TimePoint when);
TimePoint fromMillis(std::int64_t millis);
std::optional<TimePoint> timeAt(store::Row const& row, std::size_t column);

// JSON that this room wrote itself; null if it cannot be read.
json::value readJson(std::string_view text);

} // namespace garland::sync
