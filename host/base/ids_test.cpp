#include "host/base/ids.h"

#include <gtest/gtest.h>

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

TEST(Random, TheSameSeedGivesTheSameBytes) {
  SeededRandom one(42), same(42), other(43);
  auto const first = one.next();
  EXPECT_EQ(first, same.next());
  EXPECT_NE(first, other.next());
}

} // namespace
} // namespace garland
