// Rows by their ids, as many as one query takes.
#pragma once

#include "host/store/store.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace garland::access {

inline constexpr std::size_t kIdsOfQuery = 500;

// `select`, of those from that one on whose `column` is one of the ids.
inline store::Statement ofIds(std::string select, std::string const& column,
                              std::vector<std::string> const& ids, std::size_t from) {
  std::vector<store::Value> args;
  std::string places;
  for (auto at = from; at < std::min(ids.size(), from + kIdsOfQuery); ++at) {
    args.emplace_back(ids[at]);
    places += (places.empty() ? "$" : ",$") + std::to_string(args.size());
  }
  return store::Statement(std::move(select) + " WHERE " + column + " IN (" + places + ")", std::move(args));
}

} // namespace garland::access
