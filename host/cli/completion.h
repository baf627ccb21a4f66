// Completion scripts for shells: the first two words of a command.
#pragma once

#include <string>
#include <string_view>

namespace garland::cli {

std::string completionScript(std::string_view shell); // "bash" or "zsh"

} // namespace garland::cli
