// A worker that has used up its memory is replaced, and no call pays for what another has kept.
#include "host/runtime/host_test_kit.h"

namespace garland::runtime::testing {
namespace {

using namespace std::chrono_literals;
using Kind = SupervisorEvent::Kind;

class Memory : public ::testing::Test {
protected:
  // The sanitizers reserve terabytes, so there is no limit to run into.
  void SetUp() override {
#ifdef GARLAND_SANITIZER_BUILD
    GTEST_SKIP() << "workers have no memory limit in a sanitizer build";
#endif
  }
  std::vector<std::string> told(Kind kind) const {
    std::vector<std::string> out;
    for (auto const& event : runtime.supervisor->events())
      if (event.kind == kind) out.push_back(event.reason);
    return out;
  }
  void waitForReplacements(std::size_t count) {
    runtime.runUntil([&] { return told(Kind::replaced).size() == count; });
  }

  Runtime runtime;
};

TEST_F(Memory, AWorkerThatHasUsedUpItsMemoryIsReplacedWhenItHasNoCall) {
  ASSERT_TRUE(runtime.call("memory", json::value{{"leak", 10}}));
  auto const pid = runtime.worker().pid;
  EXPECT_GT(runtime.worker().memory, std::size_t{10} << 20U);
  EXPECT_EQ(runtime.worker().memory_limit, std::size_t{256} << 20U);
  ASSERT_TRUE(runtime.call("memory", json::value{{"leak", 190}}));
  waitForReplacements(1);
  EXPECT_EQ(told(Kind::replaced)[0].substr(0, 41), "its worker was replaced because it had us");
  EXPECT_NE(told(Kind::replaced)[0].find(" of its 256 MiB of memory"), std::string::npos)
      << told(Kind::replaced)[0];
  EXPECT_NE(runtime.worker().last_exit.find("was replaced because it had used 2"), std::string::npos)
      << runtime.worker().last_exit;
  ASSERT_TRUE(runtime.call("memory", json::value{{"need", 100}}));
  EXPECT_NE(runtime.worker().pid, pid);
  EXPECT_TRUE(told(Kind::crashed).empty());
}

TEST_F(Memory, AWorkerThatUsesLessIsKept) {
  ASSERT_TRUE(runtime.call("memory", json::value{{"leak", 100}}));
  auto const pid = runtime.worker().pid;
  ASSERT_TRUE(runtime.call("wait", json::object(), 1200ms).has_error()); // a look at it is due in that time
  EXPECT_EQ(runtime.worker().pid, pid);
  EXPECT_TRUE(told(Kind::replaced).empty());
}

TEST_F(Memory, ACallThatFailsForWhatOthersHaveKeptIsRunAgainInANewWorker) {
  ASSERT_TRUE(runtime.call("memory", json::value{{"leak", 150}}));
  KeepingHost other;
  std::optional<Result<json::value>> long_one;
  runtime.spawn(runtime.task("memory", other, json::value{{"leak", 45}, {"wait", 300}}),
                [&](Result<json::value> result) { long_one = std::move(result); });
  runtime.runUntil([&] { return other.progress_done == 1; });
  auto const needy = runtime.call("memory", json::value{{"need", 100}});
  EXPECT_TRUE(needy) << needy.error().message;
  EXPECT_EQ(runtime.host.restarts, 1);
  EXPECT_EQ(told(Kind::replaced).size(), 1U);
  EXPECT_FALSE(long_one) << "it goes on in the old worker";
  runtime.runUntil([&] { return long_one.has_value(); });
  EXPECT_TRUE(*long_one) << long_one->error().message;
  EXPECT_EQ(other.restarts, 0);
  EXPECT_TRUE(told(Kind::poisoned).empty());
}

TEST_F(Memory, ACallThatHasWrittenIsNotRunAgainButToldWhy) {
  ASSERT_TRUE(runtime.call("memory", json::value{{"leak", 150}}));
  auto const failed = runtime.call("memory", json::value{{"write", 1}, {"leak", 45}, {"need", 100}});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind, ErrorKind::hostLimit);
  EXPECT_NE(failed.error().message.find("no memory for it (its worker had used "), std::string::npos)
      << failed.error().message;
  EXPECT_EQ(runtime.host.asks.size(), 1U);
  EXPECT_EQ(told(Kind::replaced).size(), 1U);
}

TEST_F(Memory, ACallThatNeedsMoreThanThereIsFailsTheSecondTime) {
  auto const failed = runtime.call("memory", json::value{{"leak", 200}, {"need", 100}});
  ASSERT_FALSE(failed);
  EXPECT_EQ(runtime.host.restarts, 1);
  EXPECT_NE(failed.error().message.find(" of its 256 MiB of memory)"), std::string::npos)
      << failed.error().message;
}

TEST_F(Memory, ABuildThatUsesItUpAgainAndAgainHasToWait) {
  for (int i = 1; i <= 2; ++i) {
    ASSERT_TRUE(runtime.call("memory", json::value{{"leak", 200}}));
    waitForReplacements(static_cast<std::size_t>(i));
  }
  EXPECT_EQ(runtime.worker().state, "backing off");
  EXPECT_TRUE(runtime.call("echo")) << "after the pause";
}

TEST_F(Memory, ACrashForWantOfMemorySaysSo) {
  auto const died = runtime.call("memory", json::value{{"leak", 220}, {"need", 100}, {"touch", 1}});
  ASSERT_FALSE(died);
  EXPECT_EQ(died.error().provider_code, "poisoned");
  EXPECT_NE(died.error().message.find("; it had used 2"), std::string::npos) << died.error().message;
  EXPECT_NE(died.error().message.find(" of its 256 MiB of memory"), std::string::npos)
      << died.error().message;
  ASSERT_FALSE(told(Kind::crashed).empty());
  EXPECT_NE(told(Kind::crashed)[0].find("MiB of memory"), std::string::npos) << told(Kind::crashed)[0];
  auto const plain = runtime.call("crash");
  ASSERT_FALSE(plain);
  EXPECT_EQ(plain.error().message.find("MiB of memory"), std::string::npos) << plain.error().message;
}

} // namespace
} // namespace garland::runtime::testing
