// A secret goes from one master key to another without being opened.
#include "host/base/test_folder.h"
#include "host/vault/vault.h"

#include <gtest/gtest.h>

namespace garland::vault {
namespace {

class RewrapTest : public ::testing::Test {
protected:
  std::unique_ptr<Vault> open(std::vector<std::string> const& names) {
    std::vector<KeySource> sources;
    for (auto const& name : names) sources.push_back(keySourceNamed(folder_ / name).value());
    return Vault::open(sources, true, random_).value();
  }
  TestFolder folder_;
  SystemRandom random_;
  std::unique_ptr<Vault> old_ = open({"old.key"});
  std::string const sealed_ = old_->seal(Secret("hunter2"), "ven_1/con_2/login").value();
};

TEST_F(RewrapTest, TheSecretIsTheSameUnderTheNewKey) {
  (void)open({"new.key"});
  auto const both = open({"new.key", "old.key"});
  auto const moved = both->rewrap(sealed_);
  ASSERT_TRUE(moved) << moved.error().message;
  EXPECT_EQ(keyIdOf(*moved), both->keyId());
  auto const alone = open({"new.key"});
  EXPECT_EQ(alone->open(*moved, "ven_1/con_2/login")->reveal(), "hunter2");
  EXPECT_TRUE(alone->open(*moved, "ven_1/con_3/login").has_error()) << "it is still bound to its place";
  EXPECT_TRUE(alone->open(sealed_, "ven_1/con_2/login").has_error());
}

TEST_F(RewrapTest, WhatIsSealedStaysByteByByteAndOnlyItsKeyIsWrappedAgain) {
  (void)open({"new.key"});
  auto const both = open({"new.key", "old.key"});
  constexpr std::size_t wrapping = 8 + 12 + 32 + 16;
  auto const before = fromBase64(sealed_.substr(4)).value();
  auto const after = fromBase64(both->rewrap(sealed_)->substr(4)).value();
  EXPECT_EQ(after.substr(wrapping), before.substr(wrapping));
  EXPECT_NE(after.substr(8, wrapping - 8), before.substr(8, wrapping - 8));
}

TEST_F(RewrapTest, FromAnotherVaultItIsTakenOver) {
  auto const other = open({"other.key"});
  EXPECT_TRUE(other->rewrap(sealed_).has_error()) << "its key is not among ours";
  EXPECT_EQ(other->open(other->rewrap(sealed_, *old_).value(), "ven_1/con_2/login")->reveal(), "hunter2");
}

TEST_F(RewrapTest, DamagedTextIsRefused) {
  for (std::size_t at = 0; at < 60; ++at) {
    auto bytes = fromBase64(sealed_.substr(4)).value();
    bytes[at] = static_cast<char>(bytes[at] ^ 1);
    ASSERT_TRUE(old_->rewrap("gv1." + base64(bytes)).has_error()) << at;
  }
  EXPECT_TRUE(old_->rewrap("").has_error());
}

TEST_F(RewrapTest, TheKeyIsNamedByTheBeginOfTheText) {
  EXPECT_EQ(keyIdOf(sealed_), old_->keyId());
  EXPECT_EQ(keyIdOf(sealed_.substr(0, kNamesKey)), old_->keyId());
  EXPECT_EQ(sealedPrefix(old_->keyId()), sealed_.substr(0, kSharesKey));
  for (auto const* none : {"", "gv1.", "gv1.AAAA", "gv2.AAAAAAAAAAAAAAAA", "gv1.????????????????"})
    EXPECT_EQ(keyIdOf(none), "") << none;
}

} // namespace
} // namespace garland::vault
