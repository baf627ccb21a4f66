// Somebody writes to the database, without the key: what was done is found, and its first row named.
#include "host/audit/seal.h"
#include "host/audit/testing/chain.h"
#include "host/base/bytes.h"
#include "host/vault/vault.h"

#include <gmock/gmock.h>

namespace garland::audit {
namespace {

using testing::Chain;
using testing::Database;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr std::int64_t kRows = 31; // "begin" and thirty

class Tampering : public ::testing::TestWithParam<Database> {
protected:
  // Rows 10, 20 and 30 are those that checkpoints 1, 2 and 3 name.
  void SetUp() override {
    id = chain.book->state().chain;
    for (int i = 1; i < kRows; ++i) {
      chain.tell("change " + std::to_string(i));
      if (i % 10 == 0) ASSERT_TRUE(chain.run(chain.book->seal()));
    }
    kept = chain.run(chain.book->rows("", -1, 1000)).value();
    ASSERT_EQ(kept.size(), static_cast<std::size_t>(kRows));
    ASSERT_THAT(chain.verdict(chain.book->state().last).faults, IsEmpty());
  }

  static store::Value blob(std::string_view text) { return Bytes(text.begin(), text.end()); }
  std::string place(std::int64_t number) const { return "row " + id + "/" + std::to_string(number); }
  // Of what the verifier finds, the first.
  Fault first() {
    auto const verdict = chain.verdict(chain.book->state().last);
    return verdict.faults.empty() ? Fault{"nothing", "was found"} : verdict.faults[0];
  }

  void setEntry(std::int64_t number, std::string_view entry) {
    chain.write("UPDATE audit_rows SET entry=$1 WHERE number=$2", {blob(entry), number});
  }
  void setRow(std::int64_t number, Row const& row) {
    chain.write("UPDATE audit_rows SET entry=$1, hash=$2 WHERE number=$3",
                {blob(row.entry), blob(row.hash), number});
  }
  // From this row on every hash is as it would be.
  void rehash(std::vector<Row> rows, std::size_t from) {
    for (auto i = from; i < rows.size(); ++i) {
      rows[i].hash = vault::sha256((i == 0 ? "" : rows[i - 1].hash) + rows[i].entry);
      setRow(rows[i].number, rows[i]);
    }
  }

  Chain chain{GetParam()};
  std::string id;
  std::vector<Row> kept;
};

INSTANTIATE_TEST_SUITE_P(Of, Tampering, ::testing::Values(Database::sqlite, Database::postgresql),
                         [](auto const& one) {
                           return one.param == Database::sqlite ? "Sqlite" : "PostgreSQL";
                         });

TEST_P(Tampering, AnEditOfAnyRowIsNamed) {
  for (auto const& row : kept) {
    auto entry = parseJson(row.entry).value();
    entry.as_object()["act"] = "nothing happened";
    setEntry(row.number, canonicalJson(entry));
    EXPECT_EQ(first().place, place(row.number));
    setEntry(row.number, "");
    EXPECT_EQ(first().place, place(row.number));
    setEntry(row.number, "\xff\xfe");
    EXPECT_EQ(first().place, place(row.number)) << "what is no text, too";
    setEntry(row.number, row.entry);
  }
  EXPECT_EQ(first().place, "nothing");
}

TEST_P(Tampering, AnotherHashIsNamed) {
  auto changed = kept[13];
  changed.hash[0] = static_cast<char>(changed.hash[0] ^ 1);
  setRow(13, changed);
  EXPECT_EQ(first().place, place(13));
}

TEST_P(Tampering, ARowThatIsTakenOutIsNamed) {
  for (std::int64_t const number : {0, 1, 13, 10, 29}) {
    chain.write("DELETE FROM audit_rows WHERE number=$1", {number});
    auto const found = first();
    EXPECT_EQ(found.place, place(number));
    EXPECT_THAT(found.what, HasSubstr("is missing"));
    chain.write("INSERT INTO audit_rows (chain_id,number,entry,hash) VALUES ($1,$2,$3,$4)",
                {id, number, blob(kept[static_cast<std::size_t>(number)].entry),
                 blob(kept[static_cast<std::size_t>(number)].hash)});
  }
  EXPECT_EQ(first().place, "nothing");
}

TEST_P(Tampering, ARowThatIsTakenOutWithTheGapClosedIsNamed) {
  chain.write("DELETE FROM audit_rows WHERE number=13");
  for (std::int64_t number = 14; number < kRows; ++number)
    chain.write("UPDATE audit_rows SET number=number-1 WHERE number=$1", {number});
  EXPECT_EQ(first().place, place(13));
}

TEST_P(Tampering, RowsInAnotherOrderAreNamed) {
  setRow(13, kept[17]);
  setRow(17, kept[13]);
  EXPECT_EQ(first().place, place(13));
}

TEST_P(Tampering, ATailThatWasCutOffIsNamed) {
  for (std::int64_t const last : {29, 25, 10, 0}) {
    chain.write("DELETE FROM audit_rows WHERE number>$1", {last});
    auto const found = first();
    EXPECT_EQ(found.place, place(last + 1));
    EXPECT_THAT(found.what, HasSubstr("the end was cut off"));
  }
  chain.write("DELETE FROM audit_rows");
  auto const found = first();
  EXPECT_EQ(found.place, place(0));
  EXPECT_THAT(found.what, HasSubstr("whole chain"));
}

TEST_P(Tampering, AnEditWithEveryHashMadeAnewIsNamedByItsStretch) {
  auto forged = kept;
  forged[13].entry = R"({"act":"nothing happened"})";
  rehash(forged, 13);
  auto const found = first();
  EXPECT_EQ(found.place, place(11)) << "what checkpoint 1 signed is right";
  EXPECT_THAT(found.what, HasSubstr("rows 11 to 20"));
  EXPECT_THAT(found.what, HasSubstr("checkpoint 2"));
}

TEST_P(Tampering, ARowThatIsPutInWithEveryHashMadeAnewIsNamedByItsStretch) {
  auto forged = kept;
  Row extra = forged[13];
  extra.entry = R"({"act":"an alibi"})";
  forged.insert(forged.begin() + 13, extra);
  chain.write("INSERT INTO audit_rows (chain_id,number,entry,hash) VALUES ($1,$2,$3,$4)",
              {id, kRows, blob("{}"), blob(std::string(32, 'h'))});
  for (std::size_t i = 0; i < forged.size(); ++i) forged[i].number = static_cast<std::int64_t>(i);
  rehash(forged, 13);
  EXPECT_EQ(first().place, place(11));
}

TEST_P(Tampering, ACheckpointThatWasChangedIsNamed) {
  auto const checkpoints = chain.run(chain.book->checkpoints(0, 10)).value();
  auto body = parseJson(checkpoints[1].body).value();
  body.as_object()["row"] = 19;
  chain.write("UPDATE audit_checkpoints SET body=$1 WHERE number=2", {blob(canonicalJson(body))});
  EXPECT_EQ(first().place, "checkpoint 2");
  chain.write("UPDATE audit_checkpoints SET body=$1 WHERE number=2", {blob(checkpoints[1].body)});
  chain.write("UPDATE audit_checkpoints SET signature=$1 WHERE number=2", {blob(std::string(64, 's'))});
  EXPECT_EQ(first().place, "checkpoint 2");
  chain.write("DELETE FROM audit_checkpoints WHERE number=2");
  auto const found = first();
  EXPECT_EQ(found.place, "checkpoint 2");
  EXPECT_THAT(found.what, HasSubstr("is missing"));
}

TEST_P(Tampering, AChainThatIsMadeAnewWithAnotherKeyIsNotBelieved) {
  auto forged = kept;
  forged[13].entry = R"({"act":"nothing happened"})";
  rehash(forged, 13);
  auto const rows = chain.run(chain.book->rows("", -1, 1000)).value();
  Secret const key(std::string(32, 'k'));
  std::string previous;
  for (auto const& one : chain.run(chain.book->checkpoints(0, 10)).value()) {
    auto body = parseJson(one.body).value().as_object();
    body["previous"] = previous;
    body["key"] = vault::publicKeyOf(key).value();
    body["hash"] = hex(rows[static_cast<std::size_t>(body["row"].as_int64())].hash);
    auto const text = canonicalJson(body);
    previous = vault::sha256Hex(text);
    chain.write("UPDATE audit_checkpoints SET body=$1, signature=$2 WHERE number=$3",
                {blob(text), blob(sealed(key, text).value()), one.number});
  }
  auto const found = first();
  EXPECT_EQ(found.place, "checkpoint 1");
  EXPECT_THAT(found.what, HasSubstr("key that counts"));
}

TEST_P(Tampering, AnEndCutOffWithItsCheckpointsIsFoundByWhatIsRememberedElsewhere) {
  chain.write("DELETE FROM audit_rows WHERE number>20");
  chain.write("DELETE FROM audit_checkpoints WHERE number>2");
  EXPECT_EQ(first().place, "checkpoint 3");
  EXPECT_THAT(chain.verdict().faults, IsEmpty()) << "which nobody could tell by the database alone";
}

TEST_P(Tampering, WhatWasCutOffStaysMissingWhenTheDaemonGoesOn) {
  chain.write("DELETE FROM audit_rows WHERE number>25");
  for (int i = 0; i < 10; ++i) chain.tell("later");
  EXPECT_TRUE(chain.run(chain.book->seal()));
  EXPECT_EQ(first().place, place(21)) << "another row has the number that checkpoint 3 names";
}

TEST_P(Tampering, WithoutItsBeginAChainTakesNoRowsAndSoNothingHappensUntold) {
  chain.write("DELETE FROM audit_rows");
  Event event;
  event.act = "change";
  EXPECT_FALSE(chain.run(chain.book->write(std::move(event))));
}

} // namespace
} // namespace garland::audit
