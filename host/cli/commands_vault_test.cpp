// `garland vault`: what a person reads of keys and moves, and how it ends.
#include "host/cli/commands.h"
#include "host/cli/prompt.h"

#include "host/base/test_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

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

Told told(std::string const& keys, std::string const& move) {
  std::ostringstream out;
  std::ostringstream err;
  Output output(out, err, false, false, false);
  auto const exit = tellVault(output, parseJson("{\"keys\":[" + keys + "],\"move\":" + move + "}").value());
  return {out.str(), exit};
}

constexpr auto kNew = R"({"id":"aaaaaaaaaaaaaaaa","held":true,"seals":true,"secrets":7})";
constexpr auto kOld = R"({"id":"bbbbbbbbbbbbbbbb","held":true,"seals":false,"secrets":0})";
constexpr auto kDone =
    R"({"key":"aaaaaaaaaaaaaaaa","state":"done","problem":"","started":"2026-01-01T00:00:00.000Z","finished":"2026-01-01T00:01:00.000Z"})";

TEST(VaultCommand, AKeyThatNothingIsUnderAnyMoreMayGo) {
  auto const done = told(std::string(kNew) + "," + kOld, kDone);
  EXPECT_EQ(done.exit, Exit::ok);
  EXPECT_THAT(done.text, HasSubstr("aaaaaaaaaaaaaaaa  7 secrets, seals\n"));
  EXPECT_THAT(done.text, HasSubstr("bbbbbbbbbbbbbbbb  0 secrets: it may be taken out of [vault] old_keys\n"));
  EXPECT_THAT(done.text, HasSubstr("all secrets were moved to aaaaaaaaaaaaaaaa"));
}

TEST(VaultCommand, WhatWasImportedIsToldInWordsAndNotByTable) {
  std::ostringstream out;
  Output output(out, out, false, false, false);
  tellImported(output, parseJson(R"({"items":[
    {"table":"notify_endpoints","added":2,"kept":1,"replaced":[]},
    {"table":"counters","added":1,"kept":0,"replaced":[]},
    {"table":"connection_storage","added":1,"kept":0,"replaced":[]},
    {"table":"intake_doors","added":1,"kept":0,"replaced":[]},
    {"table":"mailboxes","added":1,"kept":0,"replaced":[]},
    {"table":"oauth_replies","added":1,"kept":0,"replaced":[]},
    {"table":"of_tomorrow","added":1,"kept":0,"replaced":[]}]})")
                           .value());
  EXPECT_THAT(out.str(),
              HasSubstr("endpoints that are notified: 2 added, 1 left as they were, 0 replaced\n"));
  for (auto const* words :
       {"numberings of vendors' changes: 1 added", "counts of what is stored for connections: 1 added",
        "addresses that hooks and mail come to: 1 added", "mailboxes that are visited: 1 added",
        "answers with tokens that were not taken up yet: 1 added", "of_tomorrow: 1 added"})
    EXPECT_THAT(out.str(), HasSubstr(words));
}

TEST(VaultCommand, WhileAMoveRunsNoKeyMayGo) {
  auto const running =
      told(std::string(kNew) + "," + kOld, R"({"key":"aaaaaaaaaaaaaaaa","state":"running"})");
  EXPECT_THAT(running.text, Not(HasSubstr("taken out")));
  EXPECT_THAT(running.text, HasSubstr("secrets move to aaaaaaaaaaaaaaaa"));
}

TEST(VaultCommand, AMissingKeyAndDamagedSecretsAreFindings) {
  auto const missing = told(
      std::string(kNew) + R"(,{"id":"cccccccccccccccc","held":false,"seals":false,"secrets":1})", "null");
  EXPECT_EQ(missing.exit, Exit::findings);
  EXPECT_THAT(missing.text, HasSubstr("cccccccccccccccc  1 secret, is not here: add it to [vault] old_keys"));
  auto const damaged =
      told(std::string(kNew) + R"(,{"id":"","held":false,"seals":false,"secrets":2})", "null");
  EXPECT_EQ(damaged.exit, Exit::findings);
  EXPECT_THAT(damaged.text, HasSubstr("damaged"));
  auto const stuck = told(kNew, R"({"key":"a","state":"stuck","problem":"credentials ven_1/con_1/login"})");
  EXPECT_EQ(stuck.exit, Exit::findings);
  EXPECT_THAT(stuck.text, HasSubstr("credentials ven_1/con_1/login"));
}

TEST(Passphrase, IsTheFirstLineOfAFileOrOfADescriptor) {
  TestFolder const folder;
  std::ofstream(folder / "phrase") << "correct horse\nbattery\n";
  EXPECT_EQ(secretFromFile(folder / "phrase").value().reveal(), "correct horse");
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  ASSERT_EQ(::write(ends[1], "a\nb", 3), 3);
  ::close(ends[1]);
  EXPECT_EQ(secretFromDescriptor(ends[0]).value().reveal(), "a");
  EXPECT_EQ(secretFromDescriptor(ends[0]).value().reveal(), "b") << "what follows the line was left";
  EXPECT_TRUE(secretFromDescriptor(ends[0]).has_error());
  ::close(ends[0]);
  EXPECT_EQ(secretFromFile(folder / "none").error().kind, ErrorKind::notFound);
}

} // namespace
} // namespace garland::cli
