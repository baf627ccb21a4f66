// Landlock: of the whole file system a worker may read system libraries and time zones, and nothing else.
#pragma once

#include "host/base/result.h"

#include <array>

namespace garland::runtime::sandbox {

// Where a plugin's shared-library dependencies come from; public data on every system.
inline constexpr std::array kReadablePaths = {
    "/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache", "/usr/share/zoneinfo",
};

// The kernel's Landlock version, 0 if it has none.
int landlockVersion();

// Restricts this process for good; needs no_new_privs. The version that was put to use. Error: unsupported.
Result<int> restrictFiles();

} // namespace garland::runtime::sandbox
