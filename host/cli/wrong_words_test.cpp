#include "host/cli/wrong_words.h"

#include <CLI/CLI.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace garland::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class WrongWords : public ::testing::Test {
protected:
  WrongWords() {
    app_.require_subcommand(1);
    app_.add_option("--url", url_);
    app_.add_flag("--json", json_);
    auto* const records = app_.add_subcommand("records");
    records->require_subcommand(1);
    records->add_subcommand("ls")->add_option("--vendor", vendor_);
    records->add_subcommand("show")->add_option("ID", id_);
    app_.add_subcommand("doctor");
    auto* const certify = app_.add_subcommand("certify");
    certify->add_option("PATH", path_);
    certify->add_subcommand("replay");
    app_.add_subcommand("dev")->add_subcommand("run");
    app_.add_subcommand("hook")->add_flag("--secret-stdin", json_);
  }
  CLI::App app_{"", "garland"};
  std::string url_, vendor_, id_, path_;
  bool json_ = false;
};

TEST_F(WrongWords, AnUnknownCommandIsNamedWithThoseThereAre) {
  EXPECT_THAT(wrongCommand(app_, {"frobnicate"}),
              AllOf(HasSubstr("no command \"garland frobnicate\""), HasSubstr("records, doctor")));
  EXPECT_THAT(wrongCommand(app_, {"keys", "--help"}), HasSubstr("\"garland keys\""));
  EXPECT_THAT(wrongCommand(app_, {"--url", "http://a", "--json", "records", "list"}),
              AllOf(HasSubstr("\"garland records list\""), HasSubstr("ls, show")));
}

TEST_F(WrongWords, AHalfCommandIsToldWhatMayFollow) {
  EXPECT_THAT(wrongCommand(app_, {"records"}), HasSubstr("after \"garland records\" comes one of: ls, show"));
  EXPECT_THAT(wrongCommand(app_, {}), HasSubstr("records, doctor"));
}

TEST_F(WrongWords, AWholeCommandOrHelpIsRight) {
  EXPECT_EQ(wrongCommand(app_, {"records", "show", "doctor"}), "");
  EXPECT_EQ(wrongCommand(app_, {"doctor", "--url=http://a"}), "");
  EXPECT_EQ(wrongCommand(app_, {"certify", "build/connector"}), "") << "it takes a value beside its commands";
  EXPECT_EQ(wrongCommand(app_, {"certify"}), "");
  EXPECT_EQ(wrongCommand(app_, {"certify", "replay"}), "");
  EXPECT_EQ(wrongCommand(app_, {"dev"}), "") << "it does something without a further command";
  EXPECT_THAT(wrongCommand(app_, {"dev", "frobnicate"}), HasSubstr("no command \"garland dev frobnicate\""));
  EXPECT_EQ(wrongCommand(app_, {"records", "--help"}), "");
  EXPECT_EQ(wrongCommand(app_, {"--help"}), "");
  EXPECT_EQ(wrongCommand(app_, {"--version"}), "");
}

TEST_F(WrongWords, AnUnknownOptionIsNamedWithoutItsValue) {
  for (auto const& words :
       {std::vector<std::string>{"records", "ls", "--vendor", "ven", "--password", "open-sesame"},
        std::vector<std::string>{"records", "ls", "--password=open-sesame"}}) {
    auto const said = unknownWord(app_, words);
    EXPECT_THAT(said, AllOf(HasSubstr("\"garland records ls\" has no option --password"),
                            HasSubstr("--password-stdin"), Not(HasSubstr("open-sesame"))));
  }
  EXPECT_THAT(unknownWord(app_, {"doctor", "open-sesame"}), Not(HasSubstr("open-sesame")));
}

TEST_F(WrongWords, ASecretThatIsTypedIsToldTheOptionOfThatCommand) {
  EXPECT_THAT(
      unknownWord(app_, {"hook", "--secret=open-sesame"}),
      AllOf(HasSubstr("--secret-stdin"), Not(HasSubstr("--password-stdin")), Not(HasSubstr("open-sesame"))));
  EXPECT_THAT(unknownWord(app_, {"records", "ls", "--password=open-sesame"}), HasSubstr("--password-stdin"));
}

TEST_F(WrongWords, AValueThatIsNoNumberIsToldWithOneThatIs) {
  int seed = 0;
  app_.add_option("--seed", seed);
  try {
    app_.parse("--seed x doctor");
    FAIL() << "it was taken";
  } catch (CLI::ConversionError const& problem) {
    EXPECT_EQ(wrongNumber(problem.what()), "--seed must be a whole number, such as 7");
  }
}

} // namespace
} // namespace garland::cli
