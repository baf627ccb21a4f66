#include "host/access/access.h"

#include "host/base/test_folder.h"

#include <gtest/gtest.h>

#include <sys/stat.h>

#include <fstream>
#include <set>

namespace garland::access {
namespace {

void write(std::string const& path, std::string_view content, mode_t mode = 0600) {
  std::ofstream(path) << content;
  ::chmod(path.c_str(), mode);
}

TEST(ApiKey, HasAPrefixAndFortyThreeCharactersThatNeedNoQuoting) {
  SystemRandom random;
  for (int i = 0; i < 200; ++i) {
    auto const key = newApiKey(random);
    ASSERT_EQ(key.reveal().size(), 46U);
    EXPECT_TRUE(key.reveal().starts_with("gk_"));
    EXPECT_EQ(
        key.reveal().find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"),
        std::string_view::npos);
  }
}

TEST(ApiKey, IsNeverTheSameTwice) {
  SystemRandom random;
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(std::string(newApiKey(random).reveal()));
  EXPECT_EQ(seen.size(), 1000U);
}

TEST(ApiKey, CarriesEveryBitOfItsRandomness) {
  class Counting final : public Random {
  public:
    void fill(std::span<std::byte> out) override {
      asked += out.size();
      std::fill(out.begin(), out.end(), std::byte{0xff});
    }
    std::size_t asked = 0;
  } random;
  // 256 one-bits in groups of six, the last group of four.
  EXPECT_EQ(newApiKey(random).reveal(), "gk_" + std::string(42, '_') + "8");
  EXPECT_EQ(random.asked, 32U);
}

TEST(ApiKey, MatchesItsOwnHashOnly) {
  SystemRandom random;
  auto const key = newApiKey(random);
  auto const other = newApiKey(random);
  auto const hash = hashOf(key.reveal());
  EXPECT_EQ(hash.size(), 64U);
  EXPECT_TRUE(matches(key.reveal(), hash));
  EXPECT_FALSE(matches(other.reveal(), hash));
  EXPECT_FALSE(matches(std::string(key.reveal()) + "\n", hash));
  EXPECT_FALSE(matches(key.reveal().substr(0, 45), hash));
  EXPECT_FALSE(matches(hash, hash)) << "whoever reads the hash must not get in with it";
  EXPECT_FALSE(matches(key.reveal(), ""));
  EXPECT_FALSE(matches("", hashOf("")));
  auto odd = std::string(key.reveal());
  for (char const c : {'~', '{', '@', '[', '`', '/', ':', '+', '=', ' '}) {
    odd[20] = c;
    EXPECT_FALSE(matches(odd, hashOf(odd))) << c;
  }
}

TEST(ApiKey, OfARoleTellsTheRole) {
  SystemRandom random;
  std::set<std::string> beginnings;
  for (auto const role : kRoles) {
    auto const key = newApiKey(role, random);
    ASSERT_EQ(key.reveal().size(), 49U);
    EXPECT_TRUE(isApiKey(key.reveal()));
    EXPECT_TRUE(matches(key.reveal(), hashOf(key.reveal())));
    beginnings.emplace(key.reveal().substr(0, 6));
  }
  EXPECT_EQ(beginnings, (std::set<std::string>{"gk_op_", "gk_ve_", "gk_pa_", "gk_re_", "gk_au_"}));
  EXPECT_FALSE(isApiKey("gk_xx_" + std::string(43, 'A')));
  EXPECT_FALSE(isApiKey("gk_opA" + std::string(43, 'A')));
  EXPECT_FALSE(isApiKey("gk_op_" + std::string(42, 'A')));
}

TEST(Roles, AreFoundByTheirNames) {
  for (auto const role : kRoles) EXPECT_EQ(roleNamed(name(role)), role);
  EXPECT_FALSE(roleNamed("admin").has_value());
  EXPECT_FALSE(roleNamed("").has_value());
}

TEST(ApiKeyFile, IsMadeOnceAndReadFromThenOn) {
  TestFolder const folder;
  SystemRandom random;
  auto const made = openKeyFile(folder / "api.key", random);
  ASSERT_TRUE(made) << made.error().message;
  struct stat status{};
  ASSERT_EQ(::stat((folder / "api.key").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0600U);
  auto const read = openKeyFile(folder / "api.key", random);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->reveal(), made->reveal());
}

TEST(ApiKeyFile, MayEndInALineEnding) {
  TestFolder const folder;
  SystemRandom random;
  auto const key = newApiKey(random);
  for (std::string_view const ending : {"", "\n", "\r\n"}) {
    write(folder / "api.key", std::string(key.reveal()) + std::string(ending));
    auto const read = openKeyFile(folder / "api.key", random);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->reveal(), key.reveal());
  }
}

TEST(ApiKeyFile, OpenToOthersIsRefused) {
  TestFolder const folder;
  SystemRandom random;
  write(folder / "api.key", newApiKey(random).reveal(), 0644);
  auto const read = openKeyFile(folder / "api.key", random);
  ASSERT_TRUE(read.has_error());
  EXPECT_EQ(read.error().kind, ErrorKind::forbidden);
  EXPECT_NE(read.error().message.find("chmod 600"), std::string::npos);
}

TEST(ApiKeyFile, WithoutAKeyInItIsRefusedAndItsContentNotTold) {
  TestFolder const folder;
  SystemRandom random;
  for (std::string_view const content : {"", "\n", "gk_short", "password-in-the-wrong-file"}) {
    write(folder / "api.key", content);
    auto const read = openKeyFile(folder / "api.key", random);
    ASSERT_TRUE(read.has_error()) << content;
    EXPECT_EQ(read.error().kind, ErrorKind::invalidInput);
    if (content.size() > 1) EXPECT_EQ(read.error().message.find(content), std::string::npos);
  }
}

} // namespace
} // namespace garland::access
