// Tombstones: records that were deleted here and wherever they were kept. They go once they are old.
#pragma once

#include "host/sync/context.h"

#include <string>

namespace garland::sync {

// Of a vendor, with what its connections had of them; some at a time, those deleted first before others. Not
// one whose deletion is not everywhere yet (it waits to be written, waits for approval, or its provider takes
// none), nor one that a conflict is about. True if there may be more.
Task<bool> forgetDeletedBefore(Context* context, std::string vendor_id, TimePoint before);

} // namespace garland::sync
