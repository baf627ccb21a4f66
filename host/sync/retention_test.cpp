// What is too old is forgotten, in pieces and without gaps.
#include "host/sync/retention.h"

#include "host/sync/sql.h"
#include "host/sync/testing/fake_form.h"
#include "host/sync/testing/house.h"

#include <algorithm>

namespace garland::sync {
namespace {

using testing::House;

constexpr Milliseconds kDay{86'400'000};

class RetentionTest : public ::testing::Test {
protected:
  RetentionTest() {
    vendor = house.vendor();
    connection = house.connect(vendor, "books");
  }
  void addEvents(int from, int to) {
    for (int i = from; i < to; ++i)
      house.provider("books").put("/" + std::to_string(i), testing::event(std::to_string(i), "An event"));
    EXPECT_EQ(house.sync(connection).state, "done");
  }
  std::vector<std::int64_t> sequences() {
    std::vector<std::int64_t> all;
    for (auto const& row : house.rows("SELECT sequence FROM changes ORDER BY sequence"))
      all.push_back(row.integer(0));
    return all;
  }
  void sweep(int ticks) {
    auto context = makeContext();
    Retention retention(*context);
    for (int i = 0; i < ticks; ++i) house.run(retention.tick()).value();
  }
  // One that the sweep has read goes before it writes.
  Task<void> eraseFirst() {
    store::Unit unit;
    unit.emplace_back("DELETE FROM changes WHERE sequence=1", std::vector<store::Value>{});
    CO_TRY_VOID(co_await house.store->commit(std::move(unit)));
    co_return Result<void>();
  }
  std::unique_ptr<Context> makeContext() { return makeContext(*house.store); }
  std::unique_ptr<Context> makeContext(store::Store& store) {
    Dependencies with{house.loop.get_executor(),
                      house.clock,
                      house.random,
                      house.log,
                      house.redactor,
                      store,
                      *house.vault,
                      *house.book,
                      house.egress,
                      house.supervisor,
                      house.catalogue,
                      {testing::eventKind()},
                      ""};
    return Context::make(std::move(with)).value();
  }

  House house;
  std::string vendor, connection;
};

TEST_F(RetentionTest, OldChangesGoAndYoungOnesStay) {
  addEvents(0, 3);
  house.clock.advance(60 * kDay);
  addEvents(3, 5);
  house.clock.advance(40 * kDay);
  sweep(1);
  EXPECT_EQ(sequences(), (std::vector<std::int64_t>{4, 5}));
  auto const spans = house.run(house.engine->feedSpans({vendor})).value();
  EXPECT_EQ(spans.at(0).first, 4) << "who resumes after an older one is told";
  EXPECT_EQ(spans.at(0).last, 5);
}

TEST_F(RetentionTest, WhatIsForgottenIsToldInNumbers) {
  addEvents(0, 3);
  house.clock.advance(100 * kDay);
  sweep(1);
  sweep(1);
  auto const told = house.told("change", "retention.forget");
  ASSERT_EQ(told.size(), 1U) << "a sweep that finds nothing tells nothing";
  EXPECT_EQ(textOr(told[0], "/vendor", ""), vendor);
  EXPECT_EQ(textOr(told[0], "/subject", ""), "changes");
  EXPECT_EQ(told[0].at("facts"), (json::object{{"by", "host"}, {"count", 2}, {"why", "old"}}));
  EXPECT_EQ(house.verdict().faults_in_all, 0);
}

TEST_F(RetentionTest, ASweepThatFindsFewerThanItReadForgetsAndTellsNothing) {
  addEvents(0, 3);
  house.clock.advance(100 * kDay);
  auto context = makeContext(*house.cut);
  house.cut->before_commit = [this] { return eraseFirst(); };
  Retention retention(*context);
  house.run(retention.tick()).value();
  EXPECT_TRUE(house.forgotten("changes").empty());
  EXPECT_EQ(sequences(), (std::vector<std::int64_t>{2, 3}));
  house.run(retention.tick()).value();
  EXPECT_EQ(house.forgotten("changes"), std::vector<std::int64_t>{1}) << "as many as went here";
  EXPECT_EQ(sequences(), std::vector<std::int64_t>{3});
}

TEST_F(RetentionTest, TheNewestChangeStaysHoweverOldItIs) {
  addEvents(0, 3);
  house.clock.advance(1'000 * kDay);
  sweep(3);
  EXPECT_EQ(sequences(), std::vector<std::int64_t>{3});
}

TEST_F(RetentionTest, AYoungChangeBetweenOldOnesLeavesNoGap) {
  addEvents(0, 4);
  house.clock.advance(100 * kDay);
  house.write("UPDATE changes SET at=at+8640000000 WHERE sequence=2"); // 100 days
  sweep(2);
  EXPECT_EQ(sequences(), (std::vector<std::int64_t>{2, 3, 4}));
}

TEST_F(RetentionTest, WhatCameInGoesSoLongAfterItsEndAndItsRoomIsFreeAgain) {
  testing::FakeForm form(house);
  house.run(house.engine->start()).value();
  auto const sent = [&](std::string const& id) {
    auto data = json::object{{"kind", "person"}, {"name", "Rosa"}};
    return form.settled(form.send(testing::client(id, std::move(data)), id).value().id).id;
  };
  auto const items = [&] {
    std::vector<std::string> all;
    for (auto const& row : house.rows("SELECT item_id FROM inbox ORDER BY item_id"))
      all.push_back(row.text(0));
    return all;
  };
  auto const read = sent("c1");
  house.clock.advance(Milliseconds(1)); // ids of one moment have no order
  auto const unread = sent("c2");
  house.write("UPDATE inbox SET state='review', finished=NULL WHERE item_id='" + unread + "'");
  house.write("UPDATE inbox SET finished=finished+86400000 WHERE item_id='" + read + "'");
  house.clock.advance(400 * kDay);
  auto const young = sent("c3");
  sweep(1);
  EXPECT_EQ(items(), (std::vector<std::string>{read, unread, young})) << "its days count from its end";
  house.clock.advance(2 * kDay);
  sweep(1);
  EXPECT_EQ(items(), (std::vector<std::string>{unread, young})) << "what nobody has read stays";
  EXPECT_EQ(house.forgotten("items"), std::vector<std::int64_t>{1});
  EXPECT_EQ(house.run(house.engine->connection(form.connection)).value().stored->items, 2);
  EXPECT_EQ(house.records(form.vendor).size(), 3U) << "what came of it is a record";
  EXPECT_FALSE(form.send(testing::client("c1", {{"kind", "person"}, {"name", "Rosa"}}), "c1").value().known)
      << "its key went with it";
}

class TombstoneTest : public RetentionTest {
protected:
  TombstoneTest() {
    books().list_always = true;
    addEvents(0, 3);
  }
  testing::FakeProvider& books() { return house.provider("books"); }
  std::vector<std::string> uids(bool deleted = true) {
    std::vector<std::string> all;
    for (auto const& record : house.records(vendor, deleted)) all.push_back(textOr(record.data, "/uid", ""));
    std::ranges::sort(all); // ids of one moment have no order
    return all;
  }
  Task<void> revive() {
    store::Unit unit;
    unit.emplace_back("UPDATE records SET deleted=0 WHERE identity='1'", std::vector<store::Value>{});
    CO_TRY_VOID(co_await house.store->commit(std::move(unit)));
    co_return Result<void>();
  }
};

TEST_F(TombstoneTest, ARecordThatWasDeletedEverywhereGoesAfterItsDaysAndItsRoomIsFreeAgain) {
  books().remove("/0");
  house.sync(connection);
  house.clock.advance(399 * kDay);
  books().remove("/1");
  house.sync(connection);
  sweep(1);
  EXPECT_EQ(uids(), (std::vector<std::string>{"0", "1", "2"}));
  house.clock.advance(2 * kDay);
  auto const before = *house.run(house.engine->connection(connection)).value().stored;
  sweep(2);
  EXPECT_EQ(uids(), (std::vector<std::string>{"1", "2"})) << "its days count from its deletion";
  EXPECT_EQ(house.forgotten("deleted records"), std::vector<std::int64_t>{1});
  EXPECT_EQ(house.rows("SELECT COUNT(*) FROM links")[0].integer(0), 2);
  auto const after = *house.run(house.engine->connection(connection)).value().stored;
  EXPECT_EQ(after.records, before.records - 1);
  EXPECT_LT(after.record_bytes, before.record_bytes);
  EXPECT_EQ(after.record_bytes, house.rows("SELECT SUM(bytes) FROM links")[0].integer(0));
}

TEST_F(TombstoneTest, OneThatItsProviderTellsOfAgainIsANewRecord) {
  auto const first = house.recordOf(vendor, "0").id;
  books().remove("/0");
  house.sync(connection);
  house.clock.advance(401 * kDay);
  sweep(1);
  books().put("/0", testing::event("0", "An event"));
  EXPECT_EQ(house.sync(connection).pulled.created, 1);
  EXPECT_NE(house.recordOf(vendor, "0").id, first);
  EXPECT_EQ(uids(false), (std::vector<std::string>{"0", "1", "2"}));
}

TEST_F(TombstoneTest, ADeletionThatIsYetToBeWrittenKeepsItsRecord) {
  auto const id = house.recordOf(vendor, "0").id;
  house.run(house.engine->deleteRecord(vendor, id, 0)).value();
  house.clock.advance(1'000 * kDay);
  sweep(1);
  EXPECT_EQ(uids().size(), 3U);
  house.sync(connection); // writes it
  EXPECT_FALSE(books().events().contains("/0"));
  sweep(1);
  EXPECT_EQ(uids(), (std::vector<std::string>{"1", "2"}));
}

TEST_F(TombstoneTest, WhereItCannotBeDeletedItsProviderDoesNotBringItBack) {
  auto const id = house.recordOf(vendor, "0").id;
  house.run(house.engine->deleteRecord(vendor, id, 0)).value();
  house.write("DELETE FROM pushes"); // as of a connection that is only read
  house.clock.advance(1'000 * kDay);
  sweep(1);
  house.sync(connection);
  EXPECT_EQ(uids(false), (std::vector<std::string>{"1", "2"}));
}

TEST_F(TombstoneTest, AWriteThatWasSetAsideAndAConflictKeepTheirRecord) {
  auto const id = house.recordOf(vendor, "0").id;
  house.run(house.engine->deleteRecord(vendor, id, 0)).value();
  house.write("UPDATE pushes SET state='parked'");
  house.write("UPDATE links SET state='deleted'");
  house.clock.advance(1'000 * kDay);
  sweep(1);
  EXPECT_EQ(uids().size(), 3U) << "the write";
  house.write("DELETE FROM pushes");
  house.write(
      "INSERT INTO conflicts (vendor_id,conflict_id,record_id,connection_id,members,decision,base,local,"
      "remote,at) VALUES ('" +
      vendor + "','cfl_1','" + id + "','" + connection + "','[]','remote','null','null','null'," +
      std::to_string(toMillis(house.clock.now())) + ")");
  sweep(1);
  EXPECT_EQ(uids().size(), 3U) << "the conflict";
  house.write("DELETE FROM conflicts");
  sweep(1);
  EXPECT_EQ(uids(), (std::vector<std::string>{"1", "2"}));
}

TEST_F(TombstoneTest, AThousandGoInPieces) {
  addEvents(3, 1'003);
  house.write("UPDATE records SET deleted=1");
  house.write("UPDATE links SET state='deleted'");
  house.clock.advance(401 * kDay);
  sweep(4);
  EXPECT_EQ(house.forgotten("deleted records"), (std::vector<std::int64_t>{500, 500, 3}));
  EXPECT_EQ(house.run(house.engine->connection(connection)).value().stored->records, 0);
}

TEST_F(TombstoneTest, OneThatComesBackToLifeWhileItIsForgottenStays) {
  books().remove("/0");
  books().remove("/1");
  house.sync(connection);
  house.clock.advance(401 * kDay);
  auto context = makeContext(*house.cut);
  context->doors.kept_for.changes = Milliseconds(0); // so that nothing else is committed
  house.cut->before_commit = [this] { return revive(); };
  Retention retention(*context);
  house.run(retention.tick()).value();
  EXPECT_EQ(uids().size(), 3U) << "all or none";
  EXPECT_TRUE(house.forgotten("deleted records").empty());
  house.run(retention.tick()).value();
  EXPECT_EQ(uids(), (std::vector<std::string>{"1", "2"}));
  EXPECT_EQ(house.rows("SELECT COUNT(*) FROM links")[0].integer(0), 2);
  EXPECT_EQ(house.verdict().faults_in_all, 0);
}

TEST_F(RetentionTest, ManyGoInPieces) {
  addEvents(0, 1'200);
  house.clock.advance(100 * kDay);
  sweep(1);
  EXPECT_EQ(sequences().size(), 700U);
  sweep(4);
  EXPECT_EQ(sequences().size(), 1U);
}

} // namespace
} // namespace garland::sync
