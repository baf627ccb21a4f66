// API keys of the assembled program: made, used, rotated, revoked; and where their text is not.
#include "tests/end_to_end/haystack.h"
#include "tests/places/places.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

namespace garland::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class Keys : public ::testing::Test {
protected:
  void SetUp() override { host_.start(); }
  json::value add(std::vector<std::string> more) {
    std::vector<std::string> words{"keys", "add", "a test"};
    words.insert(words.end(), more.begin(), more.end());
    return host_.ask(words);
  }
  // The command as whoever has the key in this answer.
  Finished as(json::value const& issued, std::vector<std::string> words) {
    auto const file = host_.folder() + "/" + textOr(issued, "/id", "");
    std::ofstream(file) << textOr(issued, "/key", "") << "\n";
    fs::permissions(file, fs::perms::owner_read | fs::perms::owner_write);
    words.insert(words.end(), {"--key-file", file, "--url", host_.url()});
    auto done = host_.run(std::move(words));
    fs::remove(file);
    return done;
  }

  Host host_;
};

TEST_F(Keys, AKeyOpensWhatItsRoleMayAndStandsThroughAKill) {
  auto const auditor = add({"--role", "auditor"});
  auto const verified = as(auditor, {"audit", "verify"});
  EXPECT_EQ(verified.exit_code, 0) << verified.err;
  auto const refused = as(auditor, {"vendors", "add", "A studio"});
  EXPECT_NE(refused.exit_code, 0);
  EXPECT_THAT(refused.err, HasSubstr("role auditor"));
  host_.kill9();
  host_.start();
  EXPECT_EQ(as(auditor, {"audit", "verify"}).exit_code, 0);
}

TEST_F(Keys, ThePageOfTheDocumentsIsWhatTheProgramTells) {
  auto const page = host_.run({"roles", "matrix", "--markdown"});
  EXPECT_EQ(page.exit_code, 0) << page.err;
  EXPECT_EQ(page.out, readFile(inSources("/sdk-docs/roles.md")))
      << "renew it: garland roles matrix --markdown > sdk-docs/roles.md";
}

TEST_F(Keys, AVendorsKeySeesThatVendorOnly) {
  auto const rosa = host_.addVendor("Rosa");
  auto const ada = host_.addVendor("Ada");
  auto const rosas = add({"--role", "vendor", "--vendor", rosa});
  EXPECT_EQ(as(rosas, {"records", "ls", "--vendor", rosa}).exit_code, 0);
  auto const others = as(rosas, {"records", "ls", "--vendor", ada});
  EXPECT_NE(others.exit_code, 0);
  EXPECT_THAT(others.err, HasSubstr(rosa + " only"));
}

TEST_F(Keys, ARotatedKeyGoesOnAndARevokedOneDoesNot) {
  auto const old = add({"--role", "auditor"});
  auto const id = textOr(old, "/id", "");
  auto const next = host_.ask({"keys", "rotate", id});
  EXPECT_EQ(as(old, {"plugins", "ls"}).exit_code, 0);
  EXPECT_EQ(as(next, {"plugins", "ls"}).exit_code, 0);
  EXPECT_EQ(textOr(host_.ask({"keys", "revoke", id}), "/state", ""), "revoked");
  auto const refused = as(old, {"plugins", "ls"});
  EXPECT_NE(refused.exit_code, 0);
  EXPECT_THAT(refused.err, HasSubstr("was revoked"));
  EXPECT_EQ(as(next, {"plugins", "ls"}).exit_code, 0);
  auto const chain = host_.run({"audit", "export"}).out;
  for (auto const* act : {"key.add", "key.rotate", "key.revoke"}) EXPECT_THAT(chain, HasSubstr(act));
}

TEST_F(Keys, TheTextOfAKeyIsInNoFile) {
  host_.addVendor("Studio Finch");
  auto const made = add({"--role", "operator"});
  auto const text = textOr(made, "/key", "");
  ASSERT_EQ(text.size(), 49U);
  EXPECT_EQ(as(made, {"keys", "ls"}).exit_code, 0);
  Haystack all;
  all.addAllOf(host_, "Studio Finch");
  EXPECT_EQ(host_.stop(), 0);
  all.addFolder("stopped", host_.folder());
  EXPECT_THAT(all.placesOf(text.substr(6)), ::testing::IsEmpty());
  auto const own = readFile(host_.dataFolder() + "/api.key");
  EXPECT_THAT(all.placesOf(own.substr(0, own.find('\n'))),
              ::testing::Contains(HasSubstr("stopped/data/api.key")))
      << "the search would not see the other one either";
}

TEST_F(Keys, TheMatrixTellsEveryRoute) {
  auto const items = host_.ask({"roles", "matrix"}).at("items").as_array();
  EXPECT_GT(items.size(), 80U);
  EXPECT_THAT(host_.run({"roles", "matrix"}).out, HasSubstr("/api/integrations/vault/rekey"));
}

TEST_F(Keys, TheKeyThatSignsPackagesIsMadeByBothNames) {
  for (std::string const group : {"keys", "signing-keys"}) {
    auto const file = host_.folder() + "/" + group + ".key";
    EXPECT_EQ(host_.run({group, "new", "--out", file}).exit_code, 0);
    EXPECT_TRUE(fs::exists(file + ".pub"));
  }
}

} // namespace
} // namespace garland::testing
