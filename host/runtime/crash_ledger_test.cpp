#include "host/runtime/crash_ledger.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace garland::runtime {
namespace {

using namespace std::chrono_literals;

TEST(CrashLedger, ThreeStrikesWithinAnHourAndACallRunsAloneForAnHour) {
  CrashLedger ledger;
  ledger.strike({1, 2}, 2, 0min);
  ledger.strike({1, 3}, 3, 20min);
  EXPECT_FALSE(ledger.runsAlone(1, 20min));
  ledger.strike({1, 4}, 4, 40min);
  EXPECT_TRUE(ledger.runsAlone(1, 40min));
  EXPECT_FALSE(ledger.runsAlone(3, 40min)) << "one strike is none";
  EXPECT_TRUE(ledger.runsAlone(1, 99min));
  EXPECT_FALSE(ledger.runsAlone(1, 100min));
}

TEST(CrashLedger, OldStrikesDoNotCount) {
  CrashLedger ledger;
  ledger.strike({1}, 0, 0min);
  ledger.strike({1}, 0, 30min);
  ledger.strike({1}, 0, 60min);
  EXPECT_FALSE(ledger.runsAlone(1, 60min));
}

TEST(CrashLedger, OneDeathIsOneStrikeHoweverOftenTheCallRan) {
  CrashLedger ledger;
  ledger.strike({1, 1, 1, 1}, 0, 0min);
  EXPECT_FALSE(ledger.runsAlone(1, 0min));
}

TEST(CrashLedger, WhoSurvivedAloneGetsNoStrike) {
  CrashLedger ledger;
  for (int i = 0; i < 3; ++i) ledger.strike({1, 2}, 2, 1min);
  EXPECT_TRUE(ledger.runsAlone(1, 1min));
  EXPECT_FALSE(ledger.runsAlone(2, 1min));
}

TEST(CrashLedger, AParkedCallIsRefusedForTenMinutesAndThenRunsAlone) {
  CrashLedger ledger;
  ledger.park(1, "con_1", "was killed by SIGSEGV", 0min);
  ASSERT_NE(ledger.parked(1, 9min), nullptr);
  EXPECT_EQ(*ledger.parked(1, 9min), "was killed by SIGSEGV");
  EXPECT_EQ(ledger.parked(2, 9min), nullptr);
  EXPECT_EQ(ledger.parked(1, 10min), nullptr);
  EXPECT_TRUE(ledger.runsAlone(1, 10min));
}

TEST(CrashLedger, WhatIsForgivenAnAccountMayRunAgainAlone) {
  CrashLedger ledger;
  ledger.park(1, "con_1", "was killed by SIGSEGV", 0min);
  ledger.park(2, "con_2", "was killed by SIGSEGV", 0min);
  ledger.forgive("con_1", 1min);
  EXPECT_EQ(ledger.parked(1, 1min), nullptr);
  EXPECT_TRUE(ledger.runsAlone(1, 1min));
  EXPECT_NE(ledger.parked(2, 1min), nullptr);
}

TEST(CrashLedger, ItForgetsTheQuietestWhenItIsFull) {
  CrashLedger ledger;
  for (CallKey key = 1; key <= CrashLedger::kMost; ++key) ledger.suspect(key, Monotonic(key));
  ledger.suspect(1, 1s);
  ledger.suspect(CrashLedger::kMost + 1, 1s);
  EXPECT_EQ(ledger.size(), CrashLedger::kMost);
  EXPECT_TRUE(ledger.runsAlone(1, 1s));
  EXPECT_FALSE(ledger.runsAlone(2, 1s));
}

TEST(CallKey, EveryPartCounts) {
  auto const key = callKey(7, "digest", "op", "account", "input");
  EXPECT_EQ(key, callKey(7, "digest", "op", "account", "input"));
  EXPECT_NE(key, callKey(7, "other", "op", "account", "input"));
  EXPECT_NE(key, callKey(7, "digest", "other", "account", "input"));
  EXPECT_NE(key, callKey(7, "digest", "op", "other", "input"));
  EXPECT_NE(key, callKey(7, "digest", "op", "account", "other"));
  EXPECT_NE(key, callKey(8, "digest", "op", "account", "input"));
  EXPECT_NE(key, callKey(7, "digesto", "p", "account", "input"));
  EXPECT_NE(callKey(7, "a", "b", "", ""), callKey(7, "b", "a", "", ""));
}

TEST(CrashLedger, TellsUntilWhenACallIsSetAsideAndHowManyWereForgiven) {
  using namespace std::chrono_literals;
  CrashLedger ledger;
  ledger.park(1, "con_1", "died", 100s);
  ledger.park(2, "con_1", "died", 100s);
  ledger.park(3, "con_2", "died", 100s);
  EXPECT_EQ(ledger.parkedUntil(1, 101s), 100s + CrashLedger::kParkedFor);
  EXPECT_EQ(ledger.parkedUntil(7, 101s), std::nullopt);
  EXPECT_EQ(ledger.forgive("con_1", 101s), 2U);
  EXPECT_EQ(ledger.parkedUntil(1, 101s), std::nullopt);
  EXPECT_EQ(ledger.forgive("con_1", 101s), 0U);
  EXPECT_EQ(ledger.forgive("con_2", 100s + CrashLedger::kParkedFor), 0U) << "it is over anyway";
}

TEST(CallKey, OfALongInputEveryByteCounts) {
  std::string input(200'000, 'x');
  auto const key = callKey(7, "digest", "op", "account", input);
  input[100'000] = 'y';
  EXPECT_NE(key, callKey(7, "digest", "op", "account", input));
}

TEST(RecentCalls, KeepsTheNewest) {
  RecentCalls recent;
  for (CallKey key = 1; key <= 200; ++key) recent.add(key);
  EXPECT_EQ(recent.keys().size(), 128U);
  EXPECT_EQ(std::ranges::count(recent.keys(), 72U), 0);
  EXPECT_EQ(std::ranges::count(recent.keys(), 73U), 1);
  EXPECT_EQ(std::ranges::count(recent.keys(), 200U), 1);
}

} // namespace
} // namespace garland::runtime
