// What is wrong with the words of a command line, where CLI11 would not name it or would repeat a secret.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace garland::cli {

// "there is no command \"frobnicate\"; ..." or which word is still to come; "" if the words name a command,
// or if help is asked for.
std::string wrongCommand(CLI::App const& app, std::vector<std::string> const& words);
// For words that nothing takes: the option's name without its value, which may be a password.
std::string unknownWord(CLI::App const& app, std::vector<std::string> const& words);

// For a value that is no number where one is wanted, the only ones that CLI11 converts: "--seed must be ...".
// `told`: CLI11's "Could not convert: --seed = x".
std::string wrongNumber(std::string const& told);

} // namespace garland::cli
