// Runs that only look at what a provider hinted at, and runs that go on without a kind that cannot be synced.
#include "host/sync/testing/house.h"

#include "host/sync/waiting.h"

#include <gmock/gmock.h>

#include <stdexcept>

namespace garland::sync {
namespace {

using testing::event;
using testing::FakeProvider;
using ::testing::HasSubstr;
using testing::House;

constexpr char const* kClient = "crm.client";
constexpr char const* kProject = "crm.project";

class Hints : public ::testing::Test {
protected:
  Hints() {
    clients.emitted_kind = kClient;
    projects.emitted_kind = kProject;
    for (auto const* id : {"1", "2", "3"}) putProject(id, "Project " + std::string(id));
    clients.put("1", json::object{{"kind", "person"}, {"name", "Ada"}});
  }
  void putProject(std::string const& id, std::string const& name) {
    projects.put(id, json::object{{"name", name}, {"stage", "lead"}});
  }
  sync::Run ended(Result<sync::Run> const& run) {
    EXPECT_TRUE(run) << run.error().message;
    return run ? house.run(house.engine->waitForRun(run->id)).value() : sync::Run();
  }
  sync::Run hint(std::vector<Hint> hints) {
    return ended(house.run(house.engine->syncHinted(connection, std::move(hints))));
  }
  std::set<std::string> names() {
    std::set<std::string> found;
    for (auto const& record : house.records(vendor)) found.insert(textOr(record.data, "/name", ""));
    return found;
  }
  std::string idOf(std::string const& name) {
    for (auto const& record : house.records(vendor))
      if (textOr(record.data, "/name", "") == name) return record.id;
    throw std::runtime_error("no record " + name);
  }
  // As somebody else would make it.
  Task<void> edit(std::string id, std::string member, std::string text) {
    CO_TRY(record, co_await house.engine->record(vendor, id));
    record.data.as_object()[member] = text;
    CO_TRY_VOID(co_await house.engine->putRecord(vendor, id, record.data, 0));
    co_return Result<void>();
  }
  Connection standing() { return house.run(house.engine->connection(connection)).value(); }
  std::int64_t due() { return house.rows("SELECT next_due FROM connections").at(0).integer(0); }
  static Task<void> reached(Event* here, Event* go) {
    here->set();
    co_return co_await go->wait();
  }

  // Called for each commit; a sync is asked for while the run's end is being committed.
  Task<void> askAtTheEnd() {
    auto const run = co_await house.engine->lastRun(connection);
    if (!(*run)->finished) {
      house.cut->before_commit = [this] { return askAtTheEnd(); };
      co_return Result<void>();
    }
    auto asked = hints_at_the_end.empty() ? house.engine->startSync(connection)
                                          : house.engine->syncHinted(connection, hints_at_the_end);
    asio::co_spawn(house.loop, std::move(asked), [this](std::exception_ptr, Result<sync::Run> started) {
      second = std::move(started);
      answered.set();
    });
    // Until it has read what it needs, and waits.
    for (int i = 0; i < 20; ++i) {
      store::Statement query("SELECT 1 FROM connections", {});
      CO_TRY_VOID(co_await house.store->read(std::move(query)));
    }
    EXPECT_FALSE(second);
    co_return Result<void>();
  }

  // For what is asked for while `first` ends, which waits at the provider (here) until it may go on.
  void expectARunOfItsOwnAfter(sync::Run const& first, Event* here, Event* go) {
    house.run(here->wait()).value();
    house.cut->before_commit = [this] { return askAtTheEnd(); };
    go->set();
    house.run(answered.wait()).value();
    ASSERT_TRUE(second && *second) << (second ? second->error().message : "");
    EXPECT_NE((*second)->id, first.id);
    EXPECT_EQ(ended(*second).state, "done");
  }

  House house;
  std::vector<Hint> hints_at_the_end{{kProject, "3"}}; // none: everything is asked for
  std::optional<Result<sync::Run>> second;
  Event answered{house.loop.get_executor()};
  FakeProvider& clients = house.provider("p/crm.client");
  FakeProvider& projects = house.provider("p/crm.project");
  std::string vendor = house.vendor();
  std::string connection = house.connect(vendor, "p", "test.crm.studio");
};

TEST_F(Hints, OnlyWhatIsHintedAtIsFetched) {
  house.sync(connection);
  int const pulls = projects.pulls;
  for (auto const* id : {"1", "2", "3"}) putProject(id, "Renamed " + std::string(id));
  auto const run = hint({{kProject, "2"}, {kProject, "2"}});
  EXPECT_EQ(run.state, "done");
  EXPECT_EQ(run.pulled.updated, 1);
  EXPECT_EQ(names(), (std::set<std::string>{"Ada", "Project 1", "Renamed 2", "Project 3"}));
  EXPECT_EQ(projects.pulls, pulls);
  EXPECT_EQ(projects.gets, (std::vector<std::string>{"2"}));
  // The next pull brings it once more, and nothing comes of that.
  auto const next = house.sync(connection);
  EXPECT_EQ(next.pulled.updated, 2);
  EXPECT_EQ(next.pulled.created, 0);
}

TEST_F(Hints, WhatIsGoneThereIsDeletedHereAndWhatIsNewIsCreated) {
  house.sync(connection);
  projects.remove("1");
  putProject("9", "New");
  auto const run = hint({{kProject, "1"}, {kProject, "9"}, {kProject, "never-there"}});
  EXPECT_EQ(run.pulled.deleted, 1);
  EXPECT_EQ(run.pulled.created, 1);
  EXPECT_EQ(names(), (std::set<std::string>{"Ada", "Project 2", "Project 3", "New"}));
}

TEST_F(Hints, WhatIsNeitherThereNorHereCountsAsNothing) {
  house.sync(connection);
  auto const run = hint({{kProject, "never-there"}});
  EXPECT_EQ(run.state, "done");
  EXPECT_EQ(run.pulled.unchanged + run.pulled.created + run.pulled.updated + run.pulled.deleted, 0);
  EXPECT_EQ(hint({{kProject, "1"}}).pulled.unchanged, 1);
}

TEST_F(Hints, TheNextPollIsNotPutOffAndTheConnectionStandsAsItStood) {
  projects.refuse_pulls = Error(ErrorKind::providerBug, "a list of rubbish");
  house.sync(connection);
  auto const before = standing();
  EXPECT_EQ(before.state, "failing");
  auto const was_due = due();
  house.clock.advance(Milliseconds(60'000));
  EXPECT_EQ(hint({{kProject, "2"}}).state, "done");
  EXPECT_EQ(due(), was_due);
  EXPECT_EQ(standing().state, "failing");
  EXPECT_EQ(standing().last_success, before.last_success);
  projects.refuse_gets = Error(ErrorKind::authRevoked, "the key was withdrawn");
  EXPECT_EQ(hint({{kProject, "2"}}).state, "failed");
  EXPECT_EQ(standing().state, "reconnect needed");
}

// The hint is nowhere else, so the next poll has to find what it named.
TEST_F(Hints, AnOutageOrAnOrderlyStopBringsTheNextPollForward) {
  house.sync(connection);
  auto const later = due();
  auto const in = [&](std::int64_t moment) {
    return Milliseconds(moment) - house.clock.now().time_since_epoch();
  };
  projects.refuse_gets = Error(ErrorKind::rateLimited, "too many requests");
  projects.refuse_gets->retry_after = Milliseconds(300'000);
  EXPECT_EQ(hint({{kProject, "2"}}).state, "failed");
  EXPECT_EQ(in(due()), Milliseconds(300'000));
  EXPECT_LT(due(), later);
  EXPECT_EQ(standing().state, "connected") << "that is for the poll to say";
  projects.refuse_gets = Error(ErrorKind::transient, "no network");
  EXPECT_EQ(hint({{kProject, "2"}}).state, "failed");
  EXPECT_EQ(in(due()), Milliseconds(60'000));
  projects.refuse_gets = Error(ErrorKind::rateLimited, "too many requests");
  projects.refuse_gets->retry_after = Milliseconds(300'000);
  EXPECT_EQ(hint({{kProject, "2"}}).state, "failed");
  EXPECT_EQ(in(due()), Milliseconds(60'000)) << "an earlier poll stays";

  projects.refuse_gets.reset();
  Event here(house.loop.get_executor());
  Event go(house.loop.get_executor());
  clients.during_get = [&](runtime::CallHost*) { return reached(&here, &go); };
  house.run(house.engine->syncHinted(connection, {{kClient, "1"}})).value();
  house.run(here.wait()).value();
  house.run(house.engine->syncHinted(connection, {{kProject, "2"}})).value();
  go.set();
  house.run(house.engine->stop()).value();
  EXPECT_EQ(due(), 0);
}

TEST_F(Hints, ARunInFlightTakesThemInAndOneThatOnlyFollowsHintsTakesAWholeSyncIn) {
  Event here(house.loop.get_executor());
  Event go(house.loop.get_executor());
  clients.during_pull = [&](runtime::CallHost*) { return reached(&here, &go); };
  auto const whole = house.run(house.engine->startSync(connection)).value();
  house.run(here.wait()).value();
  auto const joined = house.run(house.engine->syncHinted(connection, {{kProject, "2"}})).value();
  EXPECT_EQ(joined.id, whole.id);
  go.set();
  ended(whole);
  EXPECT_EQ(projects.gets.size(), 1U);

  Event here_too(house.loop.get_executor());
  Event go_too(house.loop.get_executor());
  projects.during_get = [&](runtime::CallHost*) { return reached(&here_too, &go_too); };
  auto const hinted = house.run(house.engine->syncHinted(connection, {{kProject, "2"}})).value();
  house.run(here_too.wait()).value();
  int const pulls = projects.pulls;
  EXPECT_EQ(house.run(house.engine->startSync(connection)).value().id, hinted.id);
  go_too.set();
  EXPECT_EQ(ended(hinted).state, "done");
  EXPECT_EQ(projects.pulls, pulls + 1);
}

TEST_F(Hints, OneThatComesWhenTheRunIsAlreadyEndingGetsARunOfItsOwn) {
  house.sync(connection);
  putProject("2", "Renamed");
  Event here(house.loop.get_executor());
  Event go(house.loop.get_executor());
  projects.during_get = [&](runtime::CallHost*) { return reached(&here, &go); };
  auto const first = house.run(house.engine->syncHinted(connection, {{kProject, "2"}})).value();
  expectARunOfItsOwnAfter(first, &here, &go);
  EXPECT_THAT(projects.gets, ::testing::ElementsAre("2", "3"));
}

TEST_F(Hints, AWholeSyncThatIsAskedForWhenOneIsAlreadyEndingIsOneOfItsOwn) {
  hints_at_the_end.clear();
  Event here(house.loop.get_executor());
  Event go(house.loop.get_executor());
  projects.during_pull = [&](runtime::CallHost*) { return reached(&here, &go); };
  auto const first = house.run(house.engine->startSync(connection)).value();
  expectARunOfItsOwnAfter(first, &here, &go);
}

TEST_F(Hints, RunsOfHintsPushNoWholeRunOutAndAreNotTheLastRun) {
  projects.refuse_pulls = Error(ErrorKind::providerBug, "a list of rubbish");
  auto const whole = house.sync(connection);
  EXPECT_EQ(whole.state, "partly failed");
  sync::Run hinted;
  for (int i = 0; i < 60; ++i) {
    house.clock.advance(Milliseconds(1000));
    hinted = hint({{kProject, "2"}});
  }
  EXPECT_EQ(hinted.state, "done");
  EXPECT_EQ(house.run(house.engine->lastRun(connection)).value()->id, whole.id);
  EXPECT_EQ(house.run(house.engine->run(hinted.id)).value().state, "done");
  EXPECT_EQ(house.rows("SELECT 1 FROM runs").size(), 51U);
}

TEST_F(Hints, AKindThatThePluginDoesNotBringIsRefused) {
  for (auto const* kind : {"calendar.event", "crm.nothing"}) {
    auto const refused = house.run(house.engine->syncHinted(connection, {{kind, "1"}}));
    ASSERT_FALSE(refused) << kind;
    EXPECT_EQ(refused.error().kind, ErrorKind::invalidInput);
    EXPECT_THAT(refused.error().message, HasSubstr(kind));
  }
  EXPECT_FALSE(house.run(house.engine->syncHinted(connection, {})));
  EXPECT_FALSE(house.run(house.engine->lastRun(connection)).value());
}

TEST_F(Hints, APluginThatReadsNoSingleRecordsIsPulledFromItsCursor) {
  auto& calendar = house.provider("c");
  calendar.put("/cal/a", event("a", "Shoot"));
  auto const other = house.connect(vendor, "c");
  house.sync(other);
  calendar.put("/cal/b", event("b", "Viewing"));
  auto const run = ended(house.run(house.engine->syncHinted(other, {{"calendar.event", "/cal/b"}})));
  EXPECT_EQ(run.state, "done");
  EXPECT_EQ(run.pulled.created, 1);
  EXPECT_FALSE(calendar.inputs.back().at("cursor").is_null());
}

// ---- an item that cannot be taken

TEST_F(Hints, AnItemThatCouldNotBeTakenIsReadAgainUntilItCan) {
  projects.put("2", json::object{{"stage", "lead"}});
  for (int time = 0; time < 3; ++time) {
    auto const run = house.sync(connection);
    EXPECT_EQ(run.pulled.failed, 1) << "every run says so";
    ASSERT_EQ(run.problems.size(), 1U);
    EXPECT_EQ(run.problems[0].place, "2");
    EXPECT_EQ(projects.gets.size(), static_cast<std::size_t>(time));
  }
  // The provider shows it as it should, and does not call that a change.
  projects.mend("2", json::object{{"name", "Mended"}, {"stage", "lead"}});
  auto const run = house.sync(connection);
  EXPECT_EQ(run.pulled.created, 1);
  EXPECT_TRUE(run.problems.empty());
  EXPECT_EQ(names(), (std::set<std::string>{"Ada", "Project 1", "Mended", "Project 3"}));
  house.sync(connection);
  EXPECT_EQ(projects.gets.size(), 3U) << "that is over";
}

TEST_F(Hints, WhatCouldNotBeTakenAndIsGoneIsForgotten) {
  projects.put("2", json::object{{"stage", "lead"}});
  EXPECT_EQ(house.sync(connection).pulled.failed, 1);
  projects.remove("2");
  EXPECT_TRUE(house.sync(connection).problems.empty());
  house.sync(connection);
  EXPECT_EQ(projects.gets.size(), 1U);
}

// The engine is thrown away at its k-th commit of the first sync; false if there are not so many.
bool cutInTheFirstSync(int k, bool applied_first) {
  House house;
  auto& projects = house.provider("p/crm.project");
  projects.emitted_kind = kProject;
  projects.put("1", json::object{{"stage", "lead"}});
  auto const vendor = house.vendor();
  auto const connection = house.connect(vendor, "p", "test.crm.studio");
  house.cut->cut_at = house.cut->commits + k;
  house.cut->applied_first = applied_first;
  auto const started = house.run(house.engine->startSync(connection));
  if (started) (void)house.run(house.engine->waitForRun(started->id));
  bool const reached = house.cut->dead;
  projects.mend("1", json::object{{"name", "Mended"}, {"stage", "lead"}});
  house.restart();
  EXPECT_EQ(house.sync(connection).state, "done");
  EXPECT_EQ(house.records(vendor).size(), 1U) << "cut at commit " << k << (applied_first ? ", after" : "");
  return reached;
}

TEST(MissedItems, AreRememberedBeforeTheCursorGoesOn) {
  int k = 1;
  while (cutInTheFirstSync(k, false) && cutInTheFirstSync(k, true)) ++k;
  EXPECT_GE(k, 4);
}

TEST_F(Hints, OneThatCannotBeReadByItsIdKeepsNothingBack) {
  for (auto const* id : {"1", "2", "3"}) projects.put(id, json::object{{"stage", "lead"}});
  house.sync(connection);
  auto last = standing().last_success;
  for (auto const kind : {ErrorKind::transient, ErrorKind::forbidden, ErrorKind::rateLimited,
                          ErrorKind::invalidInput, ErrorKind::providerBug}) {
    projects.refuse_get_of.insert_or_assign("1", Error(kind, "not this one"));
    putProject("4", "Changed " + std::string(name(kind)));
    auto const run = house.sync(connection);
    EXPECT_EQ(run.state, "done") << name(kind);
    EXPECT_TRUE(names().contains("Changed " + std::string(name(kind))));
    ASSERT_FALSE(run.problems.empty()) << name(kind);
    EXPECT_THAT(run.problems.back().message, HasSubstr("read again: not this one")) << name(kind);
    EXPECT_EQ(standing().state, "connected");
    EXPECT_GT(standing().last_success, last);
    last = standing().last_success;
  }
  // Those behind it are read, and it is still asked for.
  projects.mend("3", json::object{{"name", "Mended"}, {"stage", "lead"}});
  house.sync(connection);
  EXPECT_TRUE(names().contains("Mended"));
  projects.refuse_get_of.clear();
  projects.mend("1", json::object{{"name", "At last"}, {"stage", "lead"}});
  house.sync(connection);
  EXPECT_TRUE(names().contains("At last"));
}

TEST_F(Hints, AWorkerThatDiesAmongThoseReadAgainReadsOnlyTheRest) {
  for (auto const* id : {"1", "2", "3"}) projects.put(id, json::object{{"stage", "lead"}});
  house.sync(connection);
  projects.die_after_records = 2;
  projects.deaths = 1;
  EXPECT_EQ(house.sync(connection).state, "done");
  EXPECT_THAT(projects.gets, ::testing::ElementsAre("1", "2", "3", "3"));
}

TEST_F(Hints, AnItemWithoutAnIdIsToldAndNeverAskedFor) {
  projects.extra_emits.emplace_back(
      "garland.problem", R"({"id":"","kind":"provider_bug","message":"a record of jobs has no /id"})");
  auto const run = house.sync(connection);
  ASSERT_EQ(run.problems.size(), 1U);
  EXPECT_EQ(run.problems[0].place, "(no id)");
  EXPECT_EQ(run.problems[0].message, "a record of jobs has no /id");
  EXPECT_EQ(run.pulled.failed, 1);
  house.sync(connection);
  EXPECT_TRUE(projects.gets.empty());
}

// A thousand are remembered; those that are known already take up no room twice.
TEST_F(Hints, ThereIsRoomForNewOnesAmongThoseThatAreKnown) {
  auto const bad = [&](int i) { projects.put("bad" + std::to_string(i), json::object{{"stage", "lead"}}); };
  for (int i = 0; i < 950; ++i) bad(i);
  house.sync(connection);
  for (int i = 900; i < 965; ++i) bad(i);
  house.sync(connection);
  auto const count = [&] { return house.rows("SELECT COUNT(*) FROM missed").at(0).integer(0); };
  EXPECT_EQ(count(), 965);
  for (int i = 965; i < 1050; ++i) bad(i);
  house.sync(connection);
  EXPECT_EQ(count(), 1000);
}

// ---- what we once wrote

// Its write has taken place long ago, though the record has waited to be written ever since.
TEST_F(Hints, AProvidersReturnToWhatWasOnceWrittenThereIsAnEditOfTheProvider) {
  house.sync(connection);
  auto const id = idOf("Project 1");
  house.run(edit(id, "name", "Ours")).value();
  // While that is written.
  projects.before_write = [&] { house.cut->before_commit = [&] { return edit(id, "stage", "booked"); }; };
  house.sync(connection);
  EXPECT_EQ(textOr(projects.events().at("1").data, "/name", ""), "Ours");
  ASSERT_EQ(house.rows("SELECT 1 FROM pushes").size(), 1U) << "the stage waits";
  putProject("1", "Theirs");
  EXPECT_EQ(hint({{kProject, "1"}}).conflicts, 0);
  house.run(edit(id, "name", "Mine")).value();
  putProject("1", "Ours");
  EXPECT_EQ(hint({{kProject, "1"}}).conflicts, 1);
  auto const record = house.run(house.engine->record(vendor, id)).value();
  EXPECT_EQ(textOr(record.data, "/name", ""), "Ours");
  EXPECT_EQ(textOr(record.data, "/stage", ""), "booked");
  auto const conflicts = house.run(house.engine->conflicts(vendor, 10)).value();
  ASSERT_EQ(conflicts.size(), 1U);
  EXPECT_EQ(textOr(conflicts[0].local, "/name", ""), "Mine");
}

// ---- a kind that cannot be synced

TEST_F(Hints, AKindThatAlwaysFailsDoesNotKeepTheOthersBack) {
  clients.refuse_pulls = Error(ErrorKind::providerBug, "the list of contacts is not JSON");
  auto const run = house.sync(connection);
  EXPECT_EQ(run.state, "partly failed");
  ASSERT_TRUE(run.error);
  EXPECT_EQ(run.error->kind, ErrorKind::providerBug);
  EXPECT_THAT(run.error->message, HasSubstr("crm.client was not synced: the list of contacts is not JSON"));
  ASSERT_EQ(run.problems.size(), 1U);
  EXPECT_EQ(run.problems[0].place, kClient);
  EXPECT_EQ(run.pulled.created, 3);
  EXPECT_EQ(names(), (std::set<std::string>{"Project 1", "Project 2", "Project 3"}));
  EXPECT_EQ(standing().state, "failing");
  EXPECT_FALSE(standing().last_success);
  auto const kept = house.run(house.engine->lastRun(connection)).value();
  EXPECT_EQ(kept->state, "partly failed");
  clients.refuse_pulls.reset();
  EXPECT_EQ(house.sync(connection).state, "done");
  EXPECT_EQ(names().size(), 4U);
  EXPECT_EQ(standing().state, "connected");
}

TEST_F(Hints, AnOutageEndsTheRunAndTheOtherKindsAreNotEvenAsked) {
  for (auto const kind : {ErrorKind::authExpired, ErrorKind::authRevoked, ErrorKind::rateLimited,
                          ErrorKind::transient, ErrorKind::quota}) {
    clients.refuse_pulls = Error(kind, "no");
    auto const run = house.sync(connection);
    EXPECT_EQ(run.state, "failed") << name(kind);
    EXPECT_EQ(run.error->message, "no");
    EXPECT_EQ(projects.pulls, 0) << name(kind);
    EXPECT_TRUE(run.problems.empty());
  }
}

TEST_F(Hints, AWorkerThatDiesAgainAndAgainEndsTheRun) {
  clients.die_after_records = 0;
  clients.deaths = 100;
  EXPECT_EQ(house.sync(connection).state, "failed");
  EXPECT_EQ(projects.pulls, 0);
}

TEST_F(Hints, IfEveryKindFailsTheRunHasFailedAndNamesThemAll) {
  clients.refuse_pulls = Error(ErrorKind::forbidden, "no contacts for this key");
  projects.refuse_pulls = Error(ErrorKind::providerBug, "no jobs either");
  auto const run = house.sync(connection);
  EXPECT_EQ(run.state, "failed");
  EXPECT_THAT(run.error->message,
              HasSubstr("crm.client, crm.project were not synced: no contacts for this key"));
  EXPECT_EQ(run.problems.size(), 2U);
}

TEST_F(Hints, AnOutageAfterAKindThatFailedIsAFailureThatTellsBoth) {
  clients.refuse_pulls = Error(ErrorKind::providerBug, "not JSON");
  projects.refuse_pulls = Error(ErrorKind::transient, "no network");
  auto const run = house.sync(connection);
  EXPECT_EQ(run.state, "failed");
  EXPECT_EQ(run.error->message, "no network");
  ASSERT_EQ(run.problems.size(), 1U);
  EXPECT_EQ(run.problems[0].place, kClient);
  EXPECT_EQ(run.problems[0].message, "not JSON");
}

TEST_F(Hints, AKindWhosePullAndHintBothFailIsNamedOnce) {
  house.sync(connection);
  clients.refuse_pulls = Error(ErrorKind::forbidden, "no contacts for this key");
  clients.refuse_gets = clients.refuse_pulls;
  Event here(house.loop.get_executor());
  Event go(house.loop.get_executor());
  projects.during_pull = [&](runtime::CallHost*) { return reached(&here, &go); };
  auto const whole = house.run(house.engine->startSync(connection)).value();
  house.run(here.wait()).value();
  house.run(house.engine->syncHinted(connection, {{kClient, "1"}})).value();
  go.set();
  auto const run = ended(whole);
  EXPECT_EQ(run.state, "partly failed");
  EXPECT_EQ(run.error->message, "crm.client was not synced: no contacts for this key");
}

} // namespace
} // namespace garland::sync
