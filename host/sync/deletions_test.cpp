#include "host/sync/testing/one_calendar.h"

#include "host/sync/inbound.h"

namespace garland::sync {
namespace {

class Deletions : public testing::OneCalendar {
protected:
  void removeRemote(int from, int to) {
    for (int i = from; i < to; ++i) remote.remove("/cal/" + uid(i));
  }
};

TEST_F(Deletions, WhatACompleteListingLacksIsATombstone) {
  fill(50);
  remote.list_always = true;
  house.sync(connection);
  removeRemote(0, 7);
  auto const run = house.sync(connection);
  EXPECT_EQ(run.pulled.deleted, 7);
  EXPECT_EQ(run.pulled.unchanged, 43);
  EXPECT_EQ(house.records(vendor).size(), 43U);
  auto const gone = house.recordOf(vendor, uid(0));
  EXPECT_TRUE(gone.deleted);
  EXPECT_EQ(gone.version, 2);
  auto const changes = house.run(house.engine->changes(vendor, 50, 100)).value();
  ASSERT_EQ(changes.size(), 7U);
  EXPECT_EQ(changes[0].action, "deleted");
}

TEST_F(Deletions, TooManyAtOnceAreHeldUntilSomebodyConfirms) {
  fill(50);
  remote.list_always = true;
  house.sync(connection);
  removeRemote(0, 20);
  auto held = house.sync(connection);
  EXPECT_EQ(held.state, "done");
  EXPECT_EQ(held.held_deletions, 20);
  EXPECT_EQ(held.pulled.deleted, 0);
  ASSERT_EQ(held.problems.size(), 1U);
  EXPECT_EQ(held.problems[0].kind, "held");
  EXPECT_NE(held.problems[0].message.find("20"), std::string::npos);
  EXPECT_EQ(house.records(vendor).size(), 50U);
  // Said again as long as it is so, also by a run that lists nothing.
  remote.list_always = false;
  EXPECT_EQ(house.sync(connection).held_deletions, 20);

  house.run(house.engine->confirmDeletes(connection)).value();
  auto const confirmed = house.sync(connection);
  EXPECT_EQ(confirmed.pulled.deleted, 20);
  EXPECT_EQ(confirmed.held_deletions, 0);
  EXPECT_EQ(house.records(vendor).size(), 30U);
  // The approval was for that run only.
  remote.list_always = true;
  removeRemote(20, 40);
  EXPECT_EQ(house.sync(connection).held_deletions, 20);
}

TEST_F(Deletions, AnApprovalIsUsedUpByARunOfHintsThatPullsWithIt) {
  fill(70);
  remote.list_always = true;
  house.sync(connection);
  removeRemote(0, 20);
  EXPECT_EQ(house.sync(connection).held_deletions, 20);
  house.run(house.engine->confirmDeletes(connection)).value();
  auto const hinted =
      house.run(house.engine->syncHinted(connection, {{"calendar.event", "/cal/" + uid(60)}})).value();
  EXPECT_EQ(house.run(house.engine->waitForRun(hinted.id)).value().pulled.deleted, 20);
  removeRemote(20, 40);
  EXPECT_EQ(house.sync(connection).held_deletions, 20);
}

TEST_F(Deletions, AnApprovalIsUsedUpAlthoughAnotherKindCannotBeSynced) {
  auto const studio = house.connect(vendor, "s", "test.crm.studio");
  auto& projects = house.provider("s/crm.project");
  projects.emitted_kind = "crm.project";
  projects.list_always = true;
  for (int i = 0; i < 60; ++i) projects.put(uid(i), json::object{{"name", uid(i)}, {"stage", "lead"}});
  house.provider("s/crm.client").refuse_pulls = Error(ErrorKind::forbidden, "no contacts for this key");
  house.sync(studio);
  for (int i = 0; i < 20; ++i) projects.remove(uid(i));
  EXPECT_EQ(house.sync(studio).held_deletions, 20);
  house.run(house.engine->confirmDeletes(studio)).value();
  auto const confirmed = house.sync(studio);
  EXPECT_EQ(confirmed.state, "partly failed");
  EXPECT_EQ(confirmed.pulled.deleted, 20);
  for (int i = 20; i < 40; ++i) projects.remove(uid(i));
  auto const next = house.sync(studio);
  EXPECT_EQ(next.pulled.deleted, 0);
  EXPECT_EQ(next.held_deletions, 20);
}

TEST_F(Deletions, AnApprovalOutlivesARunThatCouldNotUseItAndNoOther) {
  fill(70);
  remote.list_always = true;
  house.sync(connection);
  removeRemote(0, 20);
  house.run(house.engine->confirmDeletes(connection)).value();
  remote.refuse_pulls = Error(ErrorKind::transient, "no network");
  EXPECT_EQ(house.sync(connection).state, "failed");
  remote.refuse_pulls.reset();
  EXPECT_EQ(house.sync(connection).pulled.deleted, 20);
  removeRemote(20, 40);
  EXPECT_EQ(house.sync(connection).held_deletions, 20);
  // What is held goes first, and the outage comes after that.
  house.run(house.engine->confirmDeletes(connection)).value();
  remote.refuse_pulls = Error(ErrorKind::transient, "no network");
  auto const failed = house.sync(connection);
  EXPECT_EQ(failed.state, "failed");
  EXPECT_EQ(failed.pulled.deleted, 20);
  remote.refuse_pulls.reset();
  removeRemote(40, 60);
  EXPECT_EQ(house.sync(connection).held_deletions, 20);
}

TEST_F(Deletions, HeldOnesThatComeBackAreAsIfNothingHadBeen) {
  fill(50);
  remote.list_always = true;
  house.sync(connection);
  auto const before = remote.events();
  removeRemote(0, 30);
  EXPECT_EQ(house.sync(connection).held_deletions, 30);
  for (int i = 0; i < 30; ++i) remote.put("/cal/" + uid(i), before.at("/cal/" + uid(i)).data);
  auto const run = house.sync(connection);
  EXPECT_EQ(run.held_deletions, 0);
  EXPECT_EQ(run.pulled.unchanged, 50);
  EXPECT_EQ(house.run(house.engine->changes(vendor, 0, 1000)).value().size(), 50U);
}

TEST_F(Deletions, ACalendarThatListsNothingAnyMoreIsHeldToo) {
  fill(30);
  house.sync(connection);
  remote.extra_emits.emplace_back("garland.listing", R"({"scope":"home","ids":[],"last":true})");
  EXPECT_EQ(house.sync(connection).held_deletions, 30);
}

TEST_F(Deletions, TheBrakeIsTenOrFivePercent) {
  EXPECT_EQ(deletionBrake(0), 10U);
  EXPECT_EQ(deletionBrake(200), 10U);
  EXPECT_EQ(deletionBrake(1000), 50U);
}

TEST_F(Deletions, AListingThatIsNotCompleteDeletesNothing) {
  fill(5);
  house.sync(connection);
  remote.extra_emits.emplace_back("garland.listing", R"({"scope":"home","ids":["/cal/e1000"],"last":false})");
  EXPECT_EQ(house.sync(connection).pulled.deleted, 0);
  EXPECT_EQ(house.records(vendor).size(), 5U);
}

Task<void> listTwice(runtime::CallHost* host) {
  CO_TRY_VOID(
      co_await host->emit("garland.listing", R"({"scope":"home","ids":["/cal/e1000"],"last":false})"));
  CO_TRY_VOID(co_await host->emit("garland.listing", R"({"scope":"home","ids":["/cal/e1001"],"last":true})"));
  CO_TRY_VOID(co_await host->checkpoint("\"a\""));
  host->restarted();
  CO_TRY_VOID(co_await host->emit("garland.listing", R"({"scope":"home","ids":["/cal/e1001"],"last":true})"));
  CO_TRY_VOID(co_await host->checkpoint("\"b\""));
  co_return Result<void>();
}

TEST_F(Deletions, WhatWasListedBeforeTheWorkerDiedIsNotGoneWhenOnlyTheRestIsListedAgain) {
  fill(2);
  house.sync(connection);
  remote.during_pull = [](runtime::CallHost* host) { return listTwice(host); };
  EXPECT_EQ(house.sync(connection).pulled.deleted, 0);
  EXPECT_EQ(house.records(vendor).size(), 2U);
}

TEST_F(Deletions, ALateItemAfterATombstoneBringsTheRecordBack) {
  fill(2);
  house.sync(connection);
  auto const data = remote.events().at("/cal/e1000").data;
  remote.remove("/cal/e1000");
  house.sync(connection);
  auto const gone = house.recordOf(vendor, "e1000");
  EXPECT_TRUE(gone.deleted);
  remote.put("/cal/e1000", data);
  auto const run = house.sync(connection);
  EXPECT_EQ(run.pulled.created, 1);
  auto const back = house.recordOf(vendor, "e1000");
  EXPECT_FALSE(back.deleted);
  EXPECT_EQ(back.id, gone.id);
  EXPECT_EQ(back.version, 3);
}

TEST_F(Deletions, DeletedThereAndEditedHereKeepsTheEditAsEvidence) {
  fill(1);
  house.sync(connection);
  auto const record = house.recordOf(vendor, "e1000");
  auto data = record.data;
  data.as_object()["title"] = "Mine";
  house.run(house.engine->putRecord(vendor, record.id, data, 0)).value();
  remote.remove("/cal/e1000");
  auto const run = house.sync(connection);
  EXPECT_TRUE(house.recordOf(vendor, "e1000").deleted);
  EXPECT_EQ(run.pulled.deleted, 1);
  ASSERT_EQ(run.problems.size(), 1U);
  EXPECT_EQ(run.problems[0].kind, "conflict");
  auto const conflicts = house.run(house.engine->conflicts(vendor, 10)).value();
  ASSERT_EQ(conflicts.size(), 1U);
  EXPECT_EQ(textOr(conflicts[0].local, "/title", ""), "Mine");
  EXPECT_TRUE(conflicts[0].remote.is_null());
  EXPECT_TRUE(house.rows("SELECT 1 FROM pushes").empty());
}

TEST_F(Deletions, DeletedHereAndEditedThereComesBackAndIsTold) {
  fill(1);
  house.sync(connection);
  house.run(house.engine->deleteRecord(vendor, house.recordOf(vendor, "e1000").id, 0)).value();
  remote.put("/cal/e1000", remote.titleChanged("/cal/e1000", "Theirs"));
  auto const run = house.sync(connection);
  auto const record = house.recordOf(vendor, "e1000");
  EXPECT_FALSE(record.deleted);
  EXPECT_EQ(textOr(record.data, "/title", ""), "Theirs");
  ASSERT_EQ(run.problems.size(), 1U);
  EXPECT_TRUE(remote.events().contains("/cal/e1000"));
  house.sync(connection);
  EXPECT_TRUE(remote.events().contains("/cal/e1000"));
}

} // namespace
} // namespace garland::sync
