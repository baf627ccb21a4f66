#include "host/sync/retry.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace garland::sync {
namespace {

using namespace std::chrono_literals;

TEST(Retry, ThePausesAreDrawnFromAllOfASpanThatGrowsFromFiveSecondsToAnHour) {
  SeededRandom random(3);
  for (std::int64_t attempts = 1; attempts < 30; ++attempts) {
    auto longest = 0ms;
    auto shortest = Milliseconds(24h);
    for (int i = 0; i < 200; ++i) {
      auto const pause = pauseAfter(attempts, std::nullopt, random);
      longest = std::max(longest, pause);
      shortest = std::min(shortest, pause);
    }
    auto const span = std::min<Milliseconds>(5'000ms * (1LL << std::min<std::int64_t>(attempts - 1, 20)), 1h);
    EXPECT_GE(shortest, 0ms);
    EXPECT_LE(longest, span);
    EXPECT_GT(longest, span * 4 / 5);
    EXPECT_LT(shortest, span / 5) << "full jitter";
  }
}

TEST(Retry, NobodyComesBackBeforeTheProviderSaidNorAllTogether) {
  SeededRandom random(3);
  auto longest = 0ms;
  for (int i = 0; i < 200; ++i) {
    auto const pause = pauseAfter(1, 2h, random);
    EXPECT_GE(pause, 2h);
    EXPECT_LE(pause, 2h + 5s);
    longest = std::max(longest, pause);
  }
  EXPECT_GT(longest, 2h + 4s);
  EXPECT_LE(pauseAfter(1, -5s, random), 5s);
}

} // namespace
} // namespace garland::sync
