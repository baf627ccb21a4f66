// What providers tell by themselves: durable before it is read, read once, and the records read again.
#include "host/sync/testing/with_notices.h"

#include "host/sync/retry.h"
#include "host/sync/sql.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <set>

namespace garland::sync {
namespace {

using testing::FakeNotices;
using ::testing::HasSubstr;
using testing::House;
using testing::reached;

class WebhooksTest : public testing::WithNotices {};

TEST_F(WebhooksTest, ADeliveryIsReadAndItsRecordsAreReadAgain) {
  EXPECT_FALSE(notices.send("id 1", {"1", "3"}).value());
  auto const webhook = notices.settled("id 1");
  EXPECT_EQ(webhook.state, WebhookState::done);
  EXPECT_EQ(webhook.event, "project.updated");
  EXPECT_EQ(webhook.hints, 2);
  EXPECT_EQ(webhook.attempts, 1);
  EXPECT_TRUE(webhook.finished);
  notices.followed();
  EXPECT_EQ(names(), (std::multiset<std::string>{"Project 1", "Project 3"}));
  EXPECT_EQ(notices.projects.pulls, 0);
  EXPECT_EQ(json::serialize(notices.last_input.at("headers")), R"({"x-event":"e"})");
  auto const content = house.run(notices.webhooks().contentOf(webhook.id)).value();
  EXPECT_EQ(content.body, FakeNotices::about({"1", "3"}));
}

TEST_F(WebhooksTest, TheSameKeyAgainIsTheSameDelivery) {
  EXPECT_FALSE(notices.send("id 1", {"1"}).value());
  notices.settled("id 1");
  EXPECT_TRUE(notices.send("id 1", {"1"}).value());
  EXPECT_EQ(notices.read.size(), 1U);
  EXPECT_EQ(house.rows("SELECT 1 FROM webhooks").size(), 1U);
}

// Some providers say no more than "project 1 has changed", and say so each time.
TEST_F(WebhooksTest, TheSameBytesAreNewsOnceTheyWereReadAndOneDeliveryUntilThen) {
  bool first = true;
  std::optional<Result<bool>> meanwhile;
  notices.during = [&](runtime::CallHost*) {
    return std::exchange(first, false) ? comeAgain(&meanwhile) : testing::nothing();
  };
  EXPECT_FALSE(house.run(notices.webhooks().accept(again())).value());
  auto const read = notices.settled("bytes x");
  ASSERT_TRUE(meanwhile && *meanwhile);
  EXPECT_TRUE(meanwhile->value()) << "it waits to be read, so nothing is lost";
  notices.followed();
  EXPECT_FALSE(house.run(notices.webhooks().accept(again())).value());
  auto const later = notices.settled("bytes x");
  EXPECT_EQ(later.id, read.id);
  notices.followed();
  EXPECT_EQ(notices.read.size(), 2U);
  EXPECT_EQ(notices.projects.gets, (std::vector<std::string>{"1", "1"}));
}

TEST_F(WebhooksTest, ManyAtOnceAreFewCommitsAndTwoOfOneKeyAreOne) {
  std::vector<bool> known;
  auto const before = house.cut->commits;
  int committed = 0;
  for (int i = 0; i < 300; ++i) {
    auto const key = "id " + std::to_string(i % 200);
    asio::co_spawn(house.loop, notices.webhooks().accept(notices.delivery(key, FakeNotices::about({"1"}))),
                   [&](std::exception_ptr, Result<bool> result) {
                     known.push_back(result.value());
                     committed = house.cut->commits - before;
                   });
  }
  while (known.size() < 300) house.loop.run_one();
  EXPECT_EQ(std::count(known.begin(), known.end(), true), 100);
  EXPECT_LE(committed, 10) << "300 deliveries";
  EXPECT_EQ(house.rows("SELECT 1 FROM webhooks").size(), 200U);
}

// One commit, of which some have an id and some only their bytes, and one was there before.
TEST_F(WebhooksTest, OfManyAtOnceEachIsToldWhetherItIsKnown) {
  ASSERT_TRUE(notices.send("id 2", {"1"}));
  notices.settled("id 2");
  std::map<std::string, int> known; // how often
  int told = 0;
  for (auto const* key : {"id 1", "id 2", "bytes a", "id 3", "bytes a"})
    asio::co_spawn(house.loop, notices.webhooks().accept(notices.delivery(key, FakeNotices::about({"1"}))),
                   [&, key](std::exception_ptr, Result<bool> result) {
                     known[key] += result.value() ? 1 : 0;
                     ++told;
                   });
  house.drive([&] { return told == 5; });
  EXPECT_EQ(known, (std::map<std::string, int>{{"id 1", 0}, {"id 2", 1}, {"id 3", 0}, {"bytes a", 1}}));
}

TEST_F(WebhooksTest, WhatPassesIsTriedAgainLaterAndThenDone) {
  notices.errors.emplace_back(ErrorKind::transient, "the worker is busy");
  ASSERT_TRUE(notices.send("id 1", {"1"}));
  auto const first = notices.settled("id 1");
  EXPECT_EQ(first.state, WebhookState::waiting);
  EXPECT_THAT(first.reason, HasSubstr("the worker is busy"));
  EXPECT_EQ(comesDue(first).state, WebhookState::done);
  EXPECT_EQ(notices.read.size(), 2U);
}

TEST_F(WebhooksTest, WhatNobodyCanReadIsDeadUntilItIsReplayedOrDropped) {
  ASSERT_TRUE(notices.sendBody("id 1", "<html>"));
  ASSERT_TRUE(notices.sendBody("id 2", "\xFF\xFE"));
  ASSERT_TRUE(notices.sendBody("id 3", FakeNotices::about({"1"}, "crm.order")));
  ASSERT_TRUE(notices.sendBody("id 4", FakeNotices::about({std::string("a\0b", 3)})));
  ASSERT_TRUE(notices.send("id 5", {"1"}));
  auto const dead = notices.settled("id 1");
  EXPECT_EQ(dead.state, WebhookState::dead);
  EXPECT_THAT(dead.reason, HasSubstr("not JSON"));
  EXPECT_THAT(notices.settled("id 2").reason, HasSubstr("UTF-8"));
  EXPECT_THAT(notices.settled("id 3").reason, HasSubstr("crm.order"));
  EXPECT_EQ(notices.settled("id 4").state, WebhookState::dead);
  EXPECT_EQ(notices.settled("id 5").state, WebhookState::done) << "the others are not kept back";
  EXPECT_EQ(house.run(notices.webhooks().counts()).value().dead, 4);
  auto const told = house.told("change", "webhook.dead");
  ASSERT_EQ(told.size(), 4U) << "not of the one that was read";
  auto const one =
      std::ranges::find(told, dead.id, [](auto const& row) { return textOr(row, "/subject", ""); });
  ASSERT_NE(one, told.end());
  EXPECT_EQ(one->at("facts"), (json::object{{"by", "host"}}));

  auto const dropped = house.run(notices.webhooks().drop(dead.id, "a test")).value();
  EXPECT_EQ(dropped.state, WebhookState::dropped);
  EXPECT_EQ(notices.get("id 1").reason, "a test");
  house.run(notices.webhooks().replay(notices.get("id 3").id)).value();
  EXPECT_EQ(notices.settled("id 3").state, WebhookState::dead) << "nothing has changed";
  EXPECT_EQ(house.told("change", "webhook.dead").size(), 5U) << "it was given up once more";
  EXPECT_EQ(house.run(notices.webhooks().drop(notices.get("id 5").id, "")).error().kind, ErrorKind::conflict);
}

// The supervisor has tried it alone by then.
TEST_F(WebhooksTest, OneThatEndsItsWorkerIsDeadAtOnceAndTheOthersAreRead) {
  Error poisoned(ErrorKind::pluginBug, "webhooks.parse/1 with this input ends its worker");
  poisoned.provider_code = "poisoned";
  poisoned.retry_after = Milliseconds(600'000);
  notices.errors.push_back(poisoned);
  ASSERT_TRUE(notices.send("id 1", {"1"}));
  auto const dead = notices.settled("id 1");
  EXPECT_EQ(dead.state, WebhookState::dead);
  EXPECT_EQ(dead.attempts, 1);
  EXPECT_THAT(dead.reason, HasSubstr("ends its worker"));
  ASSERT_TRUE(notices.send("id 2", {"2"}));
  EXPECT_EQ(notices.settled("id 2").state, WebhookState::done);
  notices.followed();
  EXPECT_EQ(names(), (std::multiset<std::string>{"Project 2"}));
}

TEST_F(WebhooksTest, AReaderThatAsksSomebodyIsRefused) {
  notices.during = [](runtime::CallHost* host) -> Task<void> {
    runtime::HttpAsk ask;
    ask.method = "GET";
    ask.url = "https://crm.example/";
    auto const answer = co_await host->http(std::move(ask));
    if (!answer) co_return answer.error();
    co_return Result<void>();
  };
  ASSERT_TRUE(notices.send("id 1", {"1"}));
  EXPECT_EQ(notices.settled("id 1").state, WebhookState::dead);
  EXPECT_TRUE(house.egress.requests.empty());
}

TEST_F(WebhooksTest, ARangeIsReadAgain) {
  for (auto const* key : {"id 1", "id 2", "id 3"}) {
    ASSERT_TRUE(notices.send(key, {"1"}));
    notices.settled(key);
    house.clock.advance(Milliseconds(60'000));
  }
  WebhookRange range;
  range.connection_id = notices.connection;
  range.from = notices.get("id 2").received;
  range.until = notices.get("id 3").received;
  EXPECT_EQ(house.run(notices.webhooks().replayRange(range)).value(), 1);
  EXPECT_EQ(notices.settled("id 2").state, WebhookState::done);
  EXPECT_EQ(notices.read.size(), 4U);
  range.from.reset();
  range.until.reset();
  EXPECT_EQ(house.run(notices.webhooks().replayRange(range)).value(), 3);
  for (auto const* key : {"id 1", "id 2", "id 3"}) notices.settled(key);
  EXPECT_EQ(notices.read.size(), 7U);
}

// What is said while the record is being read counts: it is read once more.
TEST_F(WebhooksTest, AHintThatComesWhileItIsFollowedIsFollowedAgain) {
  Event here(house.loop.get_executor());
  Event go(house.loop.get_executor());
  notices.projects.during_get = [&](runtime::CallHost*) { return reached(&here, &go); };
  ASSERT_TRUE(notices.send("id 1", {"1"}));
  house.run(here.wait()).value();
  commit("UPDATE hints SET stamp='whk_9/0'");
  go.set();
  notices.followed();
  EXPECT_EQ(notices.projects.gets, (std::vector<std::string>{"1", "1"}));
}

TEST_F(WebhooksTest, ADeliveryIsReadWhenNothingElseOfItsAccountRuns) {
  Event here(house.loop.get_executor());
  Event go(house.loop.get_executor());
  notices.projects.during_get = [&](runtime::CallHost*) { return reached(&here, &go); };
  ASSERT_TRUE(notices.send("id 1", {"1"}));
  house.run(here.wait()).value();
  ASSERT_TRUE(notices.send("id 2", {"1"}));
  house.drive([&] { return house.engine->load().turns_waiting == 1; });
  EXPECT_EQ(notices.read.size(), 1U) << "its time has not begun";
  go.set();
  EXPECT_EQ(notices.settled("id 2").attempts, 1);
  notices.followed();
  EXPECT_EQ(notices.projects.gets, (std::vector<std::string>{"1", "1"}));
}

// The first brings the other two, which then are one round.
TEST_F(WebhooksTest, OtherSettingsDoNotWaitForEveryDelivery) {
  Event here(house.loop.get_executor());
  Event go(house.loop.get_executor());
  auto const body = FakeNotices::about({});
  notices.during = [&](runtime::CallHost*) {
    if (notices.read.size() == 1) return twoMore(body);
    return notices.read.size() == 2 ? reached(&here, &go) : testing::nothing();
  };
  ASSERT_TRUE(notices.sendBody("id 1", body));
  house.run(here.wait()).value();
  std::size_t read_then = 0;
  asio::co_spawn(house.loop, house.engine->changeSettings(notices.connection, json::object()),
                 [&](std::exception_ptr, Result<Connection> result) {
                   EXPECT_TRUE(result) << result.error().message;
                   read_then = notices.read.size();
                 });
  house.drive([&] { return house.engine->load().turns_waiting == 1; });
  EXPECT_EQ(read_then, 0U);
  go.set();
  for (auto const* id : {"id 2", "id 3"}) // of one moment, so either may be read first
    EXPECT_EQ(notices.settled(id).state, WebhookState::done);
  EXPECT_EQ(read_then, 2U);
}

TEST_F(WebhooksTest, AHintOutlivesAnOutageOfTheProvider) {
  notices.projects.refuse_gets = Error(ErrorKind::transient, "no network");
  ASSERT_TRUE(notices.send("id 1", {"1"}));
  notices.settled("id 1");
  while (house.rows("SELECT 1 FROM runs WHERE hinted=1 AND state='failed'").empty()) house.loop.run_one();
  EXPECT_EQ(house.rows("SELECT 1 FROM hints").size(), 1U);
  notices.projects.refuse_gets.reset();
  while (house.clock.sleepers() < 2) house.loop.run_one();
  house.clock.advance(Milliseconds(5'000));
  notices.followed();
  EXPECT_EQ(names(), (std::multiset<std::string>{"Project 1"}));
}

// Each delivery has what waits followed at once, so how often that failed is no measure of how long it lasts.
TEST_F(WebhooksTest, AHintOutlivesAFullDiskHoweverManyDeliveriesComeMeanwhile) {
  int full = 0;
  house.cut->no_space_for = [&full](store::Statement const& statement) {
    bool const is_record = statement.sql.starts_with("INSERT INTO records");
    full += is_record ? 1 : 0;
    return is_record;
  };
  for (int count = 1; count <= 2 * kMostAttempts; ++count) {
    ASSERT_TRUE(notices.send("id " + std::to_string(count), {"1"}));
    until([&] {
      house.loop.poll();
      return full >= count;
    });
  }
  for (int i = 0; i < 50; ++i) house.rows("SELECT 1"); // time enough to give it up
  ASSERT_EQ(house.rows("SELECT 1 FROM hints").size(), 1U);
  EXPECT_TRUE(names().empty());
  while (house.clock.sleepers() < 2) house.loop.run_one();
  house.cut->no_space_for = nullptr;
  house.clock.advance(Milliseconds(5'000));
  notices.followed();
  EXPECT_EQ(names(), (std::multiset<std::string>{"Project 1"}));
}

// One record that never gets through would keep its hint for ever, and in the end those of all others back.
TEST_F(WebhooksTest, WhatIsTooLargeForAConnectorIsLeftToTheNextPollInTheEnd) {
  notices.projects.refuse_gets = Error(ErrorKind::hostLimit, "the record is too large");
  ASSERT_TRUE(notices.send("id 1", {"1"}));
  notices.settled("id 1");
  until([&] {
    house.clock.advance(Milliseconds(60'000));
    return house.rows("SELECT 1 FROM hints").empty();
  });
  EXPECT_THAT(house.log_text, HasSubstr("left to the next poll"));
}

TEST_F(WebhooksTest, AConnectorThatIsSwitchedOffCostsNoDelivery) {
  switchOff();
  EXPECT_FALSE(notices.send("id 1", {"1"}).value());
  while (house.clock.sleepers() < 2) house.loop.run_one();
  EXPECT_EQ(notices.get("id 1").state, WebhookState::waiting);
  house.run(house.engine->enablePlugin(notices.vendor, "test.crm.studio")).value();
  while (notices.get("id 1").state == WebhookState::waiting) house.loop.run_one();
  notices.followed();
  EXPECT_EQ(names(), (std::multiset<std::string>{"Project 1"}));
}

TEST_F(WebhooksTest, WhatNobodyCanReadNowIsNotBroughtFromTheDatabase) {
  switchOff();
  int brought = 0;
  house.cut->on_read = [&brought](store::Statement const& query) {
    if (query.sql.find(", shown, body") != std::string::npos) ++brought;
  };
  ASSERT_TRUE(notices.send("id 1", {"1"}));
  while (house.clock.sleepers() < 2) house.loop.run_one();
  EXPECT_EQ(brought, 0);
  house.run(house.engine->enablePlugin(notices.vendor, "test.crm.studio")).value();
  while (notices.get("id 1").state == WebhookState::waiting) house.loop.run_one();
  EXPECT_GT(brought, 0);
  house.cut->on_read = nullptr;
  notices.followed();
}

TEST_F(WebhooksTest, WhatComesInWhileNobodyCanReadItIsLookedAtEveryFiveSeconds) {
  switchOff();
  int asked = 0;
  house.cut->on_read = [&asked](store::Statement const& query) {
    if (query.sql.find("FROM vendor_plugins") != std::string::npos) ++asked;
  };
  auto const goOn = [&] {
    for (int i = 0; i < 50; ++i) house.rows("SELECT 1"); // time enough for a round
  };
  ASSERT_TRUE(notices.send("id 1", {"1"}));
  while (house.clock.sleepers() < 2) house.loop.run_one();
  goOn();
  int const first = asked;
  EXPECT_GT(first, 0);
  for (auto const* key : {"id 2", "id 3", "id 4"}) ASSERT_TRUE(notices.send(key, {"2"}));
  goOn();
  EXPECT_EQ(asked, first);
  house.clock.advance(Milliseconds(5'000));
  until([&] {
    house.loop.run_one();
    return asked > first;
  });
  house.cut->on_read = nullptr;
  house.run(house.engine->enablePlugin(notices.vendor, "test.crm.studio")).value();
  for (auto const* key : {"id 1", "id 2", "id 3", "id 4"})
    EXPECT_EQ(notices.settled(key).state, WebhookState::done);
  notices.followed();
}

TEST_F(WebhooksTest, AnEndpointHasTwoSecretsWhileOneIsRotatedOut) {
  WebhookSetup setup;
  setup.connection_id = notices.connection;
  auto const made = house.run(notices.webhooks().setUp(std::move(setup))).value();
  EXPECT_EQ(notices.webhooks().find("test.crm.studio", made->name), made);
  EXPECT_EQ(notices.webhooks().find("test.crm.form", made->name), nullptr);
  EXPECT_TRUE(house.run(notices.webhooks().keysOf(made)).value().secrets.empty());

  auto const give = [&](char const* secret, bool rotate) {
    WebhookSetup next;
    next.connection_id = notices.connection;
    next.secret = Secret(secret);
    next.rotate = rotate;
    auto const endpoint = house.run(notices.webhooks().setUp(std::move(next))).value();
    std::vector<std::string> live;
    for (auto const& one : house.run(notices.webhooks().keysOf(endpoint)).value().secrets)
      live.emplace_back(one.reveal());
    return live;
  };
  using Live = std::vector<std::string>;
  EXPECT_EQ(give("a", false), (Live{"a"}));
  EXPECT_EQ(give("b", true), (Live{"b", "a"}));
  EXPECT_EQ(give("c", true), (Live{"c", "b"})) << "never three";
  house.clock.advance(Milliseconds(86'400'000));
  auto const endpoint = notices.webhooks().endpointOf(notices.connection);
  EXPECT_EQ(endpoint->name, made->name);
  EXPECT_EQ(house.run(notices.webhooks().keysOf(endpoint)).value().secrets.size(), 1U)
      << "the older has ended";
  EXPECT_EQ(give("d", false), (Live{"d"}));
  for (auto const& row : house.rows("SELECT sealed FROM webhook_endpoints"))
    EXPECT_EQ(row.text(0).find("\"d\""), std::string::npos);

  house.restart();
  EXPECT_NE(notices.webhooks().find("test.crm.studio", made->name), nullptr);
}

TEST_F(WebhooksTest, ANameIsOneConnectionsAndAConnectionWithoutWebhooksHasNone) {
  WebhookSetup setup;
  setup.connection_id = notices.connection;
  setup.name = "acct_1";
  house.run(notices.webhooks().setUp(std::move(setup))).value();
  auto const other = house.connect(notices.vendor, "q", "test.crm.studio");
  WebhookSetup second;
  second.connection_id = other;
  second.name = "acct_1";
  EXPECT_EQ(house.run(notices.webhooks().setUp(std::move(second))).error().kind, ErrorKind::conflict);
  WebhookSetup odd;
  odd.connection_id = other;
  odd.name = "a/b";
  EXPECT_EQ(house.run(notices.webhooks().setUp(std::move(odd))).error().field, "/name");
  WebhookSetup none;
  none.connection_id = house.connect(notices.vendor, "form", "test.crm.form");
  EXPECT_EQ(house.run(notices.webhooks().setUp(std::move(none))).error().kind, ErrorKind::invalidInput);
}

TEST_F(WebhooksTest, WhatWasDoneIsForgottenAfterAWhileAndWithItsConnection) {
  ASSERT_TRUE(notices.send("id 1", {"1"}));
  ASSERT_TRUE(notices.sendBody("id 2", "<html>"));
  notices.settled("id 1");
  notices.settled("id 2");
  notices.followed();
  house.clock.advance(Milliseconds(8LL * 86'400'000));
  until([&] { return house.rows("SELECT 1 FROM webhooks WHERE dedupe_key='id 1'").empty(); });
  EXPECT_EQ(house.forgotten("webhooks"), std::vector<std::int64_t>{1});
  EXPECT_EQ(notices.get("id 2").state, WebhookState::dead) << "it waits for a person";
  notices.followed();
  house.run(house.engine->disconnect(notices.connection, false)).value();
  EXPECT_TRUE(house.rows("SELECT 1 FROM webhooks").empty());
}

TEST_F(WebhooksTest, ThatAConnectionIsGoneIsToldAndAChangeOfItsEndpointIsNot) {
  std::vector<std::string> gone;
  notices.webhooks().whenGone([&](std::string const& connection) { gone.push_back(connection); });
  auto const setUp = [&](std::string const& connection, char const* secret) {
    WebhookSetup setup;
    setup.connection_id = connection;
    setup.secret = Secret(secret);
    house.run(notices.webhooks().setUp(std::move(setup))).value();
  };
  auto const other = house.connect(notices.vendor, "q", "test.crm.studio");
  setUp(notices.connection, "a");
  setUp(notices.connection, "b");
  EXPECT_TRUE(gone.empty());
  house.run(house.engine->disconnect(other, false)).value();
  EXPECT_TRUE(gone.empty()) << "it had no endpoint";
  house.run(house.engine->disconnect(notices.connection, false)).value();
  EXPECT_EQ(gone, std::vector(1, notices.connection));
}

TEST_F(WebhooksTest, AStoreThatTakesNothingIsToldToTheSenderWhoMayTryAgain) {
  house.cut->before_commit = []() -> Task<void> {
    co_return Error(ErrorKind::hostLimit, "the disk is full");
  };
  auto const refused = notices.send("id 1", {"1"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::transient);
  EXPECT_TRUE(refused.error().retry_after);
  EXPECT_FALSE(notices.send("id 1", {"1"}).value());
}

// ---- the same bytes again

TEST_F(WebhooksTest, TheSameBytesAreNewsWhereTheyWereDeadOrDropped) {
  notices.errors.emplace_back(ErrorKind::providerBug, "no");
  notices.errors.emplace_back(ErrorKind::providerBug, "no");
  ASSERT_TRUE(house.run(notices.webhooks().accept(again())));
  EXPECT_EQ(notices.settled("bytes x").state, WebhookState::dead);
  EXPECT_FALSE(house.run(notices.webhooks().accept(again())).value()) << "it was dead";
  auto const dead = notices.settled("bytes x");
  EXPECT_EQ(dead.state, WebhookState::dead);
  house.run(notices.webhooks().drop(dead.id, "a test")).value();
  EXPECT_FALSE(house.run(notices.webhooks().accept(again())).value()) << "it was dropped";
  EXPECT_EQ(notices.settled("bytes x").state, WebhookState::done);
  EXPECT_EQ(notices.read.size(), 3U);
}

} // namespace
} // namespace garland::sync
