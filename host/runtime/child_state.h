// Whether a child sleeps or was stopped, as the kernel says: what tells a worker that waits for nothing from
// one that waits for a processor.
#pragma once

#include <string_view>
#include <sys/types.h>

namespace garland::runtime {

// Of a child that is not reaped. False as well if it is ready, waits for a disk, or cannot be read: then
// nobody knows that it sleeps.
bool sleeps(pid_t child);
// The text of /proc/PID/stat, "PID (NAME) STATE ...".
bool sleepsIn(std::string_view stat);

} // namespace garland::runtime
