#include "host/base/file_text.h"

#include <gtest/gtest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace garland {
namespace {

class FileText : public ::testing::Test {
protected:
  FileText() {
    std::string name = (std::filesystem::temp_directory_path() / "file-text.XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~FileText() override { std::filesystem::remove_all(folder_); }
  std::filesystem::path folder_;
};

TEST_F(FileText, IsReadWhole) {
  std::string const text(100'000, 'x');
  std::ofstream(folder_ / "a") << text;
  EXPECT_EQ(readFileText((folder_ / "a").string()).value(), text);
  auto const longer = readFileText((folder_ / "a").string(), 99'999);
  EXPECT_EQ(longer.error().kind, ErrorKind::invalidInput);
}

TEST_F(FileText, AFolderIsNoFile) {
  auto const folder = readFileText(folder_.string());
  ASSERT_FALSE(folder);
  EXPECT_NE(folder.error().message.find("is a folder"), std::string::npos) << folder.error().message;
}

TEST_F(FileText, WhatIsNotThereIsNotFound) {
  EXPECT_EQ(readFileText((folder_ / "b").string()).error().kind, ErrorKind::notFound);
  std::ofstream(folder_ / "a") << "x";
  EXPECT_EQ(readFileText((folder_ / "a" / "b").string()).error().kind, ErrorKind::notFound);
}

} // namespace
} // namespace garland
