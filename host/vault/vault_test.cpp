#include "host/vault/vault.h"

#include "host/base/test_folder.h"

#include <gtest/gtest.h>

#include <sys/stat.h>

#include <fstream>
#include <set>

namespace garland::vault {
namespace {

constexpr std::string_view kContext = "ven_1/con_2/login";

class VaultTest : public ::testing::Test {
protected:
  std::unique_ptr<Vault> openVault(std::string const& name) {
    return Vault::open(folder_ / name, true, random_).value();
  }

  TestFolder folder_;
  SystemRandom random_;
  std::unique_ptr<Vault> vault_ = openVault("master.key");
};

TEST_F(VaultTest, WhatWasSealedIsOpenedAgain) {
  for (std::size_t const size : {0U, 1U, 15U, 16U, 17U, 1000U, 65'536U}) {
    std::string secret(size, 'x');
    random_.fill(std::as_writable_bytes(std::span(secret)));
    auto const sealed = vault_->seal(Secret(secret), kContext);
    ASSERT_TRUE(sealed) << sealed.error().message;
    EXPECT_TRUE(sealed->starts_with("gv1."));
    if (size > 3) EXPECT_EQ(fromBase64(sealed->substr(4))->find(secret), std::string::npos);
    auto const opened = vault_->open(*sealed, kContext);
    ASSERT_TRUE(opened) << opened.error().message;
    EXPECT_EQ(opened->reveal(), secret);
  }
}

TEST_F(VaultTest, TheSameSecretIsNeverSealedToTheSameText) {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) seen.insert(*vault_->seal(Secret("hunter2"), kContext));
  EXPECT_EQ(seen.size(), 100U);
}

TEST_F(VaultTest, AVaultOpenedLaterOpensWhatAnEarlierOneSealed) {
  auto const sealed = *vault_->seal(Secret("hunter2"), kContext);
  auto const id = vault_->keyId();
  vault_.reset();
  auto const later = openVault("master.key");
  EXPECT_EQ(later->keyId(), id);
  EXPECT_EQ(later->open(sealed, kContext)->reveal(), "hunter2");
}

TEST_F(VaultTest, ATamperedSecretIsRefused) {
  auto const sealed = *vault_->seal(Secret("hunter2"), kContext);
  for (std::size_t at = 0; at < sealed.size(); ++at)
    for (int change = 1; change < 256; ++change) {
      auto tampered = sealed;
      tampered[at] = static_cast<char>(tampered[at] ^ change);
      ASSERT_EQ(vault_->open(tampered, kContext).error().kind, ErrorKind::invalidInput)
          << "position " << at << ", change " << change;
    }
}

TEST_F(VaultTest, EveryFlippedBitBehindTheBase64IsRefused) {
  auto const bytes = *fromBase64(vault_->seal(Secret("a longer secret"), kContext)->substr(4));
  for (std::size_t at = 0; at < bytes.size(); ++at)
    for (int bit = 0; bit < 8; ++bit) {
      auto tampered = bytes;
      tampered[at] = static_cast<char>(tampered[at] ^ (1 << bit));
      ASSERT_EQ(vault_->open("gv1." + base64(tampered), kContext).error().kind, ErrorKind::invalidInput)
          << "byte " << at << ", bit " << bit;
    }
}

TEST_F(VaultTest, ATruncatedSecretIsRefusedAtEachLength) {
  auto const sealed = *vault_->seal(Secret("hunter2"), kContext);
  for (std::size_t length = 0; length < sealed.size(); ++length)
    ASSERT_EQ(vault_->open(sealed.substr(0, length), kContext).error().kind, ErrorKind::invalidInput);
  auto const bytes = *fromBase64(sealed.substr(4));
  for (std::size_t length = 0; length < bytes.size(); ++length)
    ASSERT_EQ(vault_->open("gv1." + base64(bytes.substr(0, length)), kContext).error().kind,
              ErrorKind::invalidInput);
  ASSERT_TRUE(vault_->open(sealed + "A", kContext).has_error());
}

TEST_F(VaultTest, PartsOfTwoSealedSecretsDoNotFitTogether) {
  auto const one = *fromBase64(vault_->seal(Secret("secret one"), kContext)->substr(4));
  auto const two = *fromBase64(vault_->seal(Secret("secret two"), kContext)->substr(4));
  for (std::size_t cut = 1; cut < one.size(); ++cut)
    // Cuts before the wrapped key give the second secret whole: both carry the same key id.
    if (auto const mixed = one.substr(0, cut) + two.substr(cut); mixed != one && mixed != two)
      ASSERT_TRUE(vault_->open("gv1." + base64(mixed), kContext).has_error()) << cut;
}

TEST_F(VaultTest, ASecretSealedForAnotherPlaceIsRefused) {
  auto const sealed = *vault_->seal(Secret("hunter2"), kContext);
  for (std::string_view const other :
       {"", "ven_1/con_2/logi", "ven_1/con_2/login2", "ven_2/con_2/login", "VEN_1/con_2/login"}) {
    auto const opened = vault_->open(sealed, other);
    ASSERT_TRUE(opened.has_error()) << other;
    EXPECT_EQ(opened.error().kind, ErrorKind::invalidInput);
  }
  EXPECT_NE(vault_->open(sealed, "ven_9/x").error().message.find("ven_9/x"), std::string::npos);
}

TEST_F(VaultTest, AnotherMasterKeyIsRefusedWithBothKeysNamed) {
  auto const other = openVault("other.key");
  ASSERT_NE(other->keyId(), vault_->keyId());
  auto const opened = other->open(*vault_->seal(Secret("hunter2"), kContext), kContext);
  ASSERT_TRUE(opened.has_error());
  EXPECT_EQ(opened.error().kind, ErrorKind::invalidInput);
  EXPECT_NE(opened.error().message.find(vault_->keyId()), std::string::npos);
  EXPECT_NE(opened.error().message.find(other->keyId()), std::string::npos);
}

TEST_F(VaultTest, ASecretOverTheLimitIsRefused) {
  EXPECT_TRUE(vault_->seal(Secret(std::string(kLongestSecret, 'x')), kContext));
  EXPECT_EQ(vault_->seal(Secret(std::string(kLongestSecret + 1, 'x')), kContext).error().kind,
            ErrorKind::invalidInput);
}

TEST_F(VaultTest, TheLongestSecretIsOpenedAgain) {
  auto const sealed = *vault_->seal(Secret(std::string(kLongestSecret, 'x')), kContext);
  EXPECT_EQ(vault_->open(sealed, kContext)->reveal().size(), kLongestSecret);
}

TEST_F(VaultTest, NoErrorTellsTheSecretOrTheKey) {
  auto const sealed = *vault_->seal(Secret("hunter2"), kContext);
  std::ifstream file(folder_ / "master.key", std::ios::binary);
  std::string const key((std::istreambuf_iterator<char>(file)), {});
  ASSERT_EQ(key.size(), 32U);
  EXPECT_EQ(sha256Hex(key).substr(0, 16), vault_->keyId());
  for (auto const& text : {sealed.substr(1), sealed + "x", sealed})
    if (auto const opened = vault_->open(text, "elsewhere"); opened.has_error()) {
      EXPECT_EQ(opened.error().message.find("hunter2"), std::string::npos);
      EXPECT_EQ(opened.error().message.find(hex(key)), std::string::npos);
    }
}

TEST(MasterKey, IsMadeOnlyWhenAskedFor) {
  TestFolder const folder;
  SystemRandom random;
  EXPECT_EQ(Vault::open(folder / "master.key", false, random).error().kind, ErrorKind::notFound);
  EXPECT_FALSE(std::filesystem::exists(folder / "master.key"));
  ASSERT_TRUE(Vault::open(folder / "master.key", true, random));
  struct stat status{};
  ASSERT_EQ(::stat((folder / "master.key").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0600U);
  EXPECT_EQ(status.st_size, 32);
  EXPECT_TRUE(Vault::open(folder / "master.key", false, random));
}

TEST(MasterKey, OpenToOthersIsRefusedAndLeftAlone) {
  TestFolder const folder;
  SystemRandom random;
  auto const id = Vault::open(folder / "master.key", true, random).value()->keyId();
  ::chmod((folder / "master.key").c_str(), 0640);
  EXPECT_EQ(Vault::open(folder / "master.key", true, random).error().kind, ErrorKind::forbidden);
  ::chmod((folder / "master.key").c_str(), 0400);
  EXPECT_EQ(Vault::open(folder / "master.key", true, random).value()->keyId(), id);
}

TEST(MasterKey, OfAnotherLengthIsRefusedAndNotReplaced) {
  TestFolder const folder;
  SystemRandom random;
  for (std::size_t const length : {0U, 31U, 33U, 64U}) {
    std::ofstream(folder / "master.key") << std::string(length, 'k');
    ::chmod((folder / "master.key").c_str(), 0600);
    auto const vault = Vault::open(folder / "master.key", true, random);
    ASSERT_TRUE(vault.has_error());
    EXPECT_EQ(vault.error().kind, ErrorKind::invalidInput);
    EXPECT_NE(vault.error().message.find(std::to_string(length) + " bytes"), std::string::npos);
    EXPECT_EQ(std::filesystem::file_size(folder / "master.key"), length);
  }
}

} // namespace
} // namespace garland::vault
