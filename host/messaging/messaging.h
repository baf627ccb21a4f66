// What messages mean: those that we sent and those that came in. The contract of each is
// plugin-api/schemas/record.messaging.<entity>.json; connectors bring them by messaging.pull/1.
#pragma once

#include "host/sync/sync.h"

#include <vector>

namespace garland::messaging {

// For the sync engine; all of them are only read.
std::vector<sync::Kind> kinds();

} // namespace garland::messaging
