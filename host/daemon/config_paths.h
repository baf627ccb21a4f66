// Paths as settings say them.
#pragma once

#include "host/daemon/config.h"

#include <optional>
#include <string>

namespace garland::daemon {

// "~/garland" is meant as a shell means it; nothing else that begins with "~" is understood: "must be ...".
std::optional<std::string> expandHome(std::string& path);

// Relative paths are meant from the folder of the file that says them, so a service finds what its author
// found.
void resolvePaths(Config& config, std::string const& folder);

} // namespace garland::daemon
