// Webhooks whose certificate is fetched, and addresses that are confirmed: what comes in, what is answered,
// and what strangers cannot find out or bring about.
#include "host/api/testing/harness.h"
#include "host/webhooks/webhook_fixture.h"

namespace garland::api {
namespace {

using testing::Answer;
using testing::Client;
using testing::Harness;
using ::testing::HasSubstr;
using ::testing::Not;

std::string const kRoot = "/api/integrations";
constexpr auto kUrl = "https://hooks.studio.test/keys/7.pem";
constexpr auto kPinned = R"({
  "signature": {"algorithm": "rsa-sha256", "at": {"header": "X-Sign"}, "encoding": "base64",
    "signed": "{timestamp}{body}", "timestamp": {"at": {"header": "X-Time"}},
    "certificate": {"url": {"header": "X-Certificate"}, "hosts": ["*.studio.test"], "path_prefix": "/keys/"}}})";
constexpr auto kConfirmed = R"({
  "signature": {"algorithm": "token", "at": {"body": "/token"}},
  "handshakes": [{"method": "POST", "signed": true, "answer": {},
    "visit": {"url": {"body": "/confirm"}, "hosts": ["*.studio.test"]}}]})";

class Guests : public ::testing::Test {
protected:
  explicit Guests(std::string_view webhooks) : house({}, webhooks) {
    auto const vendor = textOr(house.ask("POST", kRoot + "/vendors", R"({"name":"Rosa"})").json(), "/id", "");
    house.ask("PUT", kRoot + "/vendors/" + vendor + "/plugins/caldav");
    auto const connected = house.ask("POST", kRoot + "/vendor/connect",
                                     R"({"vendor_id":")" + vendor + R"(","plugin":"caldav","settings":{}})");
    auto const connection = textOr(connected.json(), "/id", "");
    auto const endpoint = house.ask("POST", kRoot + "/connections/" + connection + "/webhook",
                                    R"({"name":"acct_1","secret":"s3cret"})");
    EXPECT_EQ(endpoint.status, 200) << endpoint.body;
    house.advance(Milliseconds(webhooks::kNow * 1'000) - house.clock.now().time_since_epoch());
    answers(200, webhooks::kCertificate);
  }
  Answer send(std::string_view body, std::string const& lines, std::string const& endpoint = "acct_1") {
    Client client(house.server->port());
    client.send("POST " + kRoot + "/webhook/caldav/" + endpoint + " HTTP/1.1\r\nHost: hooks.example.com\r\n" +
                "Content-Type: application/json\r\n" + lines +
                "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body));
    return client.read();
  }
  void answers(int status, std::string const& body) {
    house.onLoop([&] { house.egress.answers(status, body); });
  }
  std::vector<std::string> fetched() {
    return house.onLoop([this] {
      std::vector<std::string> urls;
      for (auto const& request : house.egress.requests) urls.push_back(request.url);
      return urls;
    });
  }
  std::size_t accepted() {
    return house.onLoop([this] { return house.engine.fake_webhooks.accepted.size(); });
  }
  Harness house;
};

class WebhookCertificate : public Guests {
protected:
  WebhookCertificate() : Guests(kPinned) {}
  Answer deliver(std::string_view body = webhooks::kBody, std::string const& url = kUrl,
                 std::string const& endpoint = "acct_1") {
    return send(body,
                "X-Time: 1790000000\r\nX-Sign: " + std::string(webhooks::kRsaSha256) +
                    "\r\nX-Certificate: " + url + "\r\n",
                endpoint);
  }
};

// But for the request's own id.
std::string seen(Answer const& answer) {
  auto body = answer.json();
  body.as_object().erase("request_id");
  return std::to_string(answer.status) + canonicalJson(body);
}

TEST_F(WebhookCertificate, OneFetchServesManyDeliveries) {
  for (int i = 0; i < 5; ++i) {
    auto const answer = deliver();
    EXPECT_EQ(answer.status, 200) << answer.body;
  }
  EXPECT_EQ(accepted(), 5U);
  EXPECT_EQ(fetched(), std::vector<std::string>{kUrl});
}

TEST_F(WebhookCertificate, WhatCannotBeVerifiedNowIsToComeAgain) {
  answers(500, "");
  auto const answer = deliver();
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.headers.at("retry-after"), "10");
  EXPECT_EQ(answer.body.find("studio.test"), std::string::npos) << "that is nobody's business";
  EXPECT_EQ(accepted(), 0U);
  EXPECT_THAT(house.ask("GET", "/metrics").body, HasSubstr(R"(outcome="no_certificate")"));
  EXPECT_THAT(house.logText(), HasSubstr("hooks.studio.test answered 500"));
  answers(200, webhooks::kCertificate);
  EXPECT_EQ(deliver().status, 200);
}

TEST_F(WebhookCertificate, AnotherHostIsABadSignatureAndIsNeverAsked) {
  EXPECT_EQ(deliver().status, 200);
  auto const forged = deliver("{}");
  EXPECT_EQ(forged.status, 403);
  for (auto const* url : {"https://evil.test/keys/7.pem", "http://hooks.studio.test/keys/7.pem",
                          "https://hooks.studio.test/else/7.pem", "https://127.0.0.1/keys/7.pem", "x"})
    EXPECT_EQ(seen(deliver(webhooks::kBody, url)), seen(forged)) << url;
  EXPECT_EQ(seen(send(webhooks::kBody, "")), seen(forged));
  EXPECT_EQ(seen(send(webhooks::kBody, std::string("X-Certificate: ") + kUrl + "2\r\n")), seen(forged))
      << "without a signature nothing is worth a fetch";
  EXPECT_EQ(fetched().size(), 1U);
  EXPECT_EQ(accepted(), 1U);
}

TEST_F(WebhookCertificate, AFloodOfForgeriesMakesTheHostFetchALittleAndGenuineOnesComeInBeside) {
  EXPECT_EQ(deliver().status, 200);
  int later = 0;
  for (int i = 0; i < 100; ++i) {
    auto const answer = deliver("{}", kUrl + std::to_string(i));
    EXPECT_TRUE(answer.status == 403 || answer.status == 503) << answer.status;
    later += answer.status == 503 ? 1 : 0;
  }
  EXPECT_EQ(later, 91);
  EXPECT_EQ(fetched().size(), 10U);
  EXPECT_EQ(deliver().status, 200);
}

TEST_F(WebhookCertificate, ACertificateThatHasExpiredVerifiesNothing) {
  house.advance(Milliseconds(std::chrono::hours(30 * 24)));
  EXPECT_EQ(deliver().status, 403);
  EXPECT_EQ(accepted(), 0U);
  EXPECT_THAT(house.logText(), HasSubstr("expired"));
}

TEST_F(WebhookCertificate, FromOutsideAnEndpointThatIsNotThereIsLikeAForgery) {
  auto const forged = deliver("{}");
  EXPECT_EQ(seen(deliver("{}", kUrl, "acct_2")), seen(forged));
  answers(500, "");
  EXPECT_EQ(seen(deliver("{}", kUrl, "acct_2")), seen(deliver("{}")));
  EXPECT_EQ(fetched().size(), 4U) << "the same work, too";
}

class WebhookConfirmation : public Guests {
protected:
  WebhookConfirmation() : Guests(kConfirmed) {}
  Answer confirm(std::string const& token, std::string const& endpoint = "acct_1",
                 std::string const& host = "hooks.studio.test") {
    auto const url = "https://" + host + "/confirm?token=t0ken";
    return send(json::serialize(json::object{{"token", token}, {"confirm", url}}), "", endpoint);
  }
};

TEST_F(WebhookConfirmation, AVerifiedAddressIsVisitedBeforeItIsAnswered) {
  EXPECT_EQ(confirm("s3cret").status, 200);
  EXPECT_EQ(fetched(), std::vector<std::string>{"https://hooks.studio.test/confirm?token=t0ken"});
  EXPECT_EQ(accepted(), 0U) << "it is no delivery";
  EXPECT_THAT(house.ask("GET", "/metrics").body, HasSubstr(R"(outcome="handshake")"));
}

TEST_F(WebhookConfirmation, OneThatFailsIsToComeAgain) {
  answers(403, "");
  auto const answer = confirm("s3cret");
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.headers.at("retry-after"), "10");
  EXPECT_THAT(house.logText(), HasSubstr("hooks.studio.test answered 403 to the confirmation"));
  EXPECT_THAT(house.logText(), Not(HasSubstr("t0ken")));
  answers(204, "");
  EXPECT_EQ(confirm("s3cret").status, 200);
}

TEST_F(WebhookConfirmation, NobodyElseMakesTheHostVisitAnything) {
  EXPECT_EQ(confirm("pepper").status, 403);
  EXPECT_EQ(confirm("s3cret", "acct_2").status, 403);
  (void)confirm("s3cret", "acct_1", "evil.test");
  (void)confirm("s3cret", "acct_1", "127.0.0.1");
  EXPECT_TRUE(fetched().empty());
}

} // namespace
} // namespace garland::api
