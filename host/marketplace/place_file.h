// A file that is there whole or not at all.
#pragma once

#include "host/base/result.h"

#include <string>
#include <string_view>

namespace garland::marketplace {

// Makes the folders above it; leaves a file that has these bytes already alone. Durable on
// return. hostLimit. Blocks on the disk.
Result<void> placeFile(std::string const& path, std::string_view bytes, unsigned mode = 0600);

} // namespace garland::marketplace
