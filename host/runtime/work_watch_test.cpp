#include "host/runtime/work_watch.h"

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

  WorkWatch watch;
  WorkWatch::Reading reading{WorkWatch::Time(1h), 5s, 0, 0, true, 0};
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

TEST_F(Watch, LittleByLittleIsNotTooMuch) {
  reading.has_calls = false;
  for (int i = 0; i < 1000; ++i) EXPECT_FALSE(after(1s, 0.1)) << i;
}

} // namespace
} // namespace garland::runtime
