// How much a plugin may make the host keep for one connection, and what happens when it wants more.
#include "host/base/test_folder.h"
#include "host/sync/sql.h"
#include "host/sync/testing/one_calendar.h"

#include <gmock/gmock.h>

#include <filesystem>

#include <unistd.h>

namespace garland::sync {
namespace {

using testing::event;
using ::testing::HasSubstr;
using testing::House;

class StorageOf : public testing::OneCalendar {
protected:
  void limit(Storage limits) {
    house.limits = limits;
    house.restart();
  }
  Storage stored() { return house.run(house.engine->connection(connection)).value().stored.value(); }

  struct Put {
    std::string key;
    std::size_t bytes = 0;
    Milliseconds ttl{0};
  };
  static Task<void> putAll(runtime::CallHost* host, std::vector<Put> puts, std::vector<Result<void>>* out) {
    for (auto const& put : puts) {
      Bytes value(put.bytes, 7);
      out->push_back(co_await host->kvPut(put.key, std::move(value), 0, put.ttl));
    }
    co_return Result<void>();
  }
  // What became of each, in a pull that goes well otherwise.
  std::vector<Result<void>> put(std::vector<Put> puts) {
    std::vector<Result<void>> out;
    remote.during_pull = [&](runtime::CallHost* host) { return putAll(host, puts, &out); };
    EXPECT_EQ(house.sync(connection).state, "done");
    remote.during_pull = nullptr;
    return out;
  }
};

TEST_F(StorageOf, ValuesAreRefusedAboveTheirBytesAndWhatIsKeptStays) {
  auto limits = kDefaultLimits;
  limits.value_bytes = 3 << 20;
  limit(limits);
  constexpr std::size_t kMebibyte = 1 << 20;
  auto const done =
      put({{"a", kMebibyte}, {"b", kMebibyte}, {"c", kMebibyte}, {"d", 1}, {"a", 10}, {"d", 1}});
  ASSERT_EQ(done.size(), 6U);
  ASSERT_FALSE(done[3]);
  EXPECT_EQ(done[3].error().kind, ErrorKind::quota);
  EXPECT_THAT(done[3].error().message, HasSubstr("may make Garland keep 3 MiB of values"));
  EXPECT_THAT(done[3].error().message, HasSubstr("[limits] values_mib in garland.toml"));
  for (auto const fine : {0U, 1U, 2U, 4U, 5U}) EXPECT_TRUE(done[fine]) << fine;
  EXPECT_EQ(stored().values, 4);
  EXPECT_EQ(stored().value_bytes, (2 << 20) + 11);
}

TEST_F(StorageOf, ARecordThatThisHostHasWrittenThereCountsFromWhenItsProviderChangesIt) {
  house.run(house.engine->addRecord(vendor, "calendar.event", event("mine", "Mine"), connection)).value();
  house.sync(connection);
  EXPECT_EQ(stored().records, 0) << "its provider has made nobody keep anything yet";
  auto const there = house.recordOf(vendor, "mine").links.at(0).external_id;
  remote.put(there, remote.titleChanged(there, "Theirs"));
  house.sync(connection);
  EXPECT_EQ(stored().records, 1);
  remote.put(there, remote.titleChanged(there, "Theirs again"));
  house.sync(connection);
  EXPECT_EQ(stored().records, 1);
  house.run(house.engine->eraseRecord(vendor, house.recordOf(vendor, "mine").id)).value();
  EXPECT_EQ(stored().records, 0);
  EXPECT_EQ(stored().record_bytes, 0);
}

TEST_F(StorageOf, ARecordThatOnlyThisHostHasWrittenTakesNothingAwayWhenItIsErased) {
  fill(1);
  house.run(house.engine->addRecord(vendor, "calendar.event", event("mine", "Mine"), connection)).value();
  house.sync(connection);
  house.run(house.engine->eraseRecord(vendor, house.recordOf(vendor, "mine").id)).value();
  EXPECT_EQ(stored().records, 1);
}

TEST_F(StorageOf, KeysAreLimitedAndWhatHasExpiredMakesRoom) {
  auto limits = kDefaultLimits;
  limits.values = 2;
  limit(limits);
  auto const done = put({{"a", 1}, {"brief", 1, Milliseconds(1000)}, {"c", 1}, {"a", 2}});
  EXPECT_TRUE(done[1]);
  ASSERT_FALSE(done[2]);
  EXPECT_EQ(done[2].error().kind, ErrorKind::quota);
  EXPECT_THAT(done[2].error().message, HasSubstr("[limits] values in garland.toml"));
  EXPECT_TRUE(done[3]) << "a key that is there already";
  house.clock.advance(Milliseconds(1500));
  EXPECT_TRUE(put({{"c", 1}})[0]);
  EXPECT_EQ(stored().values, 2);
  EXPECT_EQ(stored().value_bytes, 3);
}

TEST_F(StorageOf, ASyncStopsAtTheLimitOfRecordsWithWhatItHas) {
  auto limits = kDefaultLimits;
  limits.records = 120;
  limit(limits);
  fill(200);
  auto const run = house.sync(connection);
  EXPECT_EQ(run.state, "failed");
  ASSERT_TRUE(run.error);
  EXPECT_EQ(run.error->kind, ErrorKind::quota);
  EXPECT_EQ(run.error->message,
            "connection " + connection +
                " may make Garland keep 120 records, and this goes beyond; what was kept "
                "before stays. Let its account or its plugin keep less, or raise [limits] records "
                "in garland.toml");
  EXPECT_EQ(house.records(vendor).size(), 100U) << "two pages of 50";
  EXPECT_EQ(stored().records, 100);
  limit(kDefaultLimits);
  auto const again = house.sync(connection);
  EXPECT_EQ(again.state, "done");
  EXPECT_EQ(again.pulled.created, 100) << "it went on from the last page that was kept";
  EXPECT_EQ(house.records(vendor).size(), 200U);
  EXPECT_EQ(stored().records, 200);
}

TEST_F(StorageOf, RecordsThatGrowAreLimitedByTheirBytesAndMayShrinkAgain) {
  fill(1);
  ASSERT_EQ(house.sync(connection).state, "done");
  auto limits = kDefaultLimits;
  limits.record_bytes = stored().record_bytes + 1000;
  limit(limits);
  auto const small = remote.events().at("/cal/e1000").data;
  remote.put("/cal/e1000", remote.titleChanged("/cal/e1000", std::string(900, 'x')));
  auto const run = house.sync(connection);
  ASSERT_TRUE(run.error);
  EXPECT_EQ(run.error->kind, ErrorKind::quota);
  EXPECT_THAT(run.error->message, HasSubstr("[limits] records_mib in garland.toml"));
  EXPECT_NE(textOr(house.recordOf(vendor, "e1000").data, "/title", "").front(), 'x');
  limits.record_bytes = 10; // less than there is
  limit(limits);
  auto const before = stored().record_bytes;
  auto shorter = small;
  shorter.as_object()["title"] = "S";
  remote.put("/cal/e1000", shorter);
  EXPECT_EQ(house.sync(connection).state, "done");
  EXPECT_LT(stored().record_bytes, before);
}

TEST_F(StorageOf, EachConnectionHasItsOwn) {
  auto limits = kDefaultLimits;
  limits.records = 10;
  limit(limits);
  auto const other = house.connect(vendor, "q");
  fill(20);
  EXPECT_EQ(house.sync(connection).state, "failed");
  house.provider("q").put("/cal/z", event("z", "Z"));
  EXPECT_EQ(house.sync(other).state, "done");
  ASSERT_TRUE(house.run(house.engine->disconnect(connection, true)));
  EXPECT_EQ(house.rows("SELECT 1 FROM connection_storage").size(), 1U);
}

TEST_F(StorageOf, WhatIsDeletedThereStillCountsAndIsNotCountedTwice) {
  fill(3);
  house.sync(connection);
  auto const before = stored();
  remote.remove("/cal/e1001");
  house.sync(connection);
  EXPECT_EQ(stored().records, 3);
  remote.put("/cal/e1001", event("e1001", "Shoot e1001"));
  house.sync(connection);
  EXPECT_EQ(stored().records, 3);
  EXPECT_EQ(stored().record_bytes, before.record_bytes);
}

// A database of before there were counts.
TEST(StorageMigration, WhatIsThereIsCounted) {
  House house; // for its loop
  TestFolder const folder;
  store::Options options;
  options.url = testing::databaseUrl()(folder.path());
  auto before = migrations();
  std::erase_if(before, [](store::Migration const& migration) { return migration.version >= 4; });
  auto store = house.run(store::Store::open(house.loop.get_executor(), options, before)).value();
  store::Unit unit;
  unit.emplace_back(
      "INSERT INTO connections (vendor_id,connection_id,plugin_id,account_name,account_key,settings,"
      "allow_private_network,state,state_reason,created,next_due,confirm_deletes) "
      "VALUES ('v','c','p','','','{}',0,'connected','',0,0,0)");
  unit.emplace_back("INSERT INTO records (vendor_id,record_id,kind,identity,data,version,deleted,updated) "
                    "VALUES ('v','r','k','','{\"a\":1}',1,0,0)");
  unit.emplace_back(
      "INSERT INTO links (vendor_id,connection_id,kind,remote_id,record_id,scope,base,base_hash,"
      "remote_version,state,pushed_run) VALUES ('v','c','k','x','r','','{}','','','live','')");
  Values value = {std::string("v"), std::string("c"), Bytes(5, 1)};
  unit.emplace_back("INSERT INTO plugin_kv (vendor_id,connection_id,name,value,version,expires) "
                    "VALUES ($1,$2,'n',$3,1,0)",
                    std::move(value));
  ASSERT_TRUE(house.run(store->commit(std::move(unit))));
  ASSERT_TRUE(house.run(store->close()));
  store = house.run(store::Store::open(house.loop.get_executor(), options, migrations())).value();
  store::Statement query("SELECT records, record_bytes, stored_values, value_bytes FROM connection_storage");
  auto const counts = house.run(store->read(std::move(query))).value();
  ASSERT_EQ(counts.rows.size(), 1U);
  EXPECT_EQ(counts.rows[0].integer(0), 1);
  EXPECT_EQ(counts.rows[0].integer(1), 9);
  EXPECT_EQ(counts.rows[0].integer(2), 1);
  EXPECT_EQ(counts.rows[0].integer(3), 5);
  ASSERT_TRUE(house.run(store->close()));
  store.reset();
}

} // namespace
} // namespace garland::sync
