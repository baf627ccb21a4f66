#include "host/sync/action_rule.h"

#include <gtest/gtest.h>

#include <regex>
#include <set>

namespace garland::sync {
namespace {

using namespace std::chrono_literals;

TimePoint const kNow{Milliseconds(1'780'000'000'000)};

struct Course : ::testing::Test {
  SeededRandom random{7};
  ActionRule lookup{"a.find/1", std::nullopt};
  ActionRule repeat{"", Milliseconds(24h)};
  ActionRule neither;

  ActionCourse at(ActionRule rule, TimePoint now = kNow) { return {std::move(rule), now, random}; }
  Action sent(ActionRule const& rule) {
    Action action;
    at(rule).sent(action);
    return action;
  }
};

Error errorOf(ErrorKind kind, Effect effect, int http_status = 0) {
  Error error(kind, "no");
  error.http_status = http_status;
  return std::move(error).withEffect(effect);
}

TEST_F(Course, AnUnknownEffectIsNeverAFailureAndNeverWaitsToBeTriedAgain) {
  for (auto const& rule : {lookup, repeat, neither})
    for (auto const kind :
         {ErrorKind::authRevoked, ErrorKind::forbidden, ErrorKind::rateLimited, ErrorKind::transient,
          ErrorKind::invalidInput, ErrorKind::cancelled, ErrorKind::providerBug, ErrorKind::pluginBug})
      for (bool const in_doubt : {false, true}) {
        auto action = sent(rule);
        at(rule).failed(action, errorOf(kind, Effect::unknown, 400), in_doubt);
        EXPECT_EQ(action.state, ActionState::unknown);
        EXPECT_EQ(action.next_attempt.has_value(), !rule.lookup.empty() || rule.repeat_for.has_value());
      }
}

TEST_F(Course, AnAnswerThatNobodyCouldReadLeavesItUnknownHoweverSureTheConnectorIs) {
  for (auto const& rule : {lookup, repeat, neither}) {
    auto action = sent(rule);
    at(rule).failed(action, errorOf(ErrorKind::providerBug, Effect::applied, 200), false);
    EXPECT_EQ(action.state, ActionState::unknown);
    EXPECT_EQ(action.next_attempt.has_value(), !rule.lookup.empty() || rule.repeat_for.has_value());
  }
}

TEST_F(Course, WhatAProviderSaysOfTheRequestSettlesARepetitionAndNothingElseDoes) {
  struct Case {
    Error error;
    ActionState state;
  };
  for (auto const& [error, state] :
       {Case{errorOf(ErrorKind::invalidInput, Effect::notApplied, 402), ActionState::failed},
        Case{errorOf(ErrorKind::invalidInput, Effect::notApplied), ActionState::unknown},
        Case{errorOf(ErrorKind::conflict, Effect::notApplied, 409), ActionState::unknown},
        Case{errorOf(ErrorKind::authExpired, Effect::notApplied, 401), ActionState::unknown},
        Case{errorOf(ErrorKind::transient, Effect::notApplied), ActionState::unknown},
        Case{errorOf(ErrorKind::providerBug, Effect::applied, 200), ActionState::unknown}}) {
    auto action = sent(repeat);
    at(repeat).failed(action, error, true);
    EXPECT_EQ(action.state, state) << name(error.kind) << " " << error.http_status;
  }
}

TEST_F(Course, DelaysGrowAreSpreadAndHaveAMost) {
  std::set<std::int64_t> seen;
  Milliseconds longest{0};
  for (int i = 0; i < 200; ++i) {
    auto action = sent(lookup);
    action.attempts = 9;
    at(lookup).failed(action, errorOf(ErrorKind::transient, Effect::notApplied), false);
    ASSERT_TRUE(action.next_attempt);
    longest = std::max(longest, *action.next_attempt - kNow);
    seen.insert((*action.next_attempt - kNow).count());
  }
  EXPECT_LE(longest, 15min);
  EXPECT_GT(longest, 5min);
  EXPECT_GT(seen.size(), 150U);
}

TEST_F(Course, WhatWasNeverAskedDoesNotCountAndComesAgainMoreAndMoreSeldom) {
  Action before;
  before.created = kNow - 40min;
  before.attempts = 3;
  Milliseconds longest{0};
  for (int i = 0; i < 200; ++i) {
    auto action = before;
    at(lookup).sent(action);
    at(lookup).neverAsked(action, before, errorOf(ErrorKind::transient, Effect::unknown), false);
    ASSERT_EQ(action.state, ActionState::waiting);
    EXPECT_EQ(action.attempts, 3);
    EXPECT_FALSE(action.first_sent);
    EXPECT_EQ(action.error->effect, Effect::notApplied);
    longest = std::max(longest, *action.next_attempt - kNow);
  }
  EXPECT_GT(longest, 5min);
  EXPECT_LE(longest, 15min);
}

TEST_F(Course, WhatWasNeverAskedForADayHasFailed) {
  Action before;
  before.created = kNow - 25h;
  auto action = before;
  at(lookup).sent(action);
  at(lookup).neverAsked(action, before, errorOf(ErrorKind::transient, Effect::unknown), false);
  EXPECT_EQ(action.state, ActionState::failed);
  EXPECT_EQ(action.known_by, "host");
  auto doubtful = before;
  doubtful.state = ActionState::unknown;
  doubtful.first_sent = kNow - 1h;
  auto const was = doubtful;
  at(repeat).sent(doubtful);
  at(repeat).neverAsked(doubtful, was, errorOf(ErrorKind::transient, Effect::notApplied), true);
  EXPECT_EQ(doubtful.state, ActionState::unknown) << "an earlier attempt may have been applied";
}

TEST_F(Course, WhatTheSignInIsMissingForWaitsForItHoweverLongThatTakes) {
  for (auto const kind : {ErrorKind::authExpired, ErrorKind::authRevoked}) {
    auto action = sent(neither);
    at(neither).failed(action, errorOf(kind, Effect::notApplied, 401), false);
    EXPECT_EQ(action.state, ActionState::waiting);
    ASSERT_TRUE(action.next_attempt);
    EXPECT_LE(*action.next_attempt, kNow + 2s);
    Action before;
    before.created = kNow - 40 * 24h;
    action = before;
    at(neither).sent(action);
    at(neither).neverAsked(action, before, errorOf(kind, Effect::unknown), false);
    EXPECT_EQ(action.state, ActionState::waiting);
    EXPECT_EQ(action.error->effect, Effect::notApplied);
    EXPECT_EQ(action.attempts, 0);
    ASSERT_TRUE(action.next_attempt);
    EXPECT_LE(*action.next_attempt, kNow + 2s) << "once it is connected again it goes soon";
  }
}

TEST_F(Course, APauseIsNoAgeAndTheDayBeginsAnewWhenItEnds) {
  Action before;
  before.created = kNow - 40 * 24h;
  auto action = before;
  auto const error = errorOf(ErrorKind::transient, Effect::notApplied);
  at(lookup).sent(action);
  at(lookup).neverAsked(action, before, error, false, kNow - 1min);
  EXPECT_EQ(action.state, ActionState::waiting);
  EXPECT_LE(*action.next_attempt, kNow + 1min) << "and the pauses between attempts are short again";
  action = before;
  at(lookup).sent(action);
  at(lookup).neverAsked(action, before, error, false, kNow - 25h);
  EXPECT_EQ(action.state, ActionState::failed);
}

TEST_F(Course, AProviderThatWantsToBeLeftAloneForMoreThanADayIsAFailure) {
  auto error = errorOf(ErrorKind::quota, Effect::notApplied, 429);
  error.retry_after = 48h;
  auto action = sent(lookup);
  at(lookup).failed(action, error, false);
  EXPECT_EQ(action.state, ActionState::failed);
  error.retry_after = 2h;
  action = sent(lookup);
  at(lookup).failed(action, error, false);
  EXPECT_EQ(action.state, ActionState::waiting);
  EXPECT_GE(*action.next_attempt, kNow + 2h);
}

TEST_F(Course, ARepetitionHasToEndBeforeTheKeyIsForgotten) {
  auto action = sent(repeat);
  EXPECT_TRUE(at(repeat, kNow + 24h - kActionDeadline).mayRepeat(action));
  EXPECT_FALSE(at(repeat, kNow + 24h - kActionDeadline + 1ms).mayRepeat(action));
  EXPECT_FALSE(at(lookup).mayRepeat(action));
  action.attempts = 10;
  EXPECT_FALSE(at(repeat).mayRepeat(action));
  at(repeat).failed(action, errorOf(ErrorKind::transient, Effect::unknown), true);
  EXPECT_EQ(action.state, ActionState::unknown);
  EXPECT_FALSE(action.next_attempt);
}

TEST_F(Course, NotFoundForGoodIsTriedAgainOnlyIfThatCanHelp) {
  auto const answer = parseJson(R"({"found":false,"final":true})").value();
  auto action = sent(lookup);
  at(lookup).failed(action, errorOf(ErrorKind::transient, Effect::unknown), false);
  at(lookup).lookedUp(action, answer);
  EXPECT_EQ(action.state, ActionState::waiting);
  EXPECT_EQ(action.error->effect, Effect::notApplied);
  action = sent(lookup);
  at(lookup).failed(action, errorOf(ErrorKind::pluginBug, Effect::unknown), false);
  at(lookup).lookedUp(action, answer);
  EXPECT_EQ(action.state, ActionState::failed);
  EXPECT_EQ(action.known_by, "lookup");
}

TEST_F(Course, ARefusalThatIsFoundIsAFailureAsItsAnswerWouldHaveBeen) {
  auto const answer = parseJson(R"({"found":true,"final":true,"output":{"id":"pi_1"},"refused":{
    "message":"pi_1 was refused: no funds","user_message":"no funds","code":"card_declined",
    "detail":{"decline_code":"insufficient_funds"}}})")
                          .value();
  auto action = sent(lookup);
  at(lookup).failed(action, errorOf(ErrorKind::transient, Effect::unknown), false);
  at(lookup).lookedUp(action, answer);
  EXPECT_EQ(action.state, ActionState::failed);
  EXPECT_EQ(action.known_by, "lookup");
  ASSERT_TRUE(action.error);
  EXPECT_EQ(action.error->kind, ErrorKind::invalidInput);
  EXPECT_EQ(action.error->effect, Effect::notApplied);
  EXPECT_EQ(action.error->provider_code, "card_declined");
  EXPECT_EQ(action.error->user_message, "no funds");
  EXPECT_EQ(textOr(action.error->detail, "/decline_code", ""), "insufficient_funds");
  EXPECT_TRUE(action.output.is_null());
}

TEST_F(Course, LookupsGoOnForeverAndNeverMoreThanSixHoursApart) {
  auto action = sent(lookup);
  at(lookup).failed(action, errorOf(ErrorKind::transient, Effect::unknown), false);
  for (int i = 0; i < 100; ++i) {
    auto const now = *action.next_attempt;
    at(lookup, now).lookupFailed(action, errorOf(ErrorKind::transient, Effect::notApplied));
    ASSERT_EQ(action.state, ActionState::unknown);
    ASSERT_TRUE(action.next_attempt);
    EXPECT_LE(*action.next_attempt - now, 6h);
    EXPECT_GE(*action.next_attempt - now, 2'500ms);
  }
}

TEST_F(Course, ALookupComesAsSoonAsOneCanBeFinal) {
  auto const settled = kNow + 10min + 1s;
  for (int i = 0; i < 50; ++i) {
    auto action = sent(lookup);
    at(lookup).failed(action, errorOf(ErrorKind::transient, Effect::unknown), false);
    std::set<TimePoint> looks;
    while (*action.next_attempt <= kNow + 24h) {
      auto const now = *action.next_attempt;
      looks.insert(now);
      at(lookup, now).lookedUp(action, parseJson(R"({"found":false,"final":false})").value());
      ASSERT_TRUE(action.next_attempt);
    }
    auto const first = looks.lower_bound(settled);
    ASSERT_NE(first, looks.end());
    EXPECT_LE(*first, settled + 2'500ms) << "it is never asked twice within the shortest pause";
  }
}

TEST_F(Course, ALookupWaitsAsLongAsTheProviderAsksEvenIfItCouldBeFinalBefore) {
  auto action = sent(lookup);
  auto error = errorOf(ErrorKind::rateLimited, Effect::unknown, 429);
  error.retry_after = 30min;
  at(lookup).failed(action, error, false);
  EXPECT_GE(*action.next_attempt, kNow + 30min);
}

TEST_F(Course, WhatWasSentAndCannotBeAskedForAnyMoreIsNotCalledFailed) {
  auto action = sent(lookup);
  at(lookup).failed(action, errorOf(ErrorKind::transient, Effect::unknown), false);
  at(lookup).refused(action, Error(ErrorKind::forbidden, "the plugin is disabled"));
  EXPECT_EQ(action.state, ActionState::unknown);
  EXPECT_TRUE(action.next_attempt);
  at(lookup).refused(action, Error(ErrorKind::notFound, "there is no such connection"));
  EXPECT_EQ(action.state, ActionState::unknown);
  EXPECT_FALSE(action.next_attempt);
  Action waiting;
  at(lookup).refused(waiting, Error(ErrorKind::forbidden, "the plugin is disabled"));
  EXPECT_EQ(waiting.state, ActionState::failed);
}

TEST(ActionKey, IsAUuidThatDependsOnVendorConnectionAndKeyAlone) {
  auto const key = providerKey("ven_1", "con_1", "invoice-7");
  EXPECT_TRUE(std::regex_match(
      key, std::regex("[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")))
      << key;
  EXPECT_EQ(key, providerKey("ven_1", "con_1", "invoice-7"));
  std::set<std::string> all;
  for (auto const* vendor : {"ven_1", "ven_2"})
    for (auto const* connection : {"con_1", "con_2"})
      for (auto const* own : {"invoice-7", "invoice-8"}) all.insert(providerKey(vendor, connection, own));
  EXPECT_EQ(all.size(), 8U);
}

TEST(ActionStates, HaveNamesThatAreReadBack) {
  for (auto const state : {ActionState::waiting, ActionState::sent, ActionState::done, ActionState::failed,
                           ActionState::unknown})
    EXPECT_EQ(actionStateNamed(name(state)), state);
  EXPECT_EQ(actionStateNamed("lost"), std::nullopt);
}

} // namespace
} // namespace garland::sync
