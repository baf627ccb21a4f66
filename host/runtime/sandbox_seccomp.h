// Which system calls a worker may make: an allow-list before the plugin is loaded, a tighter one after.
#pragma once

#include "host/base/result.h"

namespace garland::runtime::sandbox {

// What a refused call meets: its errno, or the handler of sandbox_audit.h, which gives it.
enum class Refusals { answered, audited };

// What stage 2 takes away besides: nothing more, or every open().
enum class FilesAfterLoading { asAllowed, none };

// Stage 1. Needs no_new_privs and one thread. Says already what stage 2 will be. Error: unsupported.
Result<void> filterSystemCalls(FilesAfterLoading files, Refusals refusals = Refusals::answered);
// Stage 2, on top, with the same arguments: no new executable memory, no further filter.
Result<void> filterAfterLoading(FilesAfterLoading files, Refusals refusals = Refusals::answered);

} // namespace garland::runtime::sandbox
