// A file that only its passphrase opens, and of which no bit may be another.
#include "host/base/test_folder.h"
#include "host/vault/vault.h"

#include <gtest/gtest.h>

namespace garland::vault {
namespace {

constexpr int kCheap = 10;

class ExportTest : public ::testing::Test {
protected:
  std::string fileOf(std::string_view text) {
    return ExportKey::make(passphrase_, random_, kCheap).value()->write(text);
  }
  SystemRandom random_;
  Secret passphrase_{"correct horse battery"};
};

TEST_F(ExportTest, ItsPassphraseOpensIt) {
  for (auto const& text : {std::string(), std::string("{}"), std::string(100'000, 'x')}) {
    auto const opened = ExportKey::open(fileOf(text), passphrase_, random_);
    ASSERT_TRUE(opened) << opened.error().message;
    EXPECT_EQ(opened->text, text);
  }
}

TEST_F(ExportTest, NothingOfItsTextCanBeReadAndNoTwoAreAlike) {
  auto const one = fileOf("a text that is long enough to be seen");
  EXPECT_EQ(one.find("long enough"), std::string::npos);
  EXPECT_NE(one, fileOf("a text that is long enough to be seen"));
}

TEST_F(ExportTest, AnotherPassphraseIsRefusedWithOneSentence) {
  for (auto const* wrong : {"correct horse batterz", "correct horse battery ", "", "x"}) {
    auto const opened = ExportKey::open(fileOf("{}"), Secret(wrong), random_);
    ASSERT_TRUE(opened.has_error()) << wrong;
    EXPECT_EQ(opened.error().kind, ErrorKind::invalidInput);
    EXPECT_EQ(opened.error().message, "the passphrase is wrong, or the export was changed");
    EXPECT_EQ(opened.error().provider_code, kWrongPassphrase);
  }
}

TEST_F(ExportTest, EveryFlippedBitIsRefused) {
  auto const file = fileOf("{}");
  for (std::size_t at = 0; at < file.size(); ++at)
    for (int bit = 0; bit < 8; ++bit) {
      auto changed = file;
      changed[at] = static_cast<char>(changed[at] ^ (1 << bit));
      auto const opened = ExportKey::open(changed, passphrase_, random_);
      ASSERT_TRUE(opened.has_error()) << "byte " << at << ", bit " << bit;
      EXPECT_FALSE(opened.error().message.empty());
    }
}

TEST_F(ExportTest, WhatWasCutOffOrGrewIsRefused) {
  auto const file = fileOf("{}");
  for (std::size_t length = 0; length < file.size(); ++length)
    ASSERT_TRUE(ExportKey::open(file.substr(0, length), passphrase_, random_).has_error()) << length;
  EXPECT_TRUE(ExportKey::open(file + "x", passphrase_, random_).has_error());
}

TEST_F(ExportTest, OneOfALaterVersionIsToldSo) {
  auto file = fileOf("{}");
  file[21] = 2;
  auto const opened = ExportKey::open(file, passphrase_, random_);
  EXPECT_EQ(opened.error().kind, ErrorKind::unsupported);
  EXPECT_NE(opened.error().message.find("version 2"), std::string::npos);
}

TEST_F(ExportTest, AShortPassphraseIsRefused) {
  EXPECT_EQ(ExportKey::make(Secret("elevenchars"), random_, kCheap).error().field, "/passphrase");
  EXPECT_TRUE(ExportKey::make(Secret("twelve chars"), random_, kCheap));
}

TEST_F(ExportTest, SecretsGoAlongUnderItsKey) {
  TestFolder const folder;
  auto const here = Vault::open(folder / "here.key", true, random_).value();
  auto const there = Vault::open(folder / "there.key", true, random_).value();
  auto const sealed = here->seal(Secret("hunter2"), "place").value();
  auto const key = ExportKey::make(passphrase_, random_, kCheap).value();
  auto const file = key->write(key->vault().rewrap(sealed, *here).value());
  auto const opened = ExportKey::open(file, passphrase_, random_).value();
  EXPECT_EQ(there->open(there->rewrap(opened.text, opened.key->vault()).value(), "place")->reveal(),
            "hunter2");
}

} // namespace
} // namespace garland::vault
