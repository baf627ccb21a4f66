// Small helpers for building statements; no meaning of any table lives here.
#pragma once

#include "host/base/clock.h"
#include "host/base/json.h"
#include "host/store/store.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace garland::sync {

using Values = std::vector<store::Value>;

// "$FIRST,$FIRST+1,..." for a list of values, which are added to `args`. The list is padded with its
// last value to the next power of two, so that few different statement texts exist to be prepared.
std::string inList(Values& args, std::vector<std::string> const& list);

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
