// What each route answers: keys, bodies, errors, and the life of a connection from vendor to records.
#include "host/api/testing/connected.h"

#include <gmock/gmock.h>

namespace garland::api {
namespace {

using testing::Answer;
using testing::base;
using testing::Connected;
using testing::Harness;
using testing::textOf;

std::string someEvent(std::string const& title) {
  return R"({"uid":"u","status":"confirmed","busy":true,"start":{"date":"2026-06-13"},"end":{"date":"2026-06-14"},"title":")" +
         title + R"("})";
}

std::string recordInput(Connected const& who, std::string_view data) {
  return R"({"vendor_id":")" + who.vendor + R"(","kind":"calendar.event","connection_id":")" +
         who.connection + R"(","data":)" + std::string(data) + "}";
}

// A browser: no key.
Answer visit(Harness const& house, std::string const& target, std::string const& cookie = "") {
  auto client = house.client();
  client.send("GET " + std::string(base) + target + " HTTP/1.1\r\nHost: " + house.host() +
              (cookie.empty() ? "" : "\r\nCookie: " + cookie) + "\r\n\r\n");
  return client.read();
}

TEST(Routes, ABrowserIsToldForWhomAnAccountIsConnectedAndComesBackWithItsCookie) {
  Harness house;
  Connected const who(house);
  auto const begun = house.ask("POST", std::string(base) + "/vendor/authorize",
                               R"({"vendor_id":")" + who.vendor + R"(","plugin":"caldav",
        "settings":{"url":"http://127.0.0.1:5232/"}})");
  ASSERT_EQ(begun.status, 201) << begun.body;
  EXPECT_TRUE(textOr(begun.json(), "/url", "").ends_with("/api/integrations/oauth/start?state=a-ticket"));
  EXPECT_TRUE(house.engine.redirect_uri.ends_with("/api/integrations/oauth/callback"));

  auto const shown = visit(house, "/oauth/start?state=a-ticket");
  EXPECT_EQ(shown.status, 200);
  EXPECT_NE(shown.body.find("Rosa Fotografie"), std::string::npos);
  EXPECT_NE(shown.body.find("a=&lt;b&gt;&amp;state=a-ticket"), std::string::npos) << "an address is escaped";
  auto const cookie = shown.headers.at("set-cookie");
  EXPECT_NE(cookie.find("HttpOnly; SameSite=Lax"), std::string::npos);
  EXPECT_EQ(shown.headers.at("referrer-policy"), "no-referrer");

  auto const of_another_name = "not_garland_sign_in=" + std::string(43, 'c') + "; ";
  auto const back = visit(house, "/oauth/callback?state=a-ticket&code=c",
                          of_another_name + cookie.substr(0, cookie.find(';')));
  EXPECT_EQ(back.status, 200) << back.body;
  EXPECT_EQ(house.engine.came_back_as, std::string(43, 'b'));
  EXPECT_EQ(visit(house, "/oauth/callback?state=another&code=c").status, 404);
  EXPECT_EQ(visit(house, "/oauth/callback?state=a-ticket&error=%3Cscript%3E").body.find("<script>"),
            std::string::npos);
}

TEST(Routes, ACodeIsShownWithWhereItIsTypedAndNothingThatOpensMore) {
  Harness house;
  Connected const who(house);
  auto const begun = house.ask("POST", std::string(base) + "/vendor/authorize/device",
                               R"({"vendor_id":")" + who.vendor + R"(","plugin":"caldav",
        "settings":{"url":"http://127.0.0.1:5232/"}})");
  ASSERT_EQ(begun.status, 201) << begun.body;
  EXPECT_EQ(textOr(begun.json(), "/user_code", ""), "WDJB-MJHT");
  EXPECT_EQ(textOr(begun.json(), "/verification_uri", ""), "https://id.example/activate");
  EXPECT_EQ(textOr(begun.json(), "/state", ""), "open");
  EXPECT_EQ(begun.body.find("a-ticket"), std::string::npos);
  auto const again = house.ask("GET", std::string(base) + "/vendors/" + who.vendor + "/authorizations/" +
                                          textOr(begun.json(), "/id", ""));
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(again.body.find("WDJB"), std::string::npos) << "it is shown once";
}

TEST(Routes, WithoutAKeyNothingIsAnsweredButTheOpenRoutes) {
  Harness house;
  auto client = house.client();
  client.send("GET /api/integrations/vendors HTTP/1.1\r\nHost: " + house.host() + "\r\n\r\n");
  auto const answer = client.read();
  EXPECT_EQ(answer.status, 401);
  EXPECT_EQ(answer.headers.at("www-authenticate"), "Bearer realm=\"garland\"");
  client.send("GET /api/integrations/vendors HTTP/1.1\r\nHost: " + house.host() + "\r\nX-Api-Key: gk_" +
              std::string(43, 'x') + "\r\n\r\n");
  EXPECT_EQ(client.read().status, 401);
  client.send("GET /api/integrations/vendors HTTP/1.1\r\nHost: " + house.host() +
              "\r\nX-Api-Key: " + house.key + "\r\n\r\n");
  EXPECT_EQ(client.read().status, 200);
  client.send("GET /health HTTP/1.1\r\nHost: " + house.host() + "\r\n\r\n");
  EXPECT_EQ(client.read().status, 200);
}

TEST(Routes, APasswordReachesTheEngineAndNeitherAnswerNorLog) {
  Harness house;
  Connected const who(house);
  EXPECT_EQ(house.onLoop([&] { return house.engine.typed.at("login/password"); }), "canary-0b7e");
  auto const shown = house.ask("GET", std::string(base) + "/connections/" + who.connection);
  EXPECT_EQ(shown.body.find("canary"), std::string::npos);
  EXPECT_EQ(house.logText().find("canary"), std::string::npos);
}

TEST(Routes, WhatTheProviderRefusesComesBackAsAProblemThatIsNot401) {
  Harness house;
  Connected const who(house);
  house.onLoop([&] {
    Error error(ErrorKind::authRevoked, "the server refused the password: type it again");
    error.field = "/credentials/login/password";
    house.engine.refuse_connect = error;
  });
  auto const answer = house.ask("POST", std::string(base) + "/vendor/connect",
                                R"({"vendor_id":")" + who.vendor + R"(","plugin":"garland.caldav"})");
  EXPECT_EQ(answer.status, 422);
  EXPECT_EQ(answer.json().at("kind"), "auth_revoked");
  EXPECT_EQ(answer.json().at("effect"), "not_applied");
  EXPECT_EQ(answer.json().at("field"), "/credentials/login/password");
}

struct BadBody {
  char const* name;
  std::string body;
  char const* says;
};

class BadBodies : public ::testing::TestWithParam<BadBody> {};

TEST_P(BadBodies, AreRefusedWithTheirPlace) {
  Harness house;
  auto const answer = house.ask("POST", std::string(base) + "/vendors", GetParam().body);
  EXPECT_EQ(answer.status, 400);
  EXPECT_NE(answer.body.find(GetParam().says), std::string::npos) << answer.body;
}

INSTANTIATE_TEST_SUITE_P(
    Json, BadBodies,
    ::testing::Values(BadBody{"NotJson", "{\"name\":", "line 1"},
                      BadBody{"ADuplicateMember", R"({"name":"a","name":"b"})", "name"},
                      BadBody{"BadUtf8", "{\"name\":\"\xff\xfe\"}", "column"},
                      BadBody{"TenThousandDeep", std::string(10'000, '[') + std::string(10'000, ']'), "deep"},
                      BadBody{"AnUnknownMember", R"({"name":"a","nmae":"b"})", "nmae"},
                      BadBody{"AWrongType", R"({"name":7})", "/name"},
                      BadBody{"AMissingMember", "{}", "name"}, BadBody{"NoObject", "[]", "type"}),
    [](auto const& info) { return info.param.name; });

TEST(Routes, ABodyThatIsNotJsonByItsTypeIsRefused) {
  Harness house;
  auto client = house.client();
  client.send("POST /api/integrations/vendors HTTP/1.1\r\nHost: " + house.host() +
              "\r\nAuthorization: Bearer " + house.key +
              "\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}");
  EXPECT_EQ(client.read().status, 415);
}

TEST(Routes, ABodyWhereNoneIsTakenIsRefused) {
  Harness house;
  EXPECT_EQ(house.ask("GET", std::string(base) + "/vendors", "{}").status, 400);
}

TEST(Routes, PathsMethodsAndParametersThatDoNotExistAreNamed) {
  Harness house;
  EXPECT_EQ(house.ask("GET", "/api/integrations/nothing").status, 404);
  auto const method = house.ask("PATCH", std::string(base) + "/vendors");
  EXPECT_EQ(method.status, 405);
  EXPECT_EQ(method.headers.at("allow"), "POST, GET, HEAD, OPTIONS");
  auto const parameter = house.ask("GET", std::string(base) + "/vendors?colour=red");
  EXPECT_EQ(parameter.status, 400);
  EXPECT_EQ(parameter.json().at("field"), "?colour");
  EXPECT_EQ(house.ask("GET", std::string(base) + "/records").json().at("field"), "?vendor_id");
  EXPECT_EQ(house.ask("GET", std::string(base) + "/records?vendor_id=x&limit=0").json().at("field"),
            "?limit");
  EXPECT_EQ(house.ask("GET", std::string(base) + "/records?vendor_id=x&vendor_id=y").json().at("field"),
            "?vendor_id");
  EXPECT_EQ(house.ask("GET", std::string(base) + "/connections/con_1").status, 404);
}

TEST(Routes, APluginThatMayNotBeLoadedCannotBeEnabled) {
  Harness house;
  auto const vendor =
      textOf(house.ask("POST", std::string(base) + "/vendors", R"({"name":"Ana"})").json().at("id"));
  auto const answer = house.ask("PUT", std::string(base) + "/vendors/" + vendor + "/plugins/broken");
  EXPECT_EQ(answer.status, 501);
  EXPECT_NE(answer.body.find("truncated"), std::string::npos);
  EXPECT_EQ(house.ask("PUT", std::string(base) + "/vendors/" + vendor + "/plugins/unknown").status, 404);
}

TEST(Routes, ASyncAnswersAtOnceAndItsStatusTellsTheEnd) {
  Harness house;
  Connected const who(house);
  house.onLoop([&] { house.engine.hold_runs = true; });
  auto const started = house.ask("POST", std::string(base) + "/sync/" + who.connection);
  EXPECT_EQ(started.status, 202);
  EXPECT_EQ(house.ask("GET", started.headers.at("location")).json().at("state"), "running");
  house.onLoop([&] { house.engine.endRuns(); });
  auto const done = house.ask("GET", started.headers.at("location")).json();
  EXPECT_EQ(done.at("state"), "done");
  EXPECT_EQ(done.at("problems").at(0).at("place"), "/rosa/bad.ics");
  auto const status = house.ask("GET", std::string(base) + "/status/" + who.connection).json();
  EXPECT_EQ(status.at("last_run").at("id"), done.at("id"));
}

TEST(Routes, ASyncWithWaitAnswersWhenItHasEnded) {
  Harness house;
  Connected const who(house);
  house.onLoop([&] { house.engine.hold_runs = true; });
  auto client = house.client();
  client.send(house.request("POST", std::string(base) + "/sync/" + who.connection + "?wait=1"));
  EXPECT_EQ(house.ask("GET", "/health").status, 200);
  house.onLoop([&] { house.engine.endRuns(); });
  auto const answer = client.read();
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.json().at("state"), "done");
}

TEST(Routes, HintsNameTheRecordsThatARunFetches) {
  Harness house;
  Connected const who(house);
  auto const path = std::string(base) + "/connections/" + who.connection + "/hints";
  auto const answer = house.ask("POST", path,
                                R"({"hints":[{"kind":"crm.project","external_id":"01A"},
                                             {"kind":"crm.project","external_id":"01B"}]})");
  EXPECT_EQ(answer.status, 202) << answer.body;
  EXPECT_EQ(answer.headers.at("location"), std::string(base) + "/status/" + textOf(answer.json().at("id")));
  ASSERT_EQ(house.engine.hints.size(), 2U);
  EXPECT_EQ(house.engine.hints[1].kind, "crm.project");
  EXPECT_EQ(house.engine.hints[1].external_id, "01B");
  for (auto const* bad : {R"({})", R"({"hints":[]})", R"({"hints":[{"kind":"crm.project"}]})",
                          R"({"hints":[{"kind":"crm.project","external_id":""}]})"})
    EXPECT_EQ(house.ask("POST", path, bad).status, 400) << bad;
}

TEST(Routes, AWaitHasAnEnd) {
  Options options;
  options.wait_limit = Milliseconds(1);
  Harness house(options);
  Connected const who(house);
  house.onLoop([&] { house.engine.hold_runs = true; });
  auto const answer = house.ask("POST", std::string(base) + "/sync/" + who.connection + "?wait=1");
  EXPECT_EQ(answer.status, 202);
  EXPECT_EQ(answer.json().at("state"), "running");
}

TEST(Routes, AnEditNeedsTheVersionThatItNames) {
  Harness house;
  Connected const who(house);
  auto const added =
      house.ask("POST", std::string(base) + "/records", recordInput(who, someEvent("Wedding")));
  ASSERT_EQ(added.status, 201) << added.body;
  EXPECT_EQ(added.headers.at("etag"), "\"1\"");
  auto const path = std::string(base) + "/records/" + textOf(added.json().at("id"));
  auto const edit =
      R"({"vendor_id":")" + who.vendor + R"(","data":)" + someEvent("Wedding at the lake") + "}";
  EXPECT_EQ(house.ask("PUT", path, edit, "If-Match: \"1\"\r\n").json().at("version"), 2);
  EXPECT_EQ(house.ask("PUT", path, edit, "If-Match: \"1\"\r\n").status, 412);
  EXPECT_EQ(house.ask("PUT", path, edit, "If-Match: yesterday\r\n").status, 400);
  EXPECT_EQ(house.ask("DELETE", path + "?vendor_id=" + who.vendor, "", "If-Match: 1\r\n").status, 412);
  EXPECT_EQ(house.ask("DELETE", path + "?vendor_id=" + who.vendor).status, 204);
  EXPECT_TRUE(house.ask("GET", path + "?vendor_id=" + who.vendor).json().at("deleted").as_bool());
}

TEST(Routes, WhatARecordsKindDoesNotAllowIsRefusedByItsPlaceInTheBody) {
  Harness house;
  Connected const who(house);
  auto const wrong = house.ask("POST", std::string(base) + "/records",
                               recordInput(who, R"({"uid":"u","title":7,"status":"confirmed","busy":true,
    "start":{"date":"2026-06-13"},"end":{"date":"2026-06-14"}})"));
  EXPECT_EQ(wrong.status, 400);
  EXPECT_EQ(wrong.json().at("field"), "/data/title") << wrong.body;
}

TEST(Routes, AMemberThatNoBodyHasIsNamedByTheField) {
  Harness house;
  auto const answer = house.ask("POST", std::string(base) + "/vendors", R"({"name":"a","nmae":"b"})");
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(textOf(answer.json().at("field")), "/nmae");
}

TEST(Routes, AnAccountConnectedAgainIsTheSameConnection) {
  Harness house;
  Connected const who(house);
  auto const answer = house.ask("POST", std::string(base) + "/vendor/connect",
                                R"({"vendor_id":")" + who.vendor + R"(","plugin":"caldav"})");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(textOf(answer.json().at("id")), who.connection);
  EXPECT_TRUE(answer.json().at("reconnected").as_bool());
}

TEST(Routes, AConnectionSaysWhatItStoresAndHowMuchItMay) {
  Harness house;
  Connected const who(house);
  auto const answer = house.ask("GET", std::string(base) + "/connections/" + who.connection);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.json().at("storage").at("records"), parseJson(R"({"stored":3,"limit":1000000})").value());
  EXPECT_EQ(answer.json().at("storage").at("value_bytes"),
            parseJson(R"({"stored":20,"limit":16777216})").value());
  auto const all = house.ask("GET", std::string(base) + "/connections");
  EXPECT_EQ(all.body.find("storage"), std::string::npos) << "a list does not count";
}

TEST(Routes, DisconnectingLosesUnsentChangesOnlyIfAskedTo) {
  Harness house;
  Connected const who(house);
  house.onLoop([&] { house.engine.unsent = 3; });
  auto const path = std::string(base) + "/connections/" + who.connection;
  EXPECT_EQ(house.ask("DELETE", path).status, 409);
  EXPECT_EQ(house.ask("DELETE", path + "?discard=false").status, 409);
  EXPECT_EQ(house.ask("DELETE", path + "?discard=true").status, 204);
}

TEST(Routes, AnotherVendorsRecordIsNotFound) {
  Harness house;
  Connected const who(house);
  Connected const other(house);
  auto const added =
      house.ask("POST", std::string(base) + "/records", recordInput(who, someEvent("Wedding")));
  auto const path = std::string(base) + "/records/" + textOf(added.json().at("id"));
  EXPECT_EQ(house.ask("GET", path + "?vendor_id=" + other.vendor).status, 404);
}

TEST(Routes, RecordsAndChangesComePageByPage) {
  Harness house;
  Connected const who(house);
  for (int i = 0; i < 5; ++i) {
    house.onLoop([&] { house.clock.advance(Milliseconds(1)); });
    house.ask("POST", std::string(base) + "/records", recordInput(who, someEvent("Wedding")));
  }
  auto const list = std::string(base) + "/records?limit=3&vendor_id=" + who.vendor;
  auto const first = house.ask("GET", list).json();
  EXPECT_EQ(first.at("items").as_array().size(), 3U);
  auto const second = house.ask("GET", list + "&after=" + textOf(first.at("next_after"))).json();
  EXPECT_EQ(second.at("items").as_array().size(), 2U);
  EXPECT_TRUE(second.at("next_after").is_null());
  auto const whole = house.ask("GET", std::string(base) + "/records?limit=5&vendor_id=" + who.vendor).json();
  EXPECT_EQ(whole.at("items").as_array().size(), 5U);
  EXPECT_TRUE(whole.at("next_after").is_null()) << "it is full, and there is no more";
  auto const most = house.ask("GET", std::string(base) + "/records?limit=1000&vendor_id=" + who.vendor);
  EXPECT_EQ(most.status, 200);
  auto const changes =
      house.ask("GET", std::string(base) + "/changes?after=3&vendor_id=" + who.vendor).json();
  EXPECT_EQ(changes.at("items").as_array().size(), 2U);
  EXPECT_EQ(changes.at("next_after"), 5);
}

TEST(Routes, ARecurringEventTellsItsDates) {
  Harness house;
  Connected const who(house);
  auto const added =
      house.ask("POST", std::string(base) + "/records", recordInput(who, R"({"uid":"u","title":"Open studio",
    "status":"confirmed","busy":true,"start":{"local":"2026-03-28T10:00:00","zone":"Europe/Berlin"},
    "end":{"local":"2026-03-28T11:00:00","zone":"Europe/Berlin"},"recurrence":{"rules":["FREQ=DAILY;COUNT=2"]}})"));
  auto const path = std::string(base) + "/records/" + textOf(added.json().at("id")) +
                    "/occurrences?vendor_id=" + who.vendor;
  auto const answer = house.ask("GET", path + "&from=2026-03-01T00:00:00Z&until=2026-04-01T00:00:00Z");
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.json().at("items").at(0).at("start"), "2026-03-28T09:00:00.000Z");
  EXPECT_EQ(answer.json().at("items").at(1).at("start"), "2026-03-29T08:00:00.000Z"); // summer time has begun
  EXPECT_EQ(
      house.ask("GET", path + "&from=2026-03-01T00:00:00Z&until=2026-02-01T00:00:00Z").json().at("field"),
      "?until");
  EXPECT_EQ(house.ask("GET", path + "&from=yesterday&until=2026-02-01T00:00:00Z").json().at("field"),
            "?from");
}

TEST(Routes, AnActionIsTakenInOnceAndItsKeyMeansNothingElse) {
  Harness house;
  Connected const who(house);
  auto const path = std::string(base) + "/connections/" + who.connection + "/actions";
  auto const charge = [](std::string const& amount) {
    return R"({"operation":"payments.create/1","idempotency_key":"invoice-7","input":{"amount":)" + amount +
           "}}";
  };
  auto const accepted = house.ask("POST", path, charge("1200"));
  EXPECT_EQ(accepted.status, 202) << accepted.body;
  EXPECT_EQ(accepted.json().at("effect"), "not_applied");
  auto const location = accepted.headers.at("location");
  EXPECT_EQ(house.ask("GET", location).json().at("state"), "waiting");
  auto const again = house.ask("POST", path, charge("1200"));
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(again.json().at("id"), accepted.json().at("id"));
  EXPECT_EQ(house.ask("POST", path, charge("9900")).status, 409);
  EXPECT_EQ(house.ask("POST", location + "/settle", R"({"effect":"applied"})").status, 409);
  EXPECT_EQ(house.ask("POST", location + "/settle", R"({"effect":"not_applied"})").json().at("state"),
            "failed");
}

TEST(Routes, AnActionNeedsAKeyAnOperationAndAnObject) {
  Harness house;
  Connected const who(house);
  auto const path = std::string(base) + "/connections/" + who.connection + "/actions";
  for (auto const& [body, field] :
       {std::pair(R"({"operation":"a.b/1","input":{}})", "/idempotency_key"),
        std::pair(R"({"idempotency_key":"k","input":{}})", "/operation"),
        std::pair(R"({"operation":"a.b/1","idempotency_key":"k"})", "/input"),
        std::pair(R"({"operation":"a.b/1","idempotency_key":"two words","input":{}})", "/idempotency_key"),
        std::pair(R"({"operation":"a.b/1","idempotency_key":"k","input":7})", "/input")}) {
    auto const answer = house.ask("POST", path, body);
    EXPECT_EQ(answer.status, 400) << body;
    EXPECT_NE(answer.body.find(std::string(field).substr(1)), std::string::npos) << answer.body;
  }
  EXPECT_EQ(house.ask("GET", std::string(base) + "/actions?state=lost").json().at("field"), "?state");
  EXPECT_EQ(house.ask("GET", std::string(base) + "/actions/act_1").status, 404);
}

TEST(Routes, ABugInAHandlerIsA500WithARequestIdThatTheLogHas) {
  Harness house;
  house.onLoop([&] { house.engine.throw_up = Error(ErrorKind::pluginBug, ""); });
  auto const answer = house.ask("GET", std::string(base) + "/vendors");
  EXPECT_EQ(answer.status, 500);
  auto const id = textOf(answer.json().at("request_id"));
  EXPECT_EQ(answer.body.find("a bug in the engine"), std::string::npos);
  EXPECT_NE(house.logText().find(id), std::string::npos);
}

} // namespace
} // namespace garland::api
