// What follows from an answer: when a token is renewed, when it is tried again, and who is told what.
#include "host/oauth/course.h"

#include <gmock/gmock.h>

namespace garland::oauth {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using namespace std::chrono_literals;

TimePoint const kNow = parseRfc3339("2026-06-13T12:00:00Z").value();

struct Course : ::testing::Test {
  Course() {
    grant.renewal = Secret("old");
    grant.status.state = "connected";
    grant.attempt.node = "box 1";
    grant.attempt.begun = kNow;
  }
  After after(Answer answer) {
    return afterwards(grant, provider, std::move(answer), kNow, kNow + 1s, random);
  }
  static Answer given(std::string refresh, std::optional<Milliseconds> life) {
    Answer answer;
    answer.verdict = Verdict::given;
    answer.access = Secret("new access");
    answer.refresh = Secret(std::move(refresh));
    answer.life = life;
    return answer;
  }
  static Answer bad(Verdict verdict, std::string why, bool in_doubt = false) {
    Answer answer;
    answer.verdict = verdict;
    answer.why = std::move(why);
    answer.in_doubt = in_doubt;
    return answer;
  }

  SeededRandom random{1};
  Provider provider;
  Grant grant;
};

TEST_F(Course, ATokenIsRenewedWhenAboutFourFifthsOfItsLifeAreOver) {
  for (int i = 0; i < 200; ++i) {
    auto const out = after(given("next", 1h));
    EXPECT_EQ(out.expires, kNow + 1h) << "from when it was asked for";
    EXPECT_GE(*out.due, kNow + 45min);
    EXPECT_LE(*out.due, kNow + 51min);
  }
  EXPECT_EQ(after(given("next", std::nullopt)).due, std::nullopt);
  provider.life = 2h;
  EXPECT_EQ(after(given("next", std::nullopt)).expires, kNow + 2h);
}

TEST_F(Course, ACodeIsNeverWhatATokenIsRenewedBy) {
  grant.redemption.emplace();
  EXPECT_EQ(after(given("", 1h)).renewal.reveal(), "");
  EXPECT_EQ(after(given("next", 1h)).renewal.reveal(), "next");
  auto const refused = after(bad(Verdict::grantRefused, "it answered 400 invalid_grant"));
  EXPECT_THAT(refused.status.cause, AllOf(HasSubstr("does not take the code"), HasSubstr("sign in again")));
  EXPECT_EQ(refused.status.by, "provider");
}

TEST_F(Course, WhatLapsesUnusedIsRenewedMoreOften) {
  provider.at_least = 24h;
  EXPECT_EQ(after(given("next", std::nullopt)).due, kNow + 1s + 24h);
  EXPECT_EQ(after(given("next", 60 * 24h)).due, kNow + 1s + 24h);
  EXPECT_LT(*after(given("next", 1h)).due, kNow + 1h);
}

TEST_F(Course, WhatItIsRenewedByNextIsTheProvidersChoice) {
  EXPECT_EQ(after(given("next", 1h)).renewal.reveal(), "next");
  EXPECT_EQ(after(given("", 1h)).renewal.reveal(), "old") << "this provider's refresh tokens last";
  provider.renew_by = Provider::RenewBy::access;
  EXPECT_EQ(after(given("", 1h)).renewal.reveal(), "new access");
  provider.renew_by = Provider::RenewBy::client;
  EXPECT_EQ(after(given("", 1h)).renewal.reveal(), "");
}

TEST_F(Course, TroubleIsTriedAgainLaterAndLaterAndNobodyIsAskedToReconnect) {
  Milliseconds longest{0};
  for (grant.failures = 0; grant.failures < 100; ++grant.failures) {
    auto const out = after(bad(Verdict::later, "it answered 502", true));
    EXPECT_EQ(out.status.state, "retrying");
    EXPECT_EQ(out.failures, grant.failures + 1);
    EXPECT_GE(*out.status.next_try, kNow + 1s + 5s);
    longest = std::max(longest, Milliseconds(*out.status.next_try - kNow));
  }
  EXPECT_GT(longest, 30min);
  EXPECT_LE(longest, 1h + 1s);
  auto answer = bad(Verdict::later, "it answered 429");
  answer.retry_after = 20min;
  grant.failures = 0;
  EXPECT_EQ(after(std::move(answer)).status.next_try, kNow + 1s + 20min);
}

TEST_F(Course, ARefusalNamesItsCause) {
  auto const plain = after(bad(Verdict::grantRefused, "it answered 400 invalid_grant")).status;
  EXPECT_EQ(plain.state, "reconnect needed");
  EXPECT_EQ(plain.by, "provider");
  EXPECT_THAT(plain.cause, AllOf(HasSubstr("taken back there, or has run out"), HasSubstr("invalid_grant"),
                                 HasSubstr("connect the account again")));
  doubtAttempt(grant);
  auto const crashed = after(bad(Verdict::grantRefused, "it answered 400 invalid_grant")).status;
  EXPECT_EQ(crashed.by, "host");
  EXPECT_THAT(crashed.cause, AllOf(HasSubstr("the daemon box 1 ended while it waited for the answer"),
                                   HasSubstr("2026-06-13T12:00:00"), HasSubstr("or had just received it"),
                                   HasSubstr("never kept here")));
}

TEST_F(Course, ALostAnswerIsRememberedUntilATokenComes) {
  auto const lost = after(bad(Verdict::later, "no answer came (timed_out)", true));
  EXPECT_THAT(lost.doubt, HasSubstr("timed_out"));
  grant.doubt = lost.doubt;
  grant.doubt_by = lost.doubt_by;
  doubtAttempt(grant);
  EXPECT_EQ(grant.doubt, lost.doubt) << "the first is the cause";
  EXPECT_EQ(after(bad(Verdict::later, "it answered 429")).doubt, lost.doubt);
  EXPECT_EQ(after(given("next", 1h)).doubt, "");
  EXPECT_EQ(after(bad(Verdict::later, "it answered 429")).doubt_by, "provider");
}

TEST_F(Course, ARefusedClientIsLeftAloneAndTheAccountStaysConnected) {
  auto const out = after(bad(Verdict::clientRefused, "it answered 401 invalid_client"));
  EXPECT_EQ(out.status.state, "retrying");
  EXPECT_EQ(out.status.next_try, kNow + 1s + kClientPause);
  EXPECT_THAT(out.status.cause, HasSubstr("client id or the secret"));
}

} // namespace
} // namespace garland::oauth
