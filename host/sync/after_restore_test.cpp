// What the engine does on a database that was put back, while providers know what happened afterwards.
#include "host/sync/testing/one_bank.h"
#include "host/sync/testing/one_calendar.h"

namespace garland::sync {
namespace {

using testing::event;
using testing::FakeBank;

constexpr Milliseconds kTenMinutes{600'000};

class RestoredBank : public testing::OneBank {
protected:
  // It waits at the moment of the backup.
  std::string waiting(std::string const& operation) {
    bank.turns.push_back(FakeBank::refused(limited(Milliseconds(60'000))));
    auto const id = accept(operation);
    EXPECT_EQ(later(id).state, ActionState::waiting);
    made = house.clock.now();
    return id;
  }
  // What the lost host did with it after the backup.
  void takesPlace(std::string const& id) {
    auto const action = get(id);
    bank.charges.push_back({action.provider_key, action.operation, "pay_1"});
  }
  void restore() {
    house.run(house.store->commit(afterRestore(made, house.clock.now()))).value();
    house.restart();
  }
  Action ended(std::string const& id) {
    return until(id, [](Action const& a) { return a.state != ActionState::sent && !a.next_attempt; });
  }
  TimePoint made;
};

TEST_F(RestoredBank, WhatWaitedAndTookPlaceSinceIsFoundAndNotSentAgain) {
  auto const id = waiting("test.charge/1");
  takesPlace(id);
  restore();
  auto const doubted = get(id);
  EXPECT_EQ(doubted.state, ActionState::unknown);
  EXPECT_NE(doubted.error->message.find("restored from a backup of " + rfc3339(made)), std::string::npos);
  EXPECT_GT(*doubted.next_attempt, house.clock.now() + kTenMinutes) << "it may be on its way yet";
  comesDue(doubted);
  auto const action = ended(id);
  EXPECT_EQ(action.state, ActionState::done);
  EXPECT_EQ(action.known_by, "lookup");
  EXPECT_EQ(bank.charges.size(), 1U);
  EXPECT_EQ(bank.keys.size(), 1U) << "only what the limit refused, before the backup";
}

TEST_F(RestoredBank, WhatWaitedAndIsNowhereIsSentUnderItsKey) {
  auto const id = waiting("test.charge/1");
  restore();
  comesDue(get(id));
  auto const again = until(id, [](Action const& a) { return a.state != ActionState::unknown; });
  if (again.state == ActionState::waiting && *again.next_attempt > house.clock.now()) comesDue(again);
  EXPECT_EQ(ended(id).state, ActionState::done);
  ASSERT_EQ(bank.charges.size(), 1U);
  EXPECT_EQ(bank.charges[0].key, get(id).provider_key);
  EXPECT_EQ(bank.lookups, 1);
}

TEST_F(RestoredBank, WhatNobodyCanFindOutIsLeftToAPerson) {
  auto const id = waiting("test.post/1");
  restore();
  comesDue(get(id));
  auto const action = ended(id);
  EXPECT_EQ(action.state, ActionState::unknown);
  EXPECT_FALSE(noticeOf(action).empty());
  EXPECT_TRUE(bank.charges.empty());
}

TEST_F(RestoredBank, ALookupThatWasDueAlreadyWaitsAsWell) {
  bank.turns.push_back(FakeBank::lostOnTheWay());
  auto const id = accept("test.charge/1");
  EXPECT_EQ(later(id).state, ActionState::unknown);
  made = house.clock.now();
  restore();
  EXPECT_GT(*get(id).next_attempt, house.clock.now() + kTenMinutes);
  EXPECT_EQ(bank.lookups, 0);
}

class RestoredCalendar : public testing::OneCalendar {
protected:
  void SetUp() override {
    remote.put("/cal/a", event("a", "A"));
    house.sync(connection);
  }
  void retitle(std::string const& title) {
    auto const record = house.recordOf(vendor, "a");
    auto data = record.data;
    data.as_object()["title"] = title;
    house.run(house.engine->putRecord(vendor, record.id, data, record.version)).value();
  }
  void restore() {
    house.run(house.store->commit(afterRestore(house.clock.now(), house.clock.now()))).value();
  }
  std::int64_t last() {
    std::vector<std::string> vendors;
    vendors.push_back(vendor);
    return house.run(house.engine->feedSpans(std::move(vendors))).value().at(0).last;
  }
};

TEST_F(RestoredCalendar, AWriteThatMayBeThereIsSetAsideUntilAPersonWantsIt) {
  retitle("Mine");
  restore();
  auto const run = house.sync(connection);
  EXPECT_EQ(remote.writes, 0);
  EXPECT_EQ(run.set_aside, 1);
  ASSERT_EQ(run.problems.size(), 1U);
  EXPECT_TRUE(
      run.problems[0].message.starts_with("whether it was written is not known: this host was restored"))
      << run.problems[0].message;
  retitle("Mine again");
  house.sync(connection);
  EXPECT_EQ(remote.writes, 1);
}

TEST_F(RestoredCalendar, NoNumberOfTheFeedMeansSomethingElseThanBefore) {
  retitle("Seen by a subscriber");
  auto const seen = last();
  restore();
  EXPECT_GT(last(), seen + 1'000'000) << "so whoever saw more than the backup has is behind now, and is told";
  retitle("After the restore");
  auto const after = house.run(house.engine->changes(vendor, seen, 100)).value();
  ASSERT_EQ(after.size(), 1U);
  EXPECT_EQ(after[0].sequence, last());
}

TEST_F(RestoredCalendar, NobodyWorksUnderALeaseOfBefore) {
  house.write("INSERT INTO leases (vendor_id,connection_id,node_id,epoch,wanted_by) VALUES "
              "('ven_1','con_1','nod_1',4,'nod_2')");
  house.write("INSERT INTO nodes (node_id,name,version,key_id,plugins,started,expires) VALUES "
              "('nod_1','a:/b','1','','',1,2)");
  restore();
  EXPECT_TRUE(house.rows("SELECT 1 FROM nodes").empty());
  auto const leases = house.rows("SELECT node_id, wanted_by, epoch FROM leases WHERE connection_id='con_1'");
  ASSERT_EQ(leases.size(), 1U);
  EXPECT_EQ(leases[0].text(0) + leases[0].text(1), "");
  EXPECT_GT(leases[0].integer(2), 1'000'000);
}

TEST_F(RestoredCalendar, ASignInIsDoubtedUntilTheProviderLetsItIn) {
  restore();
  auto const reason = [&] { return house.run(house.engine->connection(connection)).value().state_reason; };
  EXPECT_NE(reason().find("may have been replaced"), std::string::npos);
  house.sync(connection);
  EXPECT_EQ(reason(), "");
}

} // namespace
} // namespace garland::sync
