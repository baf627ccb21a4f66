// The garland_host table that plugins get: each function checks what it is given and turns it into a message
// of the wire. Nothing is trusted but that pointers point to what they claim (a wild one crashes this
// worker, and nobody else).
#pragma once

#include "host/runtime/worker_loop.h"

#include <garland/plugin.h>

namespace garland::runtime::worker {

// `loop` must outlive every use of the table.
garland_host hostTable(Loop& loop);

} // namespace garland::runtime::worker
