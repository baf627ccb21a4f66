// Reading a file that a person named, whole.
#pragma once

#include "host/base/result.h"

#include <cstddef>
#include <string>

namespace garland {

// Errors: notFound, invalidInput (a folder, or longer than `most` bytes), forbidden, hostLimit. Pipes are
// read to their end. Blocks.
Result<std::string> readFileText(std::string const& path, std::size_t most = std::size_t{64} << 20U);

} // namespace garland
