// Whose turn it is: when each is due, who goes before whom, and who must not begin.
#include "host/sync/rounds.h"

#include "host/sync/testing/doors.h"

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <stdexcept>

namespace garland::sync {
namespace {

using Names = std::vector<std::string>;

class RoundsTest : public ::testing::Test {
protected:
  testing::House house;
  std::unique_ptr<Context> context = Context::make(testing::doorsOf(house)).value();
  Names begun;

  void turns(std::size_t count) {
    while (begun.size() < count) house.loop.run_one();
  }
  // As far as it goes by itself.
  void settle() {
    while (house.loop.poll() > 0) {
    }
  }
  void pass(Milliseconds span) {
    settle();
    house.clock.advance(span);
    settle();
  }
  void end(Rounds& rounds) {
    context->stopping = true;
    house.run(rounds.stop()).value();
  }
};

TEST_F(RoundsTest, NobodyWhoAlwaysHasMoreKeepsTheOthersWaiting) {
  Rounds rounds(*context, 1, [&](std::string name) -> Task<std::optional<TimePoint>> {
    begun.push_back(name);
    co_await asio::post(house.loop, asio::use_awaitable);
    co_return std::optional<TimePoint>(house.clock.now());
  });
  for (auto const* name : {"a", "b", "c"}) rounds.due(name, house.clock.now());
  rounds.start();
  turns(6);
  EXPECT_EQ(begun, (Names{"a", "b", "c", "a", "b", "c"}));
  end(rounds);
}

TEST_F(RoundsTest, RoundsThatFailAlikeAreToldOnce) {
  Rounds rounds(*context, 1, [&](std::string name) -> Task<std::optional<TimePoint>> {
    begun.push_back(name);
    co_return Error(ErrorKind::transient, "the database is away");
  });
  for (auto const* name : {"a", "b", "c"}) rounds.due(name, house.clock.now());
  rounds.start();
  turns(3);
  end(rounds);
  auto const told = house.log_text.find("waits a moment: the database is away");
  EXPECT_NE(told, std::string::npos);
  EXPECT_EQ(told, house.log_text.rfind("waits a moment: the database is away"));
}

TEST_F(RoundsTest, ARoundThatThrowsIsRepeatedAMomentLater) {
  Rounds rounds(*context, 1, [&](std::string name) -> Task<std::optional<TimePoint>> {
    begun.push_back(name);
    if (begun.size() == 1) throw std::runtime_error("a bug");
    co_return std::optional<TimePoint>();
  });
  rounds.due("a", house.clock.now());
  rounds.start();
  while (house.clock.sleepers() < 1) house.loop.run_one();
  house.clock.advance(Milliseconds(5'000));
  turns(2);
  end(rounds);
}

TEST_F(RoundsTest, WhoIsHeldKeepsNobodyBackAndThenGoesByWhenItWasDue) {
  Event go(house.loop.get_executor());
  Rounds rounds(*context, 1, [&](std::string name) -> Task<std::optional<TimePoint>> {
    begun.push_back(name);
    if (name == "b") {
      CO_TRY_VOID(co_await go.wait());
    }
    co_return std::optional<TimePoint>();
  });
  {
    Rounds::Hold const hold(rounds, "a");
    for (auto const* name : {"a", "b", "c"}) rounds.due(name, house.clock.now());
    rounds.start();
    settle();
    EXPECT_EQ(begun, (Names{"b"}));
    EXPECT_TRUE(rounds.expects("a"));
  }
  go.set();
  settle();
  EXPECT_EQ(begun, (Names{"b", "a", "c"}));
  end(rounds);
}

TEST_F(RoundsTest, ItIsHeldUntilTheLastHoldEnds) {
  Rounds rounds(*context, 1, [&](std::string name) -> Task<std::optional<TimePoint>> {
    begun.push_back(name);
    co_return std::optional<TimePoint>();
  });
  std::optional<Rounds::Hold> first(std::in_place, rounds, "a");
  std::optional<Rounds::Hold> second(std::in_place, rounds, "a");
  rounds.due("a", house.clock.now());
  rounds.start();
  first.reset();
  settle();
  EXPECT_EQ(begun, Names());
  second.reset();
  settle();
  EXPECT_EQ(begun, (Names{"a"}));
  end(rounds);
}

TEST_F(RoundsTest, WhatIsDueSoonerAfterAllGoesThenAndOnlyOnce) {
  Rounds rounds(*context, 1, [&](std::string name) -> Task<std::optional<TimePoint>> {
    begun.push_back(name);
    co_return std::optional<TimePoint>();
  });
  auto const now = house.clock.now();
  rounds.due("a", now + Milliseconds(10'000));
  rounds.due("b", now + Milliseconds(5'000));
  rounds.start();
  settle();
  rounds.due("a", now + Milliseconds(1'000));
  rounds.due("a", now + Milliseconds(20'000));
  pass(Milliseconds(999));
  EXPECT_EQ(begun, Names());
  pass(Milliseconds(1));
  EXPECT_EQ(begun, (Names{"a"}));
  pass(Milliseconds(4'000));
  EXPECT_EQ(begun, (Names{"a", "b"}));
  pass(Milliseconds(60'000));
  EXPECT_EQ(begun, (Names{"a", "b"}));
  end(rounds);
}

TEST_F(RoundsTest, ARoundIsDueAfterAsMuchTimeThoughTheTimeOfDayIsSetBack) {
  Rounds rounds(*context, 1, [&](std::string name) -> Task<std::optional<TimePoint>> {
    begun.push_back(name);
    co_return std::optional<TimePoint>();
  });
  rounds.due("a", house.clock.now() + Milliseconds(5'000));
  rounds.start();
  settle();
  house.clock.set(house.clock.now() - std::chrono::days(1));
  rounds.due("b", house.clock.now() + Milliseconds(1'000));
  pass(Milliseconds(1'000));
  EXPECT_EQ(begun, (Names{"b"}));
  pass(Milliseconds(4'000));
  EXPECT_EQ(begun, (Names{"b", "a"}));
  end(rounds);
}

TEST_F(RoundsTest, WhatBecomesDueDuringItsRoundHasAnotherOne) {
  Event go(house.loop.get_executor());
  Rounds rounds(*context, 2, [&](std::string name) -> Task<std::optional<TimePoint>> {
    begun.push_back(name);
    CO_TRY_VOID(co_await go.wait());
    co_return std::optional<TimePoint>();
  });
  rounds.due("a", house.clock.now());
  rounds.start();
  settle();
  rounds.due("a", house.clock.now());
  settle();
  EXPECT_EQ(begun, (Names{"a"})) << "one at a time";
  go.set();
  settle();
  EXPECT_EQ(begun, (Names{"a", "a"}));
  end(rounds);
}

TEST_F(RoundsTest, WhatIsForgottenDoesNotBegin) {
  Rounds rounds(*context, 1, [&](std::string name) -> Task<std::optional<TimePoint>> {
    begun.push_back(name);
    co_return std::optional<TimePoint>();
  });
  for (auto const* name : {"a", "b"}) rounds.due(name, house.clock.now());
  rounds.forget("a");
  EXPECT_FALSE(rounds.expects("a"));
  rounds.start();
  settle();
  EXPECT_EQ(begun, (Names{"b"}));
  end(rounds);
}

} // namespace
} // namespace garland::sync
