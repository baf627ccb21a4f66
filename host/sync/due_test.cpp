#include "host/sync/due.h"

#include "host/sync/testing/doors.h"

#include <gmock/gmock.h>

namespace garland::sync {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

// Rows that nobody does anything about: the engine is not started.
class DueTest : public ::testing::Test {
protected:
  std::unique_ptr<Context> context() { return Context::make(testing::doorsOf(house)).value(); }
  // Actions "con_1 1", "con_1 2" ..., each due a millisecond after the one before.
  void queue(std::string const& connection, int count, std::int64_t due_in) {
    house.write(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<" + std::to_string(count) +
        ") INSERT INTO actions (vendor_id,action_id,connection_id,operation,idempotency_key,"
        "provider_key,input,state,known_by,output,error,attempts,lookups,lookup_problem,revision,"
        "next_attempt,created) SELECT '" +
        vendor + "', '" + connection + " ' || CAST(n.i AS TEXT), '" + connection + "', 'test.charge/1', '" +
        connection + "' || CAST(n.i AS TEXT), '', '{}', 'waiting', '', 'null', '', 0, 0, '', 0, n.i+" +
        std::to_string(toMillis(house.clock.now()) + due_in) + ", 0 FROM n");
  }
  std::vector<std::string> found(std::size_t most, bool signs_in = false) {
    auto const with = context();
    Queues queues("actions", "action_id", "next_attempt, action_id");
    queues.signs_in = signs_in;
    std::vector<std::string> ids;
    for (auto const& due : house.run(firstOfEach(with.get(), queues, house.clock.now(), most)).value())
      ids.push_back(due.id);
    return ids;
  }
  // How SQLite goes about it.
  std::string planOf(Queues const& queues, std::vector<std::string> const& without) {
    auto const with = context();
    auto query = dueRows(*with, queues, house.clock.now(), without);
    query.sql = "EXPLAIN QUERY PLAN " + query.sql;
    std::string plan;
    for (auto const& row : house.run(house.store->read(std::move(query))).value().rows)
      plan += row.text(3) + "\n";
    return plan;
  }

  testing::House house;
  std::string vendor = house.vendor();
};

TEST_F(DueTest, OfEachConnectionTheFirstIsFoundTheOldestFirst) {
  queue("con_b", 3, -100);
  queue("con_a", 3, -50);
  queue("con_c", 3, -200);
  queue("con_late", 3, 1);
  EXPECT_THAT(found(10), ElementsAre("con_c 1", "con_b 1", "con_a 1"));
  EXPECT_THAT(found(2), ElementsAre("con_c 1", "con_b 1"));
}

TEST_F(DueTest, WhatIsPausedIsNotDue) {
  auto const paused = house.connect(vendor, "one");
  queue(paused, 2, -100);
  queue("con_a", 2, -50);
  EXPECT_THAT(found(10), ElementsAre(paused + " 1", "con_a 1"));
  house.write("UPDATE connections SET paused=1");
  EXPECT_THAT(found(10), ElementsAre("con_a 1"));
}

TEST_F(DueTest, WhatHasToSignInIsNotDueUntilItsAccountIsConnectedAgain) {
  auto const lost = house.connect(vendor, "one");
  queue(lost, 2, -100);
  queue("con_a", 2, -50);
  for (auto const* state : {"reconnect needed", "revoked"}) {
    house.write("UPDATE connections SET state='" + std::string(state) + "'");
    EXPECT_THAT(found(10, true), ElementsAre("con_a 1")) << state;
    EXPECT_THAT(found(10), ElementsAre(lost + " 1", "con_a 1")) << state;
  }
  house.write("UPDATE connections SET state='failing'");
  EXPECT_THAT(found(10, true), ElementsAre(lost + " 1", "con_a 1"));
}

TEST_F(DueTest, LongQueuesInFrontHideNobody) {
  queue("con_long", 2'000, -9'000);
  queue("con_longer", 3'000, -9'000);
  std::vector<std::string> expected{"con_long 1", "con_longer 1"};
  for (int i = 0; i < 300; ++i) {
    auto const connection = "con_" + std::to_string(i);
    queue(connection, 2, i - 1'000);
    expected.push_back(connection + " 1");
  }
  EXPECT_EQ(found(1'000), expected);
  expected.resize(290);
  EXPECT_EQ(found(290), expected);
}

TEST_F(DueTest, ALookSortsNothing) {
  if (house.store->driver() != "sqlite")
    GTEST_SKIP() << "PostgreSQL sorts a few rows rather than read an index";
  Queues actions("actions", "action_id", "next_attempt, action_id");
  actions.signs_in = true;
  Queues const items("inbox", "item_id", "item_id");
  std::vector<std::string> const none, some{"con_1", "con_2"};
  for (auto const& without : {none, some}) {
    EXPECT_THAT(planOf(actions, without), HasSubstr("COVERING INDEX actions_due"));
    EXPECT_THAT(planOf(actions, without), Not(HasSubstr("ORDER BY")));
    EXPECT_THAT(planOf(items, without), HasSubstr("COVERING INDEX inbox_order"));
    EXPECT_THAT(planOf(items, without), Not(HasSubstr("ORDER BY")));
  }
}

} // namespace
} // namespace garland::sync
