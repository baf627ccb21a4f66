// Providers that try an address out: what they are answered, what is kept of it, and who is answered nothing.
#include "host/api/testing/harness.h"
#include "host/webhooks/webhooks.h"

#include <gmock/gmock.h>

namespace garland::api {
namespace {

using testing::Answer;
using testing::Client;
using ::testing::ElementsAre;
using testing::Harness;
using ::testing::IsEmpty;

std::string const kRoot = "/api/integrations";

// The connector's webhooks are those of a preset; "acct_1" is the one endpoint.
class Tries : public ::testing::Test {
protected:
  Tries(std::string const& preset, std::string const& setup)
      : scheme(webhooks::Scheme::named(preset).value()), house({}, R"({"signature":")" + preset + "\"}") {
    auto const vendor = textOr(house.ask("POST", kRoot + "/vendors", R"({"name":"Rosa"})").json(), "/id", "");
    house.ask("PUT", kRoot + "/vendors/" + vendor + "/plugins/caldav");
    auto const connected = house.ask("POST", kRoot + "/vendor/connect",
                                     R"({"vendor_id":")" + vendor + R"(","plugin":"caldav","settings":{}})");
    connection = textOr(connected.json(), "/id", "");
    auto const endpoint = house.ask("POST", kRoot + "/connections/" + connection + "/webhook", setup);
    EXPECT_EQ(endpoint.status, 200) << endpoint.body;
  }
  Answer send(std::string_view method, std::string const& path, std::string_view body = "",
              std::string const& lines = "") {
    Client client(house.server->port());
    auto text = std::string(method) + " " + kRoot + "/webhook/caldav/" + path +
                " HTTP/1.1\r\nHost: hooks.example.com\r\nContent-Type: application/json\r\n" + lines;
    if (!body.empty()) text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    client.send(text + "\r\n" + std::string(body));
    return client.read();
  }
  std::string signedWith(std::string const& secret, std::string_view body) {
    webhooks::Request request;
    request.body = body;
    std::string lines;
    for (auto const& [name, value] :
         webhooks::sign(scheme, request, "", Secret(std::string(secret)), house.clock.now()).value())
      lines += name + ": " + value + "\r\n";
    return lines;
  }
  std::size_t accepted() {
    return house.onLoop([this] { return house.engine.fake_webhooks.accepted.size(); });
  }
  std::vector<std::string> secrets() {
    return house.onLoop([this] { return house.engine.fake_webhooks.secrets[connection]; });
  }

  webhooks::Scheme scheme;
  Harness house;
  std::string connection;
};

class ChallengeInTheQuery : public Tries {
protected:
  ChallengeInTheQuery()
      : Tries("meta", R"({"name":"acct_1","secret":"s3cret","parameters":{"verify_token":"lavender"}})") {}
  Answer challenge(std::string const& token, std::string const& endpoint = "acct_1") {
    return send("GET", endpoint + "?hub.mode=subscribe&hub.challenge=42&hub.verify_token=" + token);
  }
};

TEST_F(ChallengeInTheQuery, IsEchoedToWhoKnowsWhatWasAgreedOn) {
  auto const answer = challenge("lavender");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "42");
  EXPECT_EQ(answer.headers.at("content-type"), "text/plain; charset=utf-8");
  EXPECT_EQ(challenge("mint").status, 403);
  EXPECT_EQ(challenge("lavender", "acct_2").status, 403);
  EXPECT_EQ(accepted(), 0U);
}

class ChallengeInTheBody : public Tries {
protected:
  ChallengeInTheBody() : Tries("slack", R"({"name":"acct_1","secret":"s3cret"})") {}
};

TEST_F(ChallengeInTheBody, IsEchoedIfItIsSignedAndIsNoDelivery) {
  auto const* const body = R"({"type":"url_verification","challenge":"ring"})";
  EXPECT_EQ(send("POST", "acct_1", body, signedWith("s3cret", body)).body, "ring");
  EXPECT_EQ(send("POST", "acct_1", body, signedWith("pepper", body)).status, 403);
  EXPECT_EQ(send("POST", "acct_1", body).status, 403);
  EXPECT_EQ(accepted(), 0U);
  auto const* const event = R"({"type":"event_callback"})";
  EXPECT_EQ(send("POST", "acct_1", event, signedWith("s3cret", event)).status, 200);
  EXPECT_EQ(accepted(), 1U);
}

class ToldSecret : public Tries {
protected:
  ToldSecret() : Tries("asana", R"({"name":"acct_1"})") {}
};

TEST_F(ToldSecret, IsKeptBeforeItIsAnsweredAndOnlyTheFirstOne) {
  auto const* const body = R"({"events":[]})";
  EXPECT_EQ(send("POST", "acct_1", body, signedWith("s3cret", body)).status, 403) << "nothing is kept yet";
  EXPECT_EQ(send("POST", "acct_2", "{}", "X-Hook-Secret: s3cret\r\n").status, 403);
  EXPECT_THAT(secrets(), IsEmpty());
  auto const told = send("POST", "acct_1", "{}", "X-Hook-Secret: s3cret\r\n");
  EXPECT_EQ(told.status, 200) << told.body;
  EXPECT_EQ(told.headers.at("x-hook-secret"), "s3cret");
  EXPECT_THAT(secrets(), ElementsAre("s3cret"));
  EXPECT_EQ(send("POST", "acct_1", "{}", "X-Hook-Secret: pepper\r\n").status, 403);
  EXPECT_THAT(secrets(), ElementsAre("s3cret"));
  EXPECT_EQ(accepted(), 0U);
  EXPECT_EQ(send("POST", "acct_1", body, signedWith("s3cret", body)).status, 200);
  EXPECT_EQ(accepted(), 1U);
}

} // namespace
} // namespace garland::api
