// A connection that signs in by OAuth 2: its connector names a slot, and the host does the rest.
#include "host/oauth/oauth.h"
#include "host/sync/testing/house.h"

#include <gmock/gmock.h>

#include <utility>

namespace garland::sync {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::House;
using ::testing::Not;

class SignedIn : public ::testing::Test {
protected:
  SignedIn() {
    house.egress.answer = [this](egress::Request const& request) { return answer(request); };
    house.run(house.engine->enablePlugin(vendor, "test.calendar.signed")).value();
    connection = connect("r-first").value().connection.id;
  }

  Result<Connected> connect(std::string const& refresh_token) {
    ConnectRequest request;
    request.vendor_id = vendor;
    request.plugin_id = "test.calendar.signed";
    request.settings = json::object{{"provider", "p"}};
    std::vector<std::pair<std::string, Secret>> fields;
    fields.emplace_back("client_id", Secret("an-id"));
    fields.emplace_back("client_secret", Secret("its-secret"));
    fields.emplace_back("refresh_token", Secret(refresh_token));
    request.credentials.emplace_back("account", std::move(fields));
    return house.run(house.engine->connect(std::move(request)));
  }

  // The provider: one access token is good, and each refresh token for one use.
  Result<egress::Response> answer(egress::Request const& request) {
    egress::Response response;
    response.status = 200;
    if (request.url == "https://id.example/revoke") {
      revoked.push_back(request.body);
      response.status = revokes;
      return response;
    }
    if (request.url != "https://id.example/token") {
      if (std::exchange(is_slow, false)) {
        house.clock.advance(std::chrono::seconds(5));
        response.status = 401;
        return response;
      }
      response.status = house.egress.secrets.back() == good && !lacks_rights ? 200 : 401;
      return response;
    }
    asked.push_back(request.body);
    if (server_error) {
      response.status = 502;
      response.body = R"({"error":"invalid_grant"})";
      return response;
    }
    if (request.body.find(refresh) == std::string::npos) {
      response.status = 400;
      response.body = R"({"error":"invalid_grant"})";
      return response;
    }
    good = "access-" + std::to_string(asked.size());
    refresh = "r-" + std::to_string(asked.size());
    response.body = R"({"access_token":")" + good + R"(","refresh_token":")" + refresh +
                    (life.empty() ? R"("})" : R"(","expires_in":)" + life + "}");
    return response;
  }

  static Task<void> fetch(runtime::CallHost* host, Result<runtime::HttpAnswer>* out) {
    runtime::HttpAsk ask;
    ask.method = "GET";
    ask.url = "https://calendar.example/";
    ask.credential_slot = "account";
    *out = co_await host->http(std::move(ask));
    if (!*out) co_return out->error();
    co_return Result<void>();
  }
  // What the connector asks for during a pull.
  Result<runtime::HttpAnswer> ask() {
    Result<runtime::HttpAnswer> out = Error(ErrorKind::pluginBug, "not asked");
    house.provider("p").during_pull = [&](runtime::CallHost* host) { return fetch(host, &out); };
    house.sync(connection);
    return out;
  }
  std::int64_t count(std::string const& of) { return house.rows("SELECT COUNT(*) FROM " + of)[0].integer(0); }

  House house;
  std::string vendor = house.vendor();
  std::string connection;
  std::string good;
  std::string refresh = "r-first";
  std::vector<std::string> asked; // for tokens
  std::vector<std::string> revoked;
  int revokes = 200; // the status of its answer
  // What the audit chain has of it, with whose doing it was.
  std::vector<std::string> states() {
    std::vector<std::string> all;
    for (auto const& told : house.told("change", "sign_in.state"))
      all.push_back(textOr(told, "/facts/state", "") + " " + textOr(told, "/facts/why", ""));
    return all;
  }

  bool server_error = false;
  bool lacks_rights = false; // whatever the token
  bool is_slow = false;      // the next request: it takes five seconds
  std::string life = "3600"; // of an access token, in seconds; "": it is not told
};

TEST_F(SignedIn, AConnectorsRequestCarriesATokenThatTheHostAskedFor) {
  auto const first = ask();
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ(first->status, 200);
  ASSERT_EQ(asked.size(), 1U);
  EXPECT_EQ(asked[0], "grant_type=refresh_token&refresh_token=r-first");
  EXPECT_EQ(house.egress.policies[0].allowed_hosts, std::vector<std::string>{"id.example"});
  EXPECT_EQ(house.egress.policies[1].allowed_hosts, std::vector<std::string>{"calendar.example"});
  EXPECT_EQ(ask()->status, 200);
  EXPECT_EQ(asked.size(), 1U) << "it is good for an hour";
  for (auto const* secret : {"r-first", "access-1", "its-secret"})
    EXPECT_THAT(house.log_text, Not(HasSubstr(secret)));
}

TEST_F(SignedIn, ATokenIsRenewedBeforeItRunsOut) {
  ASSERT_TRUE(ask());
  house.clock.advance(std::chrono::minutes(55));
  EXPECT_EQ(ask()->status, 200);
  ASSERT_EQ(asked.size(), 2U);
  EXPECT_THAT(asked[1], HasSubstr("refresh_token=r-1"));
}

TEST_F(SignedIn, ATokenThatWasTakenBackIsReplacedAndTheRequestGoesOnceMore) {
  ASSERT_TRUE(ask());
  good = "none of those that were given";
  auto const again = ask();
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->status, 200);
  EXPECT_EQ(asked.size(), 2U);
}

TEST_F(SignedIn, WhatIsRefusedWithANewTokenAsWellIsTheConnectorsToReadAndAsksForNoThirdToken) {
  ASSERT_TRUE(ask());
  lacks_rights = true;
  EXPECT_EQ(ask()->status, 401);
  EXPECT_EQ(asked.size(), 2U) << "it might have been the token";
  auto const requests = house.egress.requests.size();
  EXPECT_EQ(ask()->status, 401);
  EXPECT_EQ(asked.size(), 2U) << "it was not";
  EXPECT_EQ(house.egress.requests.size(), requests + 1) << "nor does the same request go again";
  house.clock.advance(std::chrono::seconds(50));
  EXPECT_EQ(ask()->status, 401);
  EXPECT_EQ(asked.size(), 2U) << "nor so soon after";
  house.clock.advance(std::chrono::seconds(10));
  EXPECT_EQ(ask()->status, 401);
  EXPECT_EQ(asked.size(), 3U) << "a token may have been taken back since";
  lacks_rights = false;
  EXPECT_EQ(ask()->status, 200);
  EXPECT_EQ(asked.size(), 3U);
}

TEST_F(SignedIn, ATokenThatRunsOutOnTheWayIsReplacedHoweverSoonThatHappensAgain) {
  life = "4";
  for (int i = 0; i < 3; ++i) {
    is_slow = true;
    auto const answered = ask();
    ASSERT_TRUE(answered) << answered.error().message;
    EXPECT_EQ(answered->status, 200) << i;
    EXPECT_FALSE(is_slow) << "it was on its way for five seconds";
  }
}

TEST_F(SignedIn, ATokenWhoseShortLifeNobodyToldIsReplacedEachTimeThatItHasEnded) {
  life.clear();
  ASSERT_TRUE(ask());
  for (int i = 0; i < 3; ++i) {
    house.clock.advance(std::chrono::minutes(2));
    good = "the next one";
    EXPECT_EQ(ask()->status, 200) << i;
  }
  EXPECT_EQ(asked.size(), 4U);
}

TEST_F(SignedIn, ARefusalAsksForAReconnectAndSaysWhy) {
  refresh = "taken back";
  auto const refused = ask();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::authExpired);
  auto const now = house.run(house.engine->connection(connection)).value();
  EXPECT_EQ(now.state, "reconnect needed");
  EXPECT_THAT(now.state_reason, AllOf(HasSubstr("invalid_grant"), HasSubstr("connect the account again")));
  ASSERT_EQ(now.sign_ins.size(), 1U);
  EXPECT_EQ(now.sign_ins[0].slot, "account");
  EXPECT_EQ(now.sign_ins[0].state, "reconnect needed");
  EXPECT_EQ(now.sign_ins[0].by, "provider");
  EXPECT_THAT(now.sign_ins[0].cause, HasSubstr("invalid_grant"));
  auto const cause = now.sign_ins[0].cause;
  for (auto const& whose : {now.vendor_id, std::string()}) {
    auto const listed = house.run(house.engine->connections(whose)).value();
    ASSERT_EQ(listed.size(), 1U);
    ASSERT_EQ(listed[0].sign_ins.size(), 1U) << "the list tells it as well";
    EXPECT_EQ(listed[0].sign_ins[0].slot, "account");
    EXPECT_EQ(listed[0].sign_ins[0].cause, now.sign_ins[0].cause);
  }
  EXPECT_FALSE(ask());
  EXPECT_EQ(asked.size(), 1U) << "it is not asked again";
  auto const notice = R"("level":"warn","message":")" + cause;
  auto const first = house.log_text.find(notice);
  EXPECT_NE(first, std::string::npos) << house.log_text;
  EXPECT_EQ(house.log_text.find(notice, first + 1), std::string::npos) << "it is told once";
}

TEST_F(SignedIn, ConnectingAgainGivesTheConnectionTheNewSignIn) {
  refresh = "r-second";
  EXPECT_FALSE(ask());
  auto const again = connect("r-second");
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_TRUE(again->again);
  EXPECT_EQ(again->connection.id, connection);
  EXPECT_EQ(count("oauth_grants WHERE connection_id='" + connection + "'"), 1);
  EXPECT_EQ(count("oauth_grants"), 1) << "nothing is left of the trial";
  auto const answered = ask();
  ASSERT_TRUE(answered) << answered.error().message;
  EXPECT_EQ(answered->status, 200);
}

TEST_F(SignedIn, ATrialThatFailsLeavesNothing) {
  house.provider("p").refuse_account = Error(ErrorKind::authExpired, "no");
  EXPECT_FALSE(connect("r-other"));
  EXPECT_EQ(count("oauth_grants"), 1);
}

TEST_F(SignedIn, WhatATrialLeftThatNobodyEndedIsForgottenAfterADay) {
  house.write("UPDATE oauth_grants SET connection_id='con_of_a_trial'");
  house.clock.advance(std::chrono::hours(23));
  house.restart();
  EXPECT_EQ(count("oauth_grants"), 1);
  house.clock.advance(std::chrono::hours(2));
  house.restart();
  EXPECT_EQ(count("oauth_grants"), 0);
}

TEST_F(SignedIn, AnAnswerThatWasKeptAfterItsConnectionWasForgottenGoesWithTheNextStart) {
  auto const keep = [&](std::string const& of) {
    house.write(
        "INSERT INTO oauth_replies (vendor_id,connection_id,slot,attempt,lineage,asked,sealed) VALUES ('" +
        vendor + "','" + of + "','account','tok_1','',0,'')");
  };
  keep(connection);
  keep("con_that_is_gone");
  house.restart();
  EXPECT_EQ(count("oauth_replies WHERE connection_id='" + connection + "'"), 1);
  EXPECT_EQ(count("oauth_replies"), 1);
}

TEST_F(SignedIn, AfterARestoreARefusalNamesTheBackup) {
  house.run(house.store->commit(oauth::afterRestore(house.clock.now()))).value();
  refresh = "what the lost host was given";
  ASSERT_FALSE(ask());
  auto const now = house.run(house.engine->connection(connection)).value();
  ASSERT_EQ(now.sign_ins.size(), 1U);
  EXPECT_EQ(now.sign_ins[0].by, "host");
  EXPECT_THAT(now.sign_ins[0].cause, HasSubstr("restored from a backup of"));
}

TEST_F(SignedIn, TheSettingsDoNotSendTheSecretToAnotherAddress) {
  house.run(house.engine->enablePlugin(vendor, "test.calendar.placed")).value();
  ConnectRequest request;
  request.vendor_id = vendor;
  request.plugin_id = "test.calendar.placed";
  request.settings = json::object{{"provider", "q"}, {"token_url", "https://id.example/token"}};
  std::vector<std::pair<std::string, Secret>> fields;
  fields.emplace_back("client_id", Secret("an-id"));
  fields.emplace_back("client_secret", Secret("its-secret"));
  fields.emplace_back("refresh_token", Secret("r-first"));
  request.credentials.emplace_back("account", std::move(fields));
  auto const placed = house.run(house.engine->connect(std::move(request))).value().connection.id;
  auto const requests = house.egress.requests.size();
  json::object elsewhere{{"token_url", "https://evil.example/token"}};
  auto const refused = house.run(house.engine->changeSettings(placed, std::move(elsewhere)));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().field, "/settings");
  EXPECT_EQ(house.egress.requests.size(), requests);
}

TEST_F(SignedIn, IsTakenBackThereAndHere) {
  ASSERT_TRUE(ask());
  auto const now = house.run(house.engine->revoke(connection)).value();
  ASSERT_EQ(revoked.size(), 1U);
  EXPECT_EQ(revoked[0], "token=r-1&token_type_hint=refresh_token");
  EXPECT_EQ(conditionOf(now).state, "revoked");
  EXPECT_THAT(now.state_reason, HasSubstr("and at the provider"));
  EXPECT_EQ(count("oauth_grants"), 0);
  EXPECT_EQ(count("credentials"), 0);
  EXPECT_EQ(house.run(house.engine->startSync(connection)).error().kind, ErrorKind::conflict);
  refresh = "r-second";
  auto const again = connect("r-second");
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->connection.id, connection);
  EXPECT_EQ(house.run(house.engine->connection(connection)).value().state, "connected");
}

TEST_F(SignedIn, WhoTookItBackIsKeptUntilItIsConnectedAgain) {
  ASSERT_TRUE(ask());
  EXPECT_EQ(house.run(house.engine->revoke(connection, "key_1")).value().revoked_by, "key_1");
  refresh = "r-second";
  ASSERT_TRUE(connect("r-second"));
  EXPECT_EQ(house.run(house.engine->connection(connection)).value().revoked_by, "");
  // By a daemon that does not know the column.
  house.write("UPDATE connections SET state='revoked', credential_version=credential_version+1");
  EXPECT_EQ(house.run(house.engine->connection(connection)).value().revoked_by, "");
}

TEST_F(SignedIn, IsTakenBackOnceAndTheSecondTimeChangesNothing) {
  revokes = 503;
  auto const first = house.run(house.engine->revoke(connection)).value();
  auto const acts = house.told("change").size();
  revokes = 200;
  house.clock.advance(std::chrono::hours(24));
  for (bool const paused : {false, true}) {
    if (paused) house.write("UPDATE connections SET paused=1");
    auto const again = house.run(house.engine->revoke(connection));
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().kind, ErrorKind::conflict);
    EXPECT_THAT(again.error().message,
                AllOf(HasSubstr("nothing was changed"), HasSubstr(first.state_reason)));
    EXPECT_EQ(house.run(house.engine->connection(connection)).value().state_reason, first.state_reason);
  }
  EXPECT_EQ(house.told("change").size(), acts);
}

TEST_F(SignedIn, ThatWasTakenBackIsToldSoWhileItIsPaused) {
  house.run(house.engine->revoke(connection)).value();
  auto const paused = house.run(house.engine->pause(connection)).value();
  EXPECT_EQ(paused.state, "paused");
  EXPECT_EQ(conditionOf(paused).state, "revoked");
  auto const refused = house.run(house.engine->startSync(connection));
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("connect the account again"));
}

TEST_F(SignedIn, ThatWasTakenBackIsNotSyncedThoughThatWasAskedForElsewhere) {
  house.run(house.engine->revoke(connection)).value();
  house.write("UPDATE connections SET next_due=-1"); // by another daemon, which had not heard of it
  house.run(house.engine->start()).value();
  house.drive([&] { return house.engine->load().wake_ups > 0 && house.clock.sleepers() > 0; });
  EXPECT_THAT(house.log_text, Not(HasSubstr("did not start")));
  house.run(house.engine->stop()).value();
}

TEST_F(SignedIn, IsTakenBackHereEvenIfTheProviderDoesNotAnswerAndThatIsTold) {
  ASSERT_TRUE(ask());
  revokes = 503;
  auto const now = house.run(house.engine->revoke(connection)).value();
  EXPECT_EQ(now.state, "revoked");
  EXPECT_THAT(now.state_reason, AllOf(HasSubstr("not at the provider"), HasSubstr("503")));
  EXPECT_EQ(count("oauth_grants"), 0);
}

TEST_F(SignedIn, IsRotatedAtOnceAndWhatFailedLeavesWhatWasValid) {
  ASSERT_TRUE(ask());
  ASSERT_TRUE(house.run(house.engine->rotate(connection)));
  ASSERT_EQ(asked.size(), 2U);
  EXPECT_EQ(ask()->status, 200);
  EXPECT_EQ(asked.size(), 2U) << "with the other token";
  server_error = true;
  auto const failed = house.run(house.engine->rotate(connection));
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind, ErrorKind::transient);
  EXPECT_EQ(ask()->status, 200) << "the token that there was is valid yet";
  auto const requests = asked.size();
  auto const again = house.run(house.engine->rotate(connection));
  ASSERT_FALSE(again);
  EXPECT_EQ(asked.size(), requests) << "the provider is not asked so soon";
  auto const standing = house.run(house.engine->connection(connection)).value();
  ASSERT_TRUE(standing.sign_ins.at(0).next_try);
  EXPECT_THAT(
      again.error().message,
      AllOf(HasSubstr("502"), HasSubstr("left alone until " + rfc3339(*standing.sign_ins[0].next_try))));
}

TEST_F(SignedIn, EveryRequestForATokenIsInTheAuditChainWhateverCameOfIt) {
  auto const operations = [&] {
    std::vector<std::string> all;
    for (auto const& entry : house.told("request")) all.push_back(textOr(entry, "/facts/operation", ""));
    return all;
  };
  ASSERT_TRUE(ask());
  auto expected = operations();
  EXPECT_EQ(expected.size(), 2U) << "one for a token, one with it";
  ASSERT_TRUE(house.run(house.engine->rotate(connection)));
  expected.emplace_back("oauth.rotate");
  EXPECT_EQ(operations(), expected);
  refresh = "taken back";
  house.clock.advance(std::chrono::hours(2));
  ASSERT_FALSE(ask());
  expected.emplace_back("calendar.pull/1");
  EXPECT_EQ(operations(), expected);
  ASSERT_TRUE(house.run(house.engine->revoke(connection)));
  expected.emplace_back("oauth.revoke");
  EXPECT_EQ(operations(), expected);
}

TEST_F(SignedIn, IsTriedWithoutAnyChange) {
  auto const well = house.run(house.engine->test(connection)).value();
  EXPECT_TRUE(well.ok);
  house.provider("p").refuse_account = Error(ErrorKind::transient, "the provider rests");
  auto const bad = house.run(house.engine->test(connection)).value();
  EXPECT_FALSE(bad.ok);
  ASSERT_TRUE(bad.error);
  EXPECT_THAT(bad.error->message, HasSubstr("rests"));
  EXPECT_EQ(house.run(house.engine->connection(connection)).value().state, "connected");
}

TEST_F(SignedIn, AServerErrorNeverAsksForAReconnect) {
  server_error = true;
  EXPECT_FALSE(ask());
  auto const now = house.run(house.engine->connection(connection)).value();
  EXPECT_EQ(conditionOf(now).state, "retrying");
  EXPECT_TRUE(conditionOf(now).until.has_value());
  EXPECT_EQ(now.sign_ins[0].state, "retrying");
}

// By what its renewals come to, whether anything fails for it or not.
TEST_F(SignedIn, WhatBecomesOfItByItselfIsInTheAuditChainOnceEachTime) {
  ASSERT_TRUE(ask());
  EXPECT_TRUE(states().empty()) << "it stands as it was connected";
  server_error = true;
  for (int i = 0; i < 3; ++i) {
    house.clock.advance(std::chrono::hours(1));
    EXPECT_FALSE(ask());
  }
  server_error = false;
  house.clock.advance(std::chrono::hours(1));
  EXPECT_TRUE(ask());
  refresh = "taken back";
  house.clock.advance(std::chrono::hours(1));
  EXPECT_FALSE(ask());
  EXPECT_EQ(states(),
            (std::vector<std::string>{"retrying provider", "connected ", "reconnect needed provider"}));
  EXPECT_EQ(textOr(house.told("change", "sign_in.state")[0], "/connection", ""), connection);
  EXPECT_EQ(house.verdict().faults_in_all, 0);
}

TEST_F(SignedIn, DisconnectingForgetsTheTokens) {
  ASSERT_TRUE(ask());
  house.run(house.engine->disconnect(connection, false)).value();
  EXPECT_EQ(count("oauth_grants"), 0);
  EXPECT_EQ(count("oauth_replies"), 0);
}

} // namespace
} // namespace garland::sync
