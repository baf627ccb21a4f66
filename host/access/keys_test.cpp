// Keys as they are kept, on both databases.
#include "host/access/access.h"

#include "host/base/test_folder.h"
#include "host/store/postgres_fixture.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace garland::access {
namespace {

using Outcome = Admission::Outcome;
using std::chrono::hours;
using std::chrono::seconds;
using ::testing::HasSubstr;

enum class Database { sqlite, postgresql };

std::unique_ptr<store::PostgresFixture> running;

class Ending final : public ::testing::Environment {
  void TearDown() override { running.reset(); }
};

auto* const kEnding = ::testing::AddGlobalTestEnvironment(new Ending);

store::PostgresFixture& server() {
  if (!running) running = store::PostgresFixture::start(store::Commits::stayWithTheKernel).value();
  return *running;
}

class KeysTest : public ::testing::TestWithParam<Database> {
protected:
  KeysTest() {
    store::Options options;
    options.url = GetParam() == Database::sqlite ? "sqlite:" + (folder_ / "garland.db")
                                                 : server().freshDatabase().value();
    store_ = run(store::Store::open(loop_.get_executor(), options, migrations())).value();
    auto const tell = [this](std::string_view act, Key const& key) {
      told_.push_back(std::string(act) + " " + key.id);
      auto statement = store::Statement("SELECT 1");
      if (telling_fails_) return std::move(statement).expecting(7);
      return statement;
    };
    keys_ = Keys::create(KeyDependencies{clock_, random_, log_, *store_, tell});
  }
  ~KeysTest() override { EXPECT_TRUE(run(store_->close())); }

  template <class T> Result<T> run(Task<T> task) {
    std::optional<Result<T>> out;
    asio::co_spawn(loop_, std::move(task), [&out](std::exception_ptr failed, Result<T> result) {
      if (failed) std::rethrow_exception(failed);
      out.emplace(std::move(result));
    });
    while (!out) loop_.run_one();
    return std::move(*out);
  }
  static NewKey wish(Role role, std::string vendor = {}) {
    NewKey out;
    out.name = "the studio's site";
    out.role = role;
    out.vendor_id = std::move(vendor);
    out.life = hours(24);
    return out;
  }
  Issued add(Role role, std::string vendor = {}) {
    return run(keys_->add(wish(role, std::move(vendor)))).value();
  }
  Admission shown(Secret const& text) { return run(keys_->admit(hashOf(text.reveal()))).value(); }
  std::vector<store::Row> rows(std::string sql) {
    return run(store_->read(store::Statement(std::move(sql)))).value().rows;
  }
  void write(std::string sql) {
    store::Unit unit;
    unit.emplace_back(std::move(sql));
    run(store_->commit(std::move(unit))).value();
  }

  TestFolder folder_;
  asio::io_context loop_;
  asio::executor_work_guard<asio::io_context::executor_type> work_{loop_.get_executor()};
  VirtualClock clock_{parseRfc3339("2026-01-01T00:00:00Z").value()};
  SeededRandom random_{7};
  Redactor redactor_;
  Log log_{clock_, redactor_, LogLevel::error, [](std::string_view) {}};
  std::vector<std::string> told_;
  bool telling_fails_ = false;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<Keys> keys_;
};

INSTANTIATE_TEST_SUITE_P(On, KeysTest, ::testing::Values(Database::sqlite, Database::postgresql),
                         [](auto const& one) {
                           return one.param == Database::sqlite ? "Sqlite" : "PostgreSQL";
                         });

TEST_P(KeysTest, WhoeverHoldsAKeyIsLetInAsWhatItIsFor) {
  auto const made = add(Role::vendor, "ven_1");
  EXPECT_TRUE(made.text.reveal().starts_with("gk_ve_"));
  auto const admission = shown(made.text);
  EXPECT_EQ(admission.outcome, Outcome::letIn);
  EXPECT_EQ(admission.key.id, made.key.id);
  EXPECT_EQ(admission.key.role, Role::vendor);
  EXPECT_EQ(admission.key.vendor_id, "ven_1");
  EXPECT_EQ(admission.key.name, "the studio's site");
  EXPECT_EQ(shown(newApiKey(Role::vendor, random_)).outcome, Outcome::unknown);
}

TEST_P(KeysTest, TheTextOfAKeyIsNowhereInTheDatabase) {
  auto const made = add(Role::operator_);
  for (auto const& row : rows("SELECT hash FROM api_keys")) {
    EXPECT_EQ(row.text(0), hashOf(made.text.reveal()));
    EXPECT_EQ(run(keys_->admit(hashOf(row.text(0)))).value().outcome, Outcome::unknown)
        << "whoever reads the hash must not get in with it";
  }
}

TEST_P(KeysTest, OnlyAKeyOfAVendorBelongsToOne) {
  EXPECT_EQ(run(keys_->add(wish(Role::vendor))).error().kind, ErrorKind::invalidInput);
  EXPECT_EQ(run(keys_->add(wish(Role::auditor, "ven_1"))).error().kind, ErrorKind::invalidInput);
  auto none = wish(Role::auditor);
  none.life = seconds(0);
  EXPECT_EQ(run(keys_->add(none)).error().field, "/life_seconds");
}

TEST_P(KeysTest, AKeyExpires) {
  auto const made = add(Role::auditor);
  clock_.advance(hours(24) - seconds(1));
  EXPECT_EQ(shown(made.text).outcome, Outcome::letIn);
  clock_.advance(seconds(1));
  EXPECT_EQ(shown(made.text).outcome, Outcome::expired);
}

TEST_P(KeysTest, ARotatedKeyGoesOnForTheOverlapAndNoLonger) {
  auto const old = add(Role::vendor, "ven_1");
  clock_.advance(hours(20));
  auto const fresh = run(keys_->rotate(old.key.id, hours(2))).value();
  EXPECT_EQ(fresh.key.role, Role::vendor);
  EXPECT_EQ(fresh.key.vendor_id, "ven_1");
  EXPECT_EQ(fresh.key.expires, clock_.now() + hours(24)) << "as long a life as the one before had";
  clock_.advance(hours(2) - seconds(1));
  EXPECT_EQ(shown(old.text).outcome, Outcome::letIn);
  EXPECT_EQ(shown(fresh.text).outcome, Outcome::letIn);
  clock_.advance(seconds(1));
  EXPECT_EQ(shown(old.text).outcome, Outcome::expired);
  EXPECT_EQ(shown(fresh.text).outcome, Outcome::letIn);
  auto const again = run(keys_->rotate(old.key.id, hours(2)));
  EXPECT_EQ(again.error().kind, ErrorKind::conflict);
  EXPECT_THAT(again.error().message, HasSubstr(fresh.key.id));
}

TEST_P(KeysTest, AnOverlapMakesNoKeyLiveLonger) {
  auto const old = add(Role::partner);
  run(keys_->rotate(old.key.id, hours(1000))).value();
  clock_.advance(hours(24));
  EXPECT_EQ(shown(old.text).outcome, Outcome::expired);
}

TEST_P(KeysTest, ARevokedKeyIsRefusedAtOnceAndStaysSo) {
  auto const made = add(Role::reviewer);
  auto const revoked = run(keys_->revoke(made.key.id)).value();
  EXPECT_EQ(stateOf(revoked, clock_.now()), "revoked");
  EXPECT_EQ(shown(made.text).outcome, Outcome::revoked);
  clock_.advance(hours(1));
  EXPECT_EQ(run(keys_->revoke(made.key.id)).value().revoked, revoked.revoked) << "the first time counts";
  EXPECT_EQ(run(keys_->rotate(made.key.id, hours(1))).error().kind, ErrorKind::conflict);
  EXPECT_EQ(run(keys_->revoke("key_none")).error().kind, ErrorKind::notFound);
}

TEST_P(KeysTest, TheLastUseIsWrittenAtMostOnceAMinute) {
  auto const made = add(Role::auditor);
  auto const lastUse = [&] { return run(keys_->list({})).value().front().last_used; };
  EXPECT_FALSE(lastUse().has_value());
  shown(made.text);
  auto const first = clock_.now();
  EXPECT_EQ(lastUse(), first);
  clock_.advance(seconds(59));
  shown(made.text);
  EXPECT_EQ(lastUse(), first);
  clock_.advance(seconds(1));
  shown(made.text);
  EXPECT_EQ(lastUse(), clock_.now());
}

TEST_P(KeysTest, AUseThatIsRefusedIsNoUse) {
  auto const made = add(Role::auditor);
  run(keys_->revoke(made.key.id)).value();
  shown(made.text);
  EXPECT_FALSE(run(keys_->list({})).value().front().last_used.has_value());
}

TEST_P(KeysTest, AreListedByAgePageByPageAndByVendor) {
  for (auto const* vendor : {"ven_1", "ven_2", "ven_1"}) {
    add(Role::vendor, vendor);
    clock_.advance(seconds(1));
  }
  KeyQuery query;
  query.limit = 2;
  auto const page = run(keys_->list(query)).value();
  ASSERT_EQ(page.size(), 2U);
  EXPECT_EQ(page[1].vendor_id, "ven_2");
  query.after_id = page[1].id;
  EXPECT_EQ(run(keys_->list(query)).value().size(), 1U);
  KeyQuery of_one;
  of_one.vendor_id = "ven_1";
  EXPECT_EQ(run(keys_->list(of_one)).value().size(), 2U);
}

TEST_P(KeysTest, ManyAreAskedForByTheirIdsWithoutBeingUsed) {
  auto const good = add(Role::auditor);
  auto const bad = add(Role::auditor);
  run(keys_->revoke(bad.key.id)).value();
  std::vector<std::string> ids(700, "key_none");
  ids.front() = good.key.id;
  ids.back() = bad.key.id;
  auto const found = run(keys_->some(ids)).value();
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].id, good.key.id);
  EXPECT_FALSE(found[0].last_used.has_value());
  EXPECT_EQ(stateOf(found[1], clock_.now()), "revoked");
  EXPECT_TRUE(run(keys_->some({})).value().empty());
}

TEST_P(KeysTest, WhatBecomesOfAKeyIsToldInTheSameUnit) {
  auto const old = add(Role::auditor);
  run(keys_->rotate(old.key.id, hours(1))).value();
  run(keys_->revoke(old.key.id)).value();
  run(keys_->revoke(old.key.id)).value();
  EXPECT_THAT(told_, ::testing::ElementsAre("key.add " + old.key.id, "key.rotate " + old.key.id,
                                            "key.revoke " + old.key.id));
  telling_fails_ = true;
  EXPECT_TRUE(run(keys_->add(wish(Role::auditor))).has_error());
  EXPECT_EQ(run(keys_->list({})).value().size(), 2U) << "what cannot be told does not happen";
}

TEST_P(KeysTest, AKeyOfARoleThatIsNotKnownHereIsListedAndGoodForNothing) {
  auto const made = add(Role::auditor);
  add(Role::partner);
  write("UPDATE api_keys SET role='planner' WHERE key_id='" + made.key.id + "'");
  EXPECT_EQ(shown(made.text).outcome, Outcome::roleUnknown);
  auto const listed = run(keys_->list({})).value();
  ASSERT_EQ(listed.size(), 2U);
  auto const& unknown = listed[0].id == made.key.id ? listed[0] : listed[1];
  EXPECT_EQ(nameOrUnknown(unknown.role), "unknown");
  EXPECT_FALSE(unknown.last_used.has_value()) << "it was of no use";
  EXPECT_EQ(run(keys_->rotate(made.key.id, hours(1))).error().kind, ErrorKind::conflict);
  EXPECT_EQ(stateOf(run(keys_->revoke(made.key.id)).value(), clock_.now()), "revoked");
  EXPECT_EQ(shown(made.text).outcome, Outcome::revoked);
}

} // namespace
} // namespace garland::access
