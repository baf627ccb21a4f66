// Reading a password: from a terminal without showing it, from standard input, or from a file.
#pragma once

#include "host/base/result.h"
#include "host/base/secret.h"

#include <string>

namespace garland::cli {

// The options by which the commands that ask take it from standard input instead.
inline constexpr char const* kPasswordStdin = "--password-stdin";
inline constexpr char const* kSecretStdin = "--secret-stdin";
// ... or from a file.
inline constexpr char const* kPassphraseFile = "--passphrase-file FILE";

// invalidInput if there is no terminal to ask on, which names the command's `option`, or if nothing was
// typed.
Result<Secret> askSecret(std::string const& question, std::string const& option);
// The first line of standard input, without its line break.
Result<Secret> secretFromStdin();
// The first line of a file, or of what is open as this descriptor. notFound; invalidInput: it is empty.
Result<Secret> secretFromFile(std::string const& path);
Result<Secret> secretFromDescriptor(int descriptor);

} // namespace garland::cli
