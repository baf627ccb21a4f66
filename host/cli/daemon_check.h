// What the daemon's own check finds, whether or not a daemon runs.
#pragma once

#include "host/base/json.h"

#include <string>

namespace garland::cli {

// Runs the garlandd beside this program with --check --json; its report. notFound if there is none.
// An empty `data_dir` or `config` leaves the choice to garlandd; "data_dir" in the report says which it was.
Result<json::value> daemonCheck(std::string const& data_dir, std::string const& config);

} // namespace garland::cli
