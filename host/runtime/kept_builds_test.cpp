// What is kept on disk when the process ends at any moment.
#include "host/base/test_folder.h"
#include "host/runtime/kept_builds.h"

#include "host/runtime/host_test_kit.h"
#include "host/vault/vault.h"

#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/wait.h>

namespace garland::runtime::testing {
namespace {

namespace fs = std::filesystem;

class KeptBuildsTest : public ::testing::Test {
protected:
  PluginInfo installed(std::string const& version) const {
    PluginInfo info;
    auto const code = "the code of " + version;
    info.path = (folder_ / "installed" / version / "connector.so").string();
    writeFile(info.path, code);
    info.digest = vault::sha256Hex(code);
    info.manifest = parseManifest(R"({"id":"test.plugin","version":")" + version +
                                  R"(","operations":["test.work/1"],"auth":[],"hosts":[]})")
                        .value();
    return info;
  }
  std::string dir() const { return (folder_ / "kept").string(); }
  KeptBuilds kept() const { return KeptBuilds(dir()); }
  std::set<std::string> names() const {
    std::set<std::string> out;
    for (auto const& entry : fs::directory_iterator(dir())) out.insert(entry.path().filename().string());
    return out;
  }

  TestFolder const own_;
  fs::path folder_ = own_.path();
};

// Runs `work` in a child that is killed before its system call number `calls`; false if it has ended before.
bool killedAt(int calls, std::function<void()> const& work) {
  auto const child = ::fork();
  if (child == 0) {
    if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) ::_exit(2);
    ::raise(SIGSTOP);
    work();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  // Each system call stops twice: before it and after it.
  for (int stop = 0; stop < 2 * calls - 1 && WIFSTOPPED(status); ++stop) {
    ::ptrace(PTRACE_SYSCALL, child, nullptr, nullptr);
    ::waitpid(child, &status, 0);
  }
  if (!WIFSTOPPED(status)) {
    EXPECT_EQ(status, 0);
    return false;
  }
  ::kill(child, SIGKILL);
  ::waitpid(child, &status, 0);
  return true;
}

TEST_F(KeptBuildsTest, KilledAtAnySystemCallTheOldOrTheNewBuildIsThereWhole) {
  auto const old_build = installed("1.0.0");
  auto const new_build = installed("1.1.0");
  json::value const old_notes{{"runs", old_build.digest}};
  json::value const new_notes{{"runs", new_build.digest}};
  std::set<std::string> seen;
  int calls = 1;
  while (true) {
    fs::remove_all(dir());
    ASSERT_TRUE(kept().keep(old_build));
    ASSERT_TRUE(kept().write(KeptBuilds::kNotes, old_notes));
    bool const killed = killedAt(calls++, [&] {
      if (kept().keep(new_build)) (void)kept().write(KeptBuilds::kNotes, new_notes);
    });
    SCOPED_TRACE("before system call " + std::to_string(calls - 1));
    auto const notes = kept().page(KeptBuilds::kNotes);
    ASSERT_TRUE(notes == old_notes || notes == new_notes) << canonicalJson(notes);
    auto const runs = textOr(notes, "/runs", "");
    seen.insert(runs);
    auto const build = kept().load(runs);
    ASSERT_TRUE(build) << build.error().message;
    EXPECT_EQ(readFile(build->path), "the code of " + build->manifest.version);
    kept().prune({runs});
    EXPECT_EQ(names(), (std::set<std::string>{runs, "builds.json"}));
    auto const again = kept().keep(new_build); // and it can be taken over now
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(readFile(again->path), "the code of 1.1.0");
    if (!killed) break;
  }
  EXPECT_EQ(seen.size(), 2U);
  EXPECT_GT(calls, 20);
}

// The process dies in the middle of a file: the limit on its size kills it after so many bytes.
TEST_F(KeptBuildsTest, AFileThatWasCutShortIsNotTakenForABuild) {
  auto const build = installed("1.0.0");
  auto const child = ::fork();
  if (child == 0) {
    rlimit const none{0, 0};
    ::setrlimit(RLIMIT_CORE, &none);
    rlimit const few{5, 5};
    ::setrlimit(RLIMIT_FSIZE, &few);
    (void)kept().keep(build);
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(names(), std::set<std::string>{build.digest + ".new"});
  EXPECT_FALSE(kept().load(build.digest));
  kept().prune({});
  EXPECT_TRUE(names().empty());
}

TEST_F(KeptBuildsTest, AFolderThatIsHalfCopiedIsMadeAnew) {
  auto const build = installed("1.0.0");
  writeFile(dir() + "/" + build.digest + "/connector.so", "the code");
  writeFile(dir() + "/" + build.digest + ".new/connector.so", "the co");
  EXPECT_FALSE(kept().load(build.digest));
  auto const made = kept().keep(build);
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(readFile(made->path), "the code of 1.0.0");
  EXPECT_EQ(names(), std::set<std::string>{build.digest});
}

} // namespace
} // namespace garland::runtime::testing
