// A copy that is taken while units are committed, and the database that is made of it.
#include "host/store/pg_tools.h"
#include "host/store/store_testing.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

namespace garland::store {
namespace {

using testing::HasSubstr;

std::vector<Migration> tables() {
  auto all = itemTable();
  all.push_back(Migration{2, "marks", "CREATE TABLE marks (id BIGINT PRIMARY KEY)"});
  return all;
}

std::string const kMark = "INSERT INTO marks (id) VALUES (7);\n";

class Copy : public testing::TestWithParam<bool> {
protected:
  std::string fresh(std::string const& name) {
    return GetParam() ? postgresServer().freshDatabase().value() : "sqlite:" + (folder / name);
  }
  std::unique_ptr<Store> open(std::string const& url) {
    Options options;
    options.url = url;
    return loop.run(Store::open(loop.executor(), std::move(options), tables())).value();
  }
  std::int64_t count(Store& store, std::string const& table) {
    return loop.run(store.read(Statement("SELECT COUNT(*) FROM " + table))).value().rows[0].integer(0);
  }
  // An item and a pair of it, so many times.
  void fill(Store& store, std::int64_t from, std::int64_t to) {
    for (std::int64_t id = from; id < to; ++id)
      loop.run(store.commit(
                   unitOf(insertItem(id, "item " + std::to_string(id) + std::string(2'000, 'x')),
                          Statement("INSERT INTO pairs (id, item) VALUES ($1, $1)", std::vector<Value>{id}))))
          .value();
  }

  TestFolder folder;
  Loop loop;
  std::string const copy = folder / "copy";
};

TEST_P(Copy, HoldsWholeUnitsAndAllThatWasDurableBefore) {
  auto const url = fresh("old.db");
  auto const store = open(url);
  fill(*store, 0, 500);
  std::optional<Result<void>> copied;
  loop.spawn(store->copyTo(copy), [&](Result<void> done) { copied = std::move(done); });
  std::int64_t next = 500;
  while (!copied) {
    fill(*store, next, next + 10);
    next += 10;
  }
  ASSERT_TRUE(*copied) << copied->error().message;
  EXPECT_GT(next, 500) << "something was written meanwhile";
  auto const other = fresh("new.db");
  auto const done = putBack(other, copy, kMark);
  ASSERT_TRUE(done) << done.error().message;
  auto const made = open(other);
  auto const items = count(*made, "items");
  EXPECT_GE(items, 500);
  EXPECT_LE(items, next);
  EXPECT_EQ(count(*made, "pairs"), items) << "no unit in part";
  EXPECT_EQ(count(*made, "marks"), 1);
  EXPECT_EQ(count(*store, "items"), next);
  loop.run(made->close()).value();
  loop.run(store->close()).value();
}

TEST_P(Copy, IsWholeThoughTheFileIsToBeWrittenAnewMeanwhile) {
  auto const store = open(fresh("old.db"));
  fill(*store, 0, 500);
  std::optional<Result<void>> copied;
  loop.spawn(store->copyTo(copy), [&](Result<void> done) { copied = std::move(done); });
  auto const scrubbed = loop.run(store->scrub());
  ASSERT_TRUE(scrubbed) << scrubbed.error().message;
  EXPECT_EQ(*scrubbed, !GetParam()) << "PostgreSQL's files are its administrator's";
  while (!copied) EXPECT_EQ(count(*store, "items"), 500);
  ASSERT_TRUE(*copied) << copied->error().message;
  auto const other = fresh("new.db");
  auto const done = putBack(other, copy, kMark);
  ASSERT_TRUE(done) << done.error().message;
  auto const made = open(other);
  EXPECT_EQ(count(*made, "items"), 500);
  loop.run(made->close()).value();
  loop.run(store->close()).value();
}

TEST_P(Copy, IsNotWrittenOverAFile) {
  auto const store = open(fresh("old.db"));
  std::ofstream(copy) << "mine";
  EXPECT_EQ(loop.run(store->copyTo(copy)).error().kind, ErrorKind::conflict);
  EXPECT_EQ(std::filesystem::file_size(copy), 4U);
  loop.run(store->close()).value();
}

TEST_P(Copy, ADatabaseThatIsThereIsNotReplaced) {
  auto const url = fresh("old.db");
  auto const store = open(url);
  fill(*store, 0, 3);
  loop.run(store->copyTo(copy)).value();
  loop.run(store->close()).value();
  EXPECT_FALSE(putBack(url, copy, kMark));
  auto const again = open(url);
  EXPECT_EQ(count(*again, "marks"), 0);
  EXPECT_EQ(count(*again, "items"), 3);
  loop.run(again->close()).value();
}

TEST_P(Copy, OfWhichOnlyAPartCanBePutBackNothingIs) {
  auto const store = open(fresh("old.db"));
  fill(*store, 0, 50);
  loop.run(store->copyTo(copy)).value();
  loop.run(store->close()).value();
  auto const other = fresh("new.db");
  EXPECT_FALSE(putBack(other, copy, "INSERT INTO no_such_table VALUES (1);\n"));
  Options options;
  options.url = other;
  auto const pending = loop.run(Store::pendingMigrations(loop.executor(), options, tables()));
  ASSERT_TRUE(pending) << pending.error().message;
  EXPECT_EQ(*pending, tables().size()) << "it is as empty as before";
}

TEST_P(Copy, OfAClosedStoreIsRefused) {
  auto const store = open(fresh("old.db"));
  loop.run(store->close()).value();
  EXPECT_EQ(loop.run(store->copyTo(copy)).error().kind, ErrorKind::cancelled);
}

INSTANTIATE_TEST_SUITE_P(Sqlite, Copy, testing::Values(false));
INSTANTIATE_TEST_SUITE_P(Postgresql, Copy, testing::Values(true));

TEST(PostgresCopy, ThatNobodyWaitsForIsEnded) {
  TestFolder folder;
  std::stop_source stop;
  stop.request_stop();
  auto const url = postgresServer().freshDatabase().value();
  EXPECT_EQ(dumpPostgres(url, folder / "copy", stop.get_token()).error().kind, ErrorKind::cancelled);
}

} // namespace
} // namespace garland::store
