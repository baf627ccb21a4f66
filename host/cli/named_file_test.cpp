// Files by name, "-" among them.
#include "host/cli/named_file.h"

#include "host/base/test_folder.h"
#include "host/cli/commands.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <fstream>
#include <sstream>
#include <unistd.h>

namespace garland::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// Standard input is this text, for as long as it is there.
class StandardInput {
public:
  explicit StandardInput(std::string const& text) : before_(::dup(STDIN_FILENO)) {
    auto const path = folder_ / "input";
    std::ofstream(path, std::ios::binary) << text;
    int const fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    ::dup2(fd, STDIN_FILENO);
    ::close(fd);
  }
  StandardInput(StandardInput const&) = delete;
  StandardInput& operator=(StandardInput const&) = delete;
  ~StandardInput() {
    if (before_ < 0) {
      ::close(STDIN_FILENO);
      return;
    }
    ::dup2(before_, STDIN_FILENO);
    ::close(before_);
  }

private:
  TestFolder folder_;
  int before_;
};

TEST(NamedFile, ADashIsStandardInputAndIsCalledSo) {
  StandardInput const input("{\"a\": ");
  EXPECT_EQ(readNamedFile("-").value(), "{\"a\": ");
  auto const value = readJsonFile("-");
  ASSERT_FALSE(value);
  EXPECT_THAT(value.error().message, StartsWith("standard input: "));
}

TEST(NamedFile, WhatCannotBeReadOfStandardInputIsToldByItsName) {
  StandardInput const input(std::string((std::size_t{64} << 20U) + 1, 'x'));
  auto const text = readNamedFile("-");
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().kind, ErrorKind::invalidInput);
  EXPECT_THAT(text.error().message, AllOf(StartsWith("standard input "), Not(HasSubstr("/dev"))));
  auto const none = readNamedFile("/no/such");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().kind, ErrorKind::invalidInput);
  EXPECT_THAT(none.error().message, HasSubstr("/no/such"));
}

TEST(NamedFile, StandardOutputGoesOnWhereItIsAndAFileBeginsAnew) {
  TestFolder const folder;
  std::ostringstream out;
  std::ostringstream err;
  out << "before\n";
  Output output(out, err, false, false, false);
  ASSERT_TRUE(writeNamedFile(output, "-", "a,b\r\n"));
  EXPECT_EQ(out.str(), "before\na,b\r\n");
  out.setstate(std::ios::badbit);
  EXPECT_FALSE(writeNamedFile(output, "-", "a,b\r\n"));

  auto const path = folder / "out.csv";
  std::ofstream(path) << "longer than what comes";
  ASSERT_TRUE(writeNamedFile(output, path, "a\r\n"));
  std::ifstream written(path, std::ios::binary);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(written), {}), "a\r\n");
  EXPECT_FALSE(writeNamedFile(output, "/no/such/folder/out.csv", "a"));
}

} // namespace
} // namespace garland::cli
