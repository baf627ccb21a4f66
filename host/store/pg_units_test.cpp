// Units of daemons that want the same rows at the same moment.
#include "host/store/store_testing.h"

#include <memory>
#include <string>
#include <vector>

namespace garland::store {
namespace {

constexpr int kRows = 12;

// Rows to count in, a sequence that no rollback turns back, and a server that looks for deadlocks soon.
std::vector<Migration> countingTable() {
  return {Migration{
      1, "counting",
      "CREATE TABLE counting (id BIGINT PRIMARY KEY, value BIGINT NOT NULL, place BIGINT);\n"
      "INSERT INTO counting (id, value) SELECT i, 0 FROM generate_series(1, 12) AS i;\n"
      "CREATE SEQUENCE tries;\n"
      "CREATE FUNCTION lucky(needed BIGINT) RETURNS BIGINT LANGUAGE plpgsql AS $$ BEGIN "
      "IF nextval('tries') < needed THEN "
      "RAISE EXCEPTION 'deadlock detected' USING ERRCODE = 'deadlock_detected'; END IF; "
      "RETURN needed; END $$;\n"
      "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET deadlock_timeout=''20ms''', current_database()); "
      "END $$"}};
}

Statement countIn(std::int64_t row) {
  return Statement("UPDATE counting SET value=value+1 WHERE id=$1", {row}).expecting(1);
}

// The first so many times it is what PostgreSQL ends for another transaction's sake.
Statement lucky(std::int64_t tries) { return {"SELECT lucky($1)", {tries}}; }

class ContentionTest : public testing::Test {
protected:
  void SetUp() override {
    auto fresh = postgresServer().freshDatabase();
    ASSERT_TRUE(fresh) << fresh.error().message;
    url_ = *fresh;
    open(); // whoever comes after this has the settings of the database
  }
  std::unique_ptr<Store> open(int max_batch_units = 256) {
    Options options;
    options.url = url_;
    options.max_batch_units = max_batch_units;
    options.random = std::make_shared<SeededRandom>(7);
    return loop_.run(Store::open(loop_.executor(), options, countingTable())).value();
  }
  void commit(Store& store, Statement statement) {
    loop_.spawn(store.commit(unitOf(std::move(statement))), [this](auto result) {
      if (result)
        ++kept_;
      else
        refused_.push_back(result.error());
    });
  }
  std::int64_t number(Store& store, std::string const& query) {
    return loop_.run(store.read(Statement(query))).value().rows.at(0).integer(0);
  }

  Loop loop_;
  std::string url_;
  int kept_ = 0;
  std::vector<Error> refused_;
};

TEST_F(ContentionTest, BatchesThatCrossAreKeptOnceEach) {
  constexpr int kRounds = 20;
  auto const one = open(kRows);
  auto const two = open(kRows);
  for (int round = 0; round < kRounds; ++round)
    for (int row = 1; row <= kRows; ++row) {
      commit(*one, countIn(row));
      commit(*two, countIn(kRows + 1 - row));
    }
  loop_.runAll();
  for (auto const& error : refused_) ADD_FAILURE() << error.message;
  EXPECT_EQ(kept_, 2 * kRounds * kRows);
  EXPECT_EQ(number(*one, "SELECT MIN(value) FROM counting"), 2 * kRounds);
  EXPECT_EQ(number(*one, "SELECT MAX(value) FROM counting"), 2 * kRounds);
}

TEST_F(ContentionTest, RowsThatHaveANameAreTakenInTheOrderOfTheNames) {
  auto const store = open();
  commit(*store, countIn(12)); // while it is under way, the others come together
  std::vector<std::int64_t> answered;
  for (std::int64_t const row : {3, 1, 2})
    loop_.spawn(store->commit(unitOf(
                    Statement("UPDATE counting SET place=nextval('tries') WHERE id=$1 RETURNING id", {row})
                        .contendingFor("row " + std::to_string(row)))),
                [&answered, row](auto result) {
                  ASSERT_TRUE(result) << result.error().message;
                  EXPECT_EQ(result->at(0).rows.at(0).integer(0), row) << "it was answered with another one's";
                  answered.push_back(row);
                });
  loop_.runAll();
  EXPECT_EQ(answered.size(), 3U);
  for (std::int64_t const row : {1, 2, 3})
    EXPECT_EQ(number(*store, "SELECT place FROM counting WHERE id=" + std::to_string(row)), row);
}

TEST_F(ContentionTest, AVictimIsTriedAgainAndItsNeighboursAreKeptOnce) {
  auto const store = open();
  commit(*store, countIn(1));
  commit(*store, lucky(4));
  commit(*store, countIn(2));
  loop_.runAll();
  for (auto const& error : refused_) ADD_FAILURE() << error.message;
  EXPECT_EQ(kept_, 3);
  EXPECT_EQ(number(*store, "SELECT SUM(value)::bigint FROM counting"), 2);
  EXPECT_EQ(number(*store, "SELECT last_value FROM tries"), 4);
}

TEST_F(ContentionTest, WhoIsAVictimEveryTimeIsToldToTryAgain) {
  auto const store = open();
  commit(*store, countIn(1));
  commit(*store, lucky(1000));
  commit(*store, countIn(2));
  loop_.runAll();
  EXPECT_EQ(kept_, 2);
  ASSERT_EQ(refused_.size(), 1U);
  EXPECT_EQ(refused_[0].kind, ErrorKind::transient);
  EXPECT_EQ(refused_[0].effect, Effect::notApplied);
  EXPECT_EQ(number(*store, "SELECT SUM(value)::bigint FROM counting"), 2);
  EXPECT_LE(number(*store, "SELECT last_value FROM tries"), 10) << "it is not tried for ever";
}

} // namespace
} // namespace garland::store
