// Chains as they are written, on both databases.
#include "host/audit/testing/chain.h"

#include <gmock/gmock.h>

namespace garland::audit {
namespace {

using testing::Chain;
using testing::Database;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class BookTest : public ::testing::TestWithParam<Database> {
protected:
  std::vector<json::value> entries() {
    std::vector<json::value> out;
    for (auto const& row : chain.run(chain.book->rows("", -1, 1000)).value())
      out.push_back(parseJson(row.entry).value());
    return out;
  }
  std::vector<std::string> acts() {
    std::vector<std::string> out;
    for (auto const& entry : entries()) out.push_back(textOr(entry, "/act", ""));
    return out;
  }
  std::int64_t checkpoints() { return chain.rows("SELECT COUNT(*) FROM audit_checkpoints")[0].integer(0); }
  // Of a loop that waits for the clock.
  void pass(Milliseconds span) {
    chain.clock.advance(span);
    auto const before = chain.clock.sleepers();
    do chain.loop.run_one();
    while (chain.clock.sleepers() <= before);
  }

  Chain chain{GetParam()};
};

INSTANTIATE_TEST_SUITE_P(On, BookTest, ::testing::Values(Database::sqlite, Database::postgresql),
                         [](auto const& one) {
                           return one.param == Database::sqlite ? "Sqlite" : "PostgreSQL";
                         });

TEST_P(BookTest, RowsFollowEachOtherAndAreSound) {
  for (int i = 0; i < 5; ++i) chain.tell("change " + std::to_string(i));
  EXPECT_THAT(acts(), ElementsAre("begin", "change 0", "change 1", "change 2", "change 3", "change 4"));
  EXPECT_TRUE(chain.run(chain.book->seal()));
  auto const verdict = chain.verdict();
  EXPECT_THAT(verdict.faults, IsEmpty());
  EXPECT_EQ(verdict.rows, 6);
  EXPECT_EQ(verdict.chains, 1);
  EXPECT_EQ(verdict.checkpoints, 1);
  EXPECT_EQ(verdict.unsigned_rows, 0);
}

TEST_P(BookTest, ARowIsThereIfAndOnlyIfItsUnitIs) {
  chain.write("CREATE TABLE things (id BIGINT PRIMARY KEY)");
  auto const thing = [&](std::int64_t id) {
    Event event;
    event.kind = Kind::change;
    event.act = "thing " + std::to_string(id);
    store::Unit unit;
    unit.push_back(chain.book->row(std::move(event)));
    unit.emplace_back("INSERT INTO things (id) VALUES ($1)", std::vector<store::Value>{id});
    return chain.run(chain.store->commit(std::move(unit)));
  };
  EXPECT_TRUE(thing(1));
  EXPECT_FALSE(thing(1)) << "a unit that fails leaves no row";
  EXPECT_TRUE(thing(2));
  EXPECT_THAT(acts(), ElementsAre("begin", "thing 1", "thing 2"));
  EXPECT_TRUE(chain.run(chain.book->seal()));
  EXPECT_THAT(chain.verdict().faults, IsEmpty()) << "and no gap";
}

TEST_P(BookTest, ARowWithAConditionIsWrittenWhereItHoldsAndTheUnitGoesOnWhereItDoesNot) {
  chain.write("CREATE TABLE doors (id BIGINT PRIMARY KEY, state TEXT)");
  chain.write("INSERT INTO doors (id,state) VALUES (1,'open')");
  auto const set = [&](std::string const& state) {
    Event event;
    event.kind = Kind::change;
    event.act = state;
    store::Unit unit;
    unit.push_back(onlyIf(chain.book->row(std::move(event)),
                          "EXISTS (SELECT 1 FROM doors WHERE id=? AND state<>?)", {std::int64_t{1}, state}));
    unit.emplace_back("UPDATE doors SET state=$1 WHERE id=1", std::vector<store::Value>{state});
    chain.run(chain.store->commit(std::move(unit))).value();
  };
  for (auto const* state : {"open", "shut", "shut", "open"}) set(state);
  EXPECT_THAT(acts(), ElementsAre("begin", "shut", "open"));
  EXPECT_EQ(chain.rows("SELECT state FROM doors")[0].text(0), "open");
  EXPECT_TRUE(chain.run(chain.book->seal()));
  EXPECT_THAT(chain.verdict().faults, IsEmpty()) << "what was not written leaves no gap";
}

TEST_P(BookTest, ManyUnitsOfOneMomentAreOneChainWhateverBecomesOfSome) {
  chain.write("CREATE TABLE things (id BIGINT PRIMARY KEY)");
  int ended = 0;
  int kept = 0;
  for (std::int64_t i = 0; i < 100; ++i) {
    Event event;
    event.act = "thing";
    store::Unit unit;
    unit.push_back(chain.book->row(std::move(event)));
    unit.emplace_back("INSERT INTO things (id) VALUES ($1)", std::vector<store::Value>{i % 70});
    asio::co_spawn(chain.loop, chain.store->commit(std::move(unit)),
                   [&](std::exception_ptr, Result<std::vector<store::Rows>> const& done) {
                     ++ended;
                     kept += done ? 1 : 0;
                   });
  }
  while (ended < 100) chain.loop.run_one();
  EXPECT_EQ(kept, 70);
  EXPECT_TRUE(chain.run(chain.book->seal()));
  auto const verdict = chain.verdict();
  EXPECT_THAT(verdict.faults, IsEmpty());
  EXPECT_EQ(verdict.rows, 71);
}

TEST_P(BookTest, AnEntryHoldsAPersonAsAPseudonymOnly) {
  Event event;
  event.kind = Kind::change;
  event.act = "intake.accept";
  event.vendor_id = "ven_1";
  event.person = "Rosa@Studio.example ";
  EXPECT_TRUE(chain.run(chain.book->write(std::move(event))));
  auto const entry = entries().back();
  EXPECT_EQ(textOr(entry, "/person", ""), chain.book->pseudonym("rosa@studio.example"));
  EXPECT_THAT(json::serialize(entry), Not(HasSubstr("osa")));
  EXPECT_NE(chain.book->pseudonym("rosa"), chain.book->pseudonym("rosi"));
  auto const before = chain.book->pseudonym("rosa");
  chain.crash();
  EXPECT_EQ(chain.book->pseudonym("rosa"), before) << "it stays after a start";
}

TEST_P(BookTest, WhatIsNotedIsDurableAMomentLaterAndEqualNotesAreOneRow) {
  chain.book->start();
  chain.loop.poll();
  for (int i = 0; i < 3; ++i) {
    Event event;
    event.kind = Kind::refusal;
    event.act = "listVendors";
    chain.book->note(std::move(event));
  }
  EXPECT_THAT(acts(), ElementsAre("begin"));
  pass(Milliseconds(1000));
  ASSERT_THAT(acts(), ElementsAre("begin", "listVendors"));
  EXPECT_EQ(integerOr(entries().back(), "/facts/times", 0), 3);
  EXPECT_TRUE(chain.run(chain.book->stop()));
}

TEST_P(BookTest, HoweverManyAreNotedInAMomentEachIsWrittenOnce) {
  // The unit of the second thousand fails: what it holds is there already.
  chain.tell("note 1200");
  chain.write("CREATE UNIQUE INDEX once ON audit_rows (entry)");
  for (int i = 0; i < 2500; ++i) {
    Event event;
    event.kind = Kind::change;
    event.act = "note " + std::to_string(i);
    chain.book->note(std::move(event));
  }
  auto const count = [&] { return chain.rows("SELECT COUNT(*) FROM audit_rows")[0].integer(0); };
  EXPECT_FALSE(chain.run(chain.book->seal()));
  EXPECT_EQ(count(), 2 + 1000) << "in several units";
  chain.write("DROP INDEX once");
  EXPECT_TRUE(chain.run(chain.book->seal()));
  EXPECT_EQ(count(), 2 + 2500);
  auto const different = chain.rows("SELECT COUNT(DISTINCT entry) FROM audit_rows")[0].integer(0);
  EXPECT_EQ(different, 1 + 2500) << "the one that was there before is there twice";
  EXPECT_THAT(chain.verdict().faults, IsEmpty());
}

TEST_P(BookTest, ACheckpointComesByItselfAfterAMinuteAndWhenItStops) {
  chain.book->start();
  chain.loop.poll();
  for (int i = 0; i < 59; ++i) pass(Milliseconds(1000));
  EXPECT_EQ(checkpoints(), 0);
  pass(Milliseconds(1000));
  EXPECT_EQ(checkpoints(), 1);
  for (int i = 0; i < 61; ++i) pass(Milliseconds(1000));
  EXPECT_EQ(checkpoints(), 1) << "nothing has happened since";
  chain.tell("more");
  EXPECT_TRUE(chain.run(chain.book->stop()));
  EXPECT_EQ(checkpoints(), 2);
  auto const verdict = chain.verdict(chain.book->state().last);
  EXPECT_THAT(verdict.faults, IsEmpty());
  EXPECT_EQ(verdict.unsigned_rows, 0);
  EXPECT_EQ(acts().back(), "end");
}

TEST_P(BookTest, AfterManyRowsACheckpointDoesNotWait) {
  Options options;
  options.rows = 10;
  chain.crash(options);
  chain.book->start();
  chain.loop.poll();
  for (int i = 0; i < 10; ++i) chain.tell("a");
  pass(Milliseconds(1000));
  EXPECT_EQ(checkpoints(), 1);
  EXPECT_TRUE(chain.run(chain.book->stop()));
}

TEST_P(BookTest, WhatADaemonThatWasKilledLeftUnsignedIsSignedByTheNext) {
  chain.tell("the last that it did");
  chain.crash();
  EXPECT_TRUE(chain.run(chain.book->seal()));
  EXPECT_EQ(chain.verdict().unsigned_rows, 2) << "it may live, as far as is known";
  EXPECT_TRUE(chain.run(chain.book->seal()));
  auto const verdict = chain.verdict();
  EXPECT_EQ(verdict.unsigned_rows, 0);
  EXPECT_EQ(verdict.chains, 2);
  EXPECT_THAT(verdict.faults, IsEmpty());
}

TEST_P(BookTest, CheckpointsAreRememberedOutsideOfTheDatabase) {
  std::vector<Mark> marks;
  Options options;
  options.on_checkpoint = [&marks](Mark const& mark) { marks.push_back(mark); };
  chain.crash(options);
  EXPECT_TRUE(chain.run(chain.book->seal()));
  ASSERT_FALSE(marks.empty());
  EXPECT_EQ(marks.back(), chain.book->state().last);
  EXPECT_THAT(chain.verdict(marks.back()).faults, IsEmpty());
  // Somebody takes the checkpoints out; the next start sees it, tells it in the chain and goes on.
  chain.write("DELETE FROM audit_checkpoints");
  options.remembered = marks.back();
  chain.crash(options);
  EXPECT_EQ(acts().back(), "tail_missing");
  EXPECT_THAT(chain.log_text, HasSubstr("its end was cut off"));
  EXPECT_THAT(chain.verdict(chain.book->state().last).faults, Not(IsEmpty()));
}

TEST_P(BookTest, KeysOfAnotherMasterKeyAreNotUsed) {
  SystemRandom other_random;
  auto other = vault::Vault::open(chain.folder / "other.key", true, other_random).value();
  Dependencies const with{
      chain.loop.get_executor(), chain.clock, chain.random, chain.log, *chain.store, *other};
  auto const opened = chain.run(Book::open(with, Options()));
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().message, HasSubstr("a key of the audit chain"));
}

TEST(BooksOnOneDatabase, WriteChainsOfTheirOwnAndOneListOfCheckpoints) {
  Chain chain(Database::postgresql);
  auto const second_store = chain.openStore();
  auto const second = chain.openBook(*second_store);
  int ended = 0;
  for (int i = 0; i < 20; ++i)
    for (auto* const book : {chain.book.get(), second.get()}) {
      Event event;
      event.act = "row";
      asio::co_spawn(chain.loop, book->write(std::move(event)), [&](std::exception_ptr, Result<void> done) {
        EXPECT_TRUE(done);
        ++ended;
      });
    }
  for (auto* const book : {chain.book.get(), second.get()})
    asio::co_spawn(chain.loop, book->seal(), [&](std::exception_ptr, Result<void> done) {
      EXPECT_TRUE(done) << "both take the same number, and one takes the next";
      ++ended;
    });
  while (ended < 42) chain.loop.run_one();
  EXPECT_TRUE(chain.run(second->stop()));
  EXPECT_TRUE(chain.run(chain.book->stop()));
  auto const verdict = chain.verdict();
  EXPECT_THAT(verdict.faults, IsEmpty());
  EXPECT_EQ(verdict.chains, 2);
  EXPECT_EQ(verdict.rows, 44);
  EXPECT_EQ(verdict.unsigned_rows, 0);
  EXPECT_TRUE(chain.run(second_store->close()));
}

} // namespace
} // namespace garland::audit
