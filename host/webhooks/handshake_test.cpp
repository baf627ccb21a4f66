// Answers to providers that try an address out, and what is not answered.
#include "host/webhooks/webhook_fixture.h"

namespace garland::webhooks {
namespace {

using ::testing::Contains;
using ::testing::Pair;

std::optional<Response> asked(std::string_view scheme, Request const& request, Keys const& keys = keysOf()) {
  return answerHandshake(Scheme::named(scheme).value(), request, keys, clockAt());
}

Request get(std::string url, std::string method = "GET") {
  auto request = requestOf({}, "", std::move(url));
  request.method = std::move(method);
  return request;
}

Request signedSlack(std::string_view body) {
  return requestOf(
      {{"X-Slack-Signature", "v0=5412b21f3bc963ea9693fd0294c03fba8dacddff2a7eb5c7c886e314acc54c93"},
       {"X-Slack-Request-Timestamp", "1790000000"}},
      body);
}

TEST(Handshake, AChallengeInTheBodyIsEchoedOnlyIfItIsSigned) {
  auto const body = R"({"type":"url_verification","challenge":"seat-the-aunts"})";
  auto const answer = asked("slack", signedSlack(body));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->body, "seat-the-aunts");
  EXPECT_THAT(answer->headers, Contains(Pair("Content-Type", "text/plain; charset=utf-8")));
  EXPECT_THAT(answer->headers, Contains(Pair("X-Content-Type-Options", "nosniff")));
  EXPECT_FALSE(asked("slack", requestOf({}, body)));
  EXPECT_FALSE(asked("slack", signedSlack(R"({"type":"url_verification","challenge":"other"})")));
  EXPECT_FALSE(asked("slack", signedSlack(R"({"type":"event_callback"})")));
}

TEST(Handshake, AChallengeInTheQueryNeedsTheTokenThatWasAgreedOn) {
  auto keys = keysOf();
  auto const url = "https://studio.test/hooks?hub.mode=subscribe&hub.challenge=42&hub.verify_token=";
  EXPECT_FALSE(asked("meta", get(std::string(url) + "lavender"), keys)) << "nothing is agreed on yet";
  keys.parameters["verify_token"] = "lavender";
  EXPECT_EQ(asked("meta", get(std::string(url) + "lavender"), keys).value().body, "42");
  EXPECT_FALSE(asked("meta", get(std::string(url) + "mint"), keys));
  EXPECT_FALSE(asked("meta", get(url), keys));
  EXPECT_FALSE(asked("meta", get(std::string(url) + "lavender", "POST"), keys));
}

TEST(Handshake, ATokenComesBackDecoded) {
  EXPECT_EQ(asked("microsoft-graph", get("https://studio.test/h?validationToken=Is%3a+it%20open", "POST"))
                .value()
                .body,
            "Is: it open");
}

TEST(Handshake, WhatABrowserCouldRunOrSplitIsNotEchoed) {
  auto const at = [](std::string const& token) {
    return asked("microsoft-graph", get("https://studio.test/h?validationToken=" + token, "POST"));
  };
  EXPECT_FALSE(at("a%0d%0aSet-Cookie:x"));
  EXPECT_FALSE(at("%ff"));
  EXPECT_FALSE(at(std::string(5000, 'a')));
  EXPECT_FALSE(at("a&validationToken=b"));
  EXPECT_FALSE(at("%zz"));
}

TEST(Handshake, AMessageCodeIsMadeWithTheSecret) {
  auto const body = R"({"event":"endpoint.url_validation","payload":{"plainToken":"plain-7"}})";
  auto const request =
      requestOf({{"x-zm-signature", "v0=9033d0d6f8d13bfb679e8b18b62f4b8097c8639bc6d72f9e162b7add5b40f5c4"},
                 {"x-zm-request-timestamp", "1790000000"}},
                body);
  auto const answer = asked("zoom", request);
  ASSERT_TRUE(answer);
  auto const json = parseJson(answer->body).value();
  EXPECT_EQ(textOr(json, "/plainToken", ""), "plain-7");
  EXPECT_EQ(textOr(json, "/encryptedToken", ""),
            "88749a95cf5f209c91c45472972e3a5231af27865f09bd45afd2bfdabfbe666a");
  EXPECT_FALSE(asked("zoom", request, keysOf({})));
}

TEST(Handshake, ASecretIsTakenOnceOnly) {
  auto const request = requestOf({{"X-Hook-Secret", "from-the-provider"}}, "{}");
  auto const answer = asked("asana", request, keysOf({}));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->keep_secret.reveal(), "from-the-provider");
  EXPECT_THAT(answer->headers, Contains(Pair("X-Hook-Secret", "from-the-provider")));
  EXPECT_FALSE(asked("asana", request, keysOf())) << "a second one would replace the provider's";
  EXPECT_FALSE(asked("asana", requestOf({{"X-Hook-Secret", ""}}, "{}"), keysOf({})));
  EXPECT_FALSE(asked("asana", requestOf({{"X-Hook-Secret", "a\r\nb"}}, "{}"), keysOf({})));
}

TEST(Handshake, AnswersComeAsJsonOrEmptyToo) {
  EXPECT_EQ(asked("monday", requestOf({}, R"({"challenge":"ring \"quoted\""})")).value().body,
            R"({"challenge":"ring \"quoted\""})");
  auto const probe = asked("trello", get("https://studio.test/h", "HEAD"));
  ASSERT_TRUE(probe);
  EXPECT_EQ(probe->body, "");
  EXPECT_FALSE(asked("trello", get("https://studio.test/h", "POST")));
  EXPECT_FALSE(asked("stripe", requestOf({}, R"({"challenge":"x"})")));
}

// The address to visit counts only in a signed message and only on the provider's hosts.
TEST(Handshake, AnAddressToVisitIsCheckedLikeACertificates) {
  auto const scheme =
      schemeOf(R"({"signature":{"algorithm":"token","at":{"body":"/token"}},"handshakes":[{"method":"POST",
    "signed":true,"answer":{},"visit":{"url":{"body":"/confirm"},"hosts":["*.studio.test"]}}]})");
  auto const visit = [&](std::string const& token, std::string const& url) {
    auto const body = json::serialize(json::object{{"token", token}, {"confirm", url}});
    auto answer = answerHandshake(scheme, requestOf({}, body), keysOf(), clockAt());
    return answer ? answer->visit_url : "not answered";
  };
  EXPECT_EQ(visit(std::string(kSecret), "https://a.studio.test/ok"), "https://a.studio.test/ok");
  EXPECT_EQ(visit(std::string(kSecret), "https://evil.test/ok"), "not answered");
  EXPECT_EQ(visit("pepper", "https://a.studio.test/ok"), "not answered");
}

} // namespace
} // namespace garland::webhooks
