// Files outside of the database: what goes, what stays, and what nobody can look into.
#include "host/privacy/files.h"

#include "host/base/test_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace garland::privacy {
namespace {

namespace fs = std::filesystem;

class FilesOfPeople : public ::testing::Test {
protected:
  void put(std::string const& name, std::string const& text) { std::ofstream(folder_ / name) << text; }
  Tally erase() {
    auto const names = [](std::string const& text) { return text.find("rosa") != std::string::npos; };
    return removeFiles(Folder{"exports", folder_.path(), "bak_"}, names).value();
  }
  std::vector<std::string> left() {
    std::vector<std::string> names;
    for (auto const& entry : fs::directory_iterator(folder_.path()))
      names.push_back(entry.path().filename().string());
    return names;
  }

  TestFolder folder_;
};

TEST_F(FilesOfPeople, OneGoesIfItsTextNamesThePerson) {
  put("a", "for rosa");
  put("b", "for tom");
  EXPECT_EQ(erase().removed, 1);
  EXPECT_THAT(left(), ::testing::ElementsAre("b"));
}

TEST_F(FilesOfPeople, ABackupGoesWhateverItsBytesSay) {
  put("bak_1", "compressed");
  put("privacy-bak_1", "compressed");
  auto const tally = erase();
  EXPECT_EQ(tally.removed, 1);
  EXPECT_EQ(tally.busy, 0);
  EXPECT_THAT(left(), ::testing::ElementsAre("privacy-bak_1"));
}

TEST_F(FilesOfPeople, ABackupThatIsBeingMadeIsLeftAndTold) {
  put("bak_1.new", "half of it");
  fs::create_directory(folder_ / "bak_2.parts");
  auto const tally = erase();
  EXPECT_EQ(tally.removed, 0);
  EXPECT_EQ(tally.busy, 2);
  EXPECT_THAT(left(), ::testing::UnorderedElementsAre("bak_1.new", "bak_2.parts"));
}

TEST_F(FilesOfPeople, WhatIsTooLargeToBeReadIsLeftAndTold) {
  put("large", "rosa");
  fs::resize_file(folder_ / "large", (std::uintmax_t{1} << 30U) + 1); // of holes: it takes no room
  auto const tally = erase();
  EXPECT_EQ(tally.removed, 0);
  EXPECT_EQ(tally.kept, 1);
  EXPECT_THAT(left(), ::testing::ElementsAre("large"));
}

TEST_F(FilesOfPeople, AFolderThatCannotBeListedIsNotToldAsOneWithoutAnything) {
  put("exports", "no folder");
  auto const tally = removeFiles(Folder{"exports", folder_ / "exports"}, [](auto const&) { return true; });
  ASSERT_FALSE(tally);
  EXPECT_EQ(tally.error().kind, ErrorKind::hostLimit);
  EXPECT_THAT(tally.error().message, ::testing::HasSubstr(folder_ / "exports"));
  EXPECT_THAT(left(), ::testing::ElementsAre("exports"));
}

TEST_F(FilesOfPeople, AFolderThatIsNotThereHasNone) {
  auto const tally = removeFiles(Folder{"exports", folder_ / "none"}, [](auto const&) { return true; });
  EXPECT_EQ(tally.value().removed, 0);
}

} // namespace
} // namespace garland::privacy
