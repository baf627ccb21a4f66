#include "host/sync/pace.h"

#include <gtest/gtest.h>

#include <deque>

namespace garland::sync {
namespace {

using namespace std::chrono_literals;

class PaceTest : public ::testing::Test {
protected:
  // Asks as often as it may until then; how often that was.
  int askUntil(Pace& pace, Monotonic end) {
    int asked = 0;
    for (;;) {
      auto const wait = pace.wait(now);
      if (now + wait >= end) break;
      now += wait;
      pace.take(now);
      times.push_back(now);
      ++asked;
    }
    now = end;
    return asked;
  }
  static Pace::Seen refused(std::optional<Milliseconds> retry_after) { return {429, 10ms, retry_after}; }
  static Pace::Seen answered(Monotonic took = 10ms) { return {200, took, std::nullopt}; }

  Monotonic now = 1000s;
  std::deque<Monotonic> times;
};

TEST_F(PaceTest, NoSpanHoldsMoreThanIsDeclaredWhereverItBegins) {
  Pace pace(runtime::RequestLimit{100, 60s, 10}, now);
  EXPECT_GT(askUntil(pace, now + 600s), 900);
  for (std::size_t first = 0; first + 100 < times.size(); ++first)
    ASSERT_GE(times[first + 100] - times[first], Monotonic(60s)) << "from request " << first;
}

TEST_F(PaceTest, ARateOfOneInAnHourOrADayIsKeptToTheMoment) {
  for (auto const span : {Monotonic(3600s), Monotonic(86'400s)}) {
    Pace pace(runtime::RequestLimit{1, std::chrono::duration_cast<Milliseconds>(span), 1}, now);
    pace.take(now);
    EXPECT_EQ(pace.wait(now), span);
    now += span - 1ms;
    EXPECT_GT(pace.wait(now), 0ms);
    EXPECT_LE(pace.wait(now), 2ms) << "rounding";
    EXPECT_EQ(askUntil(pace, now + 30 * span), 30);
  }
}

TEST_F(PaceTest, WhoComesAfterOthersIsToldWhenTheyHaveGone) {
  Pace pace(runtime::RequestLimit{1, 2s, 1}, now);
  EXPECT_EQ(pace.wait(now), 0ms);
  EXPECT_EQ(pace.wait(now, 3), 6s);
}

TEST_F(PaceTest, SoManyMayComeAtOnceAndThenOneByOne) {
  Pace pace(runtime::RequestLimit{20, 10s, 2}, now);
  EXPECT_EQ(askUntil(pace, now + 1ms), 2);
  EXPECT_GT(pace.wait(now), 0ms);
}

TEST_F(PaceTest, RetryAfterIsObeyedToTheSecondWhateverTheBucketHolds) {
  for (auto const declared : {std::optional<runtime::RequestLimit>({100, 1s, 100}), {}}) {
    Pace pace(declared, now);
    pace.take(now);
    pace.answered(now, refused(17s));
    EXPECT_EQ(pace.wait(now), 17s);
    EXPECT_EQ(pace.wait(now + 16'999ms), 1ms);
    EXPECT_EQ(pace.wait(now + 17s), 0ms);
  }
}

TEST_F(PaceTest, AnUnavailableProviderThatSaysHowLongIsLeftAloneAsWell) {
  Pace pace(std::nullopt, now);
  pace.take(now);
  pace.answered(now, {503, 10ms, 5s});
  EXPECT_EQ(pace.wait(now), 5s);
  Pace other(std::nullopt, now);
  other.take(now);
  other.answered(now, {503, 10ms, std::nullopt});
  EXPECT_EQ(other.wait(now), 0ms);
}

TEST_F(PaceTest, AShorterRetryAfterDoesNotShortenALongerOne) {
  Pace pace(std::nullopt, now);
  pace.answered(now, refused(60s));
  pace.answered(now, refused(1s));
  EXPECT_EQ(pace.wait(now), 60s);
}

TEST_F(PaceTest, TooManyRequestsHalveTheRateWhichComesBackBitByBit) {
  Pace pace(runtime::RequestLimit{10, 1s, 1}, now);
  pace.answered(now, refused(std::nullopt));
  EXPECT_DOUBLE_EQ(*pace.rate(now), 5);
  pace.answered(now + 1s, refused(std::nullopt));
  EXPECT_GT(*pace.rate(now + 1s), 5) << "what was asked before the rate went down counts once";
  EXPECT_NEAR(*pace.rate(now + 15s), 7.5, 0.01);
  pace.answered(now + 15s, refused(std::nullopt));
  EXPECT_NEAR(*pace.rate(now + 15s), 3.75, 0.01);
  EXPECT_DOUBLE_EQ(*pace.rate(now + 100s), 10) << "and no further";
}

TEST_F(PaceTest, WhoWaitsIsToldTheVeryMomentAlthoughTheRateGrowsMeanwhile) {
  Pace pace(runtime::RequestLimit{1, 1s, 1}, now);
  pace.take(now);
  pace.answered(now, refused(std::nullopt));
  auto const wait = pace.wait(now);
  EXPECT_LT(wait, 1'950ms) << "it would be two seconds if the rate stayed as it is";
  EXPECT_EQ(pace.wait(now + wait - 1ms), 1ms);
  EXPECT_EQ(pace.wait(now + wait), 0ms);
}

TEST_F(PaceTest, AfterManyRefusalsTheNextRequestIsStillWithinTheReachOfPatience) {
  Pace pace(runtime::RequestLimit{1, 1s, 1}, now);
  for (int i = 0; i < 20; ++i) pace.answered(now += 2s, refused(std::nullopt));
  pace.take(now);
  EXPECT_LT(pace.wait(now), 10s) << "by the present rate alone it would be half a minute";
}

TEST_F(PaceTest, HoweverOftenItIsRefusedItGoesOnAsking) {
  Pace pace(runtime::RequestLimit{64, 1s, 1}, now);
  for (int i = 0; i < 100; ++i) {
    pace.answered(now, refused(std::nullopt));
    now += 2s;
  }
  EXPECT_GE(*pace.rate(now), 1);
}

TEST_F(PaceTest, WithoutADeclaredRateTheRefusedOneIsHalvedAndForgottenOnceItIsBorneAgain) {
  Pace pace(std::nullopt, now);
  EXPECT_FALSE(pace.rate(now));
  for (int i = 0; i < 200; ++i) {
    EXPECT_EQ(pace.wait(now), 0ms);
    pace.take(now);
    now += 10ms;
  }
  pace.answered(now, refused(std::nullopt));
  ASSERT_TRUE(pace.rate(now));
  EXPECT_NEAR(*pace.rate(now), 50, 1) << "it was a hundred a second";
  EXPECT_TRUE(pace.rate(now + 29s));
  EXPECT_FALSE(pace.rate(now + 31s));
}

TEST_F(PaceTest, AnswersThatBecomeSlowSlowItDownAndOneSlowAnswerDoesNot) {
  Pace pace(runtime::RequestLimit{10, 1s, 1}, now);
  for (int i = 0; i < 20; ++i) pace.answered(now, answered(200ms));
  pace.answered(now, answered(5s));
  pace.answered(now, answered(5s));
  pace.answered(now, answered(200ms));
  EXPECT_DOUBLE_EQ(*pace.rate(now), 10);
  for (int i = 0; i < 3; ++i) pace.answered(now, answered(8s));
  EXPECT_DOUBLE_EQ(*pace.rate(now), 7.5);
}

TEST_F(PaceTest, AProviderThatIsAlwaysSlowIsNotTakenForOneInTrouble) {
  Pace pace(runtime::RequestLimit{10, 1s, 1}, now);
  for (int i = 0; i < 200; ++i) pace.answered(now, answered(9s));
  EXPECT_DOUBLE_EQ(*pace.rate(now), 10);
}

TEST_F(PaceTest, WhatKnowsNothingMoreIsIdle) {
  Pace pace(runtime::RequestLimit{10, 1s, 5}, now);
  pace.take(now);
  EXPECT_FALSE(pace.isIdle(now));
  EXPECT_TRUE(pace.isIdle(now + 11s));
  pace.answered(now, refused(30s));
  EXPECT_FALSE(pace.isIdle(now + 29s));
  EXPECT_TRUE(pace.isIdle(now + 61s));
}

} // namespace
} // namespace garland::sync
