// Public keys as they are named on the command line.
#pragma once

#include "host/base/result.h"

#include <string>

namespace garland::cli {

// "ed25519:..." itself, or the file that holds it.
Result<std::string> publicKeyNamed(std::string const& word);

} // namespace garland::cli
