// `garland privacy`: what a person reads of a receipt, and how it ends.
#include "host/cli/commands.h"

#include "host/base/test_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace garland::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

struct Told {
  std::string text;
  Exit exit;
};

Told told(std::string const& places, std::string const& database) {
  std::ostringstream out;
  std::ostringstream err;
  Output output(out, err, false, false, false);
  auto const text = R"({"receipt":{"places":[)" + places + R"(],"at_providers":{"con_1":2},"database":)" +
                    database + R"(},"signature":""})";
  auto const exit = tellReceipt(output, parseJson(text).value());
  return {out.str(), exit};
}

constexpr auto kGone = R"({"place":"inbox","removed":3,"rewritten":0,"kept":0,"busy":0,"why":""})";
constexpr auto kNothing = R"({"place":"hints","removed":0,"rewritten":0,"kept":0,"busy":0,"why":""})";
constexpr auto kLeft =
    R"({"place":"actions","removed":0,"rewritten":1,"kept":0,"busy":2,"why":"no end yet"})";
constexpr auto kScrubbed = R"({"driver":"sqlite","scrubbed":true,"problem":""})";

TEST(PrivacyCommand, TellsWhereSomethingWasAndWhatProvidersHave) {
  auto const all = told(std::string(kGone) + "," + kNothing, kScrubbed);
  EXPECT_EQ(all.exit, Exit::ok);
  EXPECT_THAT(all.text, HasSubstr("inbox: 3 removed, 0 under a pseudonym\n"));
  EXPECT_THAT(all.text, Not(HasSubstr("hints")));
  EXPECT_THAT(all.text, HasSubstr("still at the provider of con_1: 2 records"));
}

TEST(PrivacyCommand, OneRecordIsNotSeveral) {
  std::ostringstream out;
  Output output(out, out, false, false, false);
  tellReceipt(output, parseJson(R"({"receipt":{"places":[],"at_providers":{"con_1":1}}})").value());
  EXPECT_THAT(out.str(), HasSubstr("con_1: 1 record; it is not brought in again"));
}

TEST(PrivacyCommand, ThatNobodyWasErasedIsSaid) {
  EXPECT_THAT(told(kNothing, kScrubbed).text, HasSubstr("nothing here named them"));
  EXPECT_THAT(told(kGone, kScrubbed).text, Not(HasSubstr("nothing here named them")));
}

TEST(PrivacyCommand, WhatIsLeftIsAFinding) {
  auto const left = told(kLeft, kScrubbed);
  EXPECT_EQ(left.exit, Exit::findings);
  EXPECT_THAT(left.text, HasSubstr("0 kept, 2 under way: no end yet"));
  auto const file = told(kGone, R"({"driver":"postgresql","scrubbed":false,"problem":"VACUUM"})");
  EXPECT_EQ(file.exit, Exit::findings);
  EXPECT_THAT(file.text, HasSubstr("may still hold what was deleted: VACUUM"));
}

TEST(PrivacyCommand, AReceiptThatNobodySignedIsNotGenuine) {
  TestFolder const folder;
  std::ofstream(folder / "receipt.json") << R"({"receipt":{"act":"erase_person"},"signature":"00"})";
  PrivacyWords words;
  words.receipt = folder / "receipt.json";
  words.key = "ed25519:" + std::string(64, '0');
  std::ostringstream out;
  Output output(out, out, false, false, false);
  EXPECT_EQ(verifyReceipt(output, words), Exit::findings);
  EXPECT_THAT(out.str(), HasSubstr("not genuine"));
}

TEST(PrivacyCommand, AReceiptOfBeforeIsNotOverwritten) {
  TestFolder const folder;
  PrivacyWords words;
  words.person = {"rosa@x.example"};
  words.receipt = folder / "receipt.json";
  words.sure = true;
  std::ofstream(words.receipt) << "a receipt";
  Client client("http://127.0.0.1:9", Secret("none"));
  std::ostringstream out;
  Output output(out, out, false, false, false);
  EXPECT_NE(erasePrivacy(Context{client, output}, words), Exit::ok);
  EXPECT_THAT(out.str(), HasSubstr("is there already"));
  EXPECT_EQ(std::filesystem::file_size(words.receipt), 9U);
}

TEST(PrivacyCommand, AnErasureThatWasRefusedLeavesNoReceipt) {
  TestFolder const folder;
  PrivacyWords words;
  words.person = {"rosa@x.example"};
  words.receipt = folder / "receipt.json";
  words.sure = true;
  Client client("http://127.0.0.1:9", Secret("none"));
  std::ostringstream out;
  Output output(out, out, false, false, false);
  EXPECT_NE(erasePrivacy(Context{client, output}, words), Exit::ok);
  EXPECT_FALSE(std::filesystem::exists(words.receipt)) << out.str();
}

} // namespace
} // namespace garland::cli
