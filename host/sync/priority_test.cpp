#include "host/sync/priority.h"

#include <gtest/gtest.h>

#include <array>
#include <random>
#include <string>

namespace garland::sync {
namespace {

using Queue = PriorityQueue<std::string>;

constexpr std::array<Priority, kPriorities> kAll{Priority::weddingDay, Priority::interactive,
                                                 Priority::normal, Priority::bulk};

TEST(PriorityQueue, TheHighestGoesFirstAndWithinOneWhoeverCameFirst) {
  Queue queue;
  queue.push(Priority::bulk, "bulk");
  queue.push(Priority::normal, "normal 1");
  queue.push(Priority::weddingDay, "wedding");
  queue.push(Priority::normal, "normal 2");
  queue.push(Priority::interactive, "interactive");
  for (auto const* expected : {"wedding", "interactive", "normal 1", "normal 2", "bulk"})
    EXPECT_EQ(queue.pop(), expected);
  EXPECT_TRUE(queue.empty());
}

// All that is above it comes without end, and never runs out.
TEST(PriorityQueue, UnderEndlessHigherTrafficEachPriorityGoesWithinItsBoundEachTime) {
  for (auto const watched : kAll) {
    Queue queue;
    auto const name = std::to_string(static_cast<int>(watched));
    std::size_t before = 0;
    std::size_t turns = 0;
    for (int i = 0; i < 10'000; ++i) {
      for (auto const each : kAll)
        while (!queue.has(each)) queue.push(each, std::to_string(static_cast<int>(each)));
      if (queue.pop() != name) {
        ASSERT_LE(++before, Queue::mostBefore(watched)) << name;
        continue;
      }
      before = 0;
      ++turns;
    }
    EXPECT_GE(turns, 10'000U / (Queue::mostBefore(watched) + 1)) << name;
  }
}

TEST(PriorityQueue, WhateverComesWhenNobodyWaitsLongerThanTheBound) {
  std::mt19937_64 chance(7);
  std::array<std::size_t, kPriorities> before{};
  Queue queue;
  for (int i = 0; i < 50'000; ++i) {
    for (auto const each : kAll)
      if (chance() % 3 != 0) queue.push(each, std::to_string(static_cast<int>(each)));
    if (queue.empty()) continue;
    std::array<bool, kPriorities> waited{};
    for (std::size_t p = 0; p < kPriorities; ++p) waited[p] = queue.has(kAll[p]);
    auto const went = static_cast<std::size_t>(std::stoi(queue.pop()));
    for (std::size_t p = 0; p < kPriorities; ++p) {
      before[p] = waited[p] && p != went ? before[p] + 1 : 0;
      ASSERT_LE(before[p], Queue::mostBefore(kAll[p])) << p << " after " << i;
    }
  }
}

TEST(PriorityQueue, BulkAloneBesideInteractiveGoesAfterEightOfThem) {
  Queue queue;
  queue.push(Priority::bulk, "bulk");
  for (int i = 0; i < 20; ++i) queue.push(Priority::interactive, "interactive");
  for (std::size_t i = 0; i < patienceOf(Priority::bulk); ++i) ASSERT_EQ(queue.pop(), "interactive") << i;
  EXPECT_EQ(queue.pop(), "bulk");
}

TEST(PriorityQueue, WhoMayNotGoYetIsPassedOverAndKeepsHisPlace) {
  Queue queue;
  queue.push(Priority::interactive, "shut 1");
  queue.push(Priority::normal, "shut 2");
  queue.push(Priority::normal, "open");
  auto const isOpen = [](std::string const& who) { return who.starts_with("open"); };
  EXPECT_EQ(queue.popOf(isOpen), "open");
  EXPECT_EQ(queue.popOf(isOpen), std::nullopt);
  EXPECT_EQ(queue.size(), 2U);
  queue.push(Priority::normal, "late");
  for (auto const* expected : {"shut 1", "shut 2", "late"}) EXPECT_EQ(queue.pop(), expected);
}

// Time in which it could not have gone is no reason to let it go before others.
TEST(PriorityQueue, WhoMayNotGoYetUsesUpNoPatience) {
  Queue queue;
  queue.push(Priority::bulk, "shut");
  for (int i = 0; i < 20; ++i) queue.push(Priority::interactive, "open");
  auto const isOpen = [](std::string const& who) { return who == "open"; };
  for (int i = 0; i < 12; ++i) ASSERT_EQ(queue.popOf(isOpen), "open");
  for (std::size_t i = 0; i < patienceOf(Priority::bulk); ++i) ASSERT_EQ(queue.pop(), "open") << i;
  EXPECT_EQ(queue.pop(), "shut");
}

TEST(PriorityQueue, WhoeverWaitsMayLeaveOrBeHastened) {
  Queue queue;
  queue.push(Priority::bulk, "a");
  queue.push(Priority::bulk, "b");
  queue.push(Priority::normal, "c");
  queue.hasten("b", Priority::interactive);
  queue.hasten("c", Priority::bulk);
  EXPECT_TRUE(queue.erase("a"));
  EXPECT_FALSE(queue.erase("a"));
  EXPECT_EQ(queue.pop(), "b");
  EXPECT_EQ(queue.pop(), "c") << "nobody is made to wait longer";
  EXPECT_TRUE(queue.empty());
}

} // namespace
} // namespace garland::sync
