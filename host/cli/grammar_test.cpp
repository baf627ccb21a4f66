// What every command's --help has in common.
#include "host/cli/grammar.h"

#include "host/base/test_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

namespace garland::cli {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

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

// What a command that ends so says on standard error.
std::string saidBy(std::vector<std::string> words, Exit expected) {
  words.insert(words.begin(), "garland");
  std::vector<char*> arguments;
  for (auto& word : words) arguments.push_back(word.data());
  ::testing::internal::CaptureStderr();
  Grammar grammar("1.2.3");
  auto const exit = grammar.run(static_cast<int>(arguments.size()), arguments.data());
  auto told = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(exit, expected) << told;
  return told;
}

TEST(Grammar, ASeedOfTooManyDigitsIsRefusedAndNotReadAsAnother) {
  for (std::vector<std::string> words : {std::vector<std::string>{"twin", "serve", "no-such"},
                                         std::vector<std::string>{"certify", "/no/such"}}) {
    words.insert(words.end(), {"--seed", "99999999999999999999"});
    EXPECT_THAT(saidBy(words, Exit::usage), HasSubstr("--seed"));
  }
}

TEST(Grammar, ALedgerHasNoNumberBelowZero) {
  EXPECT_THAT(saidBy({"twin", "ledger", "http://127.0.0.1:9", "--after", "-4"}, Exit::usage),
              HasSubstr("--after"));
}

TEST(Grammar, AFileOfAuthoritiesThatIsNoneIsNamedBeforeAnythingIsAsked) {
  TestFolder const folder;
  auto const missing = folder / "nosuch.pem";
  EXPECT_THAT(saidBy({"vendors", "ls", "--url", "https://127.0.0.1:9", "--ca-file", missing}, Exit::usage),
              AllOf(HasSubstr("the CA file " + missing + " cannot be read"), HasSubstr("or leave it out"),
                    Not(HasSubstr("no daemon"))));
}

TEST(Grammar, OfAKeyFileOnlyWhatIsTrueOfItIsTold) {
  TestFolder const folder;
  auto const own = saidBy({"vendors", "ls", "--key-file", folder / "api.key"}, Exit::environment);
  EXPECT_THAT(own, AllOf(HasSubstr("garlandd makes its own at its first start"), HasSubstr("--key-file")));
  auto const mine = saidBy({"vendors", "ls", "--key-file", folder / "mine.key"}, Exit::environment);
  EXPECT_THAT(mine, AllOf(HasSubstr("there is no key file " + (folder / "mine.key") + ";"),
                          HasSubstr("GARLAND_KEY_FILE"), Not(HasSubstr("first start"))));
}

TEST(Grammar, AWrongPassphraseEndsEachCommandWithOneCode) {
  for (auto const& words : {std::vector<std::string>{"backup", "verify"}, {"vault", "import"}})
    EXPECT_THAT(helpOf(words), ContainsRegex("Exit code 1: .*the passphrase is wrong")) << words[1];
  EXPECT_THAT(helpOf({"restore"}), HasSubstr("1 the passphrase is wrong"));
  for (auto const& words : {std::vector<std::string>{"backup"}, {"vault", "export"}})
    EXPECT_THAT(helpOf(words), HasSubstr("Exit code 2: the passphrase is too short")) << words[0];
}

TEST(Grammar, TheStreamIsFollowedByTwoNames) {
  auto const options = [](std::string const& help) { return help.substr(help.find("Options:")); };
  auto const stream = options(helpOf({"stream"}));
  EXPECT_NE(stream.find("--from,--after"), std::string::npos) << stream;
  EXPECT_EQ(options(helpOf({"changes", "follow"})), stream);
}

} // namespace
} // namespace garland::cli
