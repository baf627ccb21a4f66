#include "host/base/clock.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <vector>

namespace garland {
namespace {

using namespace std::chrono_literals;

Task<void> sleepThenNote(VirtualClock& clock, Milliseconds span, std::vector<int>& order, int mark) {
  auto const slept = co_await clock.sleepFor(span);
  if (slept) order.push_back(mark);
  co_return slept;
}

TEST(VirtualClock, SleepersWakeInTheOrderOfTheirDeadlines) {
  asio::io_context loop;
  VirtualClock clock(TimePoint(1s));
  std::vector<int> order;
  asio::co_spawn(loop, sleepThenNote(clock, 300ms, order, 3), asio::detached);
  asio::co_spawn(loop, sleepThenNote(clock, 100ms, order, 1), asio::detached);
  asio::co_spawn(loop, sleepThenNote(clock, 200ms, order, 2), asio::detached);
  loop.poll();
  EXPECT_EQ(clock.sleepers(), 3U);
  clock.advance(250ms);
  loop.restart();
  loop.poll();
  EXPECT_EQ(order, (std::vector<int>{1, 2}));
  clock.advance(50ms);
  loop.restart();
  loop.poll();
  EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
  EXPECT_EQ(clock.now(), TimePoint(1300ms));
}

TEST(VirtualClock, NobodySleepsShorterOrLongerBecauseTheTimeOfDayIsSet) {
  asio::io_context loop;
  VirtualClock clock(TimePoint(1h));
  std::vector<int> order;
  asio::co_spawn(loop, sleepThenNote(clock, 300ms, order, 1), asio::detached);
  loop.poll();
  clock.advance(100ms);
  clock.set(TimePoint(1s));
  EXPECT_EQ(clock.now(), TimePoint(1s));
  EXPECT_EQ(clock.monotonic(), Monotonic(100ms));
  clock.advance(199ms);
  loop.restart();
  loop.poll();
  EXPECT_EQ(order, std::vector<int>());
  clock.advance(1ms);
  loop.restart();
  loop.poll();
  EXPECT_EQ(order, std::vector<int>{1});
  EXPECT_EQ(clock.now(), TimePoint(1200ms));
}

TEST(Rfc3339, TimesComeBackAsTheyWere) {
  for (auto const* text :
       {"2026-06-13T12:00:00.000Z", "1969-12-31T23:59:59.999Z", "2024-02-29T00:00:00.001Z"})
    EXPECT_EQ(rfc3339(*parseRfc3339(text)), text);
}

TEST(Rfc3339, OffsetsAreTakenOff) {
  EXPECT_EQ(rfc3339(*parseRfc3339("2026-06-13T14:30:00+02:30")), "2026-06-13T12:00:00.000Z");
  EXPECT_EQ(rfc3339(*parseRfc3339("2026-06-13t07:00:00.25-05:00")), "2026-06-13T12:00:00.250Z");
}

TEST(Rfc3339, WhatIsNoTimeIsRefused) {
  for (auto const* text :
       {"", "2026-06-13", "2026-02-30T00:00:00Z", "2026-06-13T25:00:00Z", "2026-06-13T12:00:00",
        "2026-06-13T12:00:00.Z", "2026-06-13T12:00:00Zx", "2026-06--3T12:00:00Z"})
    EXPECT_FALSE(parseRfc3339(text)) << text;
}

} // namespace
} // namespace garland
