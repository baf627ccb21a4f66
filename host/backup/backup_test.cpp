#include "host/backup/backup.h"

#include "host/base/file_text.h"
#include "host/base/ids.h"
#include "host/base/test_folder.h"
#include "host/vault/vault.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

namespace garland::backup {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr int kCheap = 10; // of scrypt

class Backup : public testing::Test {
protected:
  void put(std::string const& path, std::string const& text) {
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    std::ofstream(path, std::ios::binary) << text;
  }
  void add(std::string const& name, std::string const& text) {
    put(folder / "in/" + name, text);
    sources.push_back(Source{name, folder / "in/" + name});
    manifest.members.push_back(describe(sources.back()).value());
  }
  // With all that a backup has to have.
  void make() {
    manifest.id = newId("bak", clock, random);
    manifest.made = clock.now();
    manifest.version = "0.1.0";
    manifest.schema = 24;
    manifest.driver = "sqlite";
    add("database", std::string(3'000, 'd'));
    add("vault", "sealed");
    add("files/packages/a.gpk", "a package");
    std::vector<PrivateFile> files;
    files.push_back(PrivateFile{"api.key", "gk_canary"});
    auto const sealed = sealPrivate(manifest, files, passphrase, random, kCheap).value();
    add("private", sealed);
    auto const written = write(file, manifest, sources);
    ASSERT_TRUE(written) << written.error().message;
  }
  std::string privatePart() { return readFileText(folder / "in/private").value(); }

  TestFolder folder;
  SeededRandom random{5};
  VirtualClock clock{parseRfc3339("2026-06-13T12:00:00Z").value()};
  Secret passphrase{"correct horse battery"};
  Manifest manifest;
  std::vector<Source> sources;
  std::string const file = folder / "host.backup";
};

TEST_F(Backup, IsVerifiedAndUnpackedAsItWasWritten) {
  make();
  auto const verified = verify(file);
  ASSERT_TRUE(verified) << verified.error().message;
  EXPECT_EQ(*verified, manifest);
  std::filesystem::create_directory(folder / "out");
  ASSERT_TRUE(unpack(file, folder / "out"));
  EXPECT_EQ(readFileText(folder / "out/files/packages/a.gpk").value(), "a package");
  EXPECT_EQ(readFileText(folder / "out/database").value(), std::string(3'000, 'd'));
  EXPECT_FALSE(std::filesystem::exists(file + ".new"));
  EXPECT_EQ(std::filesystem::status(file).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST_F(Backup, AnyBitThatIsAnotherIsFoundOrMeansNothing) {
  make();
  auto const bytes = readFileText(file).value();
  std::size_t found = 0;
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    auto damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 4);
    auto const verified = verifyBytes(damaged);
    if (verified)
      EXPECT_EQ(*verified, manifest) << "byte " << at;
    else
      ++found;
  }
  EXPECT_GT(found, bytes.size() / 2) << "what means nothing is what fills up the blocks";
}

TEST_F(Backup, ThatIsCutShortIsFound) {
  make();
  auto const bytes = readFileText(file).value();
  auto const end = bytes.find_last_not_of('\0');
  for (std::size_t length = 0; length <= end; length += 37)
    EXPECT_FALSE(verifyBytes(std::string_view(bytes).substr(0, length))) << length;
}

TEST_F(Backup, ItsPrivatePartOpensWithThePassphraseOnly) {
  make();
  auto const files = openPrivate(privatePart(), manifest, passphrase, random);
  ASSERT_TRUE(files) << files.error().message;
  ASSERT_EQ(files->size(), 1U);
  EXPECT_EQ(files->at(0).text, "gk_canary");
  EXPECT_THAT(readFileText(file).value(), Not(HasSubstr("gk_canary")));
  auto const wrong = openPrivate(privatePart(), manifest, Secret("another horse battery"), random);
  ASSERT_FALSE(wrong);
  EXPECT_THAT(wrong.error().message, HasSubstr("passphrase is wrong"));
  EXPECT_EQ(wrong.error().provider_code, vault::kWrongPassphrase);
}

TEST_F(Backup, WhoeverChangesItWithoutThePassphraseIsFound) {
  make();
  auto changed = manifest;
  changed.members[0].sha256 = std::string(64, '0');
  auto const opened = openPrivate(privatePart(), changed, passphrase, random);
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().message, HasSubstr("changed after it was made"));
}

TEST_F(Backup, IsNotWrittenOverAnotherAndNotOfWhatHasChanged) {
  make();
  EXPECT_EQ(write(file, manifest, sources).error().kind, ErrorKind::conflict);
  put(folder / "in/vault", "sealeD");
  auto const changed = write(folder / "other", manifest, sources);
  EXPECT_EQ(changed.error().kind, ErrorKind::transient);
  EXPECT_FALSE(std::filesystem::exists(folder / "other"));
  EXPECT_FALSE(std::filesystem::exists(folder / "other.new"));
}

TEST_F(Backup, WhatNobodyCouldReadIsNotWritten) {
  make();
  put(folder / "in/a b", "a package");
  sources[2] = Source{"files/packages/a b.gpk", folder / "in/a b"};
  manifest.members[2] = describe(sources[2]).value();
  auto const written = write(folder / "other", manifest, sources);
  ASSERT_FALSE(written);
  EXPECT_THAT(written.error().message, HasSubstr("files/packages/a b.gpk"));
  EXPECT_FALSE(std::filesystem::exists(folder / "other.new"));
}

TEST_F(Backup, NoMemberLeadsOutOfTheFolder) {
  make();
  for (auto const& name :
       {"files/../x", "/etc/passwd", "files/.ssh", "files//x", "files/", "other", "files/a b"}) {
    auto bad = manifest;
    bad.members[2].name = name;
    EXPECT_FALSE(manifestFrom(canonicalJson(toJson(bad)))) << name;
  }
  auto bad = manifest;
  bad.id = "bak_1'); DROP TABLE vendors; --";
  EXPECT_FALSE(manifestFrom(canonicalJson(toJson(bad))));
  bad = manifest;
  bad.members.erase(bad.members.begin());
  EXPECT_FALSE(manifestFrom(canonicalJson(toJson(bad)))) << "without its database";
}

} // namespace
} // namespace garland::backup
