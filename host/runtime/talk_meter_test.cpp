#include "host/runtime/talk_meter.h"

#include <gtest/gtest.h>

namespace garland::runtime {
namespace {

using namespace std::chrono_literals;

class Talk : public testing::Test {
protected:
  // How many messages of that size are taken at one moment, of twice as many as may be.
  std::size_t takenOf(std::size_t bytes) {
    std::size_t taken = 0;
    for (std::size_t i = 0; i < 2 * TalkMeter::kMost; ++i) taken += meter.hear(now, bytes) ? 1 : 0;
    return taken;
  }

  TalkMeter meter;
  TalkMeter::Time now{1h};
};

TEST_F(Talk, ABurstIsTakenAndAFloodIsNot) { EXPECT_EQ(takenOf(100), TalkMeter::kMost); }

TEST_F(Talk, LongMessagesAreFewer) { EXPECT_EQ(takenOf(9 * 1024), TalkMeter::kMost / 10); }

TEST_F(Talk, WhatWasSaidLongAgoDoesNotCount) {
  takenOf(100);
  now += TalkMeter::kSpan - 1ms;
  EXPECT_EQ(takenOf(100), 0U);
  now += 1ms;
  EXPECT_EQ(takenOf(100), TalkMeter::kMost);
}

} // namespace
} // namespace garland::runtime
