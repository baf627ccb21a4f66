// How much of its memory a worker has used up: counted as the kernel counts it against the limit (address
// space), and read from the kernel, so that no plugin can talk to it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace garland::runtime {

struct MemoryUse {
  std::size_t used = 0;  // bytes; 0: not known
  std::size_t limit = 0; // 0: there is none

  // What is left is too little to go on with: three quarters are used.
  bool isUsedUp() const { return limit > 0 && used > limit / 4 * 3; }
  // "had used 251 of its 256 MiB of memory"
  std::string describe() const;
};

// Of a child that is not reaped; 0 if it cannot be read.
std::size_t addressSpaceOf(pid_t child);
// The text of /proc/PID/statm, whose first number counts pages; 0 if it is none.
std::size_t addressSpaceIn(std::string_view statm, std::size_t page);

} // namespace garland::runtime
