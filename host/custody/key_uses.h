// How many secrets are under which master key, counted where they lie.
#pragma once

#include "host/custody/custody.h"

#include <vector>

namespace garland::custody {

// Keys that are held first, that which seals before all.
Task<std::vector<KeyUse>> keyUses(Dependencies const* with);

} // namespace garland::custody
