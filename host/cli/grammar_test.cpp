// What every command's --help has in common.
#include "host/cli/grammar.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

namespace garland::cli {
namespace {

std::string helpOf(std::vector<std::string> words) {
  words.insert(words.begin(), "garland");
  words.emplace_back("--help");
  std::vector<char*> arguments;
  for (auto& word : words) arguments.push_back(word.data());
  ::testing::internal::CaptureStdout();
  Grammar grammar("1.2.3");
  auto const exit = grammar.run(static_cast<int>(arguments.size()), arguments.data());
  auto text = ::testing::internal::GetCapturedStdout();
  EXPECT_EQ(exit, Exit::ok) << text;
  return text;
}

// The first words of the lines under "Subcommands:" that are indented by two.
std::vector<std::string> commandsIn(std::string const& help) {
  std::vector<std::string> names;
  std::istringstream lines(help.substr(std::min(help.find("Subcommands:"), help.size())));
  for (std::string line; std::getline(lines, line);)
    if (line.size() > 2 && line.starts_with("  ") && line[2] != ' ')
      names.push_back(line.substr(2, line.find(' ', 2) - 2));
  return names;
}

std::size_t countOf(std::string const& text, std::string const& part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

// Each command once, however deep; how many there were.
int visit(std::vector<std::string> const& words) {
  auto const help = helpOf(words);
  int seen = 1;
  for (auto const& name : commandsIn(help)) {
    auto further = words;
    further.push_back(name);
    seen += visit(further);
  }
  auto const path = words.empty() ? "garland" : words.back();
  // Those of further commands are listed indented.
  EXPECT_EQ(countOf(help, "\nExit codes: "), 1U) << help;
  EXPECT_EQ(countOf(help, "A first sync:"), words.empty() ? 1U : 0U) << path;
  return seen;
}

TEST(Grammar, EveryHelpTellsExitCodesOnceAndTheFirstStepsStandUnderTheFirst) { EXPECT_GT(visit({}), 60); }

TEST(Grammar, OnlyCommandsThatAskADaemonTellThatThereMayBeNone) {
  EXPECT_NE(helpOf({"vendors", "ls"}).find("3 no daemon"), std::string::npos);
  EXPECT_EQ(helpOf({"webhooks", "schemes"}).find("3 no daemon"), std::string::npos);
  EXPECT_NE(helpOf({"intake", "show"}).find("1 as said above"), std::string::npos);
}

TEST(Grammar, ASeedOfTooManyDigitsIsRefusedAndNotReadAsAnother) {
  for (std::vector<std::string> words : {std::vector<std::string>{"garland", "twin", "serve", "no-such"},
                                         std::vector<std::string>{"garland", "certify", "/no/such"}}) {
    words.insert(words.end(), {"--seed", "99999999999999999999"});
    std::vector<char*> arguments;
    for (auto& word : words) arguments.push_back(word.data());
    ::testing::internal::CaptureStderr();
    Grammar grammar("1.2.3");
    auto const exit = grammar.run(static_cast<int>(arguments.size()), arguments.data());
    auto const told = ::testing::internal::GetCapturedStderr();
    EXPECT_EQ(exit, Exit::usage) << told;
    EXPECT_NE(told.find("--seed"), std::string::npos) << told;
  }
}

TEST(Grammar, ALedgerHasNoNumberBelowZero) {
  std::vector<std::string> words{"garland", "twin", "ledger", "http://127.0.0.1:9", "--after", "-4"};
  std::vector<char*> arguments;
  for (auto& word : words) arguments.push_back(word.data());
  ::testing::internal::CaptureStderr();
  Grammar grammar("1.2.3");
  auto const exit = grammar.run(static_cast<int>(arguments.size()), arguments.data());
  auto const told = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(exit, Exit::usage) << told;
  EXPECT_NE(told.find("--after"), std::string::npos) << told;
}

TEST(Grammar, TheStreamIsFollowedByTwoNames) {
  auto const options = [](std::string const& help) { return help.substr(help.find("Options:")); };
  auto const stream = options(helpOf({"stream"}));
  EXPECT_NE(stream.find("--from,--after"), std::string::npos) << stream;
  EXPECT_EQ(options(helpOf({"changes", "follow"})), stream);
}

} // namespace
} // namespace garland::cli
