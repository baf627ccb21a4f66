// Which list of revocations is taken.
#include "host/daemon/installed.h"

#include "host/base/file_text.h"
#include "host/base/test_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

namespace garland::daemon {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class RevocationsTaken : public ::testing::Test {
protected:
  RevocationsTaken() {
    config_.data_dir = folder_ / "data";
    config_.plugin_dirs = {folder_ / "plugins"};
    config_.trust = {key_.publicKey()};
    config_.revocations = folder_ / "list.json";
  }
  void bring(std::int64_t number) {
    auto const text = marketplace::makeRevocations({number, now_, {}}, key_).value();
    ASSERT_TRUE(marketplace::writeFile(config_.revocations, text));
  }
  // Why what is installed cannot be said; "" if it can.
  std::string objection(bool look_only = false) {
    auto const installed = findInstalled(config_, now_, look_only);
    return installed ? "" : installed.error().message;
  }

  TestFolder folder_;
  marketplace::SigningKey key_ = marketplace::SigningKey::make().value();
  TimePoint now_ = parseRfc3339("2026-06-13T12:00:00.000Z").value();
  Config config_;
};

TEST_F(RevocationsTaken, AreNeverOlderThanThoseTakenBefore) {
  for (auto const number : {7, 7, 9}) {
    bring(number);
    EXPECT_EQ(objection(), "") << number;
  }
  bring(8);
  EXPECT_THAT(objection(), HasSubstr("list.json is number 8, and number 9 was taken already"));
  EXPECT_THAT(objection(true), HasSubstr("number 9 was taken already"));
  bring(9);
  EXPECT_EQ(objection(), "") << "the refused one has left no trace";
}

TEST_F(RevocationsTaken, ByWhoeverOnlyLooksAreNotNoted) {
  bring(9);
  EXPECT_EQ(objection(true), "");
  EXPECT_FALSE(fs::exists(config_.data_dir));
  bring(1);
  EXPECT_EQ(objection(), "");
}

TEST_F(RevocationsTaken, AreNotForgottenBecauseTheNoteIsDamaged) {
  bring(9);
  ASSERT_EQ(objection(), "");
  for (auto const* const damaged : {"", "{}", "{\"number\":\"9\"}"}) {
    ASSERT_TRUE(marketplace::writeFile(config_.data_dir + "/revocations-taken.json", damaged));
    EXPECT_THAT(objection(), HasSubstr("does not say which list of revocations was taken last")) << damaged;
  }
}

} // namespace
} // namespace garland::daemon
