// Audit mode: the sandbox as it is, but every system call that it refuses is told to the host, with where the
// plugin made it. For developers (`garland dev run --sandbox=audit`); garlandd never starts a worker so.
//
// Refused calls trap (SIGSYS) instead of failing at once; the handler tells of them and then gives the answer
// that the plugin would have had. Opening a file traps always: the handler opens it by a call that carries a
// mark, so that what Landlock and the private root refuse is told too. Blocking signals traps as well, and
// the handler leaves SIGSYS out.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace garland::runtime::sandbox {

// What the handler puts into the sixth argument of openat, which the kernel ignores there.
inline constexpr std::uint64_t kAuditMark = 0x6761726C616E64; // "garland"

// Installs the handler. `refused`: the names that answer EPERM; every other one answers ENOSYS.
void installAudit(std::string_view refused);

// "socket"; "system call 500" if it has no known name.
std::string systemCallName(std::int64_t number);

} // namespace garland::runtime::sandbox
