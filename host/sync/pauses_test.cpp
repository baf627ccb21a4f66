#include "host/sync/sql.h"
#include "host/sync/testing/one_bank.h"
#include "host/sync/testing/one_calendar.h"
#include "host/sync/waiting.h"

#include <boost/asio/co_spawn.hpp>

#include <exception>
#include <optional>

namespace garland::sync {
namespace {

class Paused : public testing::OneCalendar {
protected:
  static Task<void> reached(Event* here, Event* go) {
    here->set();
    co_return co_await go->wait();
  }
  std::string state() { return house.run(house.engine->connection(connection)).value().state; }
  Result<AcceptedAction> accept() {
    ActionRequest request;
    request.connection_id = connection;
    request.operation = "test.charge/1";
    request.key = "invoice-7";
    request.input = json::object{{"amount", 1200}};
    return house.run(house.engine->actions().accept(std::move(request)));
  }
  Action action(std::string const& id) { return house.run(house.engine->actions().one(id)).value(); }
  void settle() {
    for (int i = 0; i < 20; ++i) house.run(house.engine->vendors()).value();
  }
};

class PausedBank : public testing::OneBank {};

TEST_F(Paused, NothingIsBegunAndAPersonIsToldWhatToType) {
  house.run(house.engine->pause(connection)).value();
  EXPECT_EQ(state(), "paused");
  auto const refused = house.run(house.engine->startSync(connection));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::conflict);
  EXPECT_NE(refused.error().message.find("garland connections resume " + connection), std::string::npos);
  EXPECT_EQ(house.run(house.engine->resync(connection)).error().kind, ErrorKind::conflict);
  house.run(house.engine->start()).value();
  while (house.clock.sleepers() == 0) house.loop.run_one();
  house.clock.advance(std::chrono::hours(2));
  settle();
  EXPECT_EQ(remote.pulls, 0) << "the schedule leaves it alone";
}

TEST_F(Paused, WhoAskedForItIsKeptAndWhoAsksAgainIsNot) {
  EXPECT_EQ(house.run(house.engine->pause(connection, "key_1")).value().paused_by, "key_1");
  EXPECT_EQ(house.run(house.engine->pause(connection, "key_2")).value().paused_by, "key_1");
  house.clock.advance(Milliseconds(1'000));
  EXPECT_EQ(house.run(house.engine->resume(connection)).value().paused_by, "");
  EXPECT_EQ(house.run(house.engine->pause(connection, "key_2")).value().paused_by, "key_2");
}

TEST_F(Paused, ByADaemonOfAnEarlierVersionIsNobodysWhoeverPausedItBefore) {
  house.run(house.engine->pause(connection, "key_1")).value();
  house.write("UPDATE connections SET paused=0, resumed=resumed+1");
  house.write("UPDATE connections SET paused=1");
  EXPECT_EQ(house.run(house.engine->connection(connection)).value().paused_by, "");
}

TEST_F(Paused, APullEndsAtItsNextCheckpointAndResumingGoesOnFromThere) {
  fill(10);
  remote.page = 4;
  Event here(house.loop.get_executor());
  Event go(house.loop.get_executor());
  remote.during_pull = [&](runtime::CallHost*) { return reached(&here, &go); };
  auto const run = house.run(house.engine->startSync(connection)).value();
  house.run(here.wait()).value();
  std::optional<Result<Connection>> paused;
  asio::co_spawn(house.loop, house.engine->pause(connection),
                 [&](std::exception_ptr, Result<Connection> result) { paused.emplace(std::move(result)); });
  while (state() != "paused") settle();
  settle();
  EXPECT_FALSE(paused) << "the answer waits for what is under way";
  go.set();
  while (!paused) house.loop.run_one();
  ASSERT_TRUE(*paused);
  auto const ended = house.run(house.engine->run(run.id)).value();
  ASSERT_TRUE(ended.finished && ended.error);
  EXPECT_EQ(ended.error->kind, ErrorKind::cancelled);
  EXPECT_EQ(state(), "paused");
  house.run(house.engine->resume(connection)).value();
  EXPECT_EQ(state(), "connected");
  EXPECT_EQ(house.sync(connection).state, "done");
  EXPECT_EQ(house.records(vendor).size(), 10U);
  EXPECT_FALSE(remote.inputs.back().at("cursor").is_null());
}

TEST_F(Paused, ActionsAreTakenInAndDoneAfterwardsOverARestart) {
  testing::FakeBank bank(house);
  connection = house.connect(vendor, "bank");
  house.run(house.engine->start()).value();
  house.run(house.engine->pause(connection)).value();
  auto const accepted = accept();
  ASSERT_TRUE(accepted) << accepted.error().message;
  auto const id = accepted->action.id;
  settle();
  EXPECT_EQ(action(id).state, ActionState::waiting);
  house.restart();
  settle();
  EXPECT_EQ(action(id).state, ActionState::waiting);
  EXPECT_TRUE(bank.charges.empty());
  house.run(house.engine->resume(connection)).value();
  for (int i = 0; i < 1000 && action(id).state != ActionState::done; ++i) settle();
  EXPECT_EQ(action(id).state, ActionState::done);
  EXPECT_EQ(bank.charges.size(), 1U);
}

TEST_F(PausedBank, AnActionThatRestedForDaysIsTriedAgainIfItsFirstAttemptNeverGotToTheProvider) {
  house.run(house.engine->pause(connection)).value();
  auto const id = accept("test.charge/1");
  house.clock.advance(std::chrono::hours(60));
  testing::FakeBank::Turn turn;
  turn.arrives = false;
  turn.asks = false;
  turn.error = Error(ErrorKind::transient, "the worker ended");
  bank.turns.push_back(turn);
  house.run(house.engine->resume(connection)).value();
  auto const waiting = until(id, [](Action const& a) { return a.error.has_value(); });
  EXPECT_EQ(waiting.state, ActionState::waiting);
  comesDue(waiting);
  until(id, [](Action const& a) { return a.state == ActionState::done; });
  EXPECT_EQ(bank.charges.size(), 1U);
}

// The bank has forgotten the key meanwhile, so the same request would be another payment.
TEST_F(PausedBank, AnActionInDoubtWhoseKeyThePauseOutlivedIsLeftToAPerson) {
  bank.turns.push_back(testing::FakeBank::lostOnTheWayBack());
  auto const id = accept("test.send/1");
  later(id);
  house.run(house.engine->pause(connection)).value();
  house.clock.advance(std::chrono::hours(60));
  house.run(house.engine->resume(connection)).value();
  auto const left = until(id, [](Action const& a) { return !a.next_attempt; });
  EXPECT_EQ(left.state, ActionState::unknown);
  EXPECT_NE(noticeOf(left).find("garland actions settle " + id), std::string::npos);
  EXPECT_EQ(bank.keys.size(), 1U) << "it was not sent again";
}

TEST_F(Paused, WhatAnotherDaemonPausedIsRefusedHereAtOnce) {
  store::Unit unit;
  unit.emplace_back("UPDATE connections SET paused=1", Values());
  house.run(house.store->commit(std::move(unit))).value();
  EXPECT_EQ(house.run(house.engine->startSync(connection)).error().kind, ErrorKind::conflict);
  house.run(house.engine->resume(connection)).value();
  EXPECT_EQ(house.sync(connection).state, "done");
}

TEST_F(Paused, WhatCameInWhileOnlyAnotherDaemonKnewOfThePauseIsDoneOnceItIsResumed) {
  testing::FakeBank bank(house);
  connection = house.connect(vendor, "bank");
  house.run(house.engine->start()).value();
  while (house.clock.sleepers() == 0) house.loop.run_one();
  settle();
  store::Unit unit;
  unit.emplace_back("UPDATE connections SET paused=1", Values());
  house.run(house.store->commit(std::move(unit))).value();
  auto const accepted = accept();
  ASSERT_TRUE(accepted) << accepted.error().message;
  auto const id = accepted->action.id;
  settle();
  EXPECT_EQ(action(id).state, ActionState::waiting);
  house.run(house.engine->resume(connection)).value();
  for (int i = 0; i < 1000 && action(id).state != ActionState::done; ++i) settle();
  EXPECT_EQ(action(id).state, ActionState::done);
}

TEST_F(Paused, AResyncBringsEverythingInAnewIntoTheSameRecords) {
  fill(5);
  house.sync(connection);
  auto const before = house.records(vendor);
  auto const run = house.run(house.engine->resync(connection)).value();
  auto const ended = house.run(house.engine->waitForRun(run.id)).value();
  EXPECT_EQ(ended.state, "done");
  EXPECT_TRUE(remote.inputs.back().at("cursor").is_null());
  EXPECT_EQ(ended.pulled.created, 0);
  EXPECT_EQ(ended.pulled.unchanged, 5);
  auto const after = house.records(vendor);
  ASSERT_EQ(after.size(), before.size());
  for (std::size_t i = 0; i < after.size(); ++i) EXPECT_EQ(after[i].id, before[i].id);
}

TEST_F(Paused, AResyncEndsTheRunInFlightWhoseCursorIsNotKept) {
  fill(10);
  remote.page = 4;
  Event here(house.loop.get_executor());
  Event go(house.loop.get_executor());
  remote.during_pull = [&](runtime::CallHost*) { return reached(&here, &go); };
  house.run(house.engine->startSync(connection)).value();
  house.run(here.wait()).value();
  go.set();
  auto const run = house.run(house.engine->resync(connection)).value();
  EXPECT_EQ(house.run(house.engine->waitForRun(run.id)).value().state, "done");
  EXPECT_TRUE(remote.inputs.back().at("cursor").is_null());
  EXPECT_EQ(house.records(vendor).size(), 10U);
}

} // namespace
} // namespace garland::sync
