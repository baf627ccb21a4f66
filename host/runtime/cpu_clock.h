// The processor time that a child has used, as the kernel counts it: the one witness of what a worker
// does that no plugin can talk to.
#pragma once

#include <ctime>

#include <chrono>
#include <optional>
#include <sys/types.h>

namespace garland::runtime {

// Nothing once the child is reaped. Ask only before that: later the number may be somebody else's.
inline std::optional<std::chrono::nanoseconds> processorTime(pid_t child) {
  clockid_t clock{};
  timespec used{};
  if (::clock_getcpuclockid(child, &clock) != 0 || ::clock_gettime(clock, &used) != 0) return std::nullopt;
  return std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
}

} // namespace garland::runtime
