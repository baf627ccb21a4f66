#include "host/sync/testing/one_calendar.h"

#include "host/sync/waiting.h"

#include <algorithm>
#include <memory>

namespace garland::sync {
namespace {

class Runs : public testing::OneCalendar {
protected:
  static Task<void> reached(Event* here, Event* go) {
    here->set();
    co_return co_await go->wait();
  }
};

TEST_F(Runs, ASecondStartJoinsTheRunInFlight) {
  fill(3);
  Event here(house.loop.get_executor());
  Event go(house.loop.get_executor());
  remote.during_pull = [&](runtime::CallHost*) { return reached(&here, &go); };
  auto const first = house.run(house.engine->startSync(connection)).value();
  house.run(here.wait()).value();
  auto const second = house.run(house.engine->startSync(connection)).value();
  EXPECT_EQ(second.id, first.id);
  EXPECT_EQ(second.state, "running");
  EXPECT_EQ(house.run(house.engine->run(first.id)).value().progress_done, 3U);
  go.set();
  EXPECT_EQ(house.run(house.engine->waitForRun(first.id)).value().state, "done");
  EXPECT_EQ(remote.pulls, 1);
  auto const kept = house.run(house.engine->run(first.id)).value();
  EXPECT_EQ(kept.state, "done");
  EXPECT_EQ(kept.pulled.created, 3);
  EXPECT_TRUE(kept.finished);
}

TEST_F(Runs, StoppingEndsARunAtItsNextCheckpointAndNothingOfItIsLost) {
  fill(10);
  remote.page = 4;
  Event here(house.loop.get_executor());
  Event go(house.loop.get_executor());
  remote.during_pull = [&](runtime::CallHost*) { return reached(&here, &go); };
  auto const started = house.run(house.engine->startSync(connection)).value();
  house.run(here.wait()).value();
  go.set();
  house.run(house.engine->stop()).value();
  auto const run = house.run(house.engine->run(started.id)).value();
  EXPECT_EQ(run.state, "failed");
  EXPECT_EQ(run.error->kind, ErrorKind::cancelled);
  EXPECT_EQ(run.pulled.created, 10);
  EXPECT_EQ(house.run(house.engine->connection(connection)).value().state, "connected");
  EXPECT_FALSE(house.run(house.engine->startSync(connection)));
  house.restart();
  auto const next = house.sync(connection);
  EXPECT_EQ(next.state, "done");
  EXPECT_EQ(next.pulled.created, 0);
}

TEST_F(Runs, ConnectionsAreSyncedWhenTheirTimeHasCome) {
  fill(2);
  house.run(house.engine->start()).value();
  EXPECT_FALSE(house.run(house.engine->lastRun(connection)).value());
  Event here(house.loop.get_executor());
  Event go(house.loop.get_executor());
  remote.during_pull = [&](runtime::CallHost*) { return reached(&here, &go); };
  while (house.clock.sleepers() == 0) house.loop.run_one();
  house.clock.advance(Milliseconds(900'000));
  house.run(here.wait()).value();
  go.set();
  auto const run = house.run(house.engine->lastRun(connection)).value();
  ASSERT_TRUE(run);
  EXPECT_EQ(house.run(house.engine->waitForRun(run->id)).value().pulled.created, 2);
  house.run(house.engine->stop()).value();
  EXPECT_EQ(house.clock.sleepers(), 0U);
}

TEST_F(Runs, AProviderThatWantsToBeLeftAloneIsAskedLaterButAtOnceByAPerson) {
  auto const dueIn = [&] {
    auto const rows = house.rows("SELECT next_due FROM connections");
    return Milliseconds(rows.at(0).integer(0)) - house.clock.now().time_since_epoch();
  };
  house.sync(connection);
  EXPECT_LT(dueIn(), std::chrono::minutes(17));
  remote.quiet_seconds = 3600;
  house.sync(connection);
  EXPECT_GE(dueIn(), std::chrono::hours(1));
  EXPECT_EQ(remote.pulls, 2);
  remote.quiet_seconds = 60;
  house.sync(connection);
  EXPECT_EQ(remote.pulls, 3);
  EXPECT_GE(dueIn(), std::chrono::minutes(15)) << "the manifest's own interval is the least";
}

TEST_F(Runs, AnOutageIsNotWaitedOutUntilTheNextPoll) {
  auto plugins = house.catalogue.plugins();
  for (auto& plugin : plugins) plugin.manifest.poll_every = std::chrono::hours(24 * 7);
  house.catalogue.renew(runtime::Catalogue(std::move(plugins)));
  auto const dueAfter = [&](std::optional<Error> refusal) {
    remote.refuse_pulls = std::move(refusal);
    house.sync(connection);
    auto const rows = house.rows("SELECT next_due FROM connections");
    return Milliseconds(rows.at(0).integer(0)) - house.clock.now().time_since_epoch();
  };
  EXPECT_GE(dueAfter({}), std::chrono::hours(24 * 7));
  for (auto const kind : {ErrorKind::transient, ErrorKind::rateLimited}) {
    auto const due = dueAfter(Error(kind, "it was answered with status 500"));
    EXPECT_GE(due, std::chrono::minutes(15));
    EXPECT_LT(due, std::chrono::minutes(17));
  }
  Error wait(ErrorKind::rateLimited, "come back later");
  wait.retry_after = std::chrono::hours(1);
  EXPECT_GE(dueAfter(std::move(wait)), std::chrono::hours(1)) << "the provider's own word is the least";
  EXPECT_GE(dueAfter(Error(ErrorKind::providerBug, "rubbish")), std::chrono::hours(24 * 7))
      << "which is the same in 15 minutes";
}

TEST_F(Runs, EightRunAtOnceAndTheRestWaitTheirTurn) {
  std::vector<std::string> connections = {connection};
  for (int i = 1; i < 12; ++i) connections.push_back(house.connect(vendor, "p" + std::to_string(i)));
  Event go(house.loop.get_executor());
  int running = 0;
  for (int i = 0; i < 12; ++i) {
    auto& provider = i == 0 ? remote : house.provider("p" + std::to_string(i));
    provider.during_pull = [&](runtime::CallHost*) {
      ++running;
      return go.wait();
    };
  }
  std::vector<std::string> runs;
  for (auto const& id : connections) runs.push_back(house.run(house.engine->startSync(id)).value().id);
  while (running < 8) house.loop.run_one();
  house.run(house.engine->vendors()).value();
  int queued = 0;
  for (auto const& id : runs) queued += house.run(house.engine->run(id)).value().state == "queued" ? 1 : 0;
  EXPECT_EQ(queued, 4);
  EXPECT_EQ(running, 8);
  go.set();
  for (auto const& id : runs) EXPECT_EQ(house.run(house.engine->waitForRun(id)).value().state, "done");
}

TEST_F(Runs, WhatSomebodyAsksForGoesBeforeWhatTheScheduleStarted) {
  constexpr std::size_t kAll = 10;
  std::vector<std::string> connections = {connection};
  for (std::size_t i = 1; i < kAll; ++i)
    connections.push_back(house.connect(vendor, "p" + std::to_string(i)));
  std::vector<std::unique_ptr<Event>> go;
  std::vector<std::size_t> began;
  for (std::size_t i = 0; i < kAll; ++i) {
    go.push_back(std::make_unique<Event>(house.loop.get_executor()));
    auto& provider = i == 0 ? remote : house.provider("p" + std::to_string(i));
    provider.during_pull = [&, i](runtime::CallHost*) {
      began.push_back(i);
      return go[i]->wait();
    };
  }
  house.run(house.engine->start()).value();
  while (house.clock.sleepers() == 0) house.loop.run_one();
  house.clock.advance(Milliseconds(900'000));
  while (began.size() < 8) house.loop.run_one();
  std::size_t last = kAll; // the one that would go last
  for (std::size_t i = 0; i < kAll; ++i)
    if (std::find(began.begin(), began.end(), i) == began.end()) last = i;
  house.run(house.engine->startSync(connections[last])).value();
  go[began[0]]->set();
  while (began.size() < 9) house.loop.run_one();
  EXPECT_EQ(began[8], last);
  for (auto const& each : go) each->set();
  for (auto const& id : connections) {
    auto const run = house.run(house.engine->lastRun(id)).value();
    ASSERT_TRUE(run);
    EXPECT_EQ(house.run(house.engine->waitForRun(run->id)).value().state, "done");
  }
}

TEST_F(Runs, AfterAnOutageTheScheduleStartsMoreAsSoonAsSomeHaveEnded) {
  constexpr int kAll = 300; // more than it starts at once
  for (int i = 1; i < kAll; ++i) house.connect(vendor, "p" + std::to_string(i));
  auto const settle = [this] {
    while (house.loop.poll() > 0 || house.cut->under_way > 0)
      if (house.cut->under_way > 0) house.loop.run_one();
  };
  auto const pulls = [this] {
    int sum = 0;
    for (auto const& [name, provider] : house.supervisor.providers) sum += provider.pulls;
    return sum;
  };
  house.clock.advance(std::chrono::hours(1));
  house.run(house.engine->start()).value();
  settle();
  EXPECT_LT(pulls(), kAll);
  house.clock.advance(std::chrono::seconds(1));
  settle();
  EXPECT_EQ(pulls(), kAll);
}

Task<void> startSync(Engine* engine, std::string connection_id) {
  CO_TRY_VOID(co_await engine->startSync(std::move(connection_id)));
  co_return Result<void>();
}

TEST_F(Runs, WhoJoinsARunThatIsOnlyJustBeingKeptHastensItToo) {
  constexpr std::size_t kAll = 10;
  std::vector<std::string> connections = {connection};
  for (std::size_t i = 1; i < kAll; ++i)
    connections.push_back(house.connect(vendor, "p" + std::to_string(i)));
  std::vector<std::unique_ptr<Event>> go;
  std::vector<std::size_t> began;
  for (std::size_t i = 0; i < kAll; ++i) {
    go.push_back(std::make_unique<Event>(house.loop.get_executor()));
    auto& provider = i == 0 ? remote : house.provider("p" + std::to_string(i));
    provider.during_pull = [&, i](runtime::CallHost*) {
      began.push_back(i);
      return go[i]->wait();
    };
  }
  for (std::size_t i = 0; i < 8; ++i) house.run(house.engine->startSync(connections[i])).value();
  while (began.size() < 8) house.loop.run_one();
  std::vector<Hint> const hints = {{"calendar.event", uid(0)}};
  house.run(house.engine->syncHinted(connections[8], hints)).value();
  house.cut->before_commit = [&] { return startSync(house.engine.get(), connections[9]); };
  house.run(house.engine->syncHinted(connections[9], hints)).value();
  go[0]->set();
  while (began.size() < 9) house.loop.run_one();
  EXPECT_EQ(began[8], 9U);
  for (auto const& each : go) each->set();
  for (auto const& id : connections) {
    auto const run = house.run(house.engine->lastRun(id)).value();
    ASSERT_TRUE(run);
    EXPECT_EQ(house.run(house.engine->waitForRun(run->id)).value().state, "done");
  }
}

TEST_F(Runs, AConnectionWhoseRunWaitsForOthersIsDisconnectedAtOnce) {
  std::vector<std::string> connections = {connection};
  for (int i = 1; i < 9; ++i) connections.push_back(house.connect(vendor, "p" + std::to_string(i)));
  Event go(house.loop.get_executor());
  int running = 0;
  for (int i = 0; i < 9; ++i) {
    auto& provider = i == 0 ? remote : house.provider("p" + std::to_string(i));
    provider.during_pull = [&](runtime::CallHost*) {
      ++running;
      return go.wait();
    };
  }
  std::vector<std::string> runs;
  for (auto const& id : connections) runs.push_back(house.run(house.engine->startSync(id)).value().id);
  while (running < 8) house.loop.run_one();
  house.run(house.engine->disconnect(connections.back(), true)).value();
  runs.pop_back();
  EXPECT_EQ(running, 8);
  go.set();
  for (auto const& id : runs) EXPECT_EQ(house.run(house.engine->waitForRun(id)).value().state, "done");
}

TEST_F(Runs, LocalEditsAreRefusedOnAnOldVersionAndOnBadData) {
  fill(1);
  house.sync(connection);
  auto const record = house.recordOf(vendor, "e1000");
  auto data = record.data;
  data.as_object()["title"] = "Mine";
  auto const stale = house.run(house.engine->putRecord(vendor, record.id, data, 7));
  ASSERT_FALSE(stale);
  EXPECT_EQ(stale.error().kind, ErrorKind::conflict);
  data.as_object()["title"] = 5;
  auto const bad = house.run(house.engine->putRecord(vendor, record.id, data, 0));
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().kind, ErrorKind::invalidInput);
  EXPECT_EQ(bad.error().field, "/data/title");
  EXPECT_EQ(house.run(house.engine->putRecord("ven_other", record.id, data, 0)).error().kind,
            ErrorKind::notFound);
  RecordQuery query;
  query.vendor_id = vendor;
  query.limit = 0;
  EXPECT_EQ(house.run(house.engine->records(query)).error().field, "/limit");
}

} // namespace
} // namespace garland::sync
