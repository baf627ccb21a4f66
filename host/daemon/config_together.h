// What a single setting cannot tell: which of them go together.
#pragma once

#include "host/daemon/config.h"

#include <string>

namespace garland::daemon {

// `name`: of the file, for the problems.
void checkTogether(LoadedConfig& out, std::string const& name);

// Whether only this machine reaches an address; false for what is none.
bool isLoopback(std::string const& address);

} // namespace garland::daemon
