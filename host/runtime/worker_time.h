// The time that a plugin sees: the machine's, or under certification that of a page which the host shares.
// The worker itself always goes by the machine's.
#pragma once

#include <cstdint>

namespace garland::runtime::worker {

// From now on plugins see the time of that page. False if it is none. Before anything else runs.
bool takeClockPage(int fd);

std::int64_t pluginWallMs();      // [any thread]
std::int64_t pluginMonotonicNs(); // [any thread]
// The plugin's time at monotonicNow() == `machine_ns`, which was a moment ago.
std::int64_t pluginTimeOf(std::int64_t machine_ns);
// Moves a page's time on, so that nobody has to wait for it. False if plugins see the machine's time.
bool passTime(std::int64_t until_ns);

} // namespace garland::runtime::worker
