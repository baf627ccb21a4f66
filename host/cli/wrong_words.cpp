#include "host/cli/wrong_words.h"

#include "host/cli/prompt.h"

#include <CLI/CLI.hpp>

#include <algorithm>

namespace garland::cli {
namespace {

std::vector<CLI::App const*> commandsOf(CLI::App const& app) {
  return app.get_subcommands([](CLI::App const*) { return true; });
}

std::string listOf(CLI::App const& app) {
  std::string list;
  for (auto const* command : commandsOf(app)) list += (list.empty() ? "" : ", ") + command->get_name();
  return list;
}

// A command that has further ones, and may be given a value instead: garland certify PATH.
bool takesValues(CLI::App const& app) {
  return !app.get_options([](CLI::Option const* option) { return option->get_positional(); }).empty();
}

// `garland dev` does something without a further command, too.
bool needsCommand(CLI::App const& app) {
  return app.get_require_subcommand_min() > 0 && !commandsOf(app).empty();
}

bool isOption(std::string const& word) { return word.size() > 1 && word[0] == '-'; }

std::string nameOf(std::string const& option) { return option.substr(0, option.find('=')); }

// Follows the words from command to command, past options and their values.
class Walk {
public:
  Walk(CLI::App const& app, std::vector<std::string> const& words) : path_(app.get_name()) {
    way_.push_back(&app);
    for (std::size_t i = 0; i < words.size() && wrong.empty() && !help; ++i) {
      if (words[i] == "--") break;
      if (isOption(words[i]))
        i += option(words[i]) ? 1U : 0U;
      else
        word(words[i]);
    }
  }

  CLI::App const& last() const { return *way_.back(); }
  std::string const& path() const { return path_; }
  bool help = false;
  std::string wrong;   // the first word that is no command
  std::string unknown; // the first option that nobody on the way knows

private:
  // True if the next word is its value.
  bool option(std::string const& word) {
    auto const name = nameOf(word);
    if (name == "--help" || name == "-h" || name == "--version") help = true;
    for (auto const* app : way_)
      if (auto const* known = app->get_option_no_throw(name); known != nullptr)
        return known->get_items_expected_max() > 0 && name == word;
    if (unknown.empty()) unknown = name;
    return false;
  }
  void word(std::string const& word) {
    auto const commands = commandsOf(last());
    if (commands.empty()) return; // a value
    auto const found = std::find_if(commands.begin(), commands.end(),
                                    [&](CLI::App const* command) { return command->get_name() == word; });
    if (found == commands.end()) {
      if (!takesValues(last())) wrong = word;
      return;
    }
    way_.push_back(*found);
    path_ += " " + word;
  }

  std::vector<CLI::App const*> way_;
  std::string path_;
};

bool namesASecret(std::string const& option) {
  return option.find("pass") != std::string::npos || option.find("token") != std::string::npos ||
         option.find("secret") != std::string::npos;
}

// By which the command takes a secret.
std::string stdinOption(CLI::App const& command) {
  return command.get_option_no_throw(kSecretStdin) != nullptr ? kSecretStdin : kPasswordStdin;
}

} // namespace

std::string wrongCommand(CLI::App const& app, std::vector<std::string> const& words) {
  Walk const walk(app, words);
  auto const help = "; " + walk.path() + " --help tells more";
  if (!walk.wrong.empty())
    return "there is no command \"" + walk.path() + " " + walk.wrong + "\"; after \"" + walk.path() +
           "\" comes one of: " + listOf(walk.last()) + help;
  if (!walk.help && needsCommand(walk.last()))
    return "after \"" + walk.path() + "\" comes one of: " + listOf(walk.last()) + help;
  return {};
}

std::string unknownWord(CLI::App const& app, std::vector<std::string> const& words) {
  Walk const walk(app, words);
  auto const help = "; " + walk.path() + " --help tells what it takes";
  if (walk.unknown.empty())
    return "there are more words than \"" + walk.path() + "\" takes; a value with spaces is put in quotes" +
           help;
  std::string secret;
  if (namesASecret(walk.unknown))
    secret = "; a secret is asked for, or piped in with " + stdinOption(walk.last());
  return "\"" + walk.path() + "\" has no option " + walk.unknown + secret + help;
}

std::string wrongNumber(std::string const& told) {
  constexpr std::string_view before = "Could not convert: ";
  auto const begin = told.starts_with(before) ? before.size() : 0;
  auto const end = told.find(" = ");
  if (begin == 0 || end == std::string::npos) return told;
  return told.substr(begin, end - begin) + " must be a whole number, such as 7";
}

} // namespace garland::cli
