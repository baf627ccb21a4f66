// Where the kernel writes memory to that nobody uses just now, and whether that can be read there.
#pragma once

#include <string>
#include <vector>

namespace garland::daemon {

struct SwapArea {
  enum class Kind { memory, encrypted, clear };
  std::string name; // as the kernel says it: "/dev/dm-1"
  Kind kind = Kind::clear;
};

// Those that are on. `root`: what /proc and /sys are in, "/" but for tests. Encrypted is what lies on
// dm-crypt, whatever is between the two; a disk that encrypts by itself tells nobody, and counts as clear.
std::vector<SwapArea> swapAreas(std::string const& root);

// By the limit of a group that the process is in, as MemorySwapMax=0 of a systemd unit sets it.
bool isNeverSwapped(std::string const& root, int pid);

} // namespace garland::daemon
