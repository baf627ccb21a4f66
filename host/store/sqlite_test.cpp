// What only SQLite has: the file and its lock, a full disk, a process that is killed while it writes.
#include "host/store/sqlite_connection.h"
#include "host/store/store_testing.h"
#include "tests/places/places.h"

#include <gmock/gmock.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <random>
#include <set>
#include <thread>

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace garland::store {
namespace {

using testing::HasSubstr;

Result<std::unique_ptr<Store>> openAt(Loop& loop, std::string url, std::vector<Migration> migrations) {
  Options options;
  options.url = std::move(url);
  return loop.run(Store::open(loop.executor(), std::move(options), std::move(migrations)));
}

// tests/store_child with its output on a pipe; killed at the latest with this object.
class Child {
public:
  Child(std::string const& url, std::string const& mode) {
    std::array<int, 2> pipe{};
    if (::pipe2(pipe.data(), O_CLOEXEC) != 0) return;
    auto const program = inBuild("/tests/store_child");
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(pipe[1], STDOUT_FILENO);
      ::execl(program.c_str(), program.c_str(), url.c_str(), mode.c_str(), nullptr);
      ::_exit(127);
    }
    ::close(pipe[1]);
    output_ = ::fdopen(pipe[0], "r");
  }
  ~Child() {
    kill();
    if (output_ != nullptr) std::fclose(output_);
  }
  Child(Child const&) = delete;
  Child& operator=(Child const&) = delete;

  // Without the end of line; a line cut short by death counts as none.
  std::optional<std::string> line() {
    std::array<char, 1024> text{};
    if (output_ == nullptr || std::fgets(text.data(), text.size(), output_) == nullptr) return std::nullopt;
    std::string_view read(text.data());
    if (!read.ends_with('\n')) return std::nullopt;
    read.remove_suffix(1);
    return std::string(read);
  }
  void kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }

private:
  pid_t pid_ = -1;
  std::FILE* output_ = nullptr;
};

TEST(SqliteFile, IsReadableByItsOwnerOnly) {
  TestFolder folder;
  Loop loop;
  auto store = openAt(loop, sqliteUrl(folder), itemTable());
  ASSERT_TRUE(store) << store.error().message;
  for (auto const& entry : std::filesystem::directory_iterator(folder.path())) {
    struct stat status{};
    ASSERT_EQ(::stat(entry.path().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U) << entry.path();
  }
}

TEST(SqliteFile, ItsThreadsAreNamed) {
  TestFolder folder;
  Loop loop;
  auto store = openAt(loop, sqliteUrl(folder), itemTable());
  ASSERT_TRUE(store) << store.error().message;
  ASSERT_TRUE(loop.run((*store)->read(Statement("SELECT 1"))));
  std::set<std::string> names;
  for (auto const& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::string name;
    std::ifstream comm(task.path() / "comm");
    std::getline(comm, name);
    names.insert(name);
  }
  EXPECT_THAT(names, testing::IsSupersetOf({"store writer", "store reader"}));
}

TEST(SqliteFile, ASecondOpenerIsRefusedWhileTheFirstLivesAndNotAfterItWasKilled) {
  TestFolder folder;
  Loop loop;
  Child first(sqliteUrl(folder), "hold");
  ASSERT_EQ(first.line(), "open");
  auto const refused = openAt(loop, sqliteUrl(folder), {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::unsupported);
  EXPECT_THAT(refused.error().message, HasSubstr("is in use by process "));
  std::filesystem::create_symlink(folder / "test.db", folder / "alias.db");
  EXPECT_FALSE(openAt(loop, "sqlite:" + (folder / "alias.db"), {})) << "by another name";
  first.kill();
  auto const ours =
      openAt(loop, sqliteUrl(folder),
             {Migration{1, "numbers", "CREATE TABLE numbers (id BIGINT PRIMARY KEY, text TEXT NOT NULL)"}});
  EXPECT_TRUE(ours) << ours.error().message;
}

TEST(SqliteFile, TheLockEndsWithTheStore) {
  TestFolder folder;
  Loop loop;
  for (int i = 0; i < 3; ++i) {
    auto const store = openAt(loop, sqliteUrl(folder), itemTable());
    ASSERT_TRUE(store) << store.error().message;
    EXPECT_FALSE(openAt(loop, sqliteUrl(folder), itemTable()));
  }
}

TEST(SqliteFile, WhatIsNoDatabaseIsRefusedAndLeftAsItIs) {
  TestFolder folder;
  std::string const text(5000, 'z');
  std::ofstream(folder / "test.db") << text;
  Loop loop;
  auto const refused = openAt(loop, sqliteUrl(folder), itemTable());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::invalidInput);
  EXPECT_THAT(refused.error().message, HasSubstr("is not an SQLite database"));
  EXPECT_EQ(std::filesystem::file_size(folder / "test.db"), text.size());
}

TEST(SqliteFile, AFolderThatIsMissingIsNamed) {
  Loop loop;
  auto const refused = openAt(loop, "sqlite:/nowhere/at/all/test.db", itemTable());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::invalidInput);
  EXPECT_THAT(refused.error().message, HasSubstr("/nowhere/at/all"));
  EXPECT_FALSE(openAt(loop, "sqlite:", itemTable()));
}

TEST(SqliteFile, APathMayBeRelative) {
  TestFolder folder;
  auto const relative = std::filesystem::relative(folder / "test.db");
  Loop loop;
  auto const store = openAt(loop, "sqlite:" + relative.string(), itemTable());
  ASSERT_TRUE(store) << store.error().message;
  EXPECT_TRUE(std::filesystem::exists(folder / "test.db"));
}

// Whether any file of the folder has the text in it.
bool isOnDisk(TestFolder const& folder, std::string_view text) {
  for (auto const& entry : std::filesystem::directory_iterator(folder.path())) {
    std::ifstream in(entry.path(), std::ios::binary);
    std::string const bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    if (bytes.find(text) != std::string::npos) return true;
  }
  return false;
}

TEST(SqliteScrub, WhatWasDeletedOrOverwrittenIsInNoFileAnyMore) {
  TestFolder folder;
  Loop loop;
  auto store = openAt(loop, sqliteUrl(folder), itemTable());
  ASSERT_TRUE(store) << store.error().message;
  auto const commit = [&](std::string sql, std::vector<Value> args) {
    ASSERT_TRUE(loop.run((*store)->commit(unitOf(Statement(std::move(sql), std::move(args))))));
  };
  for (std::int64_t id = 0; id < 200; ++id)
    commit("INSERT INTO items (id, name) VALUES ($1, $2)", {id, "canary-" + std::to_string(id)});
  commit("UPDATE items SET name='spared-' || id WHERE id<100", {});
  commit("DELETE FROM items WHERE id>=100", {});
  ASSERT_TRUE(isOnDisk(folder, "canary-")) << "a test that could not fail";
  EXPECT_TRUE(loop.run((*store)->scrub()).value());
  EXPECT_FALSE(isOnDisk(folder, "canary-"));
  EXPECT_TRUE(isOnDisk(folder, "spared-99"));
  commit("INSERT INTO items (id, name) VALUES (1000, 'after')", {});
  auto const rows = loop.run((*store)->read(Statement("SELECT COUNT(*) FROM items"))).value();
  EXPECT_EQ(rows.rows[0].integer(0), 101);
}

TEST(SqliteCommit, TheLogStaysBoundedUnderALoadThatNeverPauses) {
  TestFolder folder;
  Loop loop;
  auto store = openAt(loop, sqliteUrl(folder), itemTable());
  ASSERT_TRUE(store) << store.error().message;
  std::uintmax_t largest = 0;
  for (std::int64_t id = 0; id < 150; ++id) {
    Statement big("INSERT INTO items (id, data) VALUES ($1, $2)",
                  std::vector<Value>{id, Bytes(1'000'000, 7)});
    ASSERT_TRUE(loop.run((*store)->commit(unitOf(std::move(big)))));
    largest = std::max(largest, std::filesystem::file_size(folder / "test.db-wal"));
  }
  // At 64 MiB the writer copies it back, as soon as a copy that is under way has ended.
  EXPECT_LT(largest, 120'000'000U) << "of 150 MB that were written";
  ASSERT_TRUE(loop.run((*store)->close()));
  EXPECT_FALSE(std::filesystem::exists(folder / "test.db-wal")) << "closing copies it back";
}

// Of each commit a copy is asked for; a pause leaves it time to end, its sync too.
TEST(SqliteCommit, TheLogIsCopiedAgainAndAgainAndBeginsAnewWhereCommitsLeavePauses) {
  TestFolder folder;
  Loop loop;
  auto store = openAt(loop, sqliteUrl(folder), itemTable());
  ASSERT_TRUE(store) << store.error().message;
  for (std::int64_t id = 1; id <= 8; ++id) {
    Statement big("INSERT INTO items (id, data) VALUES ($1, $2)",
                  std::vector<Value>{id, Bytes(5'000'000, 7)});
    ASSERT_TRUE(loop.run((*store)->commit(unitOf(std::move(big)))));
    auto const give_up = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    auto const written = static_cast<std::uintmax_t>(id) * 5'000'000U;
    while (std::filesystem::file_size(folder / "test.db") < written) {
      ASSERT_LT(std::chrono::steady_clock::now(), give_up) << "nobody copies it, at commit " << id;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  EXPECT_LT(std::filesystem::file_size(folder / "test.db-wal"), 30'000'000U) << "of 40 MB that were written";
}

TEST(SqliteCommit, EverythingAcknowledgedIsThereAfterSigkill) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 5; ++round) {
    TestFolder folder;
    std::set<std::int64_t> acknowledged;
    {
      Child writer(sqliteUrl(folder), "write");
      ASSERT_EQ(writer.line(), "open");
      auto const enough = 50 + random() % 1500;
      while (acknowledged.size() < enough) acknowledged.insert(std::stoll(writer.line().value()));
      writer.kill();
      while (auto const line = writer.line()) acknowledged.insert(std::stoll(*line));
    }
    Loop loop;
    auto const store =
        openAt(loop, sqliteUrl(folder),
               {Migration{1, "numbers", "CREATE TABLE numbers (id BIGINT PRIMARY KEY, text TEXT NOT NULL)"}});
    ASSERT_TRUE(store) << store.error().message;
    auto const rows = loop.run((*store)->read(Statement("SELECT id FROM numbers")));
    std::set<std::int64_t> present;
    for (auto const& row : rows->rows) present.insert(row.integer(0));
    for (auto const number : acknowledged) ASSERT_TRUE(present.contains(number)) << "lost: " << number;
    for (auto const number : present) ASSERT_TRUE(present.contains(-number)) << "half a unit: " << number;
    auto const check = loop.run((*store)->read(Statement("PRAGMA integrity_check")));
    EXPECT_EQ(check->rows.at(0).text(0), "ok");
  }
}

// A file system of 3 MiB that only this thread and its children see. Empty: not possible here, and why.
std::string mountSmallDisk(std::filesystem::path const& where) {
  bool const private_view = ::geteuid() == 0 && ::unshare(CLONE_NEWNS) == 0 &&
                            ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
  if (private_view && ::mount("tmpfs", where.c_str(), "tmpfs", MS_NOSUID, "size=3m") == 0) return "";
  return std::string("a small tmpfs cannot be mounted (run the test as root, or with unshare -rm): ") +
         std::strerror(errno);
}

void fillUpAndRecover(std::filesystem::path const& disk) {
  std::ofstream(disk / "ballast") << std::string(800'000, 'b');
  Loop loop;
  auto store = openAt(loop, "sqlite:" + (disk / "full.db").string(), itemTable());
  ASSERT_TRUE(store) << store.error().message;
  auto const put = [&](std::int64_t id) {
    Statement row("INSERT INTO items (id, data) VALUES ($1, $2)", std::vector<Value>{id, Bytes(50'000, 1)});
    Statement other("INSERT INTO items (id, data) VALUES ($1, $2)",
                    std::vector<Value>{-id, Bytes(50'000, 2)});
    return loop.run((*store)->commit(unitOf(std::move(row), std::move(other))));
  };
  auto const count = [&] {
    return loop.run((*store)->read(Statement("SELECT count(*) FROM items")))->rows.at(0).integer(0);
  };
  std::int64_t kept = 0;
  Result<std::vector<Rows>> last;
  while (kept < 100 && (last = put(kept + 1))) ++kept;
  ASSERT_FALSE(last) << "the disk never filled up";
  EXPECT_EQ(last.error().kind, ErrorKind::hostLimit) << last.error().message;
  EXPECT_EQ(last.error().effect, Effect::notApplied);
  EXPECT_THAT(last.error().message, HasSubstr("free space and try again"));
  EXPECT_GT(kept, 2);
  EXPECT_EQ(count(), 2 * kept) << "nothing half-applied";
  std::filesystem::remove(disk / "ballast");
  auto const again = put(1000);
  EXPECT_TRUE(again) << again.error().message;
  EXPECT_EQ(count(), 2 * kept + 2);
  auto const check = loop.run((*store)->read(Statement("PRAGMA integrity_check")));
  EXPECT_EQ(check->rows.at(0).text(0), "ok");
  store->reset();
}

TEST(SqliteCommit, WithTooLittleSpaceLeftTheFileDoesNotGrowAndWhatNeedsNoneGoesOn) {
  TestFolder folder;
  Loop loop;
  auto const big = [](std::int64_t id) {
    return unitOf(
        Statement("INSERT INTO items (id, data) VALUES ($1, $2)", std::vector<Value>{id, Bytes(200'000, 1)}));
  };
  auto store = openAt(loop, sqliteUrl(folder), itemTable());
  ASSERT_TRUE(loop.run((*store)->commit(big(1))));
  ASSERT_TRUE(loop.run((*store)->commit(unitOf(insertItem(9, "small")))));
  ASSERT_TRUE(loop.run((*store)->close()));
  Options options;
  options.url = sqliteUrl(folder);
  options.min_free_bytes = std::uint64_t{1} << 60U; // no disk has that
  store = loop.run(Store::open(loop.executor(), options, itemTable()));
  ASSERT_TRUE(store) << store.error().message;
  Result<std::vector<Rows>> grown, small;
  loop.spawn((*store)->commit(big(2)), [&](auto result) { grown = std::move(result); });
  loop.spawn((*store)->commit(unitOf(Statement("UPDATE items SET amount=7 WHERE id=9"))),
             [&](auto result) { small = std::move(result); });
  loop.runAll();
  ASSERT_FALSE(grown);
  EXPECT_EQ(grown.error().kind, ErrorKind::hostLimit);
  EXPECT_THAT(grown.error().message, HasSubstr("MiB left ([database] min_free_mib of garland.toml)"));
  EXPECT_TRUE(small) << small.error().message;
  EXPECT_TRUE(loop.run((*store)->commit(unitOf(Statement("DELETE FROM items WHERE id=1")))));
  EXPECT_TRUE(loop.run((*store)->commit(big(3)))) << "in the pages that are free now";
  ASSERT_TRUE(loop.run((*store)->close()));
  store = openAt(loop, sqliteUrl(folder), itemTable());
  EXPECT_TRUE(loop.run((*store)->commit(big(4))));
}

TEST(SqliteCommit, AFullDiskIsSaidClearlyAndLosesNothing) {
  TestFolder folder;
  std::string reason;
  std::thread([&] {
    reason = mountSmallDisk(folder.path());
    if (!reason.empty()) return;
    fillUpAndRecover(folder.path());
    ::umount2(folder.path().c_str(), MNT_DETACH);
  }).join();
  if (!reason.empty()) GTEST_SKIP() << reason;
}

} // namespace
} // namespace garland::store
