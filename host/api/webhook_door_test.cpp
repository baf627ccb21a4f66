// The door for webhooks: who is let in, what is kept, what is told, what it looks like from outside.
#include "host/api/testing/harness.h"
#include "host/api/testing/signature_lines.h"
#include "host/api/twin_codec.h"

#include <gmock/gmock.h>

namespace garland::api {
namespace {

using testing::Answer;
using testing::Client;
using testing::Harness;
using ::testing::HasSubstr;
using testing::signatureLines;

std::string const kRoot = "/api/integrations";
constexpr char const* kSecret = "s3cret";
constexpr char const* kEvent = R"({"id":"evt_1","type":"paid"})";

class WebhookDoorTest : public ::testing::Test {
protected:
  Harness house;
  std::string connection;
  json::value endpoint;

  void SetUp() override {
    auto const vendor = textOr(house.ask("POST", kRoot + "/vendors", R"({"name":"Rosa"})").json(), "/id", "");
    house.ask("PUT", kRoot + "/vendors/" + vendor + "/plugins/caldav");
    auto const connected = house.ask("POST", kRoot + "/vendor/connect",
                                     R"({"vendor_id":")" + vendor + R"(","plugin":"caldav","settings":{}})");
    connection = textOr(connected.json(), "/id", "");
    endpoint = setUp(R"({"name":"acct_1","secret":"s3cret"})");
  }
  json::value setUp(std::string const& body) {
    auto const answer = house.ask("POST", kRoot + "/connections/" + connection + "/webhook", body);
    EXPECT_EQ(answer.status, 200) << answer.body;
    return answer.json();
  }
  // As it comes through a proxy: another Host, no API key.
  Answer send(std::string_view method, std::string const& path, std::string_view body,
              std::string const& lines) {
    Client client(house.server->port());
    auto text = std::string(method) + " " + kRoot + "/webhook/" + path +
                " HTTP/1.1\r\nHost: hooks.example.com\r\n" +
                "Content-Type: application/json; charset=utf-8\r\n" + lines;
    if (!body.empty()) text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    client.send(text + "\r\n" + std::string(body));
    return client.read(method == "HEAD");
  }
  Answer deliver(std::string_view body, std::string_view secret = kSecret,
                 std::string const& path = "caldav/acct_1", std::string const& more = {}) {
    return send("POST", path, body, signatureLines(secret, body, house.clock.now()) + more);
  }
  std::vector<sync::NewWebhook> accepted() {
    return house.onLoop([this] { return house.engine.fake_webhooks.accepted; });
  }
};

TEST_F(WebhookDoorTest, AGenuineDeliveryIsHandedInWithItsIdAndWhatTheConnectorMaySee) {
  EXPECT_THAT(textOr(endpoint, "/url", ""), HasSubstr(kRoot + "/webhook/caldav"));
  EXPECT_THAT(textOr(endpoint, "/note", ""), HasSubstr("add event=VALUE to the address"));
  auto const answer = deliver(kEvent, kSecret, "caldav/acct_1?event=job.paid&other=x",
                              "X-Event: paid\r\nAuthorization: Bearer private\r\n");
  EXPECT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.body, R"({"status":"received"})");
  auto const sent = accepted();
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].connection_id, connection);
  EXPECT_EQ(sent[0].key, "id evt_1");
  EXPECT_EQ(sent[0].body, kEvent);
  EXPECT_EQ(
      canonicalJson(parseJson(sent[0].shown).value()),
      R"({"content_type":"application/json; charset=utf-8","headers":{"x-event":"paid"},"query":{"event":"job.paid"}})");
  EXPECT_EQ(deliver(kEvent).status, 200) << "the same again is told that it is here";
}

TEST_F(WebhookDoorTest, WithoutAnIdAddressAndBytesMakeTheKey) {
  for (auto const* body : {R"({"a":1})", R"({"a":2})", R"({"id":"x","id":"y"})", R"({"a":1})"})
    EXPECT_EQ(deliver(body).status, 200);
  EXPECT_EQ(deliver(R"({"a":1})", kSecret, "caldav/acct_1?event=other").status, 200);
  EXPECT_EQ(deliver("{\"id\":\"" + std::string(400, 'x') + "\"}").status, 200);
  auto const sent = accepted();
  ASSERT_EQ(sent.size(), 6U);
  std::set<std::string> keys;
  for (auto const& one : sent) keys.insert(one.key);
  EXPECT_EQ(keys.size(), 5U);
  EXPECT_EQ(sent[0].key, sent[3].key);
  EXPECT_TRUE(sent[0].key.starts_with("bytes "));
  EXPECT_EQ(sent[5].key.size(), 3 + 64U) << "an id that is no key is one by its digest";
}

TEST_F(WebhookDoorTest, APackedBodyIsVerifiedAndToldApartAsItCameAndHandedInUnpacked) {
  auto const packed = zipBomb(40);
  auto const plain = std::string(38, ' ') + "{}";
  for (auto const* encoding : {"gzip", "x-gzip"})
    EXPECT_EQ(deliver(packed, kSecret, "caldav/acct_1", "Content-Encoding: " + std::string(encoding) + "\r\n")
                  .status,
              200);
  EXPECT_EQ(deliver(plain, kSecret, "caldav/acct_1", "Content-Encoding: identity\r\n").status, 200);
  EXPECT_EQ(deliver(plain).status, 200);
  auto const sent = accepted();
  ASSERT_EQ(sent.size(), 4U);
  for (auto const& one : sent) EXPECT_EQ(one.body, plain);
  EXPECT_EQ(sent[0].key, sent[1].key);
  EXPECT_NE(sent[0].key, sent[2].key) << "other bytes came";
  EXPECT_EQ(sent[2].key, sent[3].key);
}

TEST_F(WebhookDoorTest, TheIdInAPackedBodyIsTheDeliverys) {
  // {"id":"evt_9"} as zlib packs it.
  std::string const packed(
      "\x78\x9c\xab\x56\xca\x4c\x51\xb2\x52\x4a\x2d\x2b\x89\xb7\x54\xaa\x05\x00\x20\xdb\x04\x6f", 22);
  EXPECT_EQ(deliver(packed, kSecret, "caldav/acct_1", "Content-Encoding: deflate\r\n").status, 200);
  ASSERT_EQ(accepted().size(), 1U);
  EXPECT_EQ(accepted()[0].key, "id evt_9");
}

TEST_F(WebhookDoorTest, WhatCannotBeUnpackedIsRefusedAndOnlyWhoSignsItHearsWhy) {
  auto const packed = [&](std::string const& encoding, std::string const& body, char const* secret) {
    return deliver(body, secret, "caldav/acct_1", "Content-Encoding: " + encoding + "\r\n");
  };
  auto const otherwise = packed("br", "\x0b\x01\x80{}\x03", kSecret);
  EXPECT_EQ(otherwise.status, 415);
  EXPECT_EQ(otherwise.headers.at("accept-encoding"), "gzip, deflate");
  EXPECT_THAT(otherwise.body, HasSubstr("only gzip and deflate are unpacked"));
  EXPECT_EQ(packed("gzip", kEvent, kSecret).status, 400);
  EXPECT_EQ(packed("gzip", zipBomb(3U << 20U), kSecret).status, 400);
  for (auto const* encoding : {"br", "gzip"}) EXPECT_EQ(packed(encoding, kEvent, "another").status, 403);
  EXPECT_TRUE(accepted().empty());
  EXPECT_THAT(house.logText(), HasSubstr("could not be unpacked"));
  std::vector<std::string> refusals;
  for (auto const& event : house.onLoop([this] { return house.book.told; }))
    if (event.kind == audit::Kind::refusal)
      refusals.push_back(event.act + " " + textOr(event.facts, "/reason", ""));
  EXPECT_THAT(refusals, ::testing::ElementsAre("webhook packed", "webhook packed", "webhook packed",
                                               "webhook mismatch", "webhook mismatch"));
}

TEST_F(WebhookDoorTest, TheAddressOfAllAccountsAsksTheDeliveryWhoIsMeant) {
  EXPECT_EQ(deliver(kEvent, kSecret, "caldav", "X-Account: acct_1\r\n").status, 200);
  EXPECT_EQ(deliver(kEvent, kSecret, "caldav", "X-Account: acct_2\r\n").status, 403);
  EXPECT_EQ(deliver(kEvent, kSecret, "caldav").status, 403);
  EXPECT_EQ(accepted().size(), 1U);
}

// Status, headers and body, but for the request's own id.
std::string seen(Answer const& answer) {
  auto body = answer.json();
  body.as_object().erase("request_id");
  std::string out = std::to_string(answer.status) + canonicalJson(body);
  for (auto const& [name, value] : answer.headers)
    if (name != "x-request-id") out += name + value;
  return out;
}

TEST_F(WebhookDoorTest, FromOutsideABadSignatureAndAnEndpointThatIsNotThereAreAlike) {
  auto const forged = deliver(kEvent, "another");
  EXPECT_EQ(forged.status, 403);
  for (auto const* path : {"caldav/acct_2", "nothing/acct_1", "nothing", "broken/acct_1"})
    EXPECT_EQ(seen(deliver(kEvent, kSecret, path)), seen(forged)) << path;
  EXPECT_EQ(seen(send("POST", "caldav/acct_1", kEvent, "")), seen(forged)) << "unsigned";
  EXPECT_EQ(seen(send("GET", "caldav/acct_1", "", "")), seen(forged));
  EXPECT_EQ(seen(send("GET", "caldav/acct_2", "", "")), seen(forged));
  EXPECT_EQ(send("HEAD", "caldav/acct_1", "", "").status, 200);
  EXPECT_EQ(send("HEAD", "nothing/acct_2", "", "").status, 200);
  EXPECT_EQ(seen(send("GET", "caldav/acct_1?challenge=abc", "", "")),
            seen(send("GET", "caldav/acct_2?challenge=abc", "", "")));
  EXPECT_TRUE(accepted().empty());
  Client stranger(house.server->port());
  stranger.send("GET /metrics HTTP/1.1\r\nHost: " + house.host() + "\r\n\r\n");
  EXPECT_EQ(stranger.read().status, 401) << "what follows would tell them apart";
  auto const metrics = house.ask("GET", "/metrics").body;
  EXPECT_THAT(metrics, HasSubstr(R"(outcome="mismatch",system="garland.caldav"} 1)"));
  EXPECT_THAT(metrics, HasSubstr(R"(outcome="unknown_endpoint",system="garland.caldav")"));
  EXPECT_THAT(metrics, HasSubstr(R"(outcome="unknown_endpoint",system="none"} 2)"));
  EXPECT_THAT(house.logText(), HasSubstr("unknown_endpoint"));
  EXPECT_THAT(house.logText(), HasSubstr(connection));
}

// Connection, reason, number; "!" where nothing genuine came since.
std::vector<std::string> refusals(Harness const& house) {
  std::vector<std::string> out;
  auto const page = house.ask("GET", kRoot + "/webhooks/refused").json();
  for (auto const& line : page.at("items").as_array())
    out.push_back(textOr(line, "/connection_id", textOr(line, "/system", "")) + " " +
                  textOr(line, "/reason", "") + " " + std::to_string(integerOr(line, "/count", 0)) +
                  (boolOr(line, "/taken_since", true) ? "" : "!"));
  return out;
}

TEST_F(WebhookDoorTest, WhatWasRefusedWithinTheHourIsToldByConnectionAndReason) {
  EXPECT_THAT(refusals(house), ::testing::IsEmpty());
  for (int i = 0; i < 3; ++i) deliver(kEvent, "another");
  send("POST", "caldav/acct_1", kEvent, "");
  deliver(kEvent, kSecret, "caldav/acct_2");
  deliver(kEvent, kSecret, "caldav/acct_1", "Content-Encoding: gzip\r\n");
  EXPECT_THAT(refusals(house),
              ::testing::ElementsAre("garland.caldav unknown_endpoint 1!", connection + " mismatch 3!",
                                     connection + " missing 1!", connection + " packed 1!"));
  auto const health = house.ask("GET", "/health");
  EXPECT_EQ(integerOr(health.json(), "/webhooks/refused", 0), 6);
  EXPECT_THAT(health.body, ::testing::Not(HasSubstr("mismatch"))) << "strangers are not told why";
  EXPECT_EQ(deliver(kEvent).status, 200);
  EXPECT_THAT(refusals(house), ::testing::Contains(connection + " mismatch 3")) << "its secret is right";
}

TEST_F(WebhookDoorTest, AfterAnHourARefusalIsForgotten) {
  deliver(kEvent, "another");
  house.advance(Milliseconds(30 * 60'000));
  deliver(kEvent, "another");
  house.advance(Milliseconds(29 * 60'000));
  EXPECT_THAT(refusals(house), ::testing::ElementsAre(connection + " mismatch 2!"));
  house.advance(Milliseconds(60'000));
  EXPECT_THAT(refusals(house), ::testing::ElementsAre(connection + " mismatch 1!"));
  house.advance(Milliseconds(90 * 60'000));
  EXPECT_THAT(refusals(house), ::testing::IsEmpty());
  deliver(kEvent, "another");
  EXPECT_THAT(refusals(house), ::testing::ElementsAre(connection + " mismatch 1!"));
}

TEST_F(WebhookDoorTest, WithAConnectionGoWhatWasRefusedInItsNameAndTheSecretThatVerifiedIt) {
  deliver(kEvent, "another");
  deliver(kEvent, kSecret, "caldav/acct_2");
  EXPECT_EQ(deliver(kEvent).status, 200);
  EXPECT_EQ(house.ask("DELETE", kRoot + "/connections/" + connection).status, 204);
  EXPECT_EQ(integerOr(house.ask("GET", "/health").json(), "/webhooks/refused", 0), 1);
  EXPECT_THAT(refusals(house), ::testing::ElementsAre("garland.caldav unknown_endpoint 1!"));
  sync::WebhookSetup again;
  again.connection_id = connection;
  again.name = "acct_1";
  again.secret = Secret("the next");
  house.await(house.engine.fake_webhooks.setUp(std::move(again))).value();
  EXPECT_EQ(deliver(kEvent).status, 403);
  EXPECT_EQ(deliver(kEvent, "the next").status, 200);
}

TEST_F(WebhookDoorTest, ASecretThatIsReadWhileItsConnectionGoesVerifiesNothingLater) {
  auto& webhooks = house.engine.fake_webhooks;
  house.onLoop([&] {
    webhooks.while_read = [&] { webhooks.forget(connection); };
    return true;
  });
  deliver(kEvent);
  ASSERT_TRUE(house.onLoop([&] { return webhooks.endpoints.empty(); }))
      << "it went while its secret was read";
  sync::WebhookSetup again;
  again.connection_id = connection;
  again.name = "acct_1";
  again.secret = Secret("the next");
  house.await(webhooks.setUp(std::move(again))).value();
  EXPECT_EQ(deliver(kEvent).status, 403);
  EXPECT_EQ(deliver(kEvent, "the next").status, 200);
}

TEST_F(WebhookDoorTest, AFloodOfForgeriesIsCountedAndToldNowAndThen) {
  for (int i = 0; i < 300; ++i) deliver(kEvent, "another");
  auto const log = house.logText();
  std::size_t told = 0;
  for (auto at = log.find("a webhook was refused"); at != std::string::npos;
       at = log.find("a webhook was refused", at + 1))
    ++told;
  EXPECT_EQ(told, 200U);
  EXPECT_THAT(house.ask("GET", "/metrics").body,
              HasSubstr(R"(outcome="mismatch",system="garland.caldav"} 300)"));
}

TEST_F(WebhookDoorTest, AnOldDeliveryIsRefusedAndBothSecretsCountWhileOneIsRotatedOut) {
  auto const lines = signatureLines(kSecret, kEvent, house.clock.now());
  setUp(R"({"secret":"newer","rotate":true})");
  EXPECT_EQ(deliver(kEvent, "newer").status, 200);
  EXPECT_EQ(send("POST", "caldav/acct_1", kEvent, lines).status, 200);
  house.advance(Milliseconds(301'000));
  EXPECT_EQ(send("POST", "caldav/acct_1", kEvent, lines).status, 403);
  EXPECT_EQ(setUp(R"({"secret":"last"})").at("secrets"), 1);
  EXPECT_EQ(deliver(kEvent, "newer").status, 403) << "without rotate it ends at once";
  EXPECT_EQ(deliver(kEvent, "last").status, 200);
  EXPECT_EQ(house.logText().find("newer"), std::string::npos);
}

TEST_F(WebhookDoorTest, ItsSecretsAreOpenedOnceAndNotForEachRequest) {
  for (int i = 0; i < 5; ++i) EXPECT_EQ(deliver(kEvent).status, 200);
  auto const asked = house.onLoop([this] { return house.engine.fake_webhooks.keys_asked; });
  EXPECT_LE(asked, 2) << "once to answer who set it up, once for the requests";
}

TEST_F(WebhookDoorTest, TooMuchIsTurnedAwayWithATimeToTryAgain) {
  house.onLoop([this] {
    Error error(ErrorKind::transient, "more come in than the database takes");
    error.retry_after = Milliseconds(1'000);
    house.engine.fake_webhooks.refuse = error;
  });
  auto const answer = deliver(kEvent);
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.headers.at("retry-after"), "1");
  EXPECT_EQ(answer.body.find("database"), std::string::npos) << "that is nobody's business";
  EXPECT_THAT(house.ask("GET", "/metrics").body, HasSubstr(R"(outcome="overload")"));
}

TEST_F(WebhookDoorTest, ThreeHundredSilentClientsKeepNoDeliveryOut) {
  asio::io_context context;
  std::vector<asio::ip::tcp::socket> silent;
  for (int i = 0; i < 300; ++i)
    silent.emplace_back(context).connect({asio::ip::make_address("127.0.0.1"), house.server->port()});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(deliver(kEvent).status, 200);
  EXPECT_EQ(accepted().size(), 3U);
}

TEST_F(WebhookDoorTest, ABodyOverTheLimitIsRefused) {
  EXPECT_EQ(deliver(std::string((1U << 20U) + 1, 'x')).status, 413);
  EXPECT_TRUE(accepted().empty());
}

TEST_F(WebhookDoorTest, RotatingTakesASecretAndAParameterMustBeOneOfTheScheme) {
  auto const target = kRoot + "/connections/" + connection + "/webhook";
  EXPECT_EQ(house.ask("POST", target, R"({"rotate":true})").status, 400);
  EXPECT_EQ(house.ask("POST", target, R"({"parameters":{"x":"y"}})").status, 400);
  EXPECT_EQ(house.ask("POST", target, R"({"name":"a/b"})").status, 400);
  EXPECT_EQ(house.ask("POST", kRoot + "/webhooks/replay", "{}").status, 400);
}

} // namespace
} // namespace garland::api
