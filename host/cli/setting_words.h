// What is wrong with the names of settings, told before anybody is asked for a password.
#pragma once

#include "host/base/json.h"
#include "host/base/result.h"

namespace garland::cli {

// `plugin` as the daemon shows it. Whether the values are right, the daemon says.
Result<void> checkSettingNames(json::value const& plugin, json::object const& settings);

} // namespace garland::cli
