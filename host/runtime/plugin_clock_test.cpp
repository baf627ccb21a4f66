// The time that plugins see under certification: one page, moved on by the host and by plugins that sleep.
#include "host/runtime/host_test_kit.h"

namespace garland::runtime::testing {
namespace {

constexpr TimePoint kBegin{Milliseconds(1'767'225'600'000)};

TEST(PluginClock, StandsStillUntilItIsMovedOnAndNeverRunsBackwards) {
  auto const clock = PluginClock::create(kBegin).value();
  EXPECT_EQ(clock->now(), kBegin);
  clock->advance(Milliseconds(1500));
  EXPECT_EQ(clock->now(), kBegin + Milliseconds(1500));
  clock->advance(Milliseconds(-1500));
  EXPECT_EQ(clock->now(), kBegin + Milliseconds(1500));
}

TEST(PluginClock, APluginThatSleepsMovesItOnAndDoesNotWait) {
  SupervisorOptions options;
  options.plugin_clock = PluginClock::create(kBegin).value();
  Runtime runtime(options);
  auto const began = std::chrono::steady_clock::now();
  runtime.call("wait", json::object(), Milliseconds(7'200'000)); // an hour
  EXPECT_EQ(options.plugin_clock->now() - kBegin, std::chrono::hours(1));
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::minutes(1));
}

TEST(PluginClock, ASleepEndsAtTheDeadlineOfItsCall) {
  SupervisorOptions options;
  options.plugin_clock = PluginClock::create(kBegin).value();
  Runtime runtime(options);
  EXPECT_FALSE(runtime.call("wait", json::object(), Milliseconds(30'000)));
  auto const slept = options.plugin_clock->now() - kBegin;
  EXPECT_LE(slept, Milliseconds(30'000));
  EXPECT_GT(slept, Milliseconds(20'000)) << "what was left of its time, less the start of the worker";
}

} // namespace
} // namespace garland::runtime::testing
