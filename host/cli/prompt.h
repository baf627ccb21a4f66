// Reading a password: from a terminal without showing it, or from standard input.
#pragma once

#include "host/base/result.h"
#include "host/base/secret.h"

#include <string>

namespace garland::cli {

// The options by which the commands that ask take it from standard input instead.
inline constexpr char const* kPasswordStdin = "--password-stdin";
inline constexpr char const* kSecretStdin = "--secret-stdin";

// invalidInput if there is no terminal to ask on, which names the command's `option`, or if nothing was
// typed.
Result<Secret> askSecret(std::string const& question, std::string const& option);
// The first line of standard input, without its line break.
Result<Secret> secretFromStdin();

} // namespace garland::cli
