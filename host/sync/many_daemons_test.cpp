// Two daemons on one PostgreSQL database: who runs what, what becomes of the work of one that is gone, and
// how each hears of what the other has made durable.
#include "host/sync/testing/fake_bank.h"
#include "host/sync/testing/fake_notices.h"
#include "host/sync/testing/neighbour.h"
#include "host/sync/waiting.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <exception>
#include <optional>

namespace garland::sync::testing {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

class ManyDaemons : public ::testing::Test {
protected:
  void SetUp() override {
    Workers::at_once.clear();
    Workers::most_at_once = 0;
  }
  // Time passes slowly meanwhile, as for somebody who waits for an answer: whenever nothing happens for a
  // moment.
  template <class T> Result<T> runSlowly(Task<T> task) {
    std::optional<Result<T>> out;
    asio::co_spawn(house.loop, std::move(task), [&out](std::exception_ptr failed, Result<T> result) {
      if (failed) std::rethrow_exception(failed);
      out.emplace(std::move(result));
    });
    auto const give_up = std::chrono::steady_clock::now() + kPatience;
    while (!out) {
      if (house.loop.run_one_for(Milliseconds(5)) == 0) house.clock.advance(Milliseconds(50));
      if (std::chrono::steady_clock::now() > give_up) throw std::runtime_error("it has no end");
    }
    return std::move(*out);
  }
  void beat() { house.clock.advance(Milliseconds(4'000)); }
  void until(std::function<bool()> done) {
    auto const give_up = std::chrono::steady_clock::now() + kPatience;
    while (!done()) {
      house.run(nothing()).value();
      ASSERT_LT(std::chrono::steady_clock::now(), give_up) << "it does not come to that";
    }
  }
  void fill(int count) {
    for (int i = 0; i < count; ++i)
      house.provider("p").put("/cal/" + std::to_string(i), event("e" + std::to_string(i), "Shoot"));
  }
  std::int64_t count(std::string const& from) {
    return house.rows("SELECT COUNT(*) FROM " + from)[0].integer(0);
  }

  House house;
};

using Wake = ManyDaemons;

TEST_F(ManyDaemons, WhoComesFirstHasEverythingAndWhoComesLaterGetsItsShare) {
  auto const vendor = house.vendor();
  for (int i = 0; i < 10; ++i) house.connect(vendor, "p" + std::to_string(i));
  Neighbour a(house, "a", 1);
  EXPECT_EQ(a.connections(), 10);
  Neighbour b(house, "b", 2);
  beat();
  until([&] { return b.connections() == 5; });
  EXPECT_EQ(a.connections(), 5);
  auto const nodes = house.run(b.engine->nodes()).value();
  ASSERT_EQ(nodes.size(), 2U);
  EXPECT_EQ(nodes[0].name, "a");
  EXPECT_TRUE(nodes[0].lives && nodes[1].lives && nodes[1].is_this);
  EXPECT_EQ(nodes[1].connections, 5);
}

TEST_F(ManyDaemons, ConnectionsWithoutALeaseAreLookedForOnlyAfterTimeInWhichADaemonCanHaveBeenAlone) {
  auto const vendor = house.vendor();
  Neighbour a(house, "a", 1);
  house.connect(vendor, "p"); // by an engine that knows no leases
  auto const later = [&](Milliseconds span) {
    house.clock.advance(span);
    while (house.loop.poll() > 0 || a.cut->under_way > 0)
      if (a.cut->under_way > 0) house.loop.run_one();
  };
  for (int i = 0; i < 30; ++i) later(Milliseconds(3'000));
  EXPECT_EQ(count("leases"), 0) << "nobody reads all connections for nothing";
  later(Milliseconds(20'000));
  EXPECT_EQ(a.connections(), 1);
}

TEST_F(ManyDaemons, WhoseClockIsNotTheDatabasesSaysSo) {
  Neighbour a(house, "a", 1); // its clock is virtual
  EXPECT_THAT(house.log_text, HasSubstr("the clock of this machine is not that of the database"));
}

TEST_F(ManyDaemons, TwoDaemonsNeverRunOneConnection) {
  auto const vendor = house.vendor();
  std::vector<std::string> connections;
  for (int i = 0; i < 8; ++i) {
    auto const name = "p" + std::to_string(i);
    for (int e = 0; e < 30; ++e)
      house.provider(name).put("/cal/" + std::to_string(e), event(name + "e" + std::to_string(e), "Shoot"));
    house.provider(name).page = 5;
    connections.push_back(house.connect(vendor, name));
  }
  auto a = std::make_unique<Neighbour>(house, "a", 1);
  Neighbour b(house, "b", 2);
  int answered = 0;
  int asked = 0;
  for (int round = 0; round < 6; ++round) {
    for (auto const& id : connections)
      for (auto* daemon : {a.get(), &b}) {
        ++asked;
        asio::co_spawn(house.loop, daemon->engine->startSync(id),
                       [&answered](std::exception_ptr, Result<sync::Run>) { ++answered; });
      }
    if (round == 3) a->die();
    house.drive([&] {
      house.clock.advance(Milliseconds(1));
      return answered == asked;
    });
    if (round == 3) a = std::make_unique<Neighbour>(house, "a", 3);
  }
  until([&] { return count("runs WHERE state IN ('queued','running')") == 0; });
  EXPECT_EQ(Workers::most_at_once, 1);
  EXPECT_EQ(count("records"), 8 * 30);
  EXPECT_EQ(count("changes"), 8 * 30) << "nothing came in twice";
}

// What the next versions may bring: first a column more, then, when nobody knows it as it was, a column less.
std::vector<store::Migration> expanded() {
  auto all = allMigrations();
  auto const ours = all.back().version;
  all.push_back(store::Migration{ours + 1, "test: a shade",
                                 "ALTER TABLE records ADD COLUMN shade TEXT NOT NULL DEFAULT ''", ours});
  return all;
}
std::vector<store::Migration> contracted() {
  auto all = expanded();
  all.push_back(
      store::Migration{all.back().version + 1, "test: no day", "ALTER TABLE records DROP COLUMN day"});
  return all;
}

TEST_F(ManyDaemons, ADaemonOfTheNextVersionWorksBesideOneOfThis) {
  auto const vendor = house.vendor();
  std::vector<std::string> const connections{house.connect(vendor, "p0"), house.connect(vendor, "p1")};
  auto const sync = [&](Neighbour& by, std::string const& connection) {
    auto const run = runSlowly(by.engine->startSync(connection)).value();
    EXPECT_EQ(runSlowly(by.engine->waitForRun(run.id)).value().state, "done");
  };
  auto const bring = [&](Neighbour& by, std::string const& uid) {
    for (std::size_t i = 0; i < connections.size(); ++i) {
      auto const own = uid + std::to_string(i);
      house.provider("p" + std::to_string(i)).put("/cal/" + own, event(own, "Shoot"));
      sync(by, connections[i]); // may be one that had begun before
      sync(by, connections[i]);
    }
  };
  Neighbour a(house, "a", 1);
  bring(a, "before");
  Neighbour b(house, "b", 2, nullptr, expanded());
  beat();
  until([&] { return a.connections() == 1 && b.connections() == 1; });
  bring(a, "beside");
  bring(b, "again");
  EXPECT_EQ(count("records WHERE shade=''"), 6);
  EXPECT_EQ(count("changes"), 6);
  EXPECT_THAT(a.workers.operations, Contains("calendar.pull/1"));
  EXPECT_THAT(b.workers.operations, Contains("calendar.pull/1"));
  store::Options options;
  options.url = house.url;
  auto const refused = house.run(store::Store::open(house.loop.get_executor(), options, contracted()));
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("daemons of an older version"));
  b.stop();
  until([&] { return a.connections() == 2; }); // as when the new version is taken back
  bring(a, "after");
  EXPECT_EQ(count("records"), 8);
}

// For hooks: as if another daemon had taken the connection over this very moment.
Task<void> giveTo(House* house, std::string node_name, std::string connection_id) {
  store::Unit unit;
  unit.emplace_back(
      "UPDATE leases SET epoch=epoch+1, node_id=(SELECT node_id FROM nodes WHERE name=$1) WHERE "
      "connection_id=$2",
      std::vector<store::Value>{std::move(node_name), std::move(connection_id)});
  CO_TRY_VOID(co_await house->store->commit(std::move(unit)));
  co_return Result<void>();
}

TEST_F(ManyDaemons, WhoLosesItInMidPullCommitsNothing) {
  auto const vendor = house.vendor();
  auto const connection = house.connect(vendor, "p");
  fill(40);
  Neighbour a(house, "a", 1);
  Neighbour b(house, "b", 2);
  until([&] { return a.has(connection); });
  house.provider("p").during_pull = [&](runtime::CallHost*) { return giveTo(&house, "b", connection); };
  auto const run = house.run(a.engine->startSync(connection)).value();
  (void)house.run(a.engine->waitForRun(run.id));
  EXPECT_EQ(count("records"), 0) << "what it brought is nobody's business any more";
  EXPECT_EQ(count("cursors"), 0);
  EXPECT_EQ(house.rows("SELECT state FROM runs")[0].text(0), "queued") << "not even the run's end";
  Neighbour::everybodyLooks(house); // b finds that it has it, settles what was left and begins anew
  until([&] { return count("records") == 40; });
  EXPECT_EQ(count("changes"), 40);
  EXPECT_EQ(count("runs WHERE state='failed'"), 1);
  EXPECT_THAT(b.workers.operations, Contains("calendar.pull/1"));
}

TEST_F(ManyDaemons, WhoLosesItBeforeAWriteWritesNothing) {
  auto const vendor = house.vendor();
  auto const connection = house.connect(vendor, "p");
  fill(1);
  Neighbour a(house, "a", 1);
  Neighbour b(house, "b", 2);
  until([&] { return a.has(connection); });
  auto const first = house.run(a.engine->startSync(connection)).value();
  (void)house.run(a.engine->waitForRun(first.id));
  house.run(putMember(b.engine.get(), vendor, "e0", "title", "Edited")).value();
  auto const next = house.run(a.engine->startSync(connection)).value();
  // The next commit of `a` makes the write durable as sent: just before it, the connection goes.
  a.cut->before_commit = [&] { return giveTo(&house, "b", connection); };
  (void)house.run(a.engine->waitForRun(next.id));
  EXPECT_EQ(house.provider("p").upserts, 0);
  Neighbour::everybodyLooks(house);
  until([&] { return house.provider("p").upserts == 1; });
  EXPECT_EQ(house.provider("p").events().at("/cal/0").data.at("title"), "Edited");
}

TEST_F(ManyDaemons, OnlyWhatAGoneDaemonLeftIsTakenForInterrupted) {
  auto const vendor = house.vendor();
  auto const of_a = house.connect(vendor, "p");
  Neighbour a(house, "a", 1);
  Neighbour b(house, "b", 2);
  ConnectRequest request;
  request.vendor_id = vendor;
  request.plugin_id = "test.calendar.feed";
  request.settings = json::object{{"provider", "q"}};
  auto const of_b = house.run(b.engine->connect(std::move(request))).value().connection.id;
  EXPECT_TRUE(b.has(of_b)) << "who connects an account runs it";
  house.write("INSERT INTO runs (vendor_id,connection_id,run_id,state,document,started) VALUES ('" + vendor +
              "','" + of_a + "','run_a','running','{}',0),('" + vendor + "','" + of_b +
              "','run_b','running','{}',0)");
  a.die();
  until([&] { return count("runs WHERE run_id='run_a' AND state='failed'") == 1; });
  EXPECT_EQ(house.rows("SELECT state FROM runs WHERE run_id='run_b'")[0].text(0), "running");
  until([&] { return b.has(of_a); });
}

TEST_F(ManyDaemons, AnActionThatAGoneDaemonSentIsUnknownAndLookedUpByTheNext) {
  FakeBank bank(house);
  auto const vendor = house.vendor();
  auto const connection = house.connect(vendor, "bank");
  Neighbour a(house, "a", 1);
  Neighbour b(house, "b", 2);
  until([&] { return a.has(connection); });
  // It arrives at the bank; its answer finds no database.
  bank.during = [&]() -> Task<void> {
    a.cut->dead = true;
    return nothing();
  };
  ActionRequest request;
  request.connection_id = connection;
  request.operation = "test.charge/1";
  request.key = "invoice-7";
  request.input = json::object();
  auto const action = house.run(a.engine->actions().accept(std::move(request))).value().action;
  until([&] { return bank.charges.size() == 1; });
  a.die();
  until([&] { return house.run(b.engine->actions().one(action.id)).value().state == ActionState::done; });
  EXPECT_EQ(bank.charges.size(), 1U) << "it was done once";
  EXPECT_EQ(bank.lookups, 1);
}

TEST_F(ManyDaemons, WhoIsAskedToStopHandsOverAtOnce) {
  auto const vendor = house.vendor();
  for (int i = 0; i < 4; ++i) house.connect(vendor, "p" + std::to_string(i));
  Neighbour a(house, "a", 1);
  Neighbour b(house, "b", 2);
  auto const before = house.clock.now();
  a.stop();
  until([&] { return b.connections() == 4; });
  EXPECT_EQ(house.clock.now(), before) << "without waiting for anything to expire";
}

TEST_F(ManyDaemons, WhatOnlyAnOwnerMayDoMovesTheConnection) {
  auto const vendor = house.vendor();
  auto const connection = house.connect(vendor, "p");
  Neighbour a(house, "a", 1);
  Neighbour b(house, "b", 2);
  until([&] { return a.has(connection); });
  json::object changes{{"calendars", json::array{"home"}}};
  auto const changed = house.run(b.engine->changeSettings(connection, std::move(changes)));
  ASSERT_TRUE(changed) << changed.error().message;
  EXPECT_TRUE(b.has(connection));
  auto const gone = house.run(a.engine->disconnect(connection, true));
  ASSERT_TRUE(gone) << gone.error().message;
  EXPECT_EQ(count("leases"), 0);
  EXPECT_EQ(count("connections"), 0);
}

Task<void> reached(Event* here, Event* go) {
  here->set();
  co_return co_await go->wait();
}

TEST_F(ManyDaemons, WhatIsBusyWhenADaemonComesIsHandedToItWhenItRests) {
  auto const vendor = house.vendor();
  Event first(house.loop.get_executor());
  Event second(house.loop.get_executor());
  Event go(house.loop.get_executor());
  house.provider("p").during_pull = [&](runtime::CallHost*) { return reached(&first, &go); };
  house.provider("q").during_pull = [&](runtime::CallHost*) { return reached(&second, &go); };
  auto const p = house.connect(vendor, "p");
  auto const q = house.connect(vendor, "q");
  Neighbour a(house, "a", 1);
  house.run(a.engine->startSync(p)).value();
  house.run(a.engine->startSync(q)).value();
  house.run(first.wait()).value();
  house.run(second.wait()).value();
  Neighbour b(house, "b", 2);
  beat();
  for (int i = 0; i < 20; ++i) (void)count("nodes");
  EXPECT_EQ(b.connections(), 0) << "what is under way stays";
  go.set();
  until([&] {
    beat();
    return b.connections() == 1;
  });
  EXPECT_EQ(a.connections(), 1);
}

TEST_F(ManyDaemons, APauseAskedForElsewhereIsAnsweredWhenTheOwnerRests) {
  auto const vendor = house.vendor();
  auto const connection = house.connect(vendor, "p");
  fill(10);
  house.provider("p").page = 4;
  Neighbour a(house, "a", 1);
  Neighbour b(house, "b", 2);
  until([&] { return a.has(connection); });
  Event here(house.loop.get_executor());
  Event go(house.loop.get_executor());
  house.provider("p").during_pull = [&](runtime::CallHost*) { return reached(&here, &go); };
  auto const run = house.run(a.engine->startSync(connection)).value();
  house.run(here.wait()).value();
  std::optional<Result<Connection>> paused;
  asio::co_spawn(house.loop, b.engine->pause(connection),
                 [&](std::exception_ptr, Result<Connection> result) { paused.emplace(std::move(result)); });
  until([&] { return count("connections WHERE paused=1") == 1; });
  for (int i = 0; i < 20; ++i) (void)count("connections");
  EXPECT_FALSE(paused) << "the answer waits for what is under way there";
  go.set();
  until([&] { return paused.has_value(); });
  ASSERT_TRUE(*paused) << paused->error().message;
  EXPECT_EQ((*paused)->state, "paused");
  EXPECT_TRUE(a.has(connection)) << "a pause is no reason to move";
  EXPECT_EQ(house.run(a.engine->waitForRun(run.id)).value().error->kind, ErrorKind::cancelled);
  house.run(b.engine->resume(connection)).value();
  until([&] { return count("records") == 10; }); // the owner has heard of it, and it is due
}

TEST_F(ManyDaemons, WhoTakesAPausedConnectionOverBeginsNothing) {
  FakeBank bank(house);
  auto const vendor = house.vendor();
  auto const connection = house.connect(vendor, "bank");
  Neighbour a(house, "a", 1);
  Neighbour b(house, "b", 2);
  until([&] { return a.has(connection); });
  house.run(a.engine->pause(connection)).value();
  ActionRequest request;
  request.connection_id = connection;
  request.operation = "test.charge/1";
  request.key = "invoice-7";
  request.input = json::object();
  auto const id = house.run(b.engine->actions().accept(std::move(request))).value().action.id;
  a.die();
  until([&] { return b.has(connection); });
  for (int i = 0; i < 50; ++i) (void)count("actions");
  EXPECT_TRUE(bank.charges.empty());
  house.run(b.engine->resume(connection)).value();
  until([&] { return house.run(b.engine->actions().one(id)).value().state == ActionState::done; });
  EXPECT_EQ(bank.charges.size(), 1U);
}

TEST_F(ManyDaemons, AResetAskedForElsewhereMovesTheConnectionAndBringsEverythingAnew) {
  auto const vendor = house.vendor();
  auto const connection = house.connect(vendor, "p");
  fill(3);
  Neighbour a(house, "a", 1);
  Neighbour b(house, "b", 2);
  until([&] { return a.has(connection); });
  auto const first = house.run(a.engine->startSync(connection)).value();
  (void)house.run(a.engine->waitForRun(first.id));
  auto const run = house.run(b.engine->resync(connection));
  ASSERT_TRUE(run) << run.error().message;
  EXPECT_EQ(house.run(b.engine->waitForRun(run->id)).value().pulled.unchanged, 3);
  EXPECT_TRUE(b.has(connection));
}

Task<void> acceptAt(Engine* engine, std::string connection_id, std::optional<AcceptedAction>* accepted) {
  ActionRequest request;
  request.connection_id = std::move(connection_id);
  request.operation = "test.charge/1";
  request.key = "invoice-7";
  request.input = json::object();
  CO_TRY(action, co_await engine->actions().accept(std::move(request)));
  accepted->emplace(std::move(action));
  co_return Result<void>();
}

TEST_F(ManyDaemons, AnActionAcceptedElsewhereWhileItsConnectionGoesHasItsEnd) {
  FakeBank bank(house);
  auto const vendor = house.vendor();
  auto const connection = house.connect(vendor, "bank");
  Neighbour a(house, "a", 1);
  Neighbour b(house, "b", 2);
  until([&] { return a.has(connection); });
  std::optional<AcceptedAction> accepted;
  a.cut->before_commit = [&] { return acceptAt(b.engine.get(), connection, &accepted); };
  house.run(a.engine->disconnect(connection, true)).value();
  ASSERT_TRUE(accepted);
  auto const action = house.run(b.engine->actions().one(accepted->action.id)).value();
  EXPECT_EQ(action.state, ActionState::failed);
  EXPECT_EQ(action.known_by, "host");
  EXPECT_TRUE(bank.charges.empty());
}

TEST_F(ManyDaemons, AnActionIsNotKeptOnceItsConnectionIsForgotten) {
  FakeBank bank(house);
  auto const vendor = house.vendor();
  auto const connection = house.connect(vendor, "bank");
  Neighbour a(house, "a", 1);
  Neighbour b(house, "b", 2);
  until([&] { return a.has(connection); });
  // It looks at the connection, and the other daemon forgets that before it is kept.
  b.cut->before_commit = [&] { return a.engine->disconnect(connection, true); };
  std::optional<AcceptedAction> accepted;
  auto const refused = house.run(acceptAt(b.engine.get(), connection, &accepted));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::notFound);
  EXPECT_EQ(count("actions"), 0);
}

TEST_F(Wake, AWebhookAcceptedElsewhereIsReadByTheOwner) {
  FakeNotices notices(house);
  notices.projects.put("p1", json::object{{"name", "Ada and Bo"}, {"stage", "lead"}});
  Neighbour a(house, "a", 1);
  Neighbour b(house, "b", 2);
  until([&] { return a.has(notices.connection); });
  auto const before = house.clock.now();
  auto delivery = notices.delivery("one", FakeNotices::about({"p1"}));
  EXPECT_FALSE(house.run(b.engine->webhooks().accept(std::move(delivery))).value());
  until([&] { return count("records WHERE kind='crm.project'") == 1; });
  EXPECT_THAT(a.workers.operations, Contains("webhooks.parse/1"));
  EXPECT_THAT(a.workers.operations, Contains("records.get/1"));
  EXPECT_THAT(b.workers.operations, Not(Contains("webhooks.parse/1")));
  EXPECT_EQ(house.clock.now(), before) << "it was told; nobody looked by the clock";
}

TEST_F(Wake, AWebhookThatNobodyWasToldOfIsReadSoonAfterAStartToo) {
  FakeNotices notices(house);
  notices.projects.put("p1", json::object{{"name", "Ada and Bo"}, {"stage", "lead"}});
  Neighbour a(house, "a", 1);
  Neighbour b(house, "b", 2);
  until([&] { return a.has(notices.connection); });
  auto delivery = notices.delivery("one", FakeNotices::about({"p1"}));
  EXPECT_FALSE(house.run(b.engine->webhooks().accept(std::move(delivery))).value());
  until([&] { return count("records WHERE kind='crm.project'") == 1; });
  // Once more, without a word: as after a notice that was lost.
  house.write("UPDATE webhooks SET state='waiting', finished=NULL, next_attempt=0");
  auto const end = house.clock.now() + std::chrono::minutes(2);
  until([&] {
    if (house.clock.now() < end) house.clock.advance(Milliseconds(100));
    return count("webhooks WHERE state='waiting'") == 0;
  });
}

TEST_F(Wake, AnActionAcceptedElsewhereIsDoneByTheOwner) {
  FakeBank bank(house);
  auto const vendor = house.vendor();
  auto const connection = house.connect(vendor, "bank");
  Neighbour a(house, "a", 1);
  Neighbour b(house, "b", 2);
  until([&] { return a.has(connection); });
  ActionRequest request;
  request.connection_id = connection;
  request.operation = "test.charge/1";
  request.key = "invoice-7";
  request.input = json::object();
  house.run(b.engine->actions().accept(std::move(request))).value();
  until([&] { return bank.charges.size() == 1; });
  EXPECT_THAT(a.workers.operations, Contains("test.charge/1"));
  EXPECT_THAT(b.workers.operations, Not(Contains("test.charge/1")));
}

TEST_F(Wake, AChangeCommittedElsewhereIsToldHere) {
  auto const vendor = house.vendor();
  Neighbour a(house, "a", 1);
  Neighbour b(house, "b", 2);
  std::vector<std::string> grown;
  b.engine->onChange(this, [&grown](std::string const& id) { grown.push_back(id); });
  house.run(a.engine->addRecord(vendor, "calendar.event", event("e1", "Tasting"), "")).value();
  until([&] { return !grown.empty(); });
  EXPECT_THAT(grown, Contains(vendor));
  b.engine->onChange(this, nullptr);
}

TEST_F(Wake, ASyncAskedForElsewhereIsRunByTheOwner) {
  auto const vendor = house.vendor();
  auto const connection = house.connect(vendor, "p");
  fill(3);
  Neighbour a(house, "a", 1);
  Neighbour b(house, "b", 2);
  until([&] { return a.has(connection); });
  house.write("UPDATE connections SET state='reconnect needed'"); // which keeps nobody from asking
  auto const run = runSlowly(b.engine->startSync(connection));
  ASSERT_TRUE(run) << run.error().message;
  auto const ended = runSlowly(b.engine->waitForRun(run->id));
  ASSERT_TRUE(ended) << ended.error().message;
  EXPECT_EQ(ended->state, "done");
  EXPECT_EQ(ended->pulled.created, 3);
  EXPECT_THAT(a.workers.operations, Contains("calendar.pull/1"));
  EXPECT_THAT(b.workers.operations, Not(Contains("calendar.pull/1")));
}

TEST_F(ManyDaemons, ASyncWhoseEndCouldNotBeSavedKeepsNobodyWaiting) {
  auto const vendor = house.vendor();
  auto const connection = house.connect(vendor, "p");
  fill(3);
  house.write("UPDATE connections SET state='reconnect needed'"); // it is synced only if somebody asks
  Neighbour a(house, "a", 1);
  Neighbour b(house, "b", 2);
  until([&] { return a.has(connection); });
  house.provider("p").during_pull = [&a](runtime::CallHost*) -> Task<void> {
    a.cut->dead = true; // as when the disk is full for a moment
    co_return Result<void>();
  };
  house.run(a.engine->startSync(connection)).value();
  until([&] { return house.log_text.find("the end of a sync could not be saved") != std::string::npos; });
  a.cut->dead = false;
  auto const joined = runSlowly(b.engine->startSync(connection)).value();
  EXPECT_EQ(runSlowly(b.engine->waitForRun(joined.id)).value().state, "failed");
  auto const again = runSlowly(b.engine->startSync(connection)).value();
  EXPECT_EQ(runSlowly(b.engine->waitForRun(again.id)).value().state, "done");
  EXPECT_EQ(count("records"), 3);
}

TEST_F(ManyDaemons, AWriteWhoseEndCouldNotBeSavedIsNotTakenForOneThatEndsWorkers) {
  auto const vendor = house.vendor();
  auto const connection = house.connect(vendor, "p");
  fill(1);
  house.write("UPDATE connections SET state='reconnect needed'"); // it is synced only if somebody asks
  Neighbour a(house, "a", 1);
  until([&] { return a.has(connection); });
  runSlowly(a.engine->waitForRun(house.run(a.engine->startSync(connection)).value().id)).value();
  house.run(putMember(a.engine.get(), vendor, "e0", "title", "Edited")).value();
  house.provider("p").during_write = [&a](runtime::CallHost*) -> Task<void> {
    a.cut->dead = true;
    co_return Result<void>();
  };
  auto const run = house.run(a.engine->startSync(connection)).value();
  until([&] { return house.log_text.find("the end of a sync could not be saved") != std::string::npos; });
  EXPECT_EQ(count("pushes WHERE state='sent' AND dispatches=1"), 1);
  house.provider("p").during_write = nullptr;
  a.cut->dead = false;
  EXPECT_EQ(runSlowly(a.engine->waitForRun(run.id)).value().state, "failed");
  EXPECT_EQ(count("pushes WHERE state='sent' AND dispatches=0"), 1);
}

TEST_F(Wake, AnAddressSetUpElsewhereIsKnownHere) {
  FakeNotices notices(house);
  Neighbour a(house, "a", 1);
  Neighbour b(house, "b", 2);
  WebhookSetup setup;
  setup.connection_id = notices.connection;
  setup.name = "studio";
  setup.secret = Secret("whsec_c2VjcmV0c2VjcmV0c2VjcmV0");
  auto const made = house.run(a.engine->webhooks().setUp(std::move(setup)));
  ASSERT_TRUE(made) << made.error().message;
  until([&] { return b.engine->webhooks().find("test.crm.studio", "studio") != nullptr; });
  house.run(a.engine->disconnect(notices.connection, true)).value();
  until([&] { return b.engine->webhooks().find("test.crm.studio", "studio") == nullptr; });
}

} // namespace
} // namespace garland::sync::testing
