// What comes in while there is no room for it: turned away with a time to come again, until there is.
#include "host/sync/testing/fake_notices.h"

#include <boost/asio/co_spawn.hpp>
#include <gmock/gmock.h>

namespace garland::sync {
namespace {

using testing::FakeNotices;
using testing::House;
using testing::reached;

class WebhooksRoom : public ::testing::Test {
protected:
  House house;
  FakeNotices notices{house};

  using Answers = std::vector<Result<bool>>;

  void SetUp() override { house.run(house.engine->start()).value(); }
  void restartWith(WebhookRoom room) {
    house.webhook_room = room;
    house.restart();
  }
  void handIn(std::string key, Answers* answers) {
    asio::co_spawn(house.loop, notices.webhooks().accept(notices.delivery(std::move(key), kBody)),
                   [answers](std::exception_ptr, Result<bool> answer) { answers->push_back(answer); });
  }
  void expectTurnedAway(Result<bool> const& answer, Milliseconds again) {
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().kind, ErrorKind::transient) << "503 to its sender";
    EXPECT_EQ(answer.error().retry_after, again);
  }
  // Once no round is under way that began while it was switched on.
  void switchOff() {
    for (int i = 0; i < 50; ++i) house.rows("SELECT 1"); // time enough for one
    house.run(house.engine->disablePlugin(notices.vendor, "test.crm.studio")).value();
  }
  // While a commit is under way there is room for three.
  void expectRoomForThree() {
    Event here(house.loop.get_executor());
    Event go(house.loop.get_executor());
    house.cut->before_commit = [&] { return reached(&here, &go); };
    Answers taken;
    for (auto const* key : {"id 1", "id 2", "id 3"}) handIn(key, &taken);
    house.run(here.wait()).value();
    expectTurnedAway(notices.sendBody("id 4", kBody), Milliseconds(1'000));
    EXPECT_TRUE(taken.empty()) << "nobody is told before it is durable";
    go.set();
    house.drive([&] { return taken.size() == 3; });
    for (auto const& answer : taken) EXPECT_FALSE(answer.value());
    EXPECT_FALSE(notices.sendBody("id 4", kBody).value());
    house.restart();
    for (auto const* key : {"id 1", "id 2", "id 3", "id 4"})
      EXPECT_EQ(notices.settled(key).state, WebhookState::done);
  }

  std::string const kBody = FakeNotices::about({});
};

TEST_F(WebhooksRoom, MoreDeliveriesThanTheDatabaseTakesAreTurnedAwayUntilItHasTakenThem) {
  WebhookRoom room;
  room.queued = 3;
  restartWith(room);
  expectRoomForThree();
}

TEST_F(WebhooksRoom, MoreBytesThanTheDatabaseTakesAreTurnedAwayUntilItHasTakenThem) {
  WebhookRoom room;
  room.queued_bytes = 4 * kBody.size() - 1;
  restartWith(room);
  expectRoomForThree();
}

TEST_F(WebhooksRoom, AConnectionWithTooManyThatNobodyReadIsTurnedAwayAndNoOther) {
  WebhookRoom room;
  room.open = 2;
  restartWith(room);
  for (auto const* key : {"id 1", "id 2"}) {
    ASSERT_TRUE(notices.sendBody(key, "<html>"));
    ASSERT_EQ(notices.settled(key).state, WebhookState::dead);
  }
  expectTurnedAway(notices.sendBody("id 3", kBody), Milliseconds(60'000));
  auto other = notices.delivery("id 4", kBody);
  other.connection_id = house.connect(notices.vendor, "q", "test.crm.studio");
  EXPECT_TRUE(house.run(notices.webhooks().accept(std::move(other))));
  house.restart();
  expectTurnedAway(notices.sendBody("id 3", kBody), Milliseconds(60'000));
  house.run(notices.webhooks().drop(notices.get("id 1").id, "a test")).value();
  EXPECT_FALSE(notices.sendBody("id 3", kBody).value());
  EXPECT_EQ(notices.settled("id 3").state, WebhookState::done);
}

TEST_F(WebhooksRoom, WhatIsDeadAndWhatWaitsCountTogetherAfterARestart) {
  WebhookRoom room;
  room.open = 2;
  restartWith(room);
  ASSERT_TRUE(notices.sendBody("id 1", "<html>"));
  auto const dead = notices.settled("id 1");
  ASSERT_EQ(dead.state, WebhookState::dead);
  switchOff();
  ASSERT_TRUE(notices.sendBody("id 2", kBody));
  house.restart();
  expectTurnedAway(notices.sendBody("id 3", kBody), Milliseconds(60'000));
  house.run(notices.webhooks().drop(dead.id, "a test")).value();
  EXPECT_FALSE(notices.sendBody("id 3", kBody).value());
  expectTurnedAway(notices.sendBody("id 4", kBody), Milliseconds(60'000));
}

TEST_F(WebhooksRoom, AConnectionWithTooManyBytesThatNobodyReadIsTurnedAway) {
  WebhookRoom room;
  room.open_bytes = 6;
  restartWith(room);
  ASSERT_TRUE(notices.sendBody("id 1", "<html>"));
  auto const dead = notices.settled("id 1");
  expectTurnedAway(notices.sendBody("id 2", kBody), Milliseconds(60'000));
  house.run(notices.webhooks().drop(dead.id, "a test")).value();
  EXPECT_FALSE(notices.sendBody("id 2", kBody).value());
  EXPECT_EQ(notices.settled("id 2").state, WebhookState::done);
}

} // namespace
} // namespace garland::sync
