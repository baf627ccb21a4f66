#include "host/runtime/backoff.h"

#include <gtest/gtest.h>

namespace garland::runtime {
namespace {

using namespace std::chrono_literals;

TEST(Backoff, TheFirstDeathCostsNothing) {
  SeededRandom random(1);
  Backoff backoff(100ms, 30s, random);
  EXPECT_FALSE(backoff.waits(0ns));
  EXPECT_EQ(backoff.died(5s), 5s);
  EXPECT_FALSE(backoff.waits(5s));
}

TEST(Backoff, EveryFurtherDeathDoublesThePauseUpToTheCap) {
  SeededRandom random(1);
  Backoff backoff(100ms, 30s, random);
  Monotonic now = backoff.died(1s);
  Monotonic full = 100ms;
  for (int death = 2; death < 40; ++death) {
    auto const until = backoff.died(now);
    EXPECT_GE(until - now, full / 2) << death;
    EXPECT_LE(until - now, full) << death;
    EXPECT_TRUE(backoff.waits(now));
    EXPECT_FALSE(backoff.waits(until));
    now = until;
    full = std::min<Monotonic>(full * 2, 30s);
  }
  EXPECT_EQ(full, Monotonic(30s));
}

TEST(Backoff, ThePauseIsNotAlwaysTheSame) {
  SeededRandom random(1);
  Backoff one(100ms, 30s, random);
  Backoff two(100ms, 30s, random);
  one.died(0s);
  two.died(0s);
  EXPECT_NE(one.died(0s), two.died(0s));
}

TEST(Backoff, TenCleanMinutesBeginAnew) {
  SeededRandom random(1);
  Backoff backoff(100ms, 30s, random);
  backoff.died(0s);
  backoff.died(1s);
  EXPECT_GT(backoff.died(2s), Monotonic(2s));
  EXPECT_GT(backoff.died(2s + 9min), Monotonic(2s + 9min));
  EXPECT_EQ(backoff.died(2s + 19min), Monotonic(2s + 19min));
}

} // namespace
} // namespace garland::runtime
