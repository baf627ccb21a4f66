// What whoever looks after connections is told of each.
#include "host/sync/sync.h"

#include <gtest/gtest.h>

namespace garland::sync {
namespace {

TimePoint const kThen = parseRfc3339("2026-06-13T14:05:00Z").value();

Connection standing(std::string state, std::string reason = {}) {
  Connection connection;
  connection.state = std::move(state);
  connection.state_reason = std::move(reason);
  connection.next_due = kThen;
  return connection;
}

SignIn signIn(std::string state) {
  SignIn one;
  one.slot = "account";
  one.state = std::move(state);
  one.cause = "it answered 502";
  one.by = "provider";
  one.next_try = kThen + std::chrono::minutes(1);
  return one;
}

TEST(Condition, WhatIsWellNeedsNoReason) {
  EXPECT_EQ(conditionOf(standing("connected")).state, "connected");
  EXPECT_EQ(conditionOf(standing("connected")).why, "");
}

TEST(Condition, WhatFailsIsRetriedWhenItIsDue) {
  auto const failing = conditionOf(standing("failing", "the network is down"));
  EXPECT_EQ(failing.state, "retrying");
  EXPECT_EQ(failing.why, "the network is down");
  EXPECT_EQ(failing.until, kThen);
}

TEST(Condition, WhatIsDueAtOnceIsNotDueIn1970) {
  auto failing = standing("failing", "the network is down");
  failing.next_due = TimePoint();
  EXPECT_EQ(conditionOf(failing).until, std::nullopt);
  failing.sign_ins.push_back(signIn("retrying"));
  failing.sign_ins[0].next_try = std::nullopt;
  EXPECT_EQ(conditionOf(failing).until, std::nullopt);
}

TEST(Condition, ASignInThatCannotBeRenewedLeavesWhatWorksDegraded) {
  auto works = standing("connected");
  works.sign_ins.push_back(signIn("retrying"));
  EXPECT_EQ(conditionOf(works).state, "degraded");
  EXPECT_EQ(conditionOf(works).by, "provider");
  auto fails = standing("failing", "a sync failed");
  fails.sign_ins.push_back(signIn("retrying"));
  EXPECT_EQ(conditionOf(fails).state, "retrying");
  EXPECT_EQ(conditionOf(fails).why, "it answered 502");
  EXPECT_EQ(conditionOf(fails).until, kThen + std::chrono::minutes(1));
}

TEST(Condition, AReconnectTellsWhyAndWhoseDoingItIs) {
  auto over = standing("connected");
  over.sign_ins.push_back(signIn("reconnect needed"));
  over.sign_ins[0].by = "host";
  EXPECT_EQ(conditionOf(over).state, "reconnect needed");
  EXPECT_EQ(conditionOf(over).why, "it answered 502");
  EXPECT_EQ(conditionOf(over).by, "host");
  EXPECT_EQ(conditionOf(standing("reconnect needed", "401")).why, "401; connect the account again");
}

TEST(Condition, ASignInIsNotTriedBeforeTheScheduleNeedsIt) {
  for (auto const* state : {"failing", "connected"}) {
    auto late = standing(state);
    late.sign_ins.push_back(signIn("retrying"));
    late.next_due = kThen + std::chrono::minutes(15);
    EXPECT_EQ(conditionOf(late).until, late.next_due) << state;
  }
}

TEST(Condition, WhatAConnectorWasAnsweredIsToldWithWhatToDoAboutIt) {
  auto const refused = conditionOf(standing("reconnect needed", "GET x was answered with status 401"));
  EXPECT_EQ(refused.why, "GET x was answered with status 401; connect the account again");
  auto const told = conditionOf(standing("reconnect needed", "it has run out; connect the account again"));
  EXPECT_EQ(told.why, "it has run out; connect the account again") << "once";
  EXPECT_EQ(conditionOf(standing("reconnect needed")).why, "connect the account again");
}

TEST(Condition, WhatSomebodyAskedForIsTheirDoing) {
  auto rests = standing("paused");
  rests.paused_from = "connected";
  EXPECT_EQ(conditionOf(rests).by, "host") << "nobody kept who";
  rests.paused_by = "key_1";
  EXPECT_EQ(conditionOf(rests).by, "key_1");
  rests.paused_from = "revoked";
  rests.revoked_by = "key_2";
  EXPECT_EQ(conditionOf(rests).by, "key_2");
}

TEST(Condition, APauseHidesNothingThatResumingDoesNotEnd) {
  auto over = standing("paused", "it was taken back here");
  over.paused_from = "revoked";
  EXPECT_EQ(conditionOf(over).state, "revoked");
  EXPECT_EQ(conditionOf(over).why, "it was taken back here; it is paused here as well");
  over.paused_from = "reconnect needed";
  EXPECT_EQ(conditionOf(over).state, "reconnect needed");
  over.paused_from = "connected";
  EXPECT_EQ(conditionOf(over).state, "paused");
  EXPECT_EQ(conditionOf(over).why, "it was paused here; it goes on when it is resumed");
  over.sign_ins.push_back(signIn("reconnect needed"));
  EXPECT_EQ(conditionOf(over).state, "reconnect needed");
  EXPECT_EQ(conditionOf(over).why, "it answered 502; it is paused here as well");
  over.sign_ins[0].state = "retrying";
  EXPECT_EQ(conditionOf(over).state, "paused") << "what ends by itself is nothing to say of it";
}

} // namespace
} // namespace garland::sync
