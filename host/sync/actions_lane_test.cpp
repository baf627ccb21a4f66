// Actions beside the syncs of their connection: they go between two pages, what they wait for is told, and
// waiting is no attempt.
#include "host/sync/testing/one_bank.h"

#include "host/sync/sql.h"
#include "host/sync/waiting.h"

#include <gmock/gmock.h>

namespace garland::sync {
namespace {

using testing::FakeBank;

class ActionLane : public testing::OneBank {
protected:
  Event here{house.loop.get_executor()};
  Event go{house.loop.get_executor()};

  void SetUp() override {
    OneBank::SetUp();
    for (int i = 0; i < 120; ++i)
      provider().put("/cal/" + std::to_string(i), testing::event(std::to_string(i), "E"));
  }
  testing::FakeProvider& provider() { return house.provider("bank"); }

  // A sync whose pull stands still before its first checkpoint.
  sync::Run startSync() {
    provider().during_pull = [this](runtime::CallHost*) { return reached(&here, &go); };
    auto run = house.run(house.engine->startSync(connection)).value();
    house.run(here.wait()).value();
    return run;
  }
  std::string accept(std::string const& key = "invoice-7", std::string const& operation = "test.charge/1") {
    return OneBank::accept(operation, key);
  }
  Action done(std::string const& id) {
    return until(id, [](Action const& a) { return a.state == ActionState::done; });
  }
  Action waitsFor(std::string const& id, std::string const& what) {
    return until(id, [&](Action const& a) { return a.waits_for.find(what) != std::string::npos; });
  }
};

TEST_F(ActionLane, AnActionGoesBetweenTwoPagesOfAPullWhichThenGoesOn) {
  int pulls = 0;
  bank.during = [&] {
    pulls = provider().pulls;
    return testing::nothing();
  };
  auto const run = startSync();
  auto const id = accept();
  auto const waiting = waitsFor(id, "calendar.pull/1");
  EXPECT_EQ(waiting.state, ActionState::waiting);
  go.set();
  EXPECT_EQ(done(id).attempts, 1);
  EXPECT_EQ(pulls, 1) << "the pull was cut for it";
  auto const ended = house.run(house.engine->waitForRun(run.id)).value();
  EXPECT_EQ(ended.state, "done") << (ended.error ? ended.error->message : "");
  EXPECT_EQ(ended.pulled.created, 120);
  EXPECT_EQ(ended.worker_restarts, 0);
  ASSERT_EQ(provider().pulls, 2);
  EXPECT_TRUE(provider().inputs.at(0).at("cursor").is_null());
  EXPECT_FALSE(provider().inputs.at(1).at("cursor").is_null()) << "it went on from its checkpoint";
  EXPECT_EQ(get(id).waits_for, "");
}

TEST_F(ActionLane, WaitingForALongPullIsNoAttemptHoweverLongItTakes) {
  startSync();
  auto const id = accept();
  waitsFor(id, "calendar.pull/1");
  for (int i = 0; i < 20; ++i) {
    house.clock.advance(std::chrono::minutes(10));
    house.loop.poll();
  }
  auto const waiting = get(id);
  EXPECT_EQ(waiting.state, ActionState::waiting);
  EXPECT_EQ(waiting.attempts, 0);
  EXPECT_FALSE(waiting.error);
  go.set();
  EXPECT_EQ(done(id).attempts, 1);
}

TEST_F(ActionLane, WhoeverWaitsIsToldOfAnotherActionToo) {
  bank.during = [this] { return reached(&here, &go); };
  auto const first = accept("a");
  house.run(here.wait()).value();
  auto const second = accept("b");
  waitsFor(second, first);
  go.set();
  done(first);
  done(second);
}

TEST_F(ActionLane, WhatWaitsForAWriteIsToldThatItWaitsForItsEnd) {
  house.sync(connection);
  house.run(testing::putMember(house.engine.get(), vendor, "7", "title", "Mine")).value();
  provider().during_write = [this](runtime::CallHost*) { return reached(&here, &go); };
  house.run(house.engine->startSync(connection)).value();
  house.run(here.wait()).value();
  auto const id = accept();
  waitsFor(id, "the end of calendar.upsert/1, which its connection runs right now");
  go.set();
  EXPECT_EQ(done(id).attempts, 1);
}

TEST_F(ActionLane, AWriteThatWaitsForItsTurnWasNotSent) {
  house.sync(connection);
  house.run(testing::putMember(house.engine.get(), vendor, "7", "title", "Mine")).value();
  bank.during = [this] { return reached(&here, &go); };
  accept();
  house.run(here.wait()).value();
  auto const run = house.run(house.engine->startSync(connection)).value();
  house.drive([&] { return house.engine->load().turns_waiting == 1; });
  EXPECT_EQ(house.rows("SELECT 1 FROM pushes WHERE state='pending' AND dispatches=0").size(), 1U);
  go.set();
  EXPECT_EQ(house.run(house.engine->waitForRun(run.id)).value().pushed.updated, 1);
}

TEST_F(ActionLane, OtherSettingsWaitForThePageAndForNoneOfTheActionsThatWait) {
  startSync();
  accept("a");
  auto const last = accept("b");
  bool changed = false;
  asio::co_spawn(house.loop,
                 house.engine->changeSettings(connection, json::object{{"calendars", json::array{"home"}}}),
                 [&](std::exception_ptr, Result<Connection> result) {
                   EXPECT_TRUE(result);
                   changed = true;
                 });
  for (int i = 0; i < 20; ++i) get(last); // it has come as far as to wait for the page
  EXPECT_FALSE(changed);
  auto const later = accept("c"); // is taken in all the same
  go.set();
  done(later);
  EXPECT_TRUE(changed);
  std::vector<std::string> order;
  for (auto const& call : house.supervisor.calls)
    if (call.operation != "calendar.pull/1") order.push_back(call.operation);
  EXPECT_THAT(order, ::testing::ElementsAre("health.check/1", "health.check/1", "test.charge/1",
                                            "test.charge/1", "test.charge/1"))
      << "the account was connected, and tried with the new settings before any action went";
  EXPECT_EQ(json::serialize(parseJson(house.supervisor.calls.back().account).value().at("settings")),
            R"({"provider":"bank","calendars":["home"]})");
}

TEST_F(ActionLane, ASyncDoesNotUseUpWhatTheProviderGrantsToALimitedAction) {
  bank.turns.push_back(FakeBank::refused(limited(Milliseconds(30'000))));
  auto const id = accept();
  auto const waiting = later(id);
  EXPECT_NE(waiting.waits_for.find("the provider's rate limit, until "), std::string::npos)
      << waiting.waits_for;
  auto const run = house.run(house.engine->startSync(connection)).value();
  for (int i = 0; i < 100; ++i) house.loop.poll();
  EXPECT_EQ(provider().pulls, 0);
  comesDue(waiting);
  EXPECT_EQ(done(id).attempts, 2);
  EXPECT_EQ(house.run(house.engine->waitForRun(run.id)).value().state, "done");
}

TEST_F(ActionLane, AnActionThatIsCalledOffKeepsNoSyncWaiting) {
  bank.turns.push_back(FakeBank::refused(limited(Milliseconds(30'000))));
  auto const id = accept();
  later(id);
  auto const run = house.run(house.engine->startSync(connection)).value();
  house.run(actions().settle(id, Settlement{false, nullptr})).value();
  EXPECT_EQ(house.run(house.engine->waitForRun(run.id)).value().state, "done");
}

TEST_F(ActionLane, ALimitedActionThatIsSettledElsewhereKeepsNoSyncWaiting) {
  bank.turns.push_back(FakeBank::refused(limited(Milliseconds(30'000))));
  auto const waiting = later(accept());
  store::Unit unit;
  unit.emplace_back("UPDATE actions SET state='failed', next_attempt=NULL", Values{});
  house.run(house.store->commit(std::move(unit))).value();
  auto const run = house.run(house.engine->startSync(connection)).value();
  comesDue(waiting);
  EXPECT_EQ(house.run(house.engine->waitForRun(run.id)).value().state, "done");
}

TEST_F(ActionLane, AnActionThatTheProviderLimitsAgainAndAgainLetsASyncPass) {
  for (int i = 0; i < 8; ++i) bank.turns.push_back(FakeBank::refused(limited(Milliseconds(30'000))));
  auto const id = accept();
  auto waiting = later(id);
  auto const run = house.run(house.engine->startSync(connection)).value();
  for (int tries = 2; tries <= 4; ++tries) { // three times the turn is kept
    EXPECT_EQ(provider().pulls, 0) << tries;
    comesDue(waiting);
    waiting = until(id, [&](Action const& a) {
      return a.attempts == tries && a.state == ActionState::waiting && *a.next_attempt > house.clock.now();
    });
  }
  EXPECT_EQ(house.run(house.engine->waitForRun(run.id)).value().state, "done");
}

TEST_F(ActionLane, AnActionThatIsLimitedWhileItsConnectionIsDisconnectedKeepsNoSyncWaiting) {
  bank.during = [this] { return reached(&here, &go); };
  bank.turns.push_back(FakeBank::refused(limited(Milliseconds(30'000))));
  auto const id = accept();
  house.run(here.wait()).value();
  house.run(house.engine->startSync(connection)).value();
  auto const gone = std::make_shared<Event>(house.loop.get_executor());
  asio::co_spawn(house.loop, house.engine->disconnect(connection, true),
                 [gone](std::exception_ptr, Result<void> result) {
                   EXPECT_TRUE(result);
                   gone->set();
                 });
  for (int i = 0; i < 3; ++i) get(id); // it has come as far as to wait for the sync
  EXPECT_FALSE(gone->isSet());
  go.set();
  house.run(gone->wait()).value();
  EXPECT_EQ(get(id).state, ActionState::failed);
}

Task<void> away() { co_return Error(ErrorKind::transient, "the database is away"); }

TEST_F(ActionLane, ALimitThatCouldNotBeSavedAtOnceKeepsNoSyncWaitingOnceTheActionIsDone) {
  bank.during = [this] {
    bank.during = nullptr;
    house.cut->before_commit = away; // the commit of the refusal
    return testing::nothing();
  };
  bank.turns.push_back(FakeBank::refused(limited(Milliseconds(30'000))));
  auto const action = until(accept(), [this](Action const& a) {
    if (house.clock.sleepers() >= 2) house.clock.advance(Milliseconds(1'000));
    return a.state == ActionState::done;
  });
  EXPECT_EQ(action.attempts, 2);
  auto const run = house.run(house.engine->startSync(connection)).value();
  EXPECT_EQ(house.run(house.engine->waitForRun(run.id)).value().state, "done");
}

TEST_F(ActionLane, ACallThatNeverAskedTheProviderIsNoAttempt) {
  for (int i = 0; i < 15; ++i) {
    auto turn = FakeBank::lostOnTheWay();
    turn.asks = false;
    bank.turns.push_back(turn);
  }
  auto const id = accept();
  auto const next = [this](Action const& a) {
    return a.state == ActionState::done || (a.next_attempt && *a.next_attempt > house.clock.now());
  };
  for (auto action = until(id, next); action.state != ActionState::done; action = until(id, next)) {
    ASSERT_EQ(action.state, ActionState::waiting);
    EXPECT_EQ(action.attempts, 0);
    EXPECT_FALSE(action.first_sent);
    EXPECT_EQ(action.error->effect, Effect::notApplied);
    comesDue(action);
  }
  EXPECT_EQ(bank.keys.size(), 16U);
  EXPECT_EQ(done(id).attempts, 1);
  EXPECT_EQ(bank.charges.size(), 1U);
}

} // namespace
} // namespace garland::sync
