// What the kernel says of a daemon that runs: nothing dumps it, and no other process of its user reads it.
#include "tests/end_to_end/host_test_kit.h"

#include <gtest/gtest.h>

#include <unistd.h>

namespace garland::testing {
namespace {

// Root may read any process as long as it has this capability, and only one that has no more than itself.
std::vector<std::string> asAUser(std::vector<std::string> words) {
  if (::geteuid() == 0)
    words.insert(words.begin(), {"setpriv", "--bounding-set=-sys_ptrace", "--inh-caps=-sys_ptrace", "--"});
  return words;
}

bool isReadable(Child const& child) {
  auto const memory = "if=/proc/" + std::to_string(child.pid()) + "/mem";
  auto const opened = runProgram(asAUser({"dd", memory, "of=/dev/null", "bs=1", "count=0"}), {}, "");
  EXPECT_TRUE(opened.exit_code == 0 || opened.err.find("Permission denied") != std::string::npos)
      << opened.err;
  return opened.exit_code == 0;
}

TEST(Hardening, NothingDumpsTheDaemonAndNoOtherProcessOfItsUserReadsIt) {
  Host const host;
  Child daemon(asAUser({binFolder() + "/garlandd", "--config", host.configFile()}), {},
               host.folder() + "/garlandd.log");
  ASSERT_TRUE(eventually([&] {
    return parseJson(readFile(host.dataFolder() + "/garlandd.json")).has_value();
  })) << host.log();
  auto const limits = readFile("/proc/" + std::to_string(daemon.pid()) + "/limits");
  EXPECT_NE(limits.find("Max core file size        0                    0 "), std::string::npos) << limits;
  Child other(asAUser({"sleep", "120"}), {}, host.folder() + "/other.log");
  auto const name = "/proc/" + std::to_string(other.pid()) + "/comm";
  ASSERT_TRUE(eventually([&] { return readFile(name) == "sleep\n"; }));
  if (!isReadable(other)) GTEST_SKIP() << "nobody reads a process of its own here, so nothing would be shown";
  EXPECT_FALSE(isReadable(daemon));
}

} // namespace
} // namespace garland::testing
