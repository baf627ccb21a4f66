#include "host/base/file_text.h"

#include "host/base/test_folder.h"

#include <gtest/gtest.h>

#include <fstream>

namespace garland {
namespace {

class FileText : public ::testing::Test {
protected:
  TestFolder folder_;
};

TEST_F(FileText, IsReadWhole) {
  std::string const text(100'000, 'x');
  std::ofstream(folder_ / "a") << text;
  EXPECT_EQ(readFileText(folder_ / "a").value(), text);
  auto const longer = readFileText(folder_ / "a", 99'999);
  EXPECT_EQ(longer.error().kind, ErrorKind::invalidInput);
}

TEST_F(FileText, AFolderIsNoFile) {
  auto const folder = readFileText(folder_.path());
  ASSERT_FALSE(folder);
  EXPECT_NE(folder.error().message.find("is a folder"), std::string::npos) << folder.error().message;
}

TEST_F(FileText, WhatIsNotThereIsNotFound) {
  EXPECT_EQ(readFileText(folder_ / "b").error().kind, ErrorKind::notFound);
  std::ofstream(folder_ / "a") << "x";
  EXPECT_EQ(readFileText(folder_ / "a/b").error().kind, ErrorKind::notFound);
}

} // namespace
} // namespace garland
