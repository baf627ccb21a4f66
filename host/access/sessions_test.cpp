// Sessions as they are kept.
#include "host/access/access.h"

#include "host/base/test_folder.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

namespace garland::access {
namespace {

using Outcome = SessionAdmission::Outcome;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

class SessionsTest : public ::testing::Test {
protected:
  SessionsTest() {
    store::Options options;
    options.url = "sqlite:" + (folder_ / "garland.db");
    store_ = run(store::Store::open(loop_.get_executor(), options, migrations())).value();
    auto const tell = [this](std::string_view act, Session const& session) {
      told_.push_back(std::string(act) + " " + session.subject);
      return store::Statement("SELECT 1");
    };
    sessions_ = Sessions::create(SessionDependencies{clock_, random_, log_, *store_, {}, tell});
  }
  ~SessionsTest() override { EXPECT_TRUE(run(store_->close())); }

  template <class T> Result<T> run(Task<T> task) {
    std::optional<Result<T>> out;
    asio::co_spawn(loop_, std::move(task), [&out](std::exception_ptr failed, Result<T> result) {
      if (failed) std::rethrow_exception(failed);
      out.emplace(std::move(result));
    });
    while (!out) loop_.run_one();
    return std::move(*out);
  }
  OpenedSession open(Role role = Role::auditor, std::string vendor = {}) {
    NewSession wish;
    wish.subject = "person-7";
    wish.name = "rosa@studio.example";
    wish.role = role;
    wish.vendor_id = std::move(vendor);
    return run(sessions_->open(std::move(wish))).value();
  }
  SessionAdmission shown(Secret const& text) { return run(sessions_->admit(hashOf(text.reveal()))).value(); }
  bool take(std::string hash) { return run(sessions_->take(std::move(hash))).value(); }

  TestFolder folder_;
  asio::io_context loop_;
  asio::executor_work_guard<asio::io_context::executor_type> work_{loop_.get_executor()};
  VirtualClock clock_{parseRfc3339("2026-01-01T00:00:00Z").value()};
  SeededRandom random_{7};
  Redactor redactor_;
  Log log_{clock_, redactor_, LogLevel::error, [](std::string_view) {}};
  std::vector<std::string> told_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<Sessions> sessions_;
};

TEST_F(SessionsTest, WhoeverHoldsTheCookieIsLetInAsWhoSignedIn) {
  auto const opened = open(Role::vendor, "ven_1");
  EXPECT_TRUE(isSessionKey(opened.text.reveal()));
  EXPECT_FALSE(isApiKey(opened.text.reveal())) << "a cookie is no key";
  auto const admission = shown(opened.text);
  EXPECT_EQ(admission.outcome, Outcome::letIn);
  EXPECT_EQ(admission.session.id, opened.session.id);
  EXPECT_EQ(admission.session.role, Role::vendor);
  EXPECT_EQ(admission.session.vendor_id, "ven_1");
  EXPECT_EQ(admission.session.subject, "person-7");
  EXPECT_EQ(shown(newSessionKey(random_)).outcome, Outcome::unknown);
}

TEST_F(SessionsTest, TheTextOfACookieIsNowhereInTheDatabase) {
  auto const opened = open();
  auto const rows = run(store_->read(store::Statement("SELECT hash FROM sessions"))).value().rows;
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].text(0), hashOf(opened.text.reveal()));
}

TEST_F(SessionsTest, ASessionEndsAfterEightHoursHoweverItIsUsed) {
  auto const opened = open();
  for (int i = 0; i < 16; ++i) {
    EXPECT_EQ(shown(opened.text).outcome, Outcome::letIn) << i;
    clock_.advance(minutes(30));
  }
  EXPECT_EQ(shown(opened.text).outcome, Outcome::expired);
}

TEST_F(SessionsTest, ASessionThatNobodyUsesForAnHourIsOver) {
  auto const opened = open();
  clock_.advance(minutes(59));
  EXPECT_EQ(shown(opened.text).outcome, Outcome::letIn);
  clock_.advance(minutes(59));
  EXPECT_EQ(shown(opened.text).outcome, Outcome::letIn) << "the use was noted";
  clock_.advance(minutes(60));
  EXPECT_EQ(shown(opened.text).outcome, Outcome::expired);
  EXPECT_TRUE(run(sessions_->list("", 10)).value().empty());
}

TEST_F(SessionsTest, ATimeOfDayThatIsSetBackEndsSessionsInsteadOfProlongingThem) {
  auto const begun = clock_.now();
  auto const opened = open();
  auto const left = open();
  clock_.set(begun - seconds(50));
  EXPECT_EQ(shown(opened.text).outcome, Outcome::letIn) << "so far the clocks of daemons may be apart";
  clock_.set(begun - hours(3));
  EXPECT_TRUE(run(sessions_->list("", 10)).value().empty());
  EXPECT_EQ(shown(opened.text).outcome, Outcome::expired);
  clock_.set(begun + minutes(1));
  EXPECT_EQ(shown(opened.text).outcome, Outcome::expired) << "not even when it is that late again";
  EXPECT_EQ(shown(left.text).outcome, Outcome::expired) << "nor one that nobody used meanwhile";
}

TEST_F(SessionsTest, ASignInDoesNotWaitLongerBecauseTheTimeOfDayWasSetBack) {
  auto const begun = clock_.now();
  run(sessions_->begin("one")).value();
  run(sessions_->begin("two")).value();
  clock_.set(begun - hours(3));
  EXPECT_FALSE(take("one"));
  run(sessions_->begin("three")).value();
  EXPECT_TRUE(take("three"));
  clock_.set(begun);
  EXPECT_FALSE(take("two"));
}

TEST_F(SessionsTest, WhoIsSignedOutIsRefusedAtOnceAndStaysSo) {
  auto const opened = open();
  auto const ended = run(sessions_->end(opened.session.id)).value();
  EXPECT_TRUE(ended.ended);
  EXPECT_EQ(shown(opened.text).outcome, Outcome::ended);
  clock_.advance(seconds(5));
  EXPECT_EQ(run(sessions_->end(opened.session.id)).value().ended, ended.ended) << "the first time counts";
  EXPECT_EQ(run(sessions_->end("ses_none")).error().kind, ErrorKind::notFound);
  EXPECT_THAT(told_, ::testing::ElementsAre("sign_in person-7", "sign_out person-7"));
}

TEST_F(SessionsTest, ASignInComesBackOnceAndInTime) {
  run(sessions_->begin("one")).value();
  run(sessions_->begin("two")).value();
  EXPECT_TRUE(take("one"));
  EXPECT_FALSE(take("one"));
  EXPECT_FALSE(take("none"));
  clock_.advance(minutes(10));
  EXPECT_FALSE(take("two"));
}

TEST_F(SessionsTest, ARoleAndItsVendorGoTogether) {
  NewSession wish;
  wish.subject = "person-7";
  wish.role = Role::vendor;
  EXPECT_EQ(run(sessions_->open(wish)).error().kind, ErrorKind::invalidInput);
  wish.role = Role::auditor;
  wish.vendor_id = "ven_1";
  EXPECT_EQ(run(sessions_->open(wish)).error().kind, ErrorKind::invalidInput);
}

TEST_F(SessionsTest, AfterARestoreNobodyIsSignedInAndNoSignInGoesOn) {
  auto const opened = open();
  run(sessions_->begin("one")).value();
  run(store_->commit(endAllSessions(clock_.now()))).value();
  EXPECT_EQ(shown(opened.text).outcome, Outcome::ended);
  EXPECT_FALSE(take("one"));
}

TEST_F(SessionsTest, ADayAfterItsEndASessionIsForgotten) {
  auto const old = open();
  clock_.advance(hours(8 + 24));
  open();
  EXPECT_EQ(shown(old.text).outcome, Outcome::unknown);
}

TEST_F(SessionsTest, ThoseThatAreGoingOnAreAskedForByTheirIdsWithoutAUseOfThem) {
  auto const stays = open();
  auto const ended = open();
  ASSERT_TRUE(run(sessions_->end(ended.session.id)));
  clock_.advance(minutes(59));
  std::vector<std::string> ids(700, "ses_none");
  ids.front() = stays.session.id;
  ids.back() = ended.session.id;
  auto const found = run(sessions_->some(ids)).value();
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].outcome, Outcome::letIn);
  EXPECT_EQ(found[1].session.id, ended.session.id);
  EXPECT_EQ(found[1].outcome, Outcome::ended);
  clock_.advance(minutes(1));
  EXPECT_EQ(run(sessions_->some({stays.session.id})).value().front().outcome, Outcome::expired);
}

} // namespace
} // namespace garland::access
