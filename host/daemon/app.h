// The running daemon: everything made in order, and ended in the opposite one.
#pragma once

#include "host/daemon/config.h"

#include <string_view>

namespace garland::daemon {

inline constexpr std::string_view version = GARLAND_VERSION;

enum ExitCode { exitOk = 0, exitFindings = 1, exitUsage = 2, exitEnvironment = 3 };

// Runs until SIGTERM or SIGINT; returns the exit code.
int serve(Config const& config);

} // namespace garland::daemon
