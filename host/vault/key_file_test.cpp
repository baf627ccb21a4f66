// The same answers are expected from root, who could read every one of these files: the mode is
// what counts, not whether reading would work.
#include "host/base/test_folder.h"
#include "host/vault/vault.h"

#include <gtest/gtest.h>

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <fstream>
#include <thread>
#include <vector>

namespace garland::vault {
namespace {

mode_t modeOf(std::string const& path) {
  struct stat status{};
  return ::stat(path.c_str(), &status) == 0 ? status.st_mode & 07777U : 0U;
}

void write(std::string const& path, std::string const& content, mode_t mode = 0600) {
  std::ofstream(path) << content;
  ::chmod(path.c_str(), mode);
}

std::size_t filesIn(std::string const& folder) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}

TEST(KeyFile, IsMadeReadableByItsOwnerOnlyWhateverTheUmask) {
  TestFolder const folder;
  SystemRandom random;
  for (mode_t const mask : {0U, 0022U, 0777U}) {
    auto const path = folder / ("key" + std::to_string(mask));
    auto const before = ::umask(mask);
    auto const made = createKeyFile(path, "content", random);
    ::umask(before);
    ASSERT_TRUE(made) << made.error().message;
    EXPECT_TRUE(*made);
    EXPECT_EQ(modeOf(path), 0600U);
    EXPECT_EQ(readKeyFile(path, 100)->reveal(), "content");
  }
  EXPECT_EQ(filesIn(folder.path()), 3U) << "a draft was left behind";
}

TEST(KeyFile, IsNeverOverwritten) {
  TestFolder const folder;
  SystemRandom random;
  write(folder / "key", "first");
  auto const second = createKeyFile(folder / "key", "second", random);
  ASSERT_TRUE(second);
  EXPECT_FALSE(*second);
  EXPECT_EQ(readKeyFile(folder / "key", 100)->reveal(), "first");
  EXPECT_EQ(filesIn(folder.path()), 1U);
}

TEST(KeyFile, OpenToGroupOrOthersIsRefusedWithTheCommandThatMendsIt) {
  TestFolder const folder;
  for (mode_t const mode : {0640U, 0604U, 0660U, 0620U, 0602U, 0601U, 0644U}) {
    write(folder / "key", "content", mode);
    auto const read = readKeyFile(folder / "key", 100);
    ASSERT_TRUE(read.has_error()) << std::oct << mode;
    EXPECT_EQ(read.error().kind, ErrorKind::forbidden);
    EXPECT_NE(read.error().message.find("chmod 600 " + (folder / "key")), std::string::npos);
  }
  write(folder / "key", "content", 0400);
  EXPECT_TRUE(readKeyFile(folder / "key", 100));
}

TEST(KeyFile, MustBeARegularFileOfBoundedLength) {
  TestFolder const folder;
  EXPECT_EQ(readKeyFile(folder / "missing", 100).error().kind, ErrorKind::notFound);
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(readKeyFile(folder / "pipe", 100).error().kind, ErrorKind::invalidInput);
  ASSERT_EQ(::mkdir((folder / "folder").c_str(), 0700), 0);
  EXPECT_EQ(readKeyFile(folder / "folder", 100).error().kind, ErrorKind::invalidInput);
  write(folder / "long", std::string(101, 'x'));
  EXPECT_EQ(readKeyFile(folder / "long", 100).error().kind, ErrorKind::invalidInput);
  EXPECT_EQ(readKeyFile(folder / "long", 101)->reveal().size(), 101U);
}

TEST(KeyFile, BehindASymbolicLinkIsJudgedByItself) {
  TestFolder const folder;
  write(folder / "key", "content", 0600);
  ASSERT_EQ(::symlink("key", (folder / "link").c_str()), 0);
  EXPECT_EQ(readKeyFile(folder / "link", 100)->reveal(), "content");
  ::chmod((folder / "key").c_str(), 0644);
  EXPECT_EQ(readKeyFile(folder / "link", 100).error().kind, ErrorKind::forbidden);
}

TEST(KeyFile, InAFolderThatIsNotThereIsAnErrorWithItsPath) {
  TestFolder const folder;
  SystemRandom random;
  auto const made = createKeyFile(folder / "no/key", "content", random);
  ASSERT_TRUE(made.has_error());
  EXPECT_EQ(made.error().kind, ErrorKind::notFound);
  EXPECT_NE(made.error().message.find(folder / "no/key"), std::string::npos);
}

TEST(KeyFile, OnAFullDiskLeavesNothingBehind) {
  TestFolder const folder;
  struct rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  auto const ignored = ::signal(SIGXFSZ, SIG_IGN);
  struct rlimit none = before;
  none.rlim_cur = 3;
  ::setrlimit(RLIMIT_FSIZE, &none);
  SystemRandom random;
  auto const made = createKeyFile(folder / "key", "content", random);
  ::setrlimit(RLIMIT_FSIZE, &before);
  ::signal(SIGXFSZ, ignored);
  ASSERT_TRUE(made.has_error());
  EXPECT_EQ(made.error().kind, ErrorKind::hostLimit);
  EXPECT_EQ(filesIn(folder.path()), 0U);
}

TEST(KeyFile, OfManyThreadsThatStartAtOnceOneMakesItAndAllReadTheSame) {
  for (int round = 0; round < 50; ++round) {
    TestFolder const folder;
    SystemRandom random;
    std::atomic<int> ready = 0;
    std::atomic<int> winners = 0;
    std::array<std::string, 8> ids;
    std::vector<std::thread> threads;
    for (auto& id : ids)
      threads.emplace_back([&] {
        ready.fetch_add(1);
        while (ready.load() < 8) std::this_thread::yield();
        id = Vault::open(folder / "master.key", true, random).value()->keyId();
        if (*createKeyFile(folder / "other.key", id, random)) winners.fetch_add(1);
      });
    for (auto& thread : threads) thread.join();
    for (auto const& id : ids) EXPECT_EQ(id, ids[0]);
    EXPECT_EQ(winners.load(), 1);
    EXPECT_EQ(filesIn(folder.path()), 2U);
  }
}

TEST(KeyFile, OfTwoProcessesThatStartAtOnceBothGetTheSameKey) {
  for (int round = 0; round < 20; ++round) {
    TestFolder const folder;
    int gate[2];
    int answers[2];
    ASSERT_EQ(::pipe(gate), 0);
    ASSERT_EQ(::pipe(answers), 0);
    for (int child = 0; child < 2; ++child)
      if (::fork() == 0) {
        ::close(gate[1]);
        char byte = 0;
        // Ends when the parent closes its side: both children go at once.
        if (::read(gate[0], &byte, 1) != 0) ::_exit(1);
        SystemRandom random;
        auto const vault = Vault::open(folder / "master.key", true, random);
        auto const id = vault ? (*vault)->keyId() : "none";
        ::_exit(::write(answers[1], id.data(), id.size()) == 16 ? 0 : 1);
      }
    ::close(gate[0]);
    ::close(gate[1]);
    ::close(answers[1]);
    for (int child = 0; child < 2; ++child) {
      int status = -1;
      ::wait(&status);
      EXPECT_EQ(status, 0);
    }
    std::string both(32, '\0');
    EXPECT_EQ(::read(answers[0], both.data(), both.size()), 32);
    ::close(answers[0]);
    EXPECT_EQ(both.substr(0, 16), both.substr(16));
    EXPECT_EQ(filesIn(folder.path()), 1U);
  }
}

} // namespace
} // namespace garland::vault
