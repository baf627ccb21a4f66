// Times in rows; no meaning of any table lives here.
#pragma once

#include "host/base/clock.h"
#include "host/store/store.h"

#include <optional>
#include <vector>

namespace garland::notify {

using Values = std::vector<store::Value>;

inline std::int64_t toMillis(TimePoint when) { return when.time_since_epoch().count(); }
inline TimePoint fromMillis(std::int64_t millis) { return TimePoint(Milliseconds(millis)); }
inline store::Value valueOf(std::optional<TimePoint> when) {
  return when ? store::Value(toMillis(*when)) : store::Value(nullptr);
}
inline std::optional<TimePoint> timeAt(store::Row const& row, std::size_t column) {
  if (row.isNull(column)) return std::nullopt;
  return fromMillis(row.integer(column));
}

} // namespace garland::notify
