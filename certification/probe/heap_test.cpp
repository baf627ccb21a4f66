// The guarded heap: what is done beside a block, or after it was given back, is seen.
#include "certification/probe/heap.h"

#include <gtest/gtest.h>

#include <csignal>
#include <cstring>
#include <random>
#include <vector>

namespace garland::probe {
namespace {

class GuardedHeap : public ::testing::Test {
protected:
  void SetUp() override {
#ifdef GARLAND_SANITIZER_BUILD
    GTEST_SKIP() << "a sanitizer has its own";
#endif
    guardHeap(true);
    before_ = heapMisuse();
  }
  void TearDown() override { guardHeap(false); }
  std::uint64_t overruns() const { return heapMisuse().overruns - before_.overruns; }
  std::uint64_t badFrees() const { return heapMisuse().bad_frees - before_.bad_frees; }
  static char* block(std::size_t bytes) { return static_cast<char*>(guardedBlock(16, bytes)); }

private:
  HeapMisuse before_;
};

TEST_F(GuardedHeap, WhatIsDoneInsideOfABlockIsNoMisuse) {
  auto* const text = block(33);
  ASSERT_NE(text, nullptr);
  EXPECT_TRUE(isGuarded(text));
  EXPECT_EQ(guardedSize(text), 33U);
  std::memset(text, 7, 33);
  freeGuarded(text);
  EXPECT_EQ(overruns() + badFrees(), 0U);
}

TEST_F(GuardedHeap, AByteBesideABlockIsCountedWhenItIsGivenBack) {
  auto* behind = block(33);
  behind[33] = 0;
  freeGuarded(behind);
  EXPECT_EQ(overruns(), 1U);
  auto* before = block(33);
  before[-1] = 0;
  freeGuarded(before);
  EXPECT_EQ(overruns(), 2U);
}

TEST_F(GuardedHeap, WhatIsGivenBackTwiceOrFromItsMiddleIsCounted) {
  auto* const text = block(32);
  freeGuarded(text + 8);
  EXPECT_EQ(badFrees(), 1U);
  freeGuarded(text);
  freeGuarded(text);
  EXPECT_EQ(badFrees(), 2U);
}

using GuardedHeapDeath = GuardedHeap;

TEST_F(GuardedHeapDeath, BehindABlockAndAfterItsTimeNobodyMayBe) {
  EXPECT_EXIT({ static_cast<char volatile*>(block(32))[32] = 1; }, ::testing::KilledBySignal(SIGSEGV), "");
  EXPECT_EXIT(
      {
        auto* const text = block(32);
        freeGuarded(text);
        static_cast<void>(static_cast<char volatile*>(text)[0]);
      },
      ::testing::KilledBySignal(SIGSEGV), "");
}

TEST_F(GuardedHeap, RoomComesBackAndIsNoMisuseHoweverMuchIsAskedFor) {
  std::mt19937 dice(7);
  std::vector<void*> live;
  std::size_t refused = 0;
  for (int i = 0; i < 20'000; ++i) {
    auto* const made = guardedBlock(16, 1 + dice() % 9000);
    refused += made == nullptr ? 1 : 0;
    if (made != nullptr) live.push_back(made);
    bool const give = made == nullptr || dice() % 3 == 0;
    if (!give || live.empty()) continue;
    std::swap(live[dice() % live.size()], live.back());
    freeGuarded(live.back());
    live.pop_back();
  }
  for (auto* const one : live) freeGuarded(one);
  EXPECT_GT(refused, 0U) << "more was asked for than there is room";
  EXPECT_NE(block(100'000), nullptr);
  EXPECT_EQ(overruns() + badFrees(), 0U);
}

} // namespace
} // namespace garland::probe
