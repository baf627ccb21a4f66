// Files that the daemon writes to, or reads from, the folder `exports` of its data folder, because they are
// too large or too secret for an answer.
#pragma once

#include "host/cli/commands.h"

#include <cstddef>
#include <string>

namespace garland::cli {

inline constexpr std::size_t kLongestExport = std::size_t{256} << 20U; // bytes

// invalidInput if that data folder is not on this machine.
Result<std::string> exportsFolder(Place const& place);
// For its owner's eyes only; conflict if there is a file already.
Result<void> moveOut(std::string const& from, std::string const& to);

} // namespace garland::cli
