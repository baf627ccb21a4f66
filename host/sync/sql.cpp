#include "host/sync/sql.h"

#include <array>
#include <bit>

namespace garland::sync {

std::string inList(Values& args, std::vector<std::string> const& list) {
  auto const places = std::bit_ceil(list.size());
  std::string text;
  for (std::size_t i = 0; i < places; ++i) {
    args.emplace_back(list[std::min(i, list.size() - 1)]);
    if (i > 0) text += ',';
    text += '$';
    text += std::to_string(args.size());
  }
  return text;
}

std::string ofOne(std::string vendor_id, std::string connection_id, Values& args) {
  args.emplace_back(std::move(vendor_id));
  args.emplace_back(std::move(connection_id));
  auto const last = args.size();
  return " AND vendor_id=$" + std::to_string(last - 1) + " AND connection_id=$" + std::to_string(last);
}

void BulkInsert::add(Values row) { rows_.push_back(std::move(row)); }

void BulkInsert::into(store::Unit& unit) && {
  // Few statements, whatever the number of rows.
  constexpr std::array<std::size_t, 7> kSizes = {64, 32, 16, 8, 4, 2, 1};
  std::size_t next = 0;
  for (auto const size : kSizes) {
    while (rows_.size() - next >= size) {
      std::string sql = head_;
      Values args;
      args.reserve(size * columns_);
      for (std::size_t row = 0; row < size; ++row) {
        sql += row == 0 ? " (" : ",(";
        for (std::size_t column = 0; column < columns_; ++column) {
          args.push_back(std::move(rows_[next + row][column]));
          if (column > 0) sql += ',';
          sql += '$';
          sql += std::to_string(args.size());
        }
        sql += ')';
      }
      next += size;
      if (!tail_.empty()) sql += ' ' + tail_;
      auto& statement = unit.emplace_back(std::move(sql), std::move(args));
      if (tail_.empty()) statement.expected_rows = static_cast<std::int64_t>(size);
    }
  }
  rows_.clear();
}

std::int64_t toMillis(TimePoint when) { return when.time_since_epoch().count(); }

TimePoint fromMillis(std::int64_t millis) { return TimePoint(Milliseconds(millis)); }

std::optional<TimePoint> timeAt(store::Row const& row, std::size_t column) {
  if (row.isNull(column)) return std::nullopt;
  return fromMillis(row.integer(column));
}

json::value readJson(std::string_view text) {
  boost::system::error_code failed;
  json::parse_options options;
  options.max_depth = 96; // more than parseJson takes, with what was put around it
  auto value = json::parse(text, failed, {}, options);
  if (failed) return nullptr;
  return value;
}

} // namespace garland::sync
