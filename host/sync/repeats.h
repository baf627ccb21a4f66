// What goes wrong over and over, such as while the database is away: told at once, and then once a minute
// with how often it was meanwhile. No I/O.
#pragma once

#include "host/base/clock.h"

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace garland::sync {

class Repeats {
public:
  // It went wrong so many `times` more. How often since it was told last, if it is to be told now.
  std::optional<std::size_t> count(std::string const& what, Monotonic now, std::size_t times = 1) {
    std::erase_if(told_, [&](auto const& each) { return each.second.since == 0 && isOld(each.second, now); });
    if (told_.size() >= kMost) told_.clear();
    auto const [place, first] = told_.try_emplace(what, Told{now, 0});
    auto& told = place->second;
    told.since += times;
    if (!first && !isOld(told, now)) return std::nullopt;
    told.at = now;
    return std::exchange(told.since, 0);
  }

private:
  struct Told {
    Monotonic at{0};
    std::size_t since = 0;
  };
  static bool isOld(Told const& told, Monotonic now) { return now - told.at >= kPause; }

  static constexpr Monotonic kPause = std::chrono::minutes(1);
  static constexpr std::size_t kMost = 64; // different ones

  std::map<std::string, Told> told_;
};

} // namespace garland::sync
