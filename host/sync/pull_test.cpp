#include "host/sync/testing/one_calendar.h"

namespace garland::sync {
namespace {

using testing::event;

class Pull : public testing::OneCalendar {};

TEST_F(Pull, TheFirstSyncBringsEverythingAndTheNextOneNothing) {
  fill(120);
  auto const first = house.sync(connection);
  EXPECT_EQ(first.state, "done");
  EXPECT_EQ(first.pulled.created, 120);
  EXPECT_EQ(first.progress_done, 120U);
  EXPECT_EQ(house.records(vendor).size(), 120U);
  auto const second = house.sync(connection);
  EXPECT_EQ(second.pulled.created + second.pulled.updated + second.pulled.deleted + second.pulled.unchanged,
            0);
  EXPECT_EQ(remote.inputs[1].at("cursor"), (json::value{{"seq", 120}}));
}

TEST_F(Pull, WhileTheInstalledFileIsDamagedTheBuildThatGoesOnIsUsed) {
  fill(3);
  auto damaged = house.catalogue.plugins().at(0);
  house.supervisor.kept = std::make_shared<runtime::PluginInfo>(damaged);
  damaged.manifest = runtime::Manifest{}; // nothing of it can be read
  damaged.manifest.id = "test.calendar.fake";
  damaged.refusal = "connector.so is cut short or damaged";
  house.catalogue.renew(runtime::Catalogue({damaged}));
  auto const run = house.sync(connection);
  EXPECT_EQ(run.state, "done");
  EXPECT_EQ(run.pulled.created, 3);
  EXPECT_TRUE(house.run(house.engine->enablePlugin(vendor, "test.calendar.fake")));
  house.supervisor.kept = nullptr;
  auto const without = house.sync(connection);
  EXPECT_EQ(without.state, "failed");
  ASSERT_TRUE(without.error);
  EXPECT_NE(without.error->message.find("may not be loaded: connector.so is cut short"), std::string::npos)
      << without.error->message;
}

TEST_F(Pull, APullThatIsSetAsideTellsWhenItIsTriedAgainAndARetryLiftsThat) {
  Error poisoned(ErrorKind::pluginBug, "calendar.pull/1 ends its worker");
  poisoned.provider_code = "poisoned";
  poisoned.retry_after = Milliseconds(600'000);
  remote.refuse_pulls = poisoned;
  auto const run = house.sync(connection); // at 00:00:01
  ASSERT_TRUE(run.error);
  EXPECT_NE(
      run.error->message.find("after 00:11 UTC, or as soon as you type: garland sync retry " + connection),
      std::string::npos)
      << run.error->message;
  house.supervisor.parked = 1;
  EXPECT_EQ(house.run(house.engine->retryConnection(connection)).value(), 1);
  EXPECT_EQ(house.supervisor.retried, std::vector<std::string>{connection});
  EXPECT_EQ(house.run(house.engine->retryConnection(connection)).error().kind, ErrorKind::conflict);
  EXPECT_EQ(house.run(house.engine->retryConnection("con_none")).error().kind, ErrorKind::notFound);
}

TEST_F(Pull, ChangesAdditionsAndDeletionsComeInAndNothingElse) {
  fill(20);
  house.sync(connection);
  remote.put("/cal/e1000", remote.titleChanged("/cal/e1000", "Moved"));
  remote.put("/cal/new", event("new", "New"));
  remote.remove("/cal/e1001");
  auto const run = house.sync(connection);
  EXPECT_EQ(run.pulled.created, 1);
  EXPECT_EQ(run.pulled.updated, 1);
  EXPECT_EQ(run.pulled.deleted, 1);
  EXPECT_EQ(run.pulled.unchanged, 0);
  EXPECT_EQ(textOr(house.recordOf(vendor, "e1000").data, "/title", ""), "Moved");
  EXPECT_TRUE(house.recordOf(vendor, "e1001").deleted);
  EXPECT_EQ(remote.upserts, 0);
}

TEST_F(Pull, TheSameItemsAgainAreUnchangedAndWriteNothing) {
  fill(30);
  remote.list_always = true;
  house.sync(connection);
  auto const changes = house.run(house.engine->changes(vendor, 0, 1000)).value().size();
  auto const again = house.sync(connection);
  EXPECT_EQ(again.pulled.unchanged, 30);
  EXPECT_EQ(again.pulled.updated, 0);
  EXPECT_EQ(house.run(house.engine->changes(vendor, 0, 1000)).value().size(), changes);
}

TEST_F(Pull, ABadRecordIsToldByPlaceAndFieldAndTheGoodOnesComeIn) {
  fill(3);
  auto bad = event("bad", "Bad");
  bad["start"] = "tomorrow";
  remote.put("/cal/bad", bad);
  auto backwards = event("back", "Backwards");
  backwards["end"] = {{"utc", "2026-06-13T11:00:00Z"}};
  remote.put("/cal/back", backwards);
  remote.extra_emits.emplace_back(
      "garland.problem",
      R"({"id":"/cal/broken.ics","kind":"provider_bug","message":"line 7 is no iCalendar"})");
  remote.extra_emits.emplace_back("calendar.event", R"({"id":"/cal/odd","version":1})");
  auto const run = house.sync(connection);
  EXPECT_EQ(run.state, "done");
  EXPECT_EQ(run.pulled.created, 3);
  EXPECT_EQ(run.pulled.failed, 4);
  ASSERT_EQ(run.problems.size(), 4U);
  EXPECT_EQ(run.problems[0].place, "/cal/broken.ics");
  EXPECT_EQ(run.problems[1].place, "/cal/odd");
  EXPECT_EQ(run.problems[2].place, "/cal/back");
  EXPECT_NE(run.problems[2].message.find("/data/end"), std::string::npos) << run.problems[2].message;
  EXPECT_EQ(run.problems[3].place, "/cal/bad");
  EXPECT_NE(run.problems[3].message.find("/data/start"), std::string::npos) << run.problems[3].message;
}

TEST_F(Pull, WhatANewerConnectorSaysMoreIsLeftOutAndTheRestComesIn) {
  json::object data = event("new", "New");
  data["mood"] = "hopeful";
  data["start"].as_object()["era"] = "CE";
  json::object record{
      {"id", "/cal/new"}, {"version", "1"}, {"scope", "home"}, {"deleted", false}, {"weight", 3}};
  record["data"] = data;
  remote.extra_emits.emplace_back("calendar.event", json::serialize(record));
  auto const run = house.sync(connection);
  EXPECT_EQ(run.state, "done");
  EXPECT_EQ(run.pulled.created, 1);
  EXPECT_TRUE(run.problems.empty());
  auto const kept = house.recordOf(vendor, "new").data;
  EXPECT_EQ(textOr(kept, "/title", ""), "New");
  EXPECT_EQ(find(kept, "/mood"), nullptr);
  EXPECT_NE(find(kept, "/start"), nullptr);
  EXPECT_EQ(find(kept, "/start/era"), nullptr);
}

TEST_F(Pull, AKindThatNobodyTakesIsRefused) {
  remote.extra_emits.emplace_back("crm.contact", "{}");
  auto const run = house.sync(connection);
  ASSERT_TRUE(run.error);
  EXPECT_EQ(run.error->kind, ErrorKind::unsupported);
}

TEST_F(Pull, AWorkerThatDiesGoesOnFromItsCheckpointAndCountsEverythingOnce) {
  fill(300);
  remote.die_after_records = 130;
  auto const run = house.sync(connection);
  EXPECT_EQ(run.state, "done");
  EXPECT_EQ(run.worker_restarts, 1);
  EXPECT_EQ(run.pulled.created, 300);
  EXPECT_EQ(run.pulled.unchanged, 0);
  ASSERT_EQ(remote.pulls, 2);
  EXPECT_EQ(remote.inputs[1].at("cursor").at("after").as_string(), "/cal/e1099");
  EXPECT_EQ(house.records(vendor).size(), 300U);
  EXPECT_EQ(house.run(house.engine->changes(vendor, 0, 1000)).value().size(), 300U);
}

TEST_F(Pull, AWorkerThatKeepsDyingEndsTheRunAfterFiveRestarts) {
  fill(10);
  remote.die_after_records = 3;
  remote.deaths = 100;
  auto const run = house.sync(connection);
  EXPECT_EQ(run.state, "failed");
  EXPECT_EQ(run.worker_restarts, 5);
  EXPECT_EQ(remote.pulls, 6);
  EXPECT_EQ(house.run(house.engine->connection(connection)).value().state, "failing");
}

TEST_F(Pull, AnEditMadeWhileABatchIsMergedIsNotLost) {
  fill(2);
  house.sync(connection);
  remote.put("/cal/e1000", remote.titleChanged("/cal/e1000", "Theirs"));
  remote.during_pull = [&](runtime::CallHost*) {
    house.cut->before_commit = [&] {
      return testing::putMember(house.engine.get(), vendor, "e1000", "location", "Barn");
    };
    return testing::nothing();
  };
  auto const run = house.sync(connection);
  EXPECT_EQ(run.state, "done");
  auto const after = house.recordOf(vendor, "e1000");
  EXPECT_EQ(textOr(after.data, "/title", ""), "Theirs");
  EXPECT_EQ(textOr(after.data, "/location", ""), "Barn");
  EXPECT_EQ(after.version, 3);
  house.sync(connection);
  EXPECT_EQ(textOr(remote.events().at("/cal/e1000").data, "/location", ""), "Barn");
  EXPECT_EQ(textOr(remote.events().at("/cal/e1000").data, "/title", ""), "Theirs");
}

TEST_F(Pull, ADateChangedOnBothSidesKeepsTheProvidersAndTellsWhatWasOverwritten) {
  fill(1);
  house.sync(connection);
  auto const record = house.recordOf(vendor, "e1000");
  auto const mine = event("e1000", "Shoot e1000", "2026-07-01");
  house.run(house.engine->putRecord(vendor, record.id, mine, 0)).value();
  remote.put("/cal/e1000", event("e1000", "Shoot e1000", "2026-08-01"));
  auto const run = house.sync(connection);
  EXPECT_EQ(textOr(house.recordOf(vendor, "e1000").data, "/start/utc", ""), "2026-08-01T12:00:00Z");
  ASSERT_EQ(run.problems.size(), 1U);
  EXPECT_EQ(run.problems[0].kind, "conflict");
  EXPECT_NE(run.problems[0].message.find("2026-07-01"), std::string::npos);
  auto const conflicts = house.run(house.engine->conflicts(vendor, 10)).value();
  ASSERT_EQ(conflicts.size(), 1U);
  EXPECT_EQ(textOr(conflicts[0].base, "/start/utc", ""), "2026-06-13T12:00:00Z");
  EXPECT_EQ(textOr(conflicts[0].local, "/start/utc", ""), "2026-07-01T12:00:00Z");
  EXPECT_EQ(textOr(conflicts[0].remote, "/start/utc", ""), "2026-08-01T12:00:00Z");
}

TEST_F(Pull, AnyEditThatLostIsToldOncePerRecordWithAllItsMembers) {
  fill(2);
  house.sync(connection);
  auto const record = house.recordOf(vendor, "e1000");
  auto mine = event("e1000", "My title", "2026-07-01");
  house.run(house.engine->putRecord(vendor, record.id, mine, 0)).value();
  remote.put("/cal/e1000", event("e1000", "Their title", "2026-08-01"));
  auto const run = house.sync(connection);
  EXPECT_EQ(run.conflicts, 1);
  ASSERT_EQ(run.problems.size(), 1U);
  EXPECT_EQ(run.problems[0].kind, "conflict");
  EXPECT_TRUE(run.problems[0].message.starts_with("start, end, title was not the same"))
      << run.problems[0].message;
  EXPECT_NE(run.problems[0].message.find("My title"), std::string::npos);
  EXPECT_EQ(house.run(house.engine->run(run.id)).value().conflicts, 1) << "it is kept with the run";
  EXPECT_EQ(house.sync(connection).conflicts, 0);
}

TEST_F(Pull, ChangesAreNumberedWithoutGapsAndNameTheirOrigin) {
  fill(70);
  house.sync(connection);
  auto const record = house.recordOf(vendor, "e1000");
  auto data = record.data;
  data.as_object()["title"] = "Mine";
  house.run(house.engine->putRecord(vendor, record.id, data, record.version)).value();
  auto const changes = house.run(house.engine->changes(vendor, 0, 1000)).value();
  ASSERT_EQ(changes.size(), 71U);
  for (std::size_t i = 0; i < changes.size(); ++i)
    EXPECT_EQ(changes[i].sequence, static_cast<std::int64_t>(i) + 1);
  EXPECT_EQ(changes[0].origin, connection);
  EXPECT_EQ(changes[70].origin, "local");
  EXPECT_EQ(changes[70].record_version, 2);
  EXPECT_EQ(house.run(house.engine->changes(vendor, 70, 10)).value().size(), 1U);
}

TEST_F(Pull, AProviderThatIsDownFailsTheRunAndKeepsWhatCame) {
  fill(60);
  house.sync(connection);
  remote.refuse_pulls = Error(ErrorKind::transient, "calendar.example does not answer");
  auto const run = house.sync(connection);
  EXPECT_EQ(run.state, "failed");
  EXPECT_EQ(run.error->message, "calendar.example does not answer");
  EXPECT_EQ(remote.pulls, 2);
  auto const standing = house.run(house.engine->connection(connection)).value();
  EXPECT_EQ(standing.state, "failing");
  EXPECT_EQ(standing.state_reason, "calendar.example does not answer");
  house.sync(connection);
  remote.refuse_pulls.reset();
  house.sync(connection);
  EXPECT_EQ(house.run(house.engine->connection(connection)).value().state, "connected");
  auto const told = house.told("change", "connection.state");
  ASSERT_EQ(told.size(), 2U) << "once for each change, not for each run";
  EXPECT_EQ(textOr(told[0], "/vendor", ""), vendor);
  EXPECT_EQ(textOr(told[0], "/connection", ""), connection);
  EXPECT_EQ(told[0].at("facts"), (json::object{{"by", "host"}, {"state", "failing"}, {"why", "transient"}}));
  EXPECT_EQ(told[1].at("facts"), (json::object{{"by", "host"}, {"state", "connected"}}));
  EXPECT_EQ(house.records(vendor).size(), 60U);
}

TEST_F(Pull, ARefusedSignInAsksForReconnection) {
  remote.refuse_pulls = Error(ErrorKind::authExpired, "the password was not accepted");
  house.sync(connection);
  auto const standing = house.run(house.engine->connection(connection)).value();
  EXPECT_EQ(standing.state, "reconnect needed");
  EXPECT_EQ(standing.state_reason, "the password was not accepted");
  auto const told = house.told("change", "connection.state");
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].at("facts"),
            (json::object{{"by", "host"}, {"state", "reconnect needed"}, {"why", "auth_expired"}}));
}

TEST_F(Pull, ReconnectingAnAccountFindsItsRecordsAgain) {
  fill(5);
  house.sync(connection);
  house.run(house.engine->disconnect(connection, false)).value();
  EXPECT_EQ(house.records(vendor).size(), 5U);
  remote.put("/cal/e1000", remote.titleChanged("/cal/e1000", "Changed meanwhile"));
  auto const again = house.connect(vendor, "p");
  auto const run = house.sync(again);
  EXPECT_EQ(run.pulled.created, 0);
  EXPECT_EQ(run.pulled.updated, 1);
  EXPECT_EQ(run.pulled.unchanged, 4);
  EXPECT_EQ(house.records(vendor).size(), 5U);
  EXPECT_EQ(textOr(house.recordOf(vendor, "e1000").data, "/title", ""), "Changed meanwhile");
}

} // namespace
} // namespace garland::sync
