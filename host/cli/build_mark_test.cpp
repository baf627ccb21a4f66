#include "host/cli/build_mark.h"

#include "host/base/test_folder.h"

#include <gtest/gtest.h>

#include <chrono>
#include <fstream>

namespace garland::cli {
namespace {

namespace fs = std::filesystem;

void save(fs::path const& file) {
  fs::create_directories(file.parent_path());
  std::ofstream(file) << "int x;\n";
}

class BuildMarks : public ::testing::Test {
protected:
  bool isUnsure() const {
    return BuildMark(folder_.path(), build_).isUnsure();
  } // as the next process sees it
  TestFolder folder_;
  fs::path build_ = folder_ / "build";
};

TEST_F(BuildMarks, ABuildDuringWhichNothingWasSavedIsSure) {
  BuildMark mark(folder_.path(), build_);
  EXPECT_FALSE(isUnsure());
  mark.begin();
  save(build_ / "generated.cpp");
  save(folder_ / ".git/index.json");
  save(folder_ / "notes.txt");
  mark.end();
  EXPECT_FALSE(isUnsure());
}

TEST_F(BuildMarks, WhatIsSavedDuringABuildMakesItUnsureUntilOneWentWithoutASave) {
  BuildMark mark(folder_.path(), build_);
  mark.begin();
  save(folder_ / "source/connector.cpp");
  mark.end();
  EXPECT_TRUE(isUnsure());
  fs::remove_all(folder_ / "source");
  mark.begin();
  mark.end();
  EXPECT_FALSE(isUnsure());
}

TEST_F(BuildMarks, AFileThatIsMovedThereWithAnOlderTimeIsSavedToo) {
  save(folder_ / ".draft");
  fs::last_write_time(folder_ / ".draft", fs::file_time_type::clock::now() - std::chrono::hours(24));
  BuildMark mark(folder_.path(), build_);
  mark.begin();
  fs::rename(folder_ / ".draft", folder_ / "connector.cpp");
  mark.end();
  EXPECT_TRUE(isUnsure());
}

TEST_F(BuildMarks, ABuildThatWasKilledIsUnsure) {
  BuildMark(folder_.path(), build_).begin();
  EXPECT_TRUE(isUnsure());
}

} // namespace
} // namespace garland::cli
