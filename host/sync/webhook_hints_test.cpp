// What was taken in and is followed late: after a commit of which nobody knows whether it was made, and where
// a kind or an account cannot be followed at once.
#include "host/sync/testing/with_notices.h"

#include <gmock/gmock.h>

namespace garland::sync {
namespace {

using ::testing::HasSubstr;

class HintsOfWebhooks : public testing::WithNotices {};

// ---- a commit of which nobody knows whether it was made

TEST_F(HintsOfWebhooks, ADeliveryWhoseCommitWasToldAsLostIsReadIfItIsThere) {
  loseTheAnswerOf({rowOf("id 1")});
  EXPECT_FALSE(notices.send("id 1", {"1"})) << "its sender may send it again";
  EXPECT_EQ(notices.settled("id 1").state, WebhookState::done);
  notices.followed();
}

TEST_F(HintsOfWebhooks, ADeliveryThatIsKnownIsReadIfItWaits) {
  commit(rowOf("id 1"));
  EXPECT_TRUE(notices.send("id 1", {"1"}).value());
  EXPECT_EQ(notices.settled("id 1").state, WebhookState::done);
}

TEST_F(HintsOfWebhooks, HintsWhoseCommitWasToldAsLostAreFollowedIfTheyAreThere) {
  // The first commit is the delivery's own; it goes through, and then the one of what it is about is set up.
  notices.during = [&](runtime::CallHost*) {
    loseTheAnswerOf(
        {hintOf("crm.project", "1"), "UPDATE webhooks SET state='done', next_attempt=NULL, finished=1"});
    return testing::nothing();
  };
  ASSERT_TRUE(notices.send("id 1", {"1"}));
  EXPECT_EQ(notices.settled("id 1").state, WebhookState::done);
  notices.followed();
  EXPECT_EQ(names(), (std::multiset<std::string>{"Project 1"}));
}

TEST_F(HintsOfWebhooks, WhatNobodyWasToldOfIsFoundWithinMinutes) {
  commit(rowOf("id 1"));
  commit(hintOf("crm.project", "2"));
  while (house.clock.sleepers() < 1) house.loop.run_one();
  house.clock.advance(Milliseconds(300'000));
  EXPECT_EQ(notices.settled("id 1").state, WebhookState::done);
  notices.followed();
  EXPECT_EQ(names(), (std::multiset<std::string>{"Project 1", "Project 2"}));
}

TEST_F(HintsOfWebhooks, WhatNobodyWasToldOfIsFoundThoughTheTimeOfDayWasSetBack) {
  commit(rowOf("id 1"));
  while (house.clock.sleepers() < 1) house.loop.run_one();
  house.clock.set(house.clock.now() - std::chrono::days(1));
  house.clock.advance(Milliseconds(300'000));
  EXPECT_EQ(notices.settled("id 1").state, WebhookState::done);
}

// ---- hints that are not followed at once

TEST_F(HintsOfWebhooks, HintsOfAKindThatFailedStayAndTheOthersAreFollowed) {
  house.provider("p/crm.client").refuse_gets = Error(ErrorKind::providerBug, "not JSON");
  commit(hintOf("crm.client", "7"));
  ASSERT_TRUE(notices.send("id 1", {"1"}));
  until(
      [&] { return house.rows("SELECT 1 FROM runs WHERE hinted=1 AND state='partly failed'").size() == 1; });
  until([&] { return house.rows("SELECT 1 FROM hints WHERE kind='crm.project'").empty(); });
  ASSERT_EQ(house.rows("SELECT 1 FROM hints WHERE kind='crm.client'").size(), 1U);
  house.provider("p/crm.client").refuse_gets.reset();
  while (house.clock.sleepers() < 2) house.loop.run_one();
  house.clock.advance(Milliseconds(5'000));
  notices.followed();
  EXPECT_EQ(notices.projects.gets, (std::vector<std::string>{"1"}));
}

TEST_F(HintsOfWebhooks, AHintOfAKindThatIsNotBroughtKeepsNoOtherBack) {
  commit(hintOf("calendar.event", "7"));
  ASSERT_TRUE(notices.send("id 1", {"1"}));
  notices.settled("id 1");
  notices.followed();
  EXPECT_EQ(names(), (std::multiset<std::string>{"Project 1"}));
  EXPECT_THAT(house.log_text, HasSubstr("does not bring"));
}

TEST_F(HintsOfWebhooks, ARunThatFindsSomethingMissingIsRepeatedWithinItsSpan) {
  notices.projects.refuse_gets = Error(ErrorKind::notFound, "no such studio");
  ASSERT_TRUE(notices.send("id 1", {"1"}));
  notices.settled("id 1");
  auto const tries = [&](std::size_t count) {
    until([&] { return house.rows("SELECT 1 FROM runs WHERE hinted=1 AND state='failed'").size() == count; });
    while (house.clock.sleepers() < 2) house.loop.run_one();
  };
  tries(1);
  for (int i = 0; i < 50; ++i) house.rows("SELECT 1"); // time enough for a run
  EXPECT_EQ(house.rows("SELECT 1 FROM runs WHERE hinted=1").size(), 1U);
  house.clock.advance(Milliseconds(5'000));
  tries(2);
  house.clock.advance(Milliseconds(10'000));
  tries(3);
}

TEST_F(HintsOfWebhooks, AnAccountThatWorksAgainHasItsHintsFollowedAtOnce) {
  switchOff();
  commit(hintOf("crm.project", "1"));
  house.run(house.engine->enablePlugin(notices.vendor, "test.crm.studio")).value();
  notices.followed();
  EXPECT_EQ(names(), (std::multiset<std::string>{"Project 1"}));
}

} // namespace
} // namespace garland::sync
