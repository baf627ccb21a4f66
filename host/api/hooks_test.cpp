// Requests of strangers: who is let in, what is kept, what is told.
#include "host/api/hooks.h"
#include "host/api/testing/harness.h"
#include "host/api/twin_codec.h"

#include "host/webhooks/webhooks.h"

#include <gtest/gtest.h>

namespace garland::api {
namespace {

using testing::Answer;
using testing::Client;
using testing::Harness;

std::string const kRoot = "/api/integrations";

class HooksTest : public ::testing::Test {
protected:
  Harness house;
  SeededRandom random{11};
  std::string connection = house.onLoop([this] { return newId("con", house.clock, random); });

  json::value open(std::string const& body = "{}") {
    auto const answer = house.ask("POST", kRoot + "/connections/" + connection + "/hook", body);
    EXPECT_EQ(answer.status, 200) << answer.body;
    return answer.json();
  }
  std::string pathOf(json::value const& hook) {
    auto const url = textOr(hook, "/url", "");
    return url.substr(url.find("/hooks/"));
  }
  // As it comes through a proxy: another Host, no API key.
  Answer call(std::string_view method, std::string const& target, std::string_view body,
              std::string const& headers = "Content-Type: application/json\r\n") {
    Client client(house.server->port());
    auto text = std::string(method) + " " + target + " HTTP/1.1\r\nHost: hooks.example.com\r\n" + headers;
    if (!body.empty()) text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    client.send(text + "\r\n" + std::string(body));
    return client.read(method == "HEAD");
  }
  std::vector<sync::Delivery> deliveries() {
    return house.onLoop([this] { return house.engine.fake_intake.deliveries; });
  }
};

TEST_F(HooksTest, AnItemIsSummedUpByWhatItsBodyOrItsQuerySays) {
  auto const path = pathOf(open());
  EXPECT_EQ(call("GET", path + "?event=inquiry&email=ada%40x.test", "", "").status, 200);
  EXPECT_EQ(call("POST", path + "?event=no", R"({"event":"booked"})").status, 200);
  auto const sent = deliveries();
  ASSERT_EQ(sent.size(), 2U);
  EXPECT_EQ(sent[0].summary, "GET inquiry ada@x.test");
  EXPECT_EQ(sent[1].summary, "POST application/json booked");
}

TEST_F(HooksTest, AUrlIsShownOnceAndAnItemHandedInByIt) {
  auto const hook = open();
  EXPECT_TRUE(textOr(hook, "/url", "").starts_with("http://" + house.host() + "/hooks/"));
  EXPECT_FALSE(boolOr(hook, "/signed", true));
  EXPECT_TRUE(open().at("url").is_null());
  auto const answer = call("POST", pathOf(hook), R"({"email":"ada@x.test","event":"inquiry"})");
  EXPECT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(textOr(answer.json(), "/status", ""), "received");
  auto const again = call("POST", pathOf(hook), R"({"email":"ada@x.test","event":"inquiry"})");
  EXPECT_TRUE(boolOr(again.json(), "/known", false));
  EXPECT_EQ(textOr(again.json(), "/id", "a"), textOr(answer.json(), "/id", "b"));
  auto const sent = deliveries();
  ASSERT_EQ(sent.size(), 2U);
  EXPECT_EQ(sent[0].connection_id, connection);
  EXPECT_EQ(sent[0].content.at("json").at("email"), "ada@x.test");
  EXPECT_EQ(sent[0].raw, R"({"email":"ada@x.test","event":"inquiry"})");
  EXPECT_EQ(sent[0].dedupe_key, sent[1].dedupe_key);
  EXPECT_GT(sent[0].same_for, Milliseconds(0)) << "only its bytes tell that it is the same";
  EXPECT_NE(sent[0].summary.find("inquiry"), std::string::npos);
}

TEST_F(HooksTest, AnItemWhoseJsonIsBrokenSaysWhere) {
  EXPECT_EQ(call("POST", pathOf(open()), "{\n  \"email\": ada@x.test}", "Content-Type: application/json\r\n")
                .status,
            200);
  auto const sent = deliveries();
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_TRUE(sent[0].content.as_object().contains("text"));
  EXPECT_NE(sent[0].summary.find("not JSON"), std::string::npos) << sent[0].summary;
  EXPECT_NE(sent[0].summary.find("at line 2, column 12"), std::string::npos) << sent[0].summary;
}

TEST_F(HooksTest, APackedBodyIsUnpacked) {
  auto const path = pathOf(open());
  auto const packed = zipBomb(40);
  EXPECT_EQ(call("POST", path, packed, "Content-Type: application/json\r\nContent-Encoding: gzip\r\n").status,
            200);
  auto const sent = deliveries();
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].content.at("json"), json::value(json::object()));
  EXPECT_EQ(sent[0].raw, packed) << "as it came";
}

TEST_F(HooksTest, ABodyThatCannotBeUnpackedIsKeptForAPerson) {
  auto const path = pathOf(open());
  auto const post = [&](std::string const& encoding, std::string const& body) {
    return call("POST", path, body,
                "Content-Type: application/json\r\nContent-Encoding: " + encoding + "\r\n");
  };
  EXPECT_EQ(post("br", "\x0b\x01\x80{}\x03").status, 200);
  EXPECT_EQ(post("br", "\x0b\x01\x80[]\x03").status, 200);
  EXPECT_EQ(post("gzip", zipBomb(3U << 20U)).status, 200);
  auto const sent = deliveries();
  ASSERT_EQ(sent.size(), 3U);
  for (auto const& delivery : sent) {
    EXPECT_TRUE(delivery.content.as_object().contains("text")) << "no connector takes that";
    EXPECT_FALSE(delivery.raw.empty());
    EXPECT_NE(delivery.summary.find("could not be unpacked"), std::string::npos) << delivery.summary;
  }
  EXPECT_NE(sent[0].summary.find("packed as br"), std::string::npos) << sent[0].summary;
  EXPECT_NE(sent[2].summary.find("more than 1048576 bytes"), std::string::npos) << sent[2].summary;
  EXPECT_NE(sent[0].dedupe_key, sent[1].dedupe_key) << "two leads of one length";
}

TEST_F(HooksTest, AnUnknownTokenIsAnsweredLikeAnyPathThatIsNotThere) {
  auto const nothing = house.ask("GET", "/nothing").json();
  auto const known = pathOf(open());
  for (auto const& path : {std::string("/hooks/x"), "/hooks/" + std::string(52, 'c'), known + "x"}) {
    auto const answer = call("POST", path, "{}");
    EXPECT_EQ(answer.status, 404);
    EXPECT_EQ(answer.json().at("detail"), nothing.at("detail"));
  }
  open(R"({"rotate":true})");
  EXPECT_EQ(call("POST", known, R"({"a":1})").status, 404) << "the old one ends at once";
  EXPECT_TRUE(deliveries().empty());
}

TEST_F(HooksTest, EveryRefusalIsToldToTheAuditChainAndNoToken) {
  call("POST", "/hooks/" + std::string(52, 'c'), "{}");
  auto const path = pathOf(open());
  for (int i = 0; i < 201; ++i) call("POST", path, R"({"a":1})");
  auto const told = house.onLoop([this] { return house.book.told; });
  std::vector<std::string> reasons;
  for (auto const& event : told) {
    if (event.kind != audit::Kind::refusal) continue;
    EXPECT_EQ(event.act, "hook");
    EXPECT_EQ(event.person, "127.0.0.1") << "as a pseudonym only";
    EXPECT_EQ(json::serialize(event.facts).find("cccc"), std::string::npos);
    reasons.push_back(textOr(event.facts, "/reason", ""));
  }
  EXPECT_EQ(reasons, (std::vector<std::string>{"unknown_address", "too_often"}));
}

TEST_F(HooksTest, FormsTextsAndQueriesComeInAndATryWithNothingDoesNot) {
  auto const path = pathOf(open());
  EXPECT_EQ(call("GET", path, "").status, 200);
  EXPECT_EQ(call("HEAD", path, "").status, 200);
  EXPECT_TRUE(deliveries().empty());
  EXPECT_EQ(call("GET", path + "?name=Ada&x=1&x=2", "").status, 200);
  EXPECT_EQ(call("POST", path, "name=Ada", "Content-Type: application/x-www-form-urlencoded\r\n").status,
            200);
  EXPECT_EQ(call("POST", path, "hello", "").status, 200);
  auto const sent = deliveries();
  ASSERT_EQ(sent.size(), 3U);
  EXPECT_EQ(sent[0].content.at("query").at("x"), (json::array{"1", "2"}));
  EXPECT_EQ(sent[1].content.at("form").at("name"), "Ada");
  EXPECT_EQ(sent[2].content.at("text"), "hello");
}

TEST_F(HooksTest, WhatCannotBeKeptIsNotAcknowledged) {
  auto const path = pathOf(open());
  house.onLoop([this] { house.engine.fake_intake.refuse = Error(ErrorKind::quota, "too much waits"); });
  auto const full = call("POST", path, R"({"a":1})");
  EXPECT_EQ(full.status, 429);
  EXPECT_EQ(full.body.find("too much waits"), std::string::npos) << "a stranger was told of what is inside";
  EXPECT_NE(house.logText().find("too much waits"), std::string::npos);
  house.onLoop(
      [this] { house.engine.fake_intake.refuse = Error(ErrorKind::transient, "the database is away"); });
  EXPECT_EQ(call("POST", path, R"({"a":1})").status, 503);
  EXPECT_EQ(call("POST", path, std::string((1U << 20U) + 1, 'x')).status, 413);
}

TEST_F(HooksTest, TheOtherPathsStillWantTheirHostAndKey) {
  EXPECT_EQ(call("GET", kRoot + "/intake", "").status, 421);
  EXPECT_EQ(call("POST", kRoot + "/connections/" + connection + "/hook", "{}").status, 421);
}

TEST_F(HooksTest, ASignedHookTakesOnlyWhatIsSignedAndOnceEach) {
  auto const path =
      pathOf(open(R"({"scheme":"standard-webhooks","secret":"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"})"));
  std::string const body = R"({"email":"ada@x.test"})";
  EXPECT_EQ(call("POST", path, body).status, 403);
  webhooks::Request request;
  request.body = body;
  auto const scheme = webhooks::Scheme::named("standard-webhooks").value();
  auto const now = house.onLoop([this] { return house.clock.now(); });
  auto const headers =
      webhooks::sign(scheme, request, "msg_1", Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), now).value();
  std::string lines = "Content-Type: application/json\r\n";
  for (auto const& [name, value] : headers) lines += name + ": " + value + "\r\n";
  EXPECT_EQ(call("POST", path, body, lines).status, 200);
  EXPECT_EQ(call("POST", path, R"({"email":"eve@x.test"})", lines).status, 403);
  EXPECT_TRUE(boolOr(call("POST", path, body, lines).json(), "/known", false));
  auto const sent = deliveries();
  ASSERT_EQ(sent.size(), 2U);
  EXPECT_NE(sent[0].dedupe_key.find("msg_1"), std::string::npos);
  EXPECT_EQ(sent[0].same_for, Milliseconds(0)) << "an id is good for ever";
  house.advance(Milliseconds(3'600'000));
  EXPECT_EQ(call("POST", path, body, lines).status, 403) << "too old to be believed";
  EXPECT_EQ(house.logText().find("whsec_"), std::string::npos);
}

TEST_F(HooksTest, AnAddressThatIsSignedIsTheOneThatWasToldWithoutAPublicOneToo) {
  auto const path = pathOf(open(R"({"scheme":"square","secret":"s3cret"})"));
  webhooks::Request request;
  request.url = "http://" + house.host() + path;
  request.body = R"({"email":"ada@x.test"})";
  auto const scheme = webhooks::Scheme::named("square").value();
  std::string lines = "Content-Type: application/json\r\n";
  for (auto const& [name, value] : webhooks::sign(scheme, request, "", Secret("s3cret"), {}).value())
    lines += name + ": " + value + "\r\n";
  EXPECT_EQ(call("POST", path, request.body, lines).status, 200);
}

TEST_F(HooksTest, ASchemeThatIsNoneOrLacksItsSecretIsRefused) {
  auto const target = kRoot + "/connections/" + connection + "/hook";
  for (auto const* body : {R"({"scheme":"nonsense","secret":"s"})", R"({"scheme":"standard-webhooks"})",
                           R"({"scheme":{"signature":{}},"secret":"s"})"})
    EXPECT_EQ(house.ask("POST", target, body).status / 100, 4) << body;
}

TEST_F(HooksTest, ASecretOfAnotherFormThanItsSchemeTellsIsRefusedAtOnce) {
  auto const target = kRoot + "/connections/" + connection + "/hook";
  auto const answer = house.ask("POST", target, R"({"scheme":"standard-webhooks","secret":"hunter2!"})");
  EXPECT_EQ(answer.status, 400) << answer.body;
  EXPECT_NE(answer.body.find("such as whsec_"), std::string::npos) << answer.body;
  EXPECT_EQ(answer.body.find("hunter2"), std::string::npos) << answer.body;
}

TEST_F(HooksTest, ASchemeThatWantsMoreThanASecretIsRefusedAtOnce) {
  auto const target = kRoot + "/connections/" + connection + "/hook";
  for (auto const* name : {"paypal", "google-calendar", "meta", "aws-sns"}) {
    auto const answer = house.ask("POST", target, R"({"secret":"s","scheme":")" + std::string(name) + "\"}");
    EXPECT_EQ(answer.status / 100, 4) << name;
    EXPECT_NE(answer.body.find("/scheme"), std::string::npos) << answer.body;
  }
}

TEST_F(HooksTest, ASecretThatTheSenderTellsIsKeptFromItsFirstRequest) {
  auto const path = pathOf(open(R"({"scheme":"asana"})"));
  EXPECT_EQ(call("POST", path, R"({"a":1})").status, 403);
  auto const told = call("POST", path, "{}", "X-Hook-Secret: s3cret\r\n");
  EXPECT_EQ(told.status, 200) << told.body;
  EXPECT_EQ(told.headers.at("x-hook-secret"), "s3cret");
  webhooks::Request request;
  request.body = R"({"a":1})";
  auto const scheme = webhooks::Scheme::named("asana").value();
  std::string lines;
  for (auto const& [name, value] : webhooks::sign(scheme, request, "", Secret("s3cret"), {}).value())
    lines += name + ": " + value + "\r\n";
  EXPECT_EQ(call("POST", path, request.body, lines).status, 200);
  EXPECT_EQ(deliveries().size(), 1U);
}

TEST_F(HooksTest, AQueryComesInAsFormsAndPeopleWriteIt) {
  auto const path = pathOf(open());
  EXPECT_EQ(call("GET", path + "?name=Ada&message=Hi%0D%0Athere&zero=%00", "").status, 200);
  EXPECT_EQ(call("GET", path + "?guests[0]=Ada&a|b=50%&c=%41\xC3\xBC{}\"<>^`\\", "").status, 200);
  auto const sent = deliveries();
  ASSERT_EQ(sent.size(), 2U);
  EXPECT_EQ(sent[0].content.at("query").at("message"), "Hi\r\nthere");
  EXPECT_EQ(sent[1].content.at("query"),
            (json::value{{"guests[0]", "Ada"}, {"a|b", "50%"}, {"c", "A\xC3\xBC{}\"<>^`\\"}}));
  EXPECT_EQ(house.ask("GET", kRoot + "/intake?after=a%0Ab").status, 400);
}

TEST(HookRateTest, AHookTakesABurstAndThenASteadyStream) {
  HookRate rate;
  Monotonic now{};
  int admitted = 0;
  while (rate.admits("a", now)) ++admitted;
  EXPECT_EQ(admitted, 200);
  EXPECT_TRUE(rate.admits("b", now)) << "each has its own";
  now += std::chrono::milliseconds(100);
  EXPECT_TRUE(rate.admits("a", now));
  EXPECT_TRUE(rate.admits("a", now));
  EXPECT_FALSE(rate.admits("a", now));
}

} // namespace
} // namespace garland::api
