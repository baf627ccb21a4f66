#include "host/sync/limits.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <exception>
#include <set>
#include <string>
#include <vector>

namespace garland::sync {
namespace {

using namespace std::chrono_literals;

class LimitsTest : public ::testing::Test {
protected:
  static Limits::Asker of(std::string connection, Priority priority = Priority::normal) {
    Limits::Asker asker;
    asker.connection_id = std::move(connection);
    asker.priority = priority;
    return asker;
  }
  // Of an app that grants one request a second to all together.
  static Limits::Asker ofApp(std::string connection, Priority priority = Priority::normal) {
    auto asker = of(std::move(connection), priority);
    asker.app = "app";
    asker.of_app = runtime::RequestLimit{1, 1s, 1};
    return asker;
  }
  void enter(Limits::Asker asker, Milliseconds patience = 30s) {
    auto const who = asker.connection_id;
    asio::co_spawn(loop, limits.enter(std::move(asker), patience),
                   [this, who](std::exception_ptr, Result<void> passed) {
                     if (passed)
                       went.push_back(who);
                     else
                       refused.push_back(passed.error());
                   });
    poll();
  }
  void answered(Limits::Asker const& asker, int status, std::optional<Milliseconds> retry_after = {}) {
    limits.answered(asker, Pace::Seen{status, 10ms, retry_after});
  }
  void advance(Milliseconds span) {
    clock.advance(span);
    poll();
  }
  void poll() {
    loop.restart();
    loop.poll();
  }

  asio::io_context loop{1};
  VirtualClock clock{parseRfc3339("2026-01-01T00:00:00Z").value()};
  Limits limits{loop.get_executor(), clock};
  std::vector<std::string> went;
  std::vector<Error> refused;
};

TEST_F(LimitsTest, ARequestWaitsForRetryAfterAndNoSecondLonger) {
  enter(of("con_1"));
  answered(of("con_1"), 429, 7s);
  enter(of("con_1"));
  enter(of("con_2"));
  EXPECT_EQ(went, (std::vector<std::string>{"con_1", "con_2"})) << "others are not kept waiting";
  EXPECT_EQ(limits.closedFor("con_1"), 7s);
  advance(6'999ms);
  EXPECT_EQ(went.size(), 2U);
  advance(1ms);
  EXPECT_EQ(went.size(), 3U);
  EXPECT_FALSE(limits.closedFor("con_1"));
  EXPECT_EQ(clock.sleepers(), 0U);
}

TEST_F(LimitsTest, WhoWouldHaveToWaitTooLongIsToldAtOnceHowLong) {
  enter(of("con_1"));
  answered(of("con_1"), 429, 90s);
  advance(10s);
  enter(of("con_1"));
  ASSERT_EQ(refused.size(), 1U);
  EXPECT_EQ(refused[0].kind, ErrorKind::rateLimited);
  EXPECT_EQ(refused[0].effect, Effect::notApplied);
  EXPECT_EQ(refused[0].retry_after, 80s);
  EXPECT_EQ(limits.figures().refused, 1U);
}

TEST_F(LimitsTest, WhoeverWaitsHasOnlySoMuchPatience) {
  enter(ofApp("con_0"));
  for (int i = 1; i <= 5; ++i) enter(ofApp("con_" + std::to_string(i)), 2'500ms);
  EXPECT_EQ(limits.figures().waiting, 5U);
  for (int i = 0; i < 10; ++i) advance(500ms);
  EXPECT_EQ(went, (std::vector<std::string>{"con_0", "con_1", "con_2"}));
  ASSERT_EQ(refused.size(), 3U);
  EXPECT_EQ(refused[2].kind, ErrorKind::rateLimited);
  std::set<Milliseconds> told;
  for (auto const& each : refused) told.insert(each.retry_after.value());
  EXPECT_EQ(told, (std::set<Milliseconds>{500ms, 1'500ms, 2'500ms})) << "who waits besides goes first";
  EXPECT_EQ(limits.figures().waiting, 0U);
  EXPECT_EQ(limits.figures().waited, 5U);
  EXPECT_EQ(clock.sleepers(), 0U);
}

TEST_F(LimitsTest, ConnectionsOfOneAppShareItsLimitAndGoByPriority) {
  enter(ofApp("first"));
  enter(ofApp("bulk", Priority::bulk));
  enter(ofApp("normal"));
  enter(ofApp("wedding", Priority::weddingDay));
  enter(ofApp("interactive", Priority::interactive));
  EXPECT_EQ(limits.figures().waiting, 4U);
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(went.size(), 1U + static_cast<std::size_t>(i));
    advance(1s);
  }
  EXPECT_EQ(went, (std::vector<std::string>{"first", "wedding", "interactive", "normal", "bulk"}));
}

TEST_F(LimitsTest, OneRefusedConnectionIsItsOwnAffairTwoAtATimeAreTheApps) {
  auto fast = ofApp("con_1");
  fast.of_app = runtime::RequestLimit{1000, 1s, 1000};
  auto other = fast, third = fast;
  other.connection_id = "con_2";
  third.connection_id = "con_3";
  for (auto const& each : {fast, other}) enter(each);
  answered(fast, 429, 5s);
  answered(fast, 429, 5s);
  enter(third);
  EXPECT_EQ(went.size(), 3U);
  answered(other, 429, 5s);
  enter(third);
  EXPECT_EQ(went.size(), 3U) << "all leave the provider alone";
  advance(5s);
  EXPECT_EQ(went.size(), 4U);
}

TEST_F(LimitsTest, WhoeverWaitsAndCanStopIsSentAwayWhenTheDaemonStops) {
  auto pull = ofApp("pull"), write = ofApp("write");
  pull.can_stop = true;
  enter(ofApp("first"));
  enter(pull);
  enter(write);
  limits.stop();
  poll();
  ASSERT_EQ(refused.size(), 1U);
  EXPECT_EQ(refused[0].kind, ErrorKind::cancelled);
  advance(1s);
  EXPECT_EQ(went, (std::vector<std::string>{"first", "write"}));
}

TEST_F(LimitsTest, WhatRestsIsForgottenWithoutARoundOverAll) {
  for (int i = 0; i < 1000; ++i) enter(of("con_" + std::to_string(i)));
  EXPECT_EQ(limits.figures().paces, 1000U);
  EXPECT_EQ(limits.figures().waited, 0U);
  advance(60s);
  for (int i = 0; i < 2100; ++i) enter(of("con_busy"));
  EXPECT_LE(limits.figures().paces, 1U);
  EXPECT_EQ(clock.sleepers(), 0U) << "nothing wakes up for connections that rest";
}

} // namespace
} // namespace garland::sync
