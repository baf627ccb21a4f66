#include "host/base/ids.h"

#include "host/base/pooled_random.h"

#include <gtest/gtest.h>

#include <set>
#include <span>
#include <string>
#include <utility>

namespace garland {
namespace {

using namespace std::chrono_literals;

TEST(Ids, LaterIdsSortAfterEarlierOnes) {
  VirtualClock clock(TimePoint(1'700'000'000'000ms));
  SeededRandom random(1);
  auto last = newId("rec", clock, random);
  for (int i = 0; i < 100; ++i) {
    clock.advance(1ms);
    auto next = newId("rec", clock, random);
    EXPECT_LT(last, next);
    last = std::move(next);
  }
}

TEST(Ids, AMomentParts) {
  VirtualClock clock(TimePoint(1'700'000'000'000ms));
  SeededRandom random(1);
  auto const earlier = newId("itm", clock, random);
  clock.advance(1ms);
  auto const border = idsBefore("itm", clock.now());
  EXPECT_LT(earlier, border);
  EXPECT_GT(newId("itm", clock, random), border);
}

TEST(Ids, NoIdIsOfAMomentBefore1970) {
  VirtualClock clock(TimePoint(0ms));
  SeededRandom random(1);
  auto const first = newId("itm", clock, random);
  EXPECT_GT(first, idsBefore("itm", TimePoint(0ms)));
  EXPECT_GT(first, idsBefore("itm", TimePoint(-1ms)));
  clock.set(TimePoint(-1ms));
  EXPECT_LT(newId("itm", clock, random), idsBefore("itm", TimePoint(1ms))) << "by a clock that is wrong";
}

TEST(Ids, OnlyTheRightShapeIsAnId) {
  VirtualClock clock(TimePoint(1'700'000'000'000ms));
  SeededRandom random(1);
  auto const id = newId("ven", clock, random);
  EXPECT_TRUE(isId("ven", id));
  EXPECT_FALSE(isId("con", id));
  EXPECT_FALSE(isId("ven", id + "0"));
  EXPECT_FALSE(isId("ven", "ven_0123456789ABCDEFGHJKMNPQR'"));
  EXPECT_FALSE(isId("ven", ""));
}

TEST(Random, APoolGivesNothingTwice) {
  SeededRandom random(1);
  PooledRandom pool(random);
  std::set<std::string> drawn;
  for (int i = 0; i < 1'000; ++i) {
    std::string bytes(16, '\0');
    pool.fill(std::as_writable_bytes(std::span(bytes)));
    EXPECT_TRUE(drawn.insert(std::move(bytes)).second) << i;
  }
}

TEST(Random, WhatIsMoreThanAPoolHoldsIsFilledToItsEnd) {
  SeededRandom random(1), same(1);
  PooledRandom pool(random);
  std::string bytes(5'000, '\0'), wanted(5'000, '\0');
  pool.fill(std::as_writable_bytes(std::span(bytes)));
  same.fill(std::as_writable_bytes(std::span(wanted)));
  EXPECT_EQ(bytes, wanted);
}

TEST(Random, TheSameSeedGivesTheSameBytes) {
  SeededRandom one(42), same(42), other(43);
  auto const first = one.next();
  EXPECT_EQ(first, same.next());
  EXPECT_NE(first, other.next());
}

} // namespace
} // namespace garland
