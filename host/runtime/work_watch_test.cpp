#include "host/runtime/work_watch.h"

#include "host/runtime/child_state.h"

#include <gtest/gtest.h>

namespace garland::runtime {
namespace {

using namespace std::chrono_literals;

class Watch : public testing::Test {
protected:
  // The next reading: time goes on, processor time by its share.
  std::optional<std::string> after(std::chrono::milliseconds span, double busy) {
    reading.now += span;
    reading.processor += std::chrono::duration_cast<WorkWatch::Span>(span * busy);
    return watch.look(reading);
  }
  void SetUp() override { EXPECT_FALSE(watch.look(reading)); }

  // One slice of call 7, in which the worker sleeps or is ready, until it has to go; how long that was.
  std::chrono::milliseconds heldUntilFound(bool sleeps, double busy) {
    reading.holder = 7;
    ++reading.slices;
    reading.sleeps = sleeps;
    for (auto held = 0ms; held < 10min; held += 50ms)
      if (auto const reason = after(50ms, busy)) {
        EXPECT_NE(reason->find("kept it busy for "), std::string::npos) << *reason;
        return held;
      }
    return 10min;
  }

  WorkWatch watch;
  WorkWatch::Reading reading{WorkWatch::Time(1h), 5s, 0, 0, true, 0, true};
  std::chrono::milliseconds silent = WorkWatch::kSilent;
};

TEST_F(Watch, AWorkerThatOnlyBurnsTimeIsFoundOut) {
  EXPECT_FALSE(after(silent - 1ms, 1.0));
  auto const reason = after(1ms, 1.0);
  ASSERT_TRUE(reason);
  EXPECT_NE(reason->find("without a word"), std::string::npos) << *reason;
}

TEST_F(Watch, OneThatSpeaksMayWorkAsMuchAsItLikes) {
  for (int i = 0; i < 100; ++i) {
    ++reading.heard;
    EXPECT_FALSE(after(silent / 2, 1.0)) << i;
  }
}

TEST_F(Watch, OneThatWaitsMayBeSilent) { EXPECT_FALSE(after(1h, 0.0)); }

TEST_F(Watch, OneThatDoesNotReadIsFoundOut) {
  reading.unread = 100;
  EXPECT_FALSE(after(50ms, 0.0));
  for (auto waited = 0ms; waited < WorkWatch::kDeaf - 100ms; waited += 100ms) EXPECT_FALSE(after(100ms, 0.0));
  EXPECT_FALSE(after(49ms, 0.0));
  reading.unread = 200; // and more is sent
  auto const reason = after(60ms, 0.0);
  ASSERT_TRUE(reason);
  EXPECT_NE(reason->find("not read"), std::string::npos) << *reason;
}

TEST_F(Watch, AHostThatStoodStillBlamesNobodyForIt) {
  reading.unread = 100;
  EXPECT_FALSE(after(50ms, 0.0));
  EXPECT_FALSE(after(WorkWatch::kDeaf + 1s, 0.0));
  for (auto waited = 0ms; waited < WorkWatch::kDeaf - 100ms; waited += 100ms) EXPECT_FALSE(after(100ms, 0.0));
  EXPECT_TRUE(after(100ms, 0.0)) << "it has been looked at since, and did not read";
}

TEST_F(Watch, OneThatReadsSlowlyIsLetBe) {
  for (reading.unread = 1000; reading.unread > 900; --reading.unread) EXPECT_FALSE(after(1s, 0.0));
}

TEST_F(Watch, OneThatSleepsInACallAndLetsNobodyElseRunIsFoundSoon) {
  EXPECT_EQ(heldUntilFound(true, 0.0), WorkWatch::kStalled);
}

TEST_F(Watch, OneThatWorksInACallAndSpeaksButLetsNobodyElseRunIsFoundByItsProcessorTime) {
  reading.holder = 7;
  reading.sleeps = false;
  std::optional<std::string> reason;
  auto worked = 0ms;
  for (; !reason && worked < 1min; worked += 50ms) {
    ++reading.heard;
    reason = after(100ms, 0.5); // another program has the processor every second moment
  }
  EXPECT_GE(worked, WorkWatch::kStalled);
  EXPECT_LE(worked, WorkWatch::kStalled + 200ms);
}

TEST_F(Watch, OneThatGetsNoProcessorHasDoneNothingWrong) {
  reading.holder = 7;
  reading.sleeps = false;
  reading.unread = 100; // which it would read if it could
  for (auto waited = 0ms; waited < WorkWatch::kStuck - 100ms; waited += 100ms)
    ASSERT_FALSE(after(100ms, 0.001)) << waited.count();
  EXPECT_EQ(watch.holderFor(500ms), 0U) << "it kept nobody from stopping";
}

TEST_F(Watch, OneThatIsStuckInASystemCallIsFoundLater) {
  EXPECT_EQ(heldUntilFound(false, 0.0), WorkWatch::kStuck);
}

TEST_F(Watch, AHostThatStoodStillBlamesNoCallForItEither) {
  reading.holder = 7;
  reading.sleeps = false;
  EXPECT_FALSE(after(50ms, 0.0));
  EXPECT_FALSE(after(WorkWatch::kStuck + 1s, 0.0));
  auto const left = WorkWatch::kStuck - OwnTime::kUnseen;
  for (auto waited = 0ms; waited < left - 100ms; waited += 100ms) ASSERT_FALSE(after(100ms, 0.0));
  EXPECT_TRUE(after(100ms, 0.0)) << "so long it has been seen";
}

TEST_F(Watch, ASliceThatFollowsAnotherHasItsOwnTime) {
  for (int i = 0; i < 100; ++i) {
    reading.holder = 7;
    ++reading.slices;
    EXPECT_FALSE(after(1s, 0.0)) << i;
  }
}

TEST_F(Watch, WhoHeldTheThreadIsKnownByOwnTime) {
  reading.holder = 7;
  EXPECT_FALSE(after(50ms, 0.0));
  EXPECT_FALSE(after(450ms, 0.0));
  EXPECT_EQ(watch.holderFor(500ms), 0U);
  EXPECT_FALSE(after(50ms, 0.0));
  EXPECT_EQ(watch.holderFor(500ms), 7U);
}

TEST_F(Watch, WithoutACallItMayHardlyWork) {
  reading.has_calls = false;
  EXPECT_FALSE(after(50ms, 1.0)); // the call's own work, before its end was seen
  EXPECT_FALSE(after(1s, 0.2 * WorkWatch::kPatience));
  auto const reason = after(1s, 0.21 * WorkWatch::kPatience);
  ASSERT_TRUE(reason);
  EXPECT_NE(reason->find("no call ran"), std::string::npos) << *reason;
}

TEST_F(Watch, ManyShortCallsBetweenTheReadingsAreNoIdleWork) {
  reading.has_calls = false;
  for (int i = 0; i < 100; ++i) {
    reading.begun += 20;
    EXPECT_FALSE(after(1s, 0.9 * WorkWatch::kPatience)) << i;
  }
  EXPECT_TRUE(after(1s, 0.9 * WorkWatch::kPatience)) << "no call began any more";
}

TEST(OwnTime, IsWhatAWorkerWorkedOrSlept) {
  OwnTime own;
  OwnTime::Time now(1h);
  own.look(now, 7s, true);
  EXPECT_EQ(own.sum(), 0s);
  own.look(now += 100ms, 7s, true);
  EXPECT_EQ(own.sum(), 100ms);
  own.look(now += 100ms, 7s + 30ms, false); // the rest of it others had the processor
  EXPECT_EQ(own.sum(), 130ms);
  own.look(now += 1h, 7s + 30ms, true); // the host stood still
  EXPECT_EQ(own.sum(), 130ms + OwnTime::kUnseen);
}

TEST(OwnTime, AWorkerSleepsIfTheKernelSaysSo) {
  EXPECT_TRUE(sleepsIn("12 (garland-worker) S 1 12 12"));
  EXPECT_TRUE(sleepsIn("12 (a) R (b) S 1 12 12")) << "its name is its own affair";
  EXPECT_TRUE(sleepsIn("12 (w) T 1")) << "who was stopped waits for no processor";
  for (auto const* other : {"12 (w) R 1", "12 (w) D 1", "12 (w) SX", "12 (w", "", ")"})
    EXPECT_FALSE(sleepsIn(other)) << other;
}

TEST_F(Watch, LittleByLittleIsNotTooMuch) {
  reading.has_calls = false;
  for (int i = 0; i < 1000; ++i) EXPECT_FALSE(after(1s, 0.1)) << i;
}

} // namespace
} // namespace garland::runtime
