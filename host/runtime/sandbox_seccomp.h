// Which system calls a worker may make: an allow-list before the plugin is loaded, a tighter one after.
#pragma once

#include "host/base/result.h"

namespace garland::runtime::sandbox {

// Stage 1. Needs no_new_privs and one thread. Error: unsupported.
Result<void> filterSystemCalls();

enum class FilesAfterLoading { asAllowed, none };
// Stage 2, on top: no new executable memory, no further filter, optionally no open().
Result<void> filterAfterLoading(FilesAfterLoading files);

} // namespace garland::runtime::sandbox
