#include "host/sync/call_host.h"

#include "host/sync/testing/doors.h"
#include "host/sync/testing/one_calendar.h"

#include <boost/asio/co_spawn.hpp>

#include <memory>
#include <optional>

namespace garland::sync {
namespace {

// What the connector does during its next pull, with the host that the engine gives it.
class AskingHost : public testing::OneCalendar {
protected:
  static Task<void> fetch(runtime::CallHost* host, runtime::HttpAsk ask, Result<runtime::HttpAnswer>* out) {
    *out = co_await host->http(std::move(ask));
    co_return Result<void>();
  }
  Result<runtime::HttpAnswer> ask(runtime::HttpAsk wanted) {
    Result<runtime::HttpAnswer> out = Error(ErrorKind::pluginBug, "not asked");
    remote.during_pull = [&](runtime::CallHost* host) { return fetch(host, wanted, &out); };
    house.sync(connection);
    return out;
  }
  static runtime::HttpAsk get() {
    runtime::HttpAsk wanted;
    wanted.method = "GET";
    wanted.url = "https://calendar.example/";
    return wanted;
  }
};

TEST_F(AskingHost, ARequestOfAConnectionThatWasRevokedIsRefusedWithTheReason) {
  auto const context = Context::make(testing::doorsOf(house)).value();
  AuditTrail audit(*context);
  Session session;
  session.plugin = std::make_shared<runtime::PluginInfo>(*house.catalogue.find("test.calendar.fake"));
  session.connection.id = connection;
  session.connection.settings = json::object{{"provider", "p"}};
  session.connection.state = "revoked";
  session.connection.state_reason = "its sign-in was taken back here on Monday";
  PluginCallHost host(*context, audit, session, "test.charge/1", nullptr, Milliseconds(60'000));
  auto wanted = get();
  wanted.credential_slot = "login";
  auto const refused = house.run(host.http(wanted));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::authRevoked);
  EXPECT_EQ(refused.error().message, "its sign-in was taken back here on Monday; connect the account again");
  EXPECT_TRUE(house.egress.requests.empty());
}

TEST_F(AskingHost, ARequestGoesOutWithThePolicyAndTheCredentialOfTheConnection) {
  house.egress.answer = [](egress::Request const&) {
    egress::Response response;
    response.status = 200;
    response.headers.push_back(egress::Header{"etag", "1"});
    response.body = "hello";
    return Result<egress::Response>(response);
  };
  auto wanted = get();
  wanted.credential_slot = "login";
  auto const answer = ask(wanted);
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->body, "hello");
  EXPECT_EQ(answer->effect, Effect::applied);
  ASSERT_EQ(house.egress.requests.size(), 1U);
  EXPECT_EQ(house.egress.usernames[0], "ada");
  EXPECT_EQ(house.egress.secrets[0], "correct horse");
  EXPECT_EQ(house.egress.policies[0].allowed_hosts, (std::vector<std::string>{"calendar.example"}));
  EXPECT_FALSE(house.egress.policies[0].allow_private_network);
  EXPECT_GT(house.egress.requests[0].timeout, Milliseconds::zero());
  auto const told = house.told("request");
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(textOr(told[0], "/connection", ""), connection);
  EXPECT_EQ(textOr(told[0], "/facts/operation", ""), "calendar.pull/1");
  EXPECT_EQ(integerOr(told[0], "/facts/status", 0), 200);
  EXPECT_TRUE(boolOr(told[0], "/facts/credential_used", false));
  EXPECT_EQ(textOr(told[0], "/facts/path", ""), house.book->pseudonym("/")) << "a path may name people";
}

TEST_F(AskingHost, AnAnonymousRequestCarriesNoCredentialAndAnUnknownSlotIsRefused) {
  EXPECT_TRUE(ask(get()));
  EXPECT_EQ(house.egress.secrets[0], "");
  auto wanted = get();
  wanted.credential_slot = "other";
  auto const refused = ask(wanted);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::invalidInput);
  EXPECT_EQ(house.egress.requests.size(), 1U);
}

TEST_F(AskingHost, ThatATrailFoundNoRoomIsTroubleThatPassesAndWhatWasAskedStaysInDoubt) {
  house.egress.answer = [this](egress::Request const&) {
    house.cut->before_commit = []() -> Task<void> {
      co_return Error(ErrorKind::hostLimit, "the disk is full");
    };
    return Result<egress::Response>(egress::Response());
  };
  auto const refused = ask(get());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::transient) << "a write would be set aside for good";
  EXPECT_EQ(refused.error().effect, Effect::unknown);
}

Task<void> fetchTwice(runtime::CallHost* host, runtime::HttpAsk wanted, Result<runtime::HttpAnswer>* second) {
  auto const first = co_await host->http(wanted);
  if (!first) co_return first.error();
  *second = co_await host->http(std::move(wanted));
  co_return Result<void>();
}

class RefusedHost : public AskingHost {
protected:
  void SetUp() override {
    house.egress.answer = [this](egress::Request const&) {
      egress::Response response;
      response.status = house.egress.requests.size() == 1 ? 429 : 200;
      if (response.status == 429) response.retry_after = retry_after;
      return Result<egress::Response>(response);
    };
    remote.during_pull = [this](runtime::CallHost* host) { return fetchTwice(host, get(), &second); };
  }

  Milliseconds retry_after{5'000};
  Result<runtime::HttpAnswer> second = Error(ErrorKind::pluginBug, "not asked");
};

TEST_F(RefusedHost, TheNextRequestGoesWhenTheProviderSaidAndNotBefore) {
  auto const run = house.run(house.engine->startSync(connection)).value();
  while (house.clock.sleepers() < 2) house.loop.run_one();
  house.clock.advance(retry_after - Milliseconds(1));
  house.run(house.engine->vendors()).value();
  EXPECT_EQ(house.egress.requests.size(), 1U);
  house.clock.advance(Milliseconds(1));
  EXPECT_EQ(house.run(house.engine->waitForRun(run.id)).value().state, "done");
  ASSERT_TRUE(second);
  EXPECT_EQ(second->status, 200);
  EXPECT_EQ(house.egress.requests.size(), 2U);
}

TEST_F(RefusedHost, WhoWouldWaitTooLongIsToldHowLongAndNothingGoesOut) {
  retry_after = Milliseconds(90'000);
  house.sync(connection);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::rateLimited);
  EXPECT_EQ(second.error().effect, Effect::notApplied);
  EXPECT_EQ(second.error().retry_after, retry_after);
  EXPECT_EQ(house.egress.requests.size(), 1U);
}

// The second request comes when the call has half a minute left.
Task<void> fetchLate(testing::House* house, runtime::CallHost* host, runtime::HttpAsk wanted,
                     Result<runtime::HttpAnswer>* second) {
  auto const first = co_await host->http(wanted);
  if (!first) co_return first.error();
  house->clock.advance(Milliseconds(570'000));
  *second = co_await host->http(std::move(wanted));
  co_return Result<void>();
}

TEST_F(RefusedHost, ARunThatOnlyWaitsForTheLimitLendsItsPlace) {
  retry_after = Milliseconds(20'000);
  house.runs = {1, 1, 2};
  house.restart();
  auto const other = house.connect(vendor, "other");
  auto const waits = house.run(house.engine->startSync(connection)).value();
  auto const goes = house.run(house.engine->startSync(other)).value();
  auto const settle = [this] {
    while (house.loop.poll() > 0 || house.cut->under_way > 0)
      if (house.cut->under_way > 0) house.loop.run_one();
  };
  settle();
  EXPECT_EQ(house.run(house.engine->run(goes.id)).value().state, "queued");
  for (int i = 0; i < 16; ++i) {
    house.clock.advance(Milliseconds(500));
    settle();
  }
  EXPECT_EQ(house.run(house.engine->run(goes.id)).value().state, "done");
  EXPECT_EQ(house.run(house.engine->run(waits.id)).value().state, "running");
  house.clock.advance(retry_after);
  EXPECT_EQ(house.run(house.engine->waitForRun(waits.id)).value().state, "done");
}

TEST_F(RefusedHost, WhatARequestWaitsForTheLimitIsNotTheTimeOfItsCall) {
  retry_after = Milliseconds(590'000);
  remote.during_pull = [this](runtime::CallHost* host) { return fetchLate(&house, host, get(), &second); };
  auto const run = house.run(house.engine->startSync(connection)).value();
  while (house.clock.sleepers() < 2) house.loop.run_one();
  house.clock.advance(Milliseconds(20'000));
  EXPECT_EQ(house.run(house.engine->waitForRun(run.id)).value().state, "done");
  ASSERT_TRUE(second) << second.error().message;
  ASSERT_EQ(house.egress.requests.size(), 2U);
  EXPECT_EQ(house.egress.requests[1].timeout, Milliseconds(30'000))
      << "for the answer there is all that was left";
}

Task<void> fetchUntilRefused(runtime::CallHost* host, runtime::HttpAsk wanted,
                             std::optional<Error>* refused) {
  while (!*refused) {
    auto const answer = co_await host->http(wanted);
    if (!answer) *refused = answer.error();
  }
  co_return **refused;
}

TEST_F(AskingHost, ACallWaitsForTheLimitForAnHourAtMostAndIsToldHowLongItWouldBe) {
  house.egress.answer = [](egress::Request const&) {
    egress::Response response;
    response.status = 429;
    response.retry_after = std::chrono::seconds(29);
    return Result<egress::Response>(response);
  };
  std::optional<Error> refused;
  remote.during_pull = [&](runtime::CallHost* host) { return fetchUntilRefused(host, get(), &refused); };
  auto const run = house.run(house.engine->startSync(connection)).value();
  while (!refused) {
    house.loop.run_one();
    if (house.clock.sleepers() >= 2) house.clock.advance(std::chrono::seconds(29));
  }
  EXPECT_EQ(refused->kind, ErrorKind::rateLimited);
  EXPECT_EQ(refused->effect, Effect::notApplied);
  EXPECT_EQ(refused->retry_after, std::chrono::seconds(29));
  EXPECT_EQ(house.egress.requests.size(), 1 + 3600U / 29);
  EXPECT_EQ(house.run(house.engine->waitForRun(run.id)).value().error->kind, ErrorKind::rateLimited);
}

class SlowHost : public RefusedHost {
protected:
  void SetUp() override {
    RefusedHost::SetUp();
    house.egress.answer = nullptr;
  }
  void grant(std::int64_t count, std::chrono::seconds span) {
    auto const build = std::make_shared<runtime::PluginInfo>(*house.catalogue.find("test.calendar.fake"));
    build->manifest.requests_of_connection = runtime::RequestLimit{count, span, 1};
    house.supervisor.kept = build;
  }
};

TEST_F(SlowHost, ALimitSlowerThanPatienceStillLetsACallOfTwoRequestsComeToItsEnd) {
  grant(90, std::chrono::hours(1)); // one in 40 s
  auto const run = house.run(house.engine->startSync(connection)).value();
  while (house.clock.sleepers() < 2) house.loop.run_one();
  house.clock.advance(Milliseconds(39'999));
  house.run(house.engine->vendors()).value();
  EXPECT_EQ(house.egress.requests.size(), 1U);
  house.clock.advance(Milliseconds(1));
  EXPECT_EQ(house.run(house.engine->waitForRun(run.id)).value().state, "done");
  EXPECT_TRUE(second);
  EXPECT_EQ(house.egress.requests.size(), 2U);
}

TEST_F(SlowHost, WhoWouldHaveToWaitForAnHourIsToldSo) {
  grant(1, std::chrono::hours(1));
  house.sync(connection);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::rateLimited);
  EXPECT_EQ(second.error().retry_after, std::chrono::hours(1));
  EXPECT_EQ(house.egress.requests.size(), 1U);
}

TEST_F(SlowHost, WhoeverOperatesTheDaemonMayRaiseWhatTheManifestDeclares) {
  grant(1, std::chrono::hours(1));
  house.requests["test.calendar.fake"].connection = runtime::RequestLimit{10, std::chrono::seconds(1), 2};
  house.restart();
  EXPECT_EQ(house.sync(connection).state, "done");
  EXPECT_TRUE(second);
  EXPECT_EQ(house.egress.requests.size(), 2U);
}

TEST_F(SlowHost, WhoeverOperatesTheDaemonMayLimitAnAppWhoseManifestDeclaresNothing) {
  house.requests["test.calendar.fake"].app = runtime::RequestLimit{1, std::chrono::hours(1), 1};
  house.restart();
  house.sync(connection);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::rateLimited);
  EXPECT_EQ(house.egress.requests.size(), 1U);
}

TEST_F(AskingHost, ASecretThatTheProviderQuotesIsScrubbedFromWhatIsKept) {
  house.egress.answer = [](egress::Request const&) {
    return Result<egress::Response>(Error(ErrorKind::authExpired, "no"));
  };
  auto wanted = get();
  wanted.credential_slot = "login";
  remote.extra_emits_after = {
      {"garland.problem", R"({"id":"/x","kind":"provider_bug","message":"bad password correct horse"})"}};
  ask(wanted);
  auto const run = house.run(house.engine->lastRun(connection)).value();
  ASSERT_TRUE(run);
  ASSERT_EQ(run->problems.size(), 1U);
  EXPECT_EQ(run->problems[0].message.find("correct horse"), std::string::npos) << run->problems[0].message;
  EXPECT_EQ(house.log_text.find("correct horse"), std::string::npos);
  // It is known to the redactor only while it is in use.
  EXPECT_EQ(house.redactor.scrub("correct horse"), "correct horse");
}

Task<void> fetchAndQuote(runtime::CallHost* host, runtime::HttpAsk wanted) {
  auto const answer = co_await host->http(std::move(wanted));
  co_return Error(ErrorKind::authExpired, "the provider says: ada:correct horse is wrong");
}

TEST_F(AskingHost, ASecretInAnErrorIsScrubbedBeforeAnybodyKeepsIt) {
  auto wanted = get();
  wanted.credential_slot = "login";
  remote.during_pull = [&](runtime::CallHost* host) { return fetchAndQuote(host, wanted); };
  auto const run = house.sync(connection);
  EXPECT_EQ(run.error->message, "the provider says: ada:[secret] is wrong");
  EXPECT_EQ(house.run(house.engine->connection(connection)).value().state_reason, run.error->message);
}

Task<void> keepState(runtime::CallHost* host, std::vector<ErrorKind>* failures, std::uint64_t* version) {
  auto const missing = co_await host->kvGet("token");
  if (!missing) failures->push_back(missing.error().kind);
  Bytes const value = {1, 2, 3};
  CO_TRY_VOID(co_await host->kvPut("token", value, 0, Milliseconds(0)));
  CO_TRY_VOID(co_await host->kvPut("token", value, 1, Milliseconds(0)));
  auto const stale = co_await host->kvPut("token", value, 1, Milliseconds(0));
  if (!stale) failures->push_back(stale.error().kind);
  CO_TRY(entry, co_await host->kvGet("token"));
  *version = entry.version;
  CO_TRY_VOID(co_await host->kvPut("brief", value, 0, Milliseconds(1000)));
  co_return Result<void>();
}

TEST_F(AskingHost, StateIsKeptByVersionAndExpires) {
  std::vector<ErrorKind> failures;
  std::uint64_t version = 0;
  remote.during_pull = [&](runtime::CallHost* host) { return keepState(host, &failures, &version); };
  EXPECT_EQ(house.sync(connection).state, "done");
  EXPECT_EQ(failures, (std::vector<ErrorKind>{ErrorKind::notFound, ErrorKind::conflict}));
  EXPECT_EQ(version, 2U);
  house.clock.advance(Milliseconds(1500));
  EXPECT_EQ(house.rows("SELECT 1 FROM plugin_kv").size(), 2U);
}

} // namespace
} // namespace garland::sync
