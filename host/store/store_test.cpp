// What a store promises, checked on both drivers: each test runs on SQLite and on a real PostgreSQL.
#include "host/store/store_testing.h"

#include <gmock/gmock.h>

#include <limits>
#include <random>

namespace garland::store {
namespace {

using testing::HasSubstr;
using testing::Not;

class StoreTest : public testing::TestWithParam<std::string> {
protected:
  void SetUp() override {
    if (GetParam() == "sqlite") {
      url_ = sqliteUrl(folder_);
    } else {
      auto fresh = postgresServer().freshDatabase();
      ASSERT_TRUE(fresh) << fresh.error().message;
      url_ = *fresh;
    }
    open();
  }

  Result<std::unique_ptr<Store>> tryOpen(std::vector<Migration> migrations) {
    Options options;
    options.url = url_;
    return loop_.run(Store::open(loop_.executor(), options, std::move(migrations)));
  }
  void open(std::vector<Migration> migrations = itemTable()) {
    auto opened = tryOpen(std::move(migrations));
    ASSERT_TRUE(opened) << opened.error().message;
    store_ = std::move(*opened);
  }
  void closeStore() {
    auto closed = loop_.run(store_->close());
    ASSERT_TRUE(closed) << closed.error().message;
    store_.reset();
  }

  Result<std::vector<Rows>> commit(Unit unit) { return loop_.run(store_->commit(std::move(unit))); }
  Result<std::vector<Rows>> commit(Statement one) { return commit(unitOf(std::move(one))); }
  Result<Rows> read(std::string sql, std::vector<Value> args = {}) {
    return loop_.run(store_->read(Statement(std::move(sql), std::move(args))));
  }
  std::int64_t count(std::string const& from) {
    auto rows = read("SELECT count(*) FROM " + from);
    EXPECT_TRUE(rows) << rows.error().message;
    return rows ? rows->rows.at(0).integer(0) : -1;
  }
  // All at once, so that they meet in one transaction; results in the order of the units.
  std::vector<Result<std::vector<Rows>>> commitAll(std::vector<Unit> units) {
    std::vector<Result<std::vector<Rows>>> results(units.size());
    std::size_t answered = 0;
    for (std::size_t i = 0; i < units.size(); ++i)
      loop_.spawn(store_->commit(std::move(units[i])), [&results, &answered, i](auto result) {
        results[i] = std::move(result);
        ++answered;
      });
    while (answered < results.size()) loop_.runOne();
    return results;
  }

  TestFolder folder_;
  Loop loop_;
  std::string url_;
  std::unique_ptr<Store> store_;
};

TEST_P(StoreTest, AUnitIsAppliedWholeOrNotAtAll) {
  auto whole = commit(unitOf(insertItem(1, "a"), insertItem(2, "b")));
  ASSERT_TRUE(whole) << whole.error().message;
  EXPECT_EQ(whole->size(), 2U);
  EXPECT_EQ(whole->at(1).affected, 1);
  auto broken = commit(unitOf(insertItem(3, "c"), insertItem(1, "again")));
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().kind, ErrorKind::conflict);
  EXPECT_EQ(broken.error().effect, Effect::notApplied);
  EXPECT_EQ(count("items"), 2);
}

TEST_P(StoreTest, AnExpectationThatFailsUndoesItsUnitOnly) {
  ASSERT_TRUE(commit(insertItem(1, "a")));
  std::vector<Unit> units;
  for (std::int64_t id = 10; id < 20; ++id) {
    auto unit = unitOf(insertItem(id, "n" + std::to_string(id)));
    auto const old_name = id == 13 || id == 17 ? "nobody" : "a";
    unit.push_back(Statement("UPDATE items SET amount = $1 WHERE name = $2", std::vector<Value>{id, old_name})
                       .expecting(1));
    units.push_back(std::move(unit));
  }
  auto const results = commitAll(std::move(units));
  for (std::size_t i = 0; i < results.size(); ++i) {
    bool const should_fail = i == 3 || i == 7;
    ASSERT_EQ(results[i].has_error(), should_fail) << i;
    if (!should_fail) continue;
    EXPECT_EQ(results[i].error().kind, ErrorKind::conflict);
    EXPECT_THAT(results[i].error().message, HasSubstr("met 0 rows where 1 were expected"));
  }
  EXPECT_EQ(count("items"), 9);
  EXPECT_EQ(count("items WHERE id IN (13, 17)"), 0);
  EXPECT_EQ(read("SELECT amount FROM items WHERE name = 'a'")->rows.at(0).integer(0), 19);
}

TEST_P(StoreTest, AUnitSeesWhatStandsBeforeItInTheSameBatch) {
  std::vector<Unit> units;
  units.push_back(unitOf(insertItem(1, "a")));
  units.push_back(unitOf(Statement("UPDATE items SET amount = 5 WHERE id = 1").expecting(1)));
  units.push_back(unitOf(insertItem(1, "b"))); // conflict
  units.push_back(unitOf(Statement("DELETE FROM items WHERE amount = 5").expecting(1)));
  units.push_back(unitOf(insertItem(1, "c")));
  auto const results = commitAll(std::move(units));
  EXPECT_TRUE(results[0] && results[1] && results[3] && results[4]);
  ASSERT_FALSE(results[2]);
  EXPECT_EQ(results[2].error().kind, ErrorKind::conflict);
  EXPECT_EQ(read("SELECT name FROM items")->rows.at(0).text(0), "c");
}

TEST_P(StoreTest, ABatchInWhichEverythingFailsLeavesNothingAndTheNextOneWorks) {
  std::vector<Unit> units;
  for (int i = 0; i < 5; ++i) units.push_back(unitOf(insertItem(i, "x"), Statement("DELETE FROM nowhere")));
  for (auto const& result : commitAll(std::move(units))) {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().kind, ErrorKind::invalidInput);
  }
  EXPECT_EQ(count("items"), 0);
  EXPECT_TRUE(commit(insertItem(1, "x")));
}

Task<void> commitThenLook(Store* store, std::int64_t id) {
  CO_TRY_VOID(co_await store->commit(unitOf(insertItem(id, "n" + std::to_string(id)))));
  Statement look("SELECT name FROM items WHERE id = $1", std::vector<Value>(1, id));
  CO_TRY(rows, co_await store->read(std::move(look)));
  if (rows.rows.size() != 1) co_return Error(ErrorKind::notFound, "acknowledged, but not there");
  co_return Result<void>();
}

TEST_P(StoreTest, ManyUnitsAtOnceAreVisibleWhenAnsweredAndDurable) {
  constexpr int kUnits = 600;
  int answered = 0;
  for (int id = 0; id < kUnits; ++id)
    loop_.spawn(commitThenLook(store_.get(), id), [&answered](Result<void> result) {
      EXPECT_TRUE(result) << result.error().message;
      ++answered;
    });
  while (answered < kUnits) loop_.runOne();
  closeStore();
  open();
  EXPECT_EQ(count("items"), kUnits);
}

TEST_P(StoreTest, ValuesComeBackAsTheyWentIn) {
  Bytes bytes;
  for (int i = 0; i < 512; ++i) bytes.push_back(static_cast<std::uint8_t>(i));
  auto const text =
      std::string("Zoë & Łukasz \xF0\x9F\x92\x8D 'quoted' \"twice\" $1 \\x00 ") + std::string(200000, 'x');
  Statement const insert("INSERT INTO items (id, name, data, amount) VALUES ($1, $2, $3, $4)");
  auto const put = [&](std::int64_t id, Value name, Value data, Value amount) {
    auto statement = insert;
    statement.args = {id, std::move(name), std::move(data), std::move(amount)};
    auto done = commit(std::move(statement));
    EXPECT_TRUE(done) << done.error().message;
  };
  put(1, nullptr, nullptr, nullptr);
  put(2, text, bytes, std::numeric_limits<std::int64_t>::max());
  put(3, "", Bytes(), std::numeric_limits<std::int64_t>::min());
  auto const rows = read("SELECT name, data, amount FROM items ORDER BY id");
  ASSERT_TRUE(rows) << rows.error().message;
  auto const& none = rows->rows.at(0);
  EXPECT_TRUE(none.isNull(0) && none.isNull(1) && none.isNull(2));
  EXPECT_EQ(none.text(0), "");
  EXPECT_EQ(none.integer(2), 0);
  EXPECT_EQ(rows->rows.at(1).text(0), text);
  EXPECT_EQ(rows->rows.at(1).bytes(1), bytes);
  EXPECT_EQ(rows->rows.at(1).integer(2), std::numeric_limits<std::int64_t>::max());
  EXPECT_FALSE(rows->rows.at(2).isNull(0));
  EXPECT_FALSE(rows->rows.at(2).isNull(1));
  EXPECT_EQ(rows->rows.at(2).bytes(1), Bytes());
  EXPECT_EQ(rows->rows.at(2).integer(2), std::numeric_limits<std::int64_t>::min());
}

TEST_P(StoreTest, ReadingAColumnAsWhatItIsNotIsABug) {
  auto const rows = read("SELECT 1, 'text'");
  ASSERT_TRUE(rows) << rows.error().message;
  auto const& row = rows->rows.at(0);
  EXPECT_THROW(row.text(0), std::logic_error);
  EXPECT_THROW(row.integer(1), std::logic_error);
  EXPECT_THROW(row.isNull(2), std::logic_error);
}

TEST_P(StoreTest, PlaceholdersMayRepeatAndComeInAnyOrder) {
  ASSERT_TRUE(commit(Statement("INSERT INTO items (amount, id, name) VALUES ($2, $1, $3)",
                               std::vector<Value>{std::int64_t{7}, std::int64_t{70}, "seven"})));
  auto const rows = read("SELECT amount FROM items WHERE id = $1 OR id = $1 + $2",
                         std::vector<Value>{std::int64_t{7}, std::int64_t{5'000'000'000}});
  ASSERT_TRUE(rows) << rows.error().message;
  ASSERT_EQ(rows->rows.size(), 1U);
  EXPECT_EQ(rows->rows[0].integer(0), 70);
}

TEST_P(StoreTest, AnUpsertReturnsItsRowAndCountsIt) {
  Statement const upsert(
      "INSERT INTO items (id, name, amount) VALUES ($1, $2, $3) ON CONFLICT (id) DO UPDATE SET "
      "amount = excluded.amount WHERE excluded.amount > items.amount RETURNING id, amount");
  auto const put = [&](std::int64_t amount) {
    auto statement = upsert;
    statement.args = {std::int64_t{1}, "one", amount};
    auto done = commit(std::move(statement));
    EXPECT_TRUE(done) << done.error().message;
    return done ? done->at(0) : Rows();
  };
  EXPECT_EQ(put(10).affected, 1);
  auto const newer = put(20);
  ASSERT_EQ(newer.rows.size(), 1U);
  EXPECT_EQ(newer.rows[0].integer(1), 20);
  auto const older = put(15);
  EXPECT_EQ(older.rows.size(), 0U);
  EXPECT_EQ(older.affected, 0);
  EXPECT_EQ(commit(Statement("SELECT id FROM items"))->at(0).affected, 0);
}

TEST_P(StoreTest, SumsAndComparisonsAreIntegers) {
  ASSERT_TRUE(commit(unitOf(insertItem(1, "a"), Statement("UPDATE items SET amount = 40 WHERE id = 1"))));
  ASSERT_TRUE(commit(unitOf(insertItem(2, "b"), Statement("UPDATE items SET amount = 2 WHERE id = 2"))));
  auto const rows = read("SELECT sum(amount), count(*), max(amount) > 10, 7 FROM items");
  ASSERT_TRUE(rows) << rows.error().message;
  EXPECT_EQ(rows->rows.at(0).integer(0), 42);
  EXPECT_EQ(rows->rows.at(0).integer(1), 2);
  EXPECT_EQ(rows->rows.at(0).integer(2), 1);
  EXPECT_EQ(rows->rows.at(0).integer(3), 7);
  auto const fraction = read("SELECT avg(amount) + 0.25 FROM items");
  ASSERT_FALSE(fraction);
  EXPECT_EQ(fraction.error().kind, ErrorKind::invalidInput);
}

TEST_P(StoreTest, AnArgumentMayBeNullFirstAndHaveAValueLater) {
  std::string const sql = "INSERT INTO items (id, name, data) VALUES ($1, $2, $3)";
  auto const put = [&](std::int64_t id, Value name, Value data) {
    return commit(Statement(sql, std::vector<Value>{id, std::move(name), std::move(data)}));
  };
  ASSERT_TRUE(put(1, nullptr, nullptr));
  ASSERT_TRUE(put(2, "two", Bytes{2}));
  ASSERT_TRUE(put(3, nullptr, Bytes{3}));
  ASSERT_TRUE(put(4, "four", nullptr));
  EXPECT_EQ(count("items WHERE name IS NULL OR data IS NULL"), 3);
}

TEST_P(StoreTest, TextThatOneOfTheDatabasesCannotKeepIsRefusedByBoth) {
  auto const zero = commit(insertItem(1, std::string("a\0b", 3)));
  ASSERT_FALSE(zero);
  EXPECT_EQ(zero.error().kind, ErrorKind::invalidInput);
  EXPECT_THAT(zero.error().message, HasSubstr("placeholder $2 holds a zero byte"));
  auto const latin = commit(insertItem(1, "Zo\xEB"));
  ASSERT_FALSE(latin);
  EXPECT_THAT(latin.error().message, HasSubstr("is not UTF-8"));
  EXPECT_EQ(count("items"), 0);
}

TEST_P(StoreTest, ErrorsNeverQuoteWhatWasBound) {
  std::string const secret = "hunter2-secret";
  ASSERT_TRUE(commit(insertItem(1, secret)));
  std::vector<Statement> bad;
  bad.push_back(insertItem(2, secret));                     // unique
  bad.emplace_back("SELEC $1", std::vector<Value>{secret}); // syntax
  bad.emplace_back("INSERT INTO pairs (id, item) VALUES ($1, $2)",
                   std::vector<Value>{std::int64_t{-424242424}, std::int64_t{1}}); // check
  bad.emplace_back("INSERT INTO pairs (id, item) VALUES ($1, $2)",
                   std::vector<Value>{std::int64_t{1}, std::int64_t{424242424}});           // foreign key
  bad.emplace_back("INSERT INTO items (id, name) VALUES ($1)", std::vector<Value>{secret}); // count
  for (auto const& statement : bad) {
    auto const result = commit(statement);
    ASSERT_FALSE(result) << statement.sql;
    EXPECT_THAT(result.error().message, Not(HasSubstr(secret)));
    EXPECT_THAT(result.error().message, Not(HasSubstr("424242424")));
    EXPECT_THAT(result.error().message, HasSubstr(statement.sql.substr(0, 6)));
  }
  if (GetParam() == "postgresql") {
    auto const cast =
        commit(Statement("UPDATE items SET amount = CAST($1 AS BIGINT)", std::vector<Value>{secret}));
    ASSERT_FALSE(cast);
    EXPECT_THAT(cast.error().message, Not(HasSubstr(secret)));
  }
}

TEST_P(StoreTest, ConstraintsSayWhatTheCallerShouldDo) {
  ASSERT_TRUE(commit(insertItem(1, "a")));
  auto const unique = commit(insertItem(2, "a"));
  EXPECT_EQ(unique.error().kind, ErrorKind::conflict);
  auto const parent = commit(Statement("INSERT INTO pairs (id, item) VALUES (1, 99)"));
  EXPECT_EQ(parent.error().kind, ErrorKind::conflict);
  auto const missing = commit(Statement("INSERT INTO pairs (id, item) VALUES (1, NULL)"));
  EXPECT_EQ(missing.error().kind, ErrorKind::invalidInput);
  auto const rule = commit(Statement("INSERT INTO pairs (id, item) VALUES (-2000000, 1)"));
  EXPECT_EQ(rule.error().kind, ErrorKind::invalidInput);
  for (auto const* result : {&unique, &parent, &missing, &rule})
    EXPECT_FALSE(result->has_value() || std::as_const(*result).error().provider_code.empty());
}

TEST_P(StoreTest, BadSqlIsInvalidInputWithTheDatabasesCode) {
  for (std::string const sql : {"SELEC 1", "SELECT * FROM nowhere", "SELECT 1; SELECT 2", "SELECT $1"}) {
    auto const result = read(sql);
    ASSERT_FALSE(result) << sql;
    EXPECT_EQ(result.error().kind, ErrorKind::invalidInput) << result.error().message;
  }
  EXPECT_FALSE(read("SELEC 1").error().provider_code.empty());
  EXPECT_TRUE(read("SELECT 1")) << "the connection still works";
}

TEST_P(StoreTest, ReadTakesQueriesOnly) {
  auto const result = read("INSERT INTO items (id) VALUES (1)");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::invalidInput);
  EXPECT_EQ(count("items"), 0);
}

TEST_P(StoreTest, MoreDifferentStatementsThanAreKeptPreparedStillWork) {
  for (int i = 0; i < 600; ++i) {
    auto const rows = read("SELECT " + std::to_string(i));
    ASSERT_TRUE(rows) << rows.error().message;
    ASSERT_EQ(rows->rows.at(0).integer(0), i);
  }
  std::vector<Unit> units;
  for (int i = 0; i < 600; ++i)
    units.push_back(unitOf(Statement("INSERT INTO items (id) VALUES (" + std::to_string(i) + ")")));
  for (auto const& result : commitAll(std::move(units))) ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(count("items"), 600);
}

TEST_P(StoreTest, CloseAnswersWhatWasAcceptedAndRefusesTheRest) {
  int good = 0;
  for (int id = 0; id < 50; ++id)
    loop_.spawn(store_->commit(unitOf(insertItem(id, std::to_string(id)))), [&good](auto result) {
      if (result) ++good;
    });
  bool closed = false;
  loop_.spawn(store_->close(), [&](Result<void> result) {
    EXPECT_TRUE(result);
    EXPECT_EQ(good, 50);
    closed = true;
  });
  while (!closed) loop_.runOne();
  auto const late = commit(insertItem(99, "late"));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().kind, ErrorKind::cancelled);
  EXPECT_EQ(read("SELECT 1").error().kind, ErrorKind::cancelled);
  EXPECT_TRUE(loop_.run(store_->close())) << "closing twice does no harm";
}

TEST_P(StoreTest, AStoreDestroyedInTheMiddleOfWorkAnswersEverything) {
  int answered = 0;
  int good = 0;
  for (int id = 0; id < 300; ++id)
    loop_.spawn(store_->commit(unitOf(insertItem(id, std::to_string(id)))), [&](auto result) {
      ++answered;
      if (result) ++good;
    });
  for (int i = 0; i < 20; ++i)
    loop_.spawn(store_->read(Statement("SELECT count(*) FROM items")), [&](auto) { ++answered; });
  for (int i = 0; i < 330; ++i) loop_.runOne();
  store_.reset();
  while (answered < 320) loop_.runOne();
  open();
  EXPECT_GE(count("items"), good);
}

TEST_P(StoreTest, AnIdleStoreDoesNotKeepTheLoopBusy) {
  ASSERT_TRUE(commit(insertItem(1, "a")));
  ASSERT_TRUE(read("SELECT 1"));
  loop_.runAll(); // would not return
}

TEST_P(StoreTest, RandomTransfersKeepTheirSum) {
  std::mt19937_64 random(20260613);
  constexpr std::int64_t kAccounts = 8;
  for (std::int64_t id = 0; id < kAccounts; ++id)
    ASSERT_TRUE(
        commit(Statement("INSERT INTO items (id, amount) VALUES ($1, 100)", std::vector<Value>(1, id))));
  std::vector<Unit> units;
  for (int i = 0; i < 500; ++i) {
    auto const amount = static_cast<std::int64_t>(random() % 60);
    auto const from = static_cast<std::int64_t>(random() % kAccounts);
    auto const into = static_cast<std::int64_t>(random() % kAccounts);
    units.push_back(unitOf(
        Statement("UPDATE items SET amount = amount + $1 WHERE id = $2", std::vector<Value>{amount, into}),
        Statement("UPDATE items SET amount = amount - $1 WHERE id = $2 AND amount >= $1",
                  std::vector<Value>{amount, from})
            .expecting(1)));
  }
  int refused = 0;
  for (auto const& result : commitAll(std::move(units))) refused += result ? 0 : 1;
  EXPECT_GT(refused, 0);
  EXPECT_EQ(read("SELECT sum(amount) FROM items")->rows.at(0).integer(0), 100 * kAccounts);
  EXPECT_EQ(count("items WHERE amount < 0"), 0);
}

// Migrations

TEST_P(StoreTest, MissingMigrationsAreAppliedInOrderAndOnce) {
  closeStore();
  auto migrations = itemTable();
  migrations.insert(migrations.begin(), Migration{7, "colour",
                                                  "ALTER TABLE items ADD COLUMN colour TEXT;\n"
                                                  "INSERT INTO items (id, colour) VALUES (1, 'white')"});
  open(migrations);
  closeStore();
  open(migrations);
  EXPECT_EQ(read("SELECT colour FROM items")->rows.at(0).text(0), "white");
  auto const kept =
      read("SELECT version, name, checksum, applied_at FROM garland_migrations ORDER BY version");
  ASSERT_EQ(kept->rows.size(), 2U);
  EXPECT_EQ(kept->rows[1].integer(0), 7);
  EXPECT_EQ(kept->rows[1].text(1), "colour");
  EXPECT_EQ(kept->rows[1].text(2).size(), 16U);
  EXPECT_GT(kept->rows[1].integer(3), 1'600'000'000'000);
}

TEST_P(StoreTest, AMigrationThatFailsLeavesNothingBehind) {
  closeStore();
  auto migrations = itemTable();
  migrations.push_back(Migration{2, "half", "CREATE TABLE half (id BIGINT);\nSELEC 1"});
  auto const refused = tryOpen(migrations);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("migration 2 (half)"));
  open();
  EXPECT_FALSE(read("SELECT * FROM half"));
  EXPECT_EQ(count("garland_migrations"), 1);
}

TEST_P(StoreTest, AChangedMigrationIsRefused) {
  closeStore();
  auto migrations = itemTable();
  migrations[0].sql += " ";
  auto const refused = tryOpen(migrations);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::unsupported);
  EXPECT_THAT(refused.error().message, HasSubstr("the text of migration 1 (items)"));
}

TEST_P(StoreTest, ADatabaseOfANewerVersionIsRefusedAndNotTouched) {
  closeStore();
  auto newer = itemTable();
  newer.push_back(Migration{4000, "later", "CREATE TABLE later (id BIGINT PRIMARY KEY)"});
  open(newer);
  closeStore();
  auto ours = itemTable();
  ours.push_back(Migration{2, "ours", "CREATE TABLE ours (id BIGINT PRIMARY KEY)"});
  auto const refused = tryOpen(ours);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::unsupported);
  EXPECT_EQ(refused.error().message,
            "this database was written by a newer Garland (migration 4000); install that "
            "version or restore a backup");
  open(newer);
  EXPECT_EQ(count("garland_migrations"), 2);
  EXPECT_FALSE(read("SELECT * FROM ours"));
}

TEST_P(StoreTest, ADatabaseOfANewerVersionThatIsCompatibleIsWorkedOn) {
  closeStore();
  open(itemTableWithColour());
  closeStore();
  open();
  ASSERT_TRUE(commit(insertItem(1, "rose")));
  closeStore();
  open(itemTableWithColour());
  EXPECT_EQ(read("SELECT colour FROM items")->rows.at(0).text(0), "white");
  EXPECT_EQ(count("garland_migrations"), 2);
}

TEST_P(StoreTest, ADatabaseThatSaysNothingOfCompatibilityYetLearnsTo) {
  ASSERT_TRUE(commit(Statement("ALTER TABLE garland_migrations DROP COLUMN compatible_from")));
  closeStore();
  open();
  closeStore();
  open(itemTableWithColour());
  auto const kept = read("SELECT compatible_from FROM garland_migrations ORDER BY version");
  ASSERT_TRUE(kept) << kept.error().message;
  ASSERT_EQ(kept->rows.size(), 2U);
  EXPECT_TRUE(kept->rows[0].isNull(0));
  EXPECT_EQ(kept->rows[1].integer(0), 1);
}

TEST_P(StoreTest, PendingMigrationsAreCountedAndNotApplied) {
  closeStore();
  auto next = itemTable();
  next.push_back(Migration{2, "next", "CREATE TABLE next (id BIGINT PRIMARY KEY)"});
  Options options;
  options.url = url_;
  auto const pending = loop_.run(Store::pendingMigrations(loop_.executor(), options, next));
  ASSERT_TRUE(pending) << pending.error().message;
  EXPECT_EQ(*pending, 1U);
  open();
  EXPECT_EQ(count("garland_migrations"), 1);
  EXPECT_FALSE(read("SELECT * FROM next"));
}

INSTANTIATE_TEST_SUITE_P(Drivers, StoreTest, testing::Values("sqlite", "postgresql"),
                         [](auto const& info) { return info.param; });

TEST(StoreUrl, LookingAtAFileThatIsNotThereDoesNotMakeIt) {
  Loop loop;
  TestFolder const folder;
  Options options;
  options.url = sqliteUrl(folder);
  auto const pending = loop.run(Store::pendingMigrations(loop.executor(), options, itemTable()));
  ASSERT_TRUE(pending) << pending.error().message;
  EXPECT_EQ(*pending, 1U);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(StoreUrl, AnUnknownSchemeIsRefusedWithWhatToWrite) {
  Loop loop;
  Options options;
  options.url = "mysql://somewhere";
  auto const opened = loop.run(Store::open(loop.executor(), options, {}));
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, ErrorKind::invalidInput);
  EXPECT_EQ(opened.error().field, "/database/url");
}

} // namespace
} // namespace garland::store
