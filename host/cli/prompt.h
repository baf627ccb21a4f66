// Reading a password: from a terminal without showing it, or from standard input.
#pragma once

#include "host/base/result.h"
#include "host/base/secret.h"

#include <string>

namespace garland::cli {

// invalidInput if there is no terminal to ask on, or nothing was typed.
Result<Secret> askSecret(std::string const& question);
// The first line of standard input, without its line break.
Result<Secret> secretFromStdin();

} // namespace garland::cli
