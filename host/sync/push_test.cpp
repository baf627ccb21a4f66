#include "host/sync/testing/one_calendar.h"

namespace garland::sync {
namespace {

using testing::event;

class Push : public testing::OneCalendar {
protected:
  void SetUp() override {
    remote.put("/cal/a", event("a", "A"));
    remote.put("/cal/b", event("b", "B"));
    house.sync(connection);
  }
  void retitle(std::string const& uid, std::string const& title) {
    auto const record = house.recordOf(vendor, uid);
    auto data = record.data;
    data.as_object()["title"] = title;
    house.run(house.engine->putRecord(vendor, record.id, data, record.version)).value();
  }
  std::string remoteTitle(std::string const& id) { return textOr(remote.events().at(id).data, "/title", ""); }
  std::size_t waiting() { return house.rows("SELECT 1 FROM pushes").size(); }
};

TEST_F(Push, ALocalEditIsWrittenOnceAndItsEchoIsDropped) {
  retitle("a", "Mine");
  auto const run = house.sync(connection);
  EXPECT_EQ(run.pushed.updated, 1);
  EXPECT_EQ(remoteTitle("/cal/a"), "Mine");
  EXPECT_EQ(run.echoes, 1);
  EXPECT_EQ(run.pulled.unchanged, 1);
  EXPECT_EQ(run.pulled.updated, 0);
  EXPECT_EQ(house.recordOf(vendor, "a").version, 2);
  auto const quiet = house.sync(connection);
  EXPECT_EQ(quiet.echoes, 0);
  EXPECT_EQ(remote.writes, 1);
}

TEST_F(Push, ANewRecordIsCreatedAndADeletedOneIsDeleted) {
  house.run(house.engine->addRecord(vendor, "calendar.event", event("new", "New"), connection)).value();
  house.run(house.engine->deleteRecord(vendor, house.recordOf(vendor, "b").id, 0)).value();
  auto const run = house.sync(connection);
  EXPECT_EQ(run.pushed.created, 1);
  EXPECT_EQ(run.pushed.deleted, 1);
  EXPECT_EQ(run.echoes, 2);
  EXPECT_TRUE(remote.events().contains("/cal/new"));
  EXPECT_FALSE(remote.events().contains("/cal/b"));
  EXPECT_EQ(house.records(vendor).size(), 2U);
  EXPECT_EQ(waiting(), 0U);
  EXPECT_EQ(house.sync(connection).pulled.created, 0);
}

TEST_F(Push, ARecordDeletedBeforeItWasEverWrittenIsNeverWritten) {
  auto const record =
      house.run(house.engine->addRecord(vendor, "calendar.event", event("n", "N"), connection)).value();
  house.run(house.engine->deleteRecord(vendor, record.id, 0)).value();
  house.sync(connection);
  EXPECT_EQ(remote.upserts, 0);
  EXPECT_EQ(waiting(), 0U);
}

TEST_F(Push, WhatTheProviderMakesOfAnEditIsTakenOverAndNotWrittenAgain) {
  remote.normalise = [](json::value data) {
    std::string title(data.at("title").as_string());
    for (auto& c : title) c = static_cast<char>(std::toupper(c));
    data.as_object()["title"] = title;
    return data;
  };
  retitle("a", "quiet");
  house.sync(connection);
  EXPECT_EQ(textOr(house.recordOf(vendor, "a").data, "/title", ""), "QUIET");
  EXPECT_EQ(house.recordOf(vendor, "a").version, 3);
  for (int i = 0; i < 3; ++i) house.sync(connection);
  EXPECT_EQ(remote.upserts, 1);
}

TEST_F(Push, AnEditThatTheProviderDoesNotTakeIsListedAsLostAndNotCountedAsWritten) {
  remote.normalise = [](json::value data) {
    data.as_object()["title"] = "only read";
    return data;
  };
  remote.put("/cal/a", event("a", "A"));
  house.sync(connection);
  retitle("a", "Mine");
  auto const run = house.sync(connection);
  EXPECT_EQ(run.state, "done");
  EXPECT_EQ(run.pushed.updated, 0);
  EXPECT_EQ(run.conflicts, 1);
  ASSERT_EQ(run.problems.size(), 1U);
  EXPECT_EQ(run.problems[0].message, "the provider did not take title and has what it had; ours "
                                     R"(({"title":"Mine"}) is in the list of conflicts)");
  auto const conflicts = house.run(house.engine->conflicts(vendor, 10)).value();
  ASSERT_EQ(conflicts.size(), 1U);
  EXPECT_EQ(conflicts[0].members, std::vector<std::string>{"title"});
  EXPECT_EQ(textOr(conflicts[0].local, "/title", ""), "Mine");
  EXPECT_EQ(textOr(conflicts[0].remote, "/title", ""), "only read");
  EXPECT_EQ(house.recordOf(vendor, "a").data.at("title"), "only read");
  EXPECT_EQ(house.sync(connection).conflicts, 0);
}

TEST_F(Push, WhatTheProviderTakesOfAnEditIsWrittenAndOnlyTheRestIsListedAsLost) {
  remote.normalise = [](json::value data) {
    data.as_object()["title"] = "only read";
    return data;
  };
  remote.put("/cal/a", event("a", "A"));
  house.sync(connection);
  auto const record = house.recordOf(vendor, "a");
  auto data = record.data;
  data.as_object()["title"] = "Mine";
  data.as_object()["location"] = "Barn";
  house.run(house.engine->putRecord(vendor, record.id, data, 0)).value();
  auto const run = house.sync(connection);
  EXPECT_EQ(run.pushed.updated, 1);
  EXPECT_EQ(run.conflicts, 1);
  EXPECT_EQ(house.run(house.engine->conflicts(vendor, 10)).value().at(0).members,
            std::vector<std::string>{"title"});
  EXPECT_EQ(house.recordOf(vendor, "a").data.at("location"), "Barn");
}

TEST_F(Push, WhatNobodyCanWriteIsRefusedWhenItIsEditedOrDeleted) {
  house.provider("feed").put("/feed/x", event("x", "X"));
  auto const feed = house.connect(vendor, "feed", "test.calendar.feed");
  house.sync(feed);
  auto const record = house.recordOf(vendor, "x");
  auto data = record.data;
  data.as_object()["title"] = "Mine";
  auto const edited = house.run(house.engine->putRecord(vendor, record.id, data, 0));
  ASSERT_FALSE(edited);
  EXPECT_EQ(edited.error().kind, ErrorKind::unsupported);
  EXPECT_EQ(edited.error().message,
            "Fake feed only brings in calendar.event: change it there, and the next sync "
            "brings the change in");
  EXPECT_FALSE(house.run(house.engine->deleteRecord(vendor, record.id, 0)));
  EXPECT_FALSE(house.run(house.engine->record(vendor, record.id)).value().deleted);
  EXPECT_EQ(waiting(), 0U);
}

TEST_F(Push, AConnectionThatTakesNothingHasNothingToWriteOfWhatIsChangedElsewhere) {
  house.provider("feed").put("/feed/a", remote.events().at("/cal/a").data);
  auto const feed = house.connect(vendor, "feed", "test.calendar.feed");
  house.sync(feed);
  ASSERT_EQ(house.recordOf(vendor, "a").links.size(), 2U);
  retitle("a", "Mine");
  auto const waits = house.run(house.engine->record(vendor, house.recordOf(vendor, "a").id)).value().waiting;
  ASSERT_EQ(waits.size(), 1U);
  EXPECT_EQ(waits[0].connection_id, connection);
  auto const run = house.sync(feed);
  EXPECT_EQ(run.state, "done");
  EXPECT_EQ(run.set_aside, 0);
  EXPECT_TRUE(run.problems.empty());
  EXPECT_EQ(waiting(), 1U);
  house.sync(connection);
  EXPECT_EQ(remoteTitle("/cal/a"), "Mine");
  EXPECT_EQ(waiting(), 0U);
}

TEST_F(Push, NothingThatWaitsIsForgottenWhenABuildIsInstalledThatDoesNotTakeTheKind) {
  retitle("a", "Once");
  house.sync(connection);
  remote.refuse_writes = Error(ErrorKind::transient, "no answer").withEffect(Effect::unknown);
  retitle("a", "In doubt");
  house.sync(connection);
  retitle("b", "Mine");
  auto plugins = house.catalogue.plugins();
  for (auto& plugin : plugins)
    if (plugin.manifest.id == "test.calendar.fake")
      plugin.manifest.operations = {"health.check/1", "calendar.pull/1"};
  house.catalogue.renew(runtime::Catalogue(std::move(plugins)));
  auto const run = house.sync(connection);
  EXPECT_EQ(waiting(), 2U);
  EXPECT_EQ(run.set_aside, 2);
  ASSERT_EQ(run.problems.size(), 2U);
  EXPECT_EQ(run.problems[0].place, "/cal/a");
  EXPECT_EQ(run.problems[0].message.find("whether it was written is not known"), 0U)
      << run.problems[0].message;
  EXPECT_EQ(run.problems[1].place, "/cal/b");
  EXPECT_EQ(run.problems[1].message.find("it waits: "), 0U) << run.problems[1].message;
}

TEST_F(Push, WhereNothingIsToBeForgottenNothingIsCommittedForIt) {
  house.provider("feed").put("/feed/a", remote.events().at("/cal/a").data);
  auto const feed = house.connect(vendor, "feed", "test.calendar.feed");
  house.sync(feed);
  auto const commits = [&] {
    auto const before = house.cut->commits;
    house.sync(feed);
    return house.cut->commits - before;
  };
  auto const idle = commits();
  retitle("a", "Mine");
  EXPECT_EQ(commits(), idle + 1);
  EXPECT_EQ(commits(), idle);
}

TEST_F(Push, ARecordTellsWhereItIsByTheProvidersId) {
  auto const record = house.recordOf(vendor, "a");
  ASSERT_EQ(record.links.size(), 1U);
  EXPECT_EQ(record.links[0].connection_id, connection);
  EXPECT_EQ(record.links[0].external_id, "/cal/a");
  auto const shown = house.run(house.engine->record(vendor, record.id)).value();
  ASSERT_EQ(shown.links.size(), 1U);
  EXPECT_EQ(shown.links[0].external_id, "/cal/a");
  auto const here =
      house.run(house.engine->addRecord(vendor, "calendar.event", event("n", "N"), connection)).value();
  EXPECT_TRUE(here.links.empty());
}

TEST_F(Push, AKindThatDoesNotExistIsToldWithThoseThatDo) {
  RecordQuery query;
  query.vendor_id = vendor;
  query.kind = "calendar.evnt";
  auto const listed = house.run(house.engine->records(query));
  ASSERT_FALSE(listed);
  EXPECT_EQ(listed.error().kind, ErrorKind::invalidInput);
  EXPECT_NE(listed.error().message.find("calendar.event"), std::string::npos) << listed.error().message;
}

TEST_F(Push, ALostRaceIsMergedAndWrittenInTheSameRun) {
  auto const record = house.recordOf(vendor, "a");
  auto data = record.data;
  data.as_object()["location"] = "Barn";
  house.run(house.engine->putRecord(vendor, record.id, data, 0)).value();
  remote.put("/cal/a", remote.titleChanged("/cal/a", "Theirs"));
  auto const run = house.sync(connection);
  EXPECT_EQ(run.state, "done");
  EXPECT_TRUE(run.problems.empty());
  EXPECT_EQ(run.pushed.updated, 1);
  EXPECT_EQ(remote.upserts, 2);
  auto const& there = remote.events().at("/cal/a").data;
  EXPECT_EQ(textOr(there, "/title", ""), "Theirs");
  EXPECT_EQ(textOr(there, "/location", ""), "Barn");
  EXPECT_EQ(house.recordOf(vendor, "a").data, there);
}

TEST_F(Push, AWriteWhoseAnswerWasLostIsRepeatedWithTheSameKeyAndHappensOnce) {
  house.run(house.engine->addRecord(vendor, "calendar.event", event("new", "New"), connection)).value();
  remote.lose_answer = true;
  auto const first = house.sync(connection);
  EXPECT_EQ(first.state, "done");
  EXPECT_EQ(remote.writes, 1);
  house.sync(connection);
  EXPECT_EQ(remote.writes, 1);
  EXPECT_EQ(house.records(vendor).size(), 3U);
  EXPECT_EQ(waiting(), 0U);
}

TEST_F(Push, AnUnknownWriteIsRepeatedWithTheSameKeyBeforeAnythingNewer) {
  retitle("a", "First");
  remote.refuse_writes = Error(ErrorKind::transient, "no answer").withEffect(Effect::unknown);
  auto const run = house.sync(connection);
  ASSERT_EQ(run.problems.size(), 1U);
  EXPECT_NE(run.problems[0].message.find("not known"), std::string::npos);
  retitle("a", "Second");
  remote.refuse_writes.reset();
  house.supervisor.calls.clear();
  house.sync(connection);
  EXPECT_EQ(remoteTitle("/cal/a"), "First");
  house.sync(connection);
  EXPECT_EQ(remoteTitle("/cal/a"), "Second");
  std::vector<std::string> titles;
  std::set<std::string> keys;
  for (auto const& call : house.supervisor.calls) {
    if (call.operation != "calendar.upsert/1") continue;
    auto const input = parseJson(call.input).value();
    titles.push_back(textOr(input, "/data/title", ""));
    keys.insert(textOr(input, "/key", ""));
  }
  EXPECT_EQ(titles, (std::vector<std::string>{"First", "Second"}));
  EXPECT_EQ(keys.size(), 2U);
  EXPECT_EQ(waiting(), 0U);
}

TEST_F(Push, AnEditAfterAWriteWhoseAnswerWasLostDoesNotMeetThatWriteAsSomebodyElses) {
  retitle("a", "First");
  remote.lose_answer = true;
  remote.refuse_pulls = Error(ErrorKind::transient, "it is away");
  house.sync(connection);
  remote.refuse_pulls.reset();
  EXPECT_EQ(remoteTitle("/cal/a"), "First");
  retitle("a", "Second");
  EXPECT_EQ(house.sync(connection).conflicts, 0);
  house.sync(connection);
  EXPECT_EQ(remoteTitle("/cal/a"), "Second");
  EXPECT_TRUE(house.rows("SELECT 1 FROM conflicts").empty());
  EXPECT_EQ(waiting(), 0U);
}

TEST_F(Push, AnEditMadeWhileTheRecordIsWrittenIsWrittenNext) {
  retitle("a", "First");
  // The commit after the call is the one that closes the operation.
  auto const before = house.cut->commits;
  remote.before_write = [&, before] {
    EXPECT_GT(house.cut->commits, before);
    house.cut->before_commit = [&] {
      return testing::putMember(house.engine.get(), vendor, "a", "title", "Second");
    };
  };
  house.sync(connection);
  EXPECT_EQ(remoteTitle("/cal/a"), "First");
  EXPECT_EQ(textOr(house.recordOf(vendor, "a").data, "/title", ""), "Second");
  house.sync(connection);
  EXPECT_EQ(remoteTitle("/cal/a"), "Second");
  EXPECT_EQ(remote.upserts, 2);
}

TEST_F(Push, AnEditThatTheProviderRefusesIsParkedAndTold) {
  retitle("a", "Mine");
  remote.refuse_writes = Error(ErrorKind::forbidden, "this calendar is read-only");
  auto const run = house.sync(connection);
  EXPECT_EQ(run.state, "done");
  ASSERT_EQ(run.problems.size(), 1U);
  EXPECT_EQ(run.problems[0].place, "/cal/a");
  EXPECT_EQ(run.problems[0].kind, "forbidden");
  EXPECT_TRUE(run.problems[0].message.starts_with("not written: this calendar is read-only;"));
  for (int i = 0; i < 2; ++i) {
    auto const later = house.sync(connection);
    EXPECT_EQ(later.set_aside, 1);
    EXPECT_EQ(later.pushed.failed, 0);
    ASSERT_EQ(later.problems.size(), 1U);
    EXPECT_EQ(later.problems[0].kind, "set_aside");
    EXPECT_TRUE(later.problems[0].message.starts_with("not written: this calendar is read-only;"));
  }
  EXPECT_EQ(remote.upserts, 1);
  auto const waiting_here = house.recordOf(vendor, "a").waiting;
  ASSERT_EQ(waiting_here.size(), 1U);
  EXPECT_EQ(waiting_here[0].connection_id, connection);
  EXPECT_EQ(waiting_here[0].state, "set aside");
  EXPECT_EQ(waiting_here[0].reason, "not written: this calendar is read-only");
  remote.refuse_writes.reset();
  retitle("a", "Mine again");
  house.sync(connection);
  EXPECT_EQ(remoteTitle("/cal/a"), "Mine again");
  EXPECT_EQ(house.sync(connection).set_aside, 0);
  EXPECT_TRUE(house.recordOf(vendor, "a").waiting.empty());
}

TEST_F(Push, AWriteThatWasSetAsideIsToldEvenIfThePullFails) {
  retitle("a", "Mine");
  remote.refuse_writes = Error(ErrorKind::invalidInput, "too long");
  house.sync(connection);
  auto const told = house.told("change", "record.set_aside");
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(textOr(told[0], "/connection", ""), connection);
  EXPECT_EQ(textOr(told[0], "/subject", ""), house.recordOf(vendor, "a").id);
  EXPECT_EQ(told[0].at("facts"), (json::object{{"by", "host"}, {"why", "invalid_input"}}));
  remote.refuse_pulls = Error(ErrorKind::providerBug, "no answer that makes sense");
  auto const run = house.sync(connection);
  EXPECT_EQ(run.state, "failed");
  EXPECT_EQ(run.set_aside, 1);
  EXPECT_EQ(run.problems.size(), 1U);
}

TEST_F(Push, ARetryLetsTheNextSyncTryAgainWhatWasSetAside) {
  auto const id = house.recordOf(vendor, "a").id;
  EXPECT_EQ(house.run(house.engine->retryRecord(vendor, id)).error().kind, ErrorKind::conflict);
  EXPECT_EQ(house.run(house.engine->retryRecord("ven_other", id)).error().kind, ErrorKind::notFound);
  retitle("a", "Mine");
  remote.refuse_writes = Error(ErrorKind::forbidden, "this calendar is read-only");
  house.sync(connection);
  remote.refuse_writes.reset();
  auto const record = house.run(house.engine->retryRecord(vendor, id)).value();
  ASSERT_EQ(record.waiting.size(), 1U);
  EXPECT_EQ(record.waiting[0].state, "waiting");
  EXPECT_EQ(house.supervisor.retried, std::vector<std::string>{connection})
      << "poisoned calls may run again, too";
  auto const run = house.sync(connection);
  EXPECT_EQ(run.set_aside, 0);
  EXPECT_EQ(remoteTitle("/cal/a"), "Mine");
  auto const pushed = std::ranges::find_if(house.supervisor.calls, [](runtime::Call const& call) {
    return call.operation == "calendar.upsert/1";
  });
  EXPECT_EQ(pushed->record_id, id) << "so that the runtime can name it";
}

TEST_F(Push, ARetryOfTheConnectionLetsItsWritesGoOutAgain) {
  retitle("a", "Mine");
  remote.refuse_writes = Error(ErrorKind::forbidden, "this calendar is read-only");
  house.sync(connection);
  remote.refuse_writes.reset();
  EXPECT_EQ(house.run(house.engine->retryConnection(connection)).value(), 1);
  EXPECT_EQ(house.sync(connection).set_aside, 0);
  EXPECT_EQ(remoteTitle("/cal/a"), "Mine");
}

TEST_F(Push, AnEditMadeWhileAnOlderOneIsRefusedIsStillSent) {
  retitle("a", "Refused");
  remote.refuse_writes = Error(ErrorKind::invalidInput, "not that title");
  remote.before_write = [&] {
    house.cut->before_commit = [&] {
      return testing::putMember(house.engine.get(), vendor, "a", "title", "Better");
    };
  };
  house.sync(connection);
  remote.refuse_writes.reset();
  house.sync(connection);
  EXPECT_EQ(remoteTitle("/cal/a"), "Better");
}

TEST_F(Push, AnEditMadeWhileAnOlderOneIsWrittenWinsOverWhatTheProviderMadeOfThat) {
  remote.normalise = [](json::value data) {
    std::string title(data.at("title").as_string());
    for (auto& c : title) c = static_cast<char>(std::toupper(c));
    data.as_object()["title"] = title;
    return data;
  };
  retitle("a", "First");
  remote.before_write = [&] {
    house.cut->before_commit = [&] {
      return testing::putMember(house.engine.get(), vendor, "a", "title", "Second");
    };
  };
  house.sync(connection);
  house.sync(connection);
  EXPECT_EQ(remoteTitle("/cal/a"), "SECOND");
  EXPECT_EQ(waiting(), 0U);
}

TEST_F(Push, WhatARecordIsKnownByCannotBeEdited) {
  auto const record = house.recordOf(vendor, "a");
  auto data = record.data;
  data.as_object()["uid"] = "zzz";
  auto const refused = house.run(house.engine->putRecord(vendor, record.id, data, 0));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::invalidInput);
  EXPECT_EQ(refused.error().field, "/data/uid");
  EXPECT_EQ(waiting(), 0U);
}

TEST_F(Push, ARecordThatTheVendorHasAlreadyIsNotAddedAgain) {
  auto const there = house.recordOf(vendor, "a");
  auto const add = [&] {
    return house.run(house.engine->addRecord(vendor, "calendar.event", event("a", "Twice"), connection));
  };
  auto const refused = add();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::conflict);
  EXPECT_NE(refused.error().message.find(there.id), std::string::npos) << refused.error().message;
  EXPECT_EQ(waiting(), 0U);
  house.run(house.engine->deleteRecord(vendor, there.id, 0)).value();
  EXPECT_TRUE(add()) << "what was deleted stands in nobody's way";
}

Task<void> addedMeanwhile(Engine* engine, std::string vendor_id, std::string connection_id) {
  json::value data = event("new", "First");
  CO_TRY_VOID(co_await engine->addRecord(vendor_id, "calendar.event", data, connection_id));
  co_return Result<void>();
}

TEST_F(Push, OfTwoAddedAtOneMomentTheLaterIsRefused) {
  house.cut->before_commit = [&] { return addedMeanwhile(house.engine.get(), vendor, connection); };
  auto const refused =
      house.run(house.engine->addRecord(vendor, "calendar.event", event("new", "Second"), connection));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::conflict);
  EXPECT_EQ(textOr(house.recordOf(vendor, "new").data, "/title", ""), "First");
  EXPECT_EQ(house.records(vendor).size(), 3U);
}

TEST_F(Push, ANameThatIsTakenThereIsToldAsThatAndSetAside) {
  remote.refuse_writes = Error(ErrorKind::conflict, "there is another event under this name");
  house.run(house.engine->addRecord(vendor, "calendar.event", event("new", "New"), connection)).value();
  auto const run = house.sync(connection);
  ASSERT_EQ(run.problems.size(), 1U);
  EXPECT_NE(run.problems[0].message.find("under the same name"), std::string::npos);
  EXPECT_EQ(run.problems[0].message.find("keeps changing"), std::string::npos) << run.problems[0].message;
  EXPECT_EQ(run.set_aside, 1);
  auto const calls = remote.upserts;
  house.sync(connection);
  EXPECT_EQ(remote.upserts, calls);
}

TEST_F(Push, AWriteThatEndsWorkersIsLeftAloneAfterThreeDispatchesAndTheOthersGoOn) {
  retitle("a", "Poison");
  Error died(ErrorKind::transient, "the worker was killed");
  died.provider_code = "worker_died";
  remote.refuse_writes = std::move(died).withEffect(Effect::unknown);
  for (int i = 0; i < 3; ++i) house.sync(connection);
  EXPECT_EQ(remote.upserts, 3);
  auto const run = house.sync(connection);
  EXPECT_EQ(remote.upserts, 3);
  ASSERT_EQ(run.problems.size(), 1U);
  remote.refuse_writes.reset();
  retitle("b", "Fine");
  house.sync(connection);
  EXPECT_EQ(remoteTitle("/cal/b"), "Fine");
}

TEST_F(Push, AWriteThatEndsEveryWorkerIsParkedAtOnceAndEveryLaterRunSaysSo) {
  retitle("a", "Poison");
  Error poisoned(ErrorKind::pluginBug, "calendar.upsert/1 with this input ends its worker");
  poisoned.provider_code = "poisoned";
  remote.refuse_writes = std::move(poisoned).withEffect(Effect::unknown);
  auto const first = house.sync(connection);
  ASSERT_EQ(first.problems.size(), 1U);
  EXPECT_EQ(first.problems[0].kind, "plugin_bug");
  EXPECT_EQ(first.pushed.failed, 1);
  remote.refuse_writes.reset();
  auto const second = house.sync(connection);
  EXPECT_EQ(remote.upserts, 1) << "it is not tried again";
  ASSERT_EQ(second.problems.size(), 1U);
  EXPECT_EQ(second.problems[0].place, "/cal/a");
  EXPECT_EQ(second.problems[0].kind, "set_aside");
  EXPECT_NE(second.problems[0].message.find("ends its worker"), std::string::npos)
      << second.problems[0].message;
  EXPECT_EQ(second.pushed.failed, 0);
  retitle("a", "Antidote");
  auto const third = house.sync(connection);
  EXPECT_EQ(remoteTitle("/cal/a"), "Antidote");
  EXPECT_TRUE(third.problems.empty());
}

TEST_F(Push, AnUpdateThatTheProviderAnswersWithAnotherIdMovesTheLink) {
  remote.moves_on_write = true;
  retitle("a", "Mine");
  house.sync(connection);
  EXPECT_EQ(remoteTitle("/cal/a-moved"), "Mine");
  auto const live =
      house.rows("SELECT remote_id FROM links WHERE state<>'deleted' AND remote_id LIKE '/cal/a%'");
  ASSERT_EQ(live.size(), 1U);
  EXPECT_EQ(live[0].text(0), "/cal/a-moved");
  remote.moves_on_write = false;
  auto const before = house.records(vendor).size();
  for (int i = 0; i < 2; ++i) house.sync(connection);
  EXPECT_EQ(house.records(vendor).size(), before);
  retitle("a", "Mine again");
  house.sync(connection);
  EXPECT_EQ(remoteTitle("/cal/a-moved"), "Mine again");
  EXPECT_EQ(remote.events().count("/cal/a"), 0U);
}

TEST_F(Push, AnEditAtOneConnectionFlowsToTheOtherThatHoldsTheRecord) {
  auto& other = house.provider("q");
  other.put("/cal/a", event("a", "A"));
  auto const second = house.connect(vendor, "q");
  house.sync(second);
  EXPECT_EQ(house.records(vendor).size(), 2U) << "the same event at both is one record";
  remote.put("/cal/a", remote.titleChanged("/cal/a", "From p"));
  house.sync(connection);
  house.sync(second);
  EXPECT_EQ(textOr(other.events().at("/cal/a").data, "/title", ""), "From p");
  EXPECT_EQ(other.writes, 1);
  for (int i = 0; i < 3; ++i) {
    house.sync(connection);
    house.sync(second);
  }
  EXPECT_EQ(other.writes, 1);
  EXPECT_EQ(remote.writes, 0);
}

TEST_F(Push, TwoProvidersThatWriteDifferentlyDoNotPlayPingPong) {
  auto const cased = [](int (*change)(int)) {
    return [change](json::value data) {
      std::string title(data.at("title").as_string());
      for (auto& c : title) c = static_cast<char>(change(c));
      data.as_object()["title"] = title;
      return data;
    };
  };
  remote.normalise = cased([](int c) { return std::toupper(c); });
  auto& other = house.provider("q");
  other.put("/cal/a", event("a", "A"));
  auto const second = house.connect(vendor, "q");
  house.sync(second);
  other.normalise = cased([](int c) { return std::tolower(c); });
  retitle("a", "Mixed Case");
  for (int i = 0; i < 6; ++i) {
    house.sync(connection);
    house.sync(second);
  }
  EXPECT_EQ(remote.upserts, 1);
  EXPECT_EQ(other.upserts, 1);
  // What is left is their way of writing, no edit: the next change there meets no conflict here.
  remote.put("/cal/a", remote.titleChanged("/cal/a", "Changed there"));
  house.sync(connection);
  EXPECT_EQ(textOr(house.recordOf(vendor, "a").data, "/title", ""), "CHANGED THERE");
  EXPECT_TRUE(house.run(house.engine->conflicts(vendor, 10)).value().empty());
}

TEST_F(Push, AnOperationIsDurableAsSentBeforeItLeaves) {
  retitle("a", "Mine");
  remote.before_write = [&] { house.cut->cut_at = house.cut->commits + 1; };
  auto const started = house.run(house.engine->startSync(connection)).value();
  (void)house.run(house.engine->waitForRun(started.id));
  auto const left = house.rows("SELECT state, op_id, payload, dispatches FROM pushes");
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(left[0].text(0), "sent");
  EXPECT_FALSE(left[0].text(1).empty());
  EXPECT_NE(left[0].text(2).find("Mine"), std::string::npos);
  EXPECT_EQ(left[0].integer(3), 1);
}

TEST_F(Push, AnEventOfTheSameNameThatSaysSomethingElseStaysARecordOfItsOwn) {
  auto& other = house.provider("q");
  other.put("/cal/a", event("a", "Another story"));
  auto const second = house.connect(vendor, "q");
  house.sync(second);
  EXPECT_EQ(house.records(vendor).size(), 3U);
  house.sync(connection);
  EXPECT_EQ(remote.writes + other.writes, 0);
}

} // namespace
} // namespace garland::sync
