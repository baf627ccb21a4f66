// What keeps nobody from working, and yet makes a break-in likelier or worse; each with what to do about it.
#pragma once

#include "host/daemon/checks.h"
#include "host/daemon/swap.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace garland::daemon {

// What is looked at besides the settings.
struct Surroundings {
  TimePoint now;
  std::optional<std::uint64_t> free_bytes; // on the disk of the data folder
  std::optional<TimePoint> backed_up;      // when <data_dir>/backup.stamp was touched
  bool has_data = false;                   // there is something to back up
  bool clock_is_set = true;                // by the network's time
  std::string limits;                      // /proc/PID/limits of the daemon that runs; "": none does
  std::vector<SwapArea> swaps;
  bool is_never_swapped = false; // the daemon that runs
};
Surroundings lookAround(Config const& config, TimePoint now);

// One finding for each check, good ones too.
std::vector<Finding> findWeaknesses(Config const& config, Surroundings const& around);

} // namespace garland::daemon
