#include "host/realtime/feed_fixture.h"

#include <gtest/gtest.h>

#include <numeric>

namespace garland::realtime {
namespace {

std::vector<std::int64_t> from(std::int64_t first, std::int64_t last) {
  std::vector<std::int64_t> out(static_cast<std::size_t>(last - first + 1));
  std::iota(out.begin(), out.end(), first);
  return out;
}

TEST(Hub, WithoutANumberASubscriberGetsWhatComesFromNowOn) {
  HubHouse house;
  house.commit("a", 3);
  Reader reader(house.subscribe(filterOf("a")).value().subscription);
  EXPECT_EQ(reader.subscription().position(), 3);
  house.commit("a", 2);
  EXPECT_EQ(reader.seen, from(4, 5));
}

TEST(Hub, WithANumberItGetsWhatCameAfterItAndGoesOnLive) {
  HubHouse house;
  house.commit("a", 500);
  Reader reader(house.subscribe(filterOf("a"), 120).value().subscription);
  house.settle();
  EXPECT_EQ(reader.seen, from(121, 500));
  house.commit("a", 3);
  EXPECT_EQ(reader.seen, from(121, 503));
}

TEST(Hub, OneReadOfTheFeedServesAllSubscribersOfAVendor) {
  HubHouse house;
  house.commit("a", 1);
  std::vector<std::unique_ptr<Reader>> readers;
  for (int i = 0; i < 1'000; ++i)
    readers.push_back(std::make_unique<Reader>(house.subscribe(filterOf("a")).value().subscription));
  auto const before = house.feed->reads;
  house.commit("a", 10);
  EXPECT_EQ(house.feed->reads - before, 1);
  for (auto const& reader : readers) ASSERT_EQ(reader->seen, from(2, 11));
}

TEST(Hub, OtherVendorsKindsAndWeddingsAreNotHandedOutButPassed) {
  HubHouse house;
  house.commit("a");
  house.commit("b");
  Reader kinds(house.subscribe(filterOf("a", {"crm.event", "crm.note"})).value().subscription);
  Reader wedding(house.subscribe(filterOf("a", {}, "rec_1")).value().subscription);
  Reader other(house.subscribe(filterOf("b")).value().subscription);
  house.feed->commit("a", "crm.event", "rec_2");
  house.feed->commit("a", "crm.client", "");
  house.feed->commit("a", "crm.project", "rec_1");
  house.commit("a", 0);
  EXPECT_EQ(kinds.seen, from(2, 2));
  EXPECT_EQ(wedding.seen, from(4, 4));
  EXPECT_EQ(kinds.subscription().position(), 4) << "resuming there repeats nothing that it does not want";
  EXPECT_TRUE(other.seen.empty());
}

TEST(Hub, WhatAnotherDaemonCommittedIsFoundByLooking) {
  HubHouse house;
  house.commit("a", 1);
  Reader reader(house.subscribe(filterOf("a")).value().subscription);
  house.feed->commit("a");
  house.settle();
  EXPECT_TRUE(reader.seen.empty());
  house.look();
  EXPECT_EQ(reader.seen, from(2, 2));
}

TEST(Hub, AfterADatabaseThatWasAwayNothingIsMissing) {
  Limits limits;
  limits.tail_events = 4;
  HubHouse house(limits);
  house.commit("a", 50);
  Reader live(house.subscribe(filterOf("a")).value().subscription);
  house.feed->broken = true;
  house.commit("a", 5);
  Reader behind(house.subscribe(filterOf("a"), 7).value().subscription);
  house.settle();
  EXPECT_TRUE(live.seen.empty());
  EXPECT_NE(house.log_text.find("the database is away"), std::string::npos);
  house.feed->broken = false;
  house.look();
  house.look();
  EXPECT_EQ(live.seen, from(51, 55));
  EXPECT_EQ(behind.seen, from(8, 55));
}

TEST(Hub, WhileTheDatabaseIsAwayItIsTriedByOneAtATimeAndTheLogSaysSoOnce) {
  Limits limits;
  limits.tail_events = 4;
  limits.readers = 8;
  HubHouse house(limits);
  house.commit("a", 50);
  house.feed->broken = true;
  std::vector<std::unique_ptr<Reader>> readers;
  for (int i = 0; i < 200; ++i)
    readers.push_back(std::make_unique<Reader>(house.subscribe(filterOf("a"), 7).value().subscription));
  auto const before = house.feed->reads;
  for (int i = 0; i < 60; ++i) house.look();
  EXPECT_LE(house.feed->reads - before, 10) << "after 1, 2, 4 and then 8 seconds each";
  EXPECT_GE(house.feed->reads - before, 7);
  auto const first = house.log_text.find("the database is away");
  ASSERT_NE(first, std::string::npos);
  EXPECT_EQ(house.log_text.find("the database is away", first + 1), std::string::npos);
  house.feed->broken = false;
  for (int i = 0; i < 10; ++i) house.look();
  for (auto const& reader : readers) ASSERT_EQ(reader->seen, from(8, 50));
  EXPECT_NE(house.log_text.find("can be read for its subscribers again"), std::string::npos);
}

TEST(Hub, ANumberThatIsNoLongerKeptOrWasNeverReachedIsGone) {
  HubHouse house;
  house.commit("a", 20);
  house.feed->forget("a", 10);
  EXPECT_EQ(house.subscribe(filterOf("a"), 9).value().subscription, nullptr);
  EXPECT_EQ(house.subscribe(filterOf("a"), 9).value().span.first, 11);
  EXPECT_NE(house.subscribe(filterOf("a"), 10).value().subscription, nullptr) << "11 is kept";
  EXPECT_NE(house.subscribe(filterOf("a"), 20).value().subscription, nullptr);
  EXPECT_EQ(house.subscribe(filterOf("a"), 21).value().subscription, nullptr) << "a restored database";
  EXPECT_EQ(house.subscribe(filterOf("x")).error().kind, ErrorKind::notFound);
}

TEST(Hub, WhatIsRemovedWhileASubscriberReadsItsBacklogEndsItAsGone) {
  Limits limits;
  limits.page = 5;
  limits.tail_events = 4;
  HubHouse house(limits);
  house.commit("a", 100);
  Reader reader(house.subscribe(filterOf("a"), 0).value().subscription);
  reader.still = true;
  reader.seen.clear();
  auto const at = reader.subscription().position();
  house.feed->forget("a", 60);
  reader.still = false;
  reader.ready();
  house.settle();
  EXPECT_EQ(reader.subscription().ended(), End::gone);
  EXPECT_LT(at, 60) << "the test is about a backlog that is being read";
}

TEST(Hub, ASubscriberThatFallsTooFarBehindIsShedAndResumesWhereItWas) {
  Limits limits;
  limits.tail_events = 8;
  limits.most_behind = 100;
  HubHouse house(limits);
  house.commit("a", 1);
  Reader slow(house.subscribe(filterOf("a")).value().subscription);
  Reader quick(house.subscribe(filterOf("a")).value().subscription);
  house.commit("a", 1);
  slow.still = true;
  for (int i = 0; i < 10; ++i) house.commit("a", 10);
  EXPECT_EQ(slow.subscription().ended(), End::none) << "100 behind";
  house.commit("a");
  EXPECT_EQ(slow.subscription().ended(), End::slow);
  EXPECT_TRUE(slow.subscription().take().empty());
  EXPECT_EQ(quick.subscription().ended(), End::none);
  EXPECT_EQ(slow.subscription().position(), 2) << "the resume token";
  Reader again(house.subscribe(filterOf("a"), slow.subscription().position()).value().subscription);
  house.settle();
  EXPECT_EQ(again.seen, from(3, 103));
  EXPECT_EQ(again.subscription().ended(), End::none) << "whoever reads its backlog is not shed for it";
}

TEST(Hub, MemoryStaysWithinItsBoundsWhateverSubscribersDo) {
  Limits limits;
  limits.tail_events = 50;
  limits.tail_bytes = 20'000;
  limits.readers = 2;
  limits.page = 10;
  HubHouse house(limits);
  for (auto const* vendor : {"a", "b", "c"}) house.commit(vendor, 500);
  std::vector<std::unique_ptr<Reader>> readers;
  for (int i = 0; i < 60; ++i) {
    auto const vendor = std::string(1, static_cast<char>('a' + i % 3));
    readers.push_back(std::make_unique<Reader>(
        house.subscribe(filterOf(vendor), i % 2 == 0 ? std::optional<std::int64_t>(0) : std::nullopt)
            .value()
            .subscription));
    readers.back()->still = i % 5 == 0;
  }
  for (int round = 0; round < 20; ++round)
    for (auto const* vendor : {"a", "b", "c"}) {
      house.commit(vendor, 20);
      EXPECT_LE(house.hub->figures().tail_bytes, limits.tail_bytes);
      EXPECT_LE(house.feed->most_reading, 3 + 2) << "a pump for each vendor, and the readers";
    }
  readers.clear();
  EXPECT_EQ(house.hub->figures().tail_bytes, 0U) << "of vendors that nobody follows nothing is kept";
  EXPECT_EQ(house.hub->figures().subscribers, 0U);
}

TEST(Hub, AReaderThatHoldsItsPageForEverKeepsNobodyElseFromTheTail) {
  Limits limits;
  limits.readers = 1;
  limits.tail_events = 4;
  HubHouse house(limits);
  house.commit("a", 50);
  auto holder = std::make_unique<Reader>(house.subscribe(filterOf("a"), 0).value().subscription);
  holder->still = true;
  Reader waiting(house.subscribe(filterOf("a"), 10).value().subscription);
  Reader live(house.subscribe(filterOf("a")).value().subscription);
  house.commit("a", 2);
  EXPECT_TRUE(waiting.seen.empty());
  EXPECT_EQ(live.seen, from(51, 52));
  holder.reset();
  house.settle();
  EXPECT_EQ(waiting.seen, from(11, 52)) << "it had to wait for the only reader's place";
}

TEST(Hub, ThereAreOnlySoManySubscribersAndSoManyOfOneVendor) {
  Limits limits;
  limits.subscribers = 3;
  limits.subscribers_of_vendor = 2;
  HubHouse house(limits);
  house.commit("a");
  house.commit("b");
  auto one = house.subscribe(filterOf("a")).value();
  auto const two = house.subscribe(filterOf("a")).value();
  EXPECT_EQ(house.subscribe(filterOf("a")).error().kind, ErrorKind::quota);
  auto const three = house.subscribe(filterOf("b")).value();
  EXPECT_TRUE(house.subscribe(filterOf("b")).error().retry_after);
  one.subscription.reset();
  EXPECT_TRUE(house.subscribe(filterOf("b")));
}

TEST(Hub, AStoppedOneTellsNobodyAndLeavesNothingBehind) {
  HubHouse house;
  house.commit("a", 5);
  Reader reader(house.subscribe(filterOf("a")).value().subscription);
  EXPECT_EQ(house.clock.sleepers(), 1U) << "somebody looks from time to time";
  house.hub->stop();
  house.settle();
  EXPECT_EQ(house.clock.sleepers(), 0U);
  house.commit("a", 5);
  EXPECT_TRUE(reader.seen.empty());
  EXPECT_FALSE(house.subscribe(filterOf("a")));
}

} // namespace
} // namespace garland::realtime
