// Signed requests on the wire: what arrives is what was signed, each hop anew, and nothing is sent that
// cannot be signed.
#include "host/egress/egress_fixture.h"
#include "host/egress/oauth1.h"
#include "host/egress/sigv4.h"

#include <algorithm>

namespace garland::egress::testing {
namespace {

class SigningOnTheWire : public EgressFixture {
protected:
  static Credential oauth1() {
    Credential made = named(Credential::Scheme::oauth1, "", "consumer secret");
    made.username = "key";
    made.signing.token = "token";
    made.signing.token_secret = Secret("token secret");
    return made;
  }
  static Credential sigv4() {
    Credential made = named(Credential::Scheme::sigv4, "", "secret access key");
    made.username = "AKID";
    made.signing.region = "eu-west-1";
    made.signing.service = "ses";
    return made;
  }

  // One oauth_ parameter of an Authorization header.
  static std::string parameter(Seen const& seen, std::string const& name) {
    auto const header = seen.header("authorization");
    auto const from = header.find(name + "=\"");
    if (from == std::string::npos) return {};
    auto const value = from + name.size() + 2;
    return percentDecode(header.substr(value, header.find('"', value) - value));
  }

  // The signature that the request must have by what arrived alone.
  static std::string oauth1SignatureOf(Seen const& seen, std::string const& origin) {
    auto const method = seen.line().substr(0, seen.line().find(' '));
    auto const target = seen.line().substr(method.size() + 1, seen.line().rfind(' ') - method.size() - 1);
    auto const url = Url::parse(origin + target).value();
    std::vector<Header> const headers{{"content-type", seen.header("content-type")}};
    Pairs protocol;
    for (auto const* name : {"oauth_consumer_key", "oauth_nonce", "oauth_signature_method", "oauth_timestamp",
                             "oauth_version", "oauth_token"})
      protocol.emplace_back(name, parameter(seen, name));
    return oauth1Signature(oauth1BaseString({method, url, headers, seen.body}, protocol), oauth1());
  }
};

TEST_F(SigningOnTheWire, TheSignatureIsOverWhatArrives) {
  TestServer server(loop_, [](Seen const&) { return Answer{ok()}; });
  auto const origin = server.url("");
  auto form = make("POST", origin + "/a/../album/S!images?b=2 &start=%31&a=%c3%a4&c=x+y", "n=1&m=%20");
  form.url.erase(form.url.find(' '), 1);
  form.headers = {{"Content-Type", "application/x-www-form-urlencoded"}, {"Authorization", "Bearer mine"}};
  ASSERT_TRUE(fetch(std::move(form), inside({server.rule()}), oauth1()));
  auto head = make("HEAD", origin + "/x", "n=1"); // a body that HEAD does not send
  head.headers = {{"Content-Type", "application/x-www-form-urlencoded"}};
  ASSERT_TRUE(fetch(std::move(head), inside({server.rule()}), oauth1()));
  ASSERT_EQ(server.seen().size(), 2U);
  for (auto const& seen : server.seen()) {
    EXPECT_TRUE(seen.header("authorization").starts_with("OAuth ")) << seen.head;
    EXPECT_EQ(parameter(seen, "oauth_signature"), oauth1SignatureOf(seen, origin)) << seen.head;
  }
  EXPECT_NE(parameter(server.seen()[0], "oauth_nonce"), parameter(server.seen()[1], "oauth_nonce"));
  EXPECT_EQ(parameter(server.seen()[0], "oauth_nonce").size(), 32U);
}

TEST_F(SigningOnTheWire, EveryHeaderThatIsNamedAsSignedArrives) {
  TestServer server(loop_, [](Seen const&) { return Answer{ok()}; });
  auto request = make("PUT", server.url("/v2/email"), "{}");
  request.headers = {{"Content-Type", "application/json"},
                     {"X-Amz-Date", "19700101T000000Z"},
                     {"X-Amz-Security-Token", "mine"},
                     {"X-Amz-Meta", "kept"}};
  auto credential = sigv4();
  credential.signing.session_token = Secret("session token");
  ASSERT_TRUE(fetch(std::move(request), inside({server.rule()}), std::move(credential)));
  auto const& seen = server.seen().at(0);
  auto const header = seen.header("authorization");
  EXPECT_NE(header.find("/eu-west-1/ses/aws4_request, SignedHeaders=content-length;content-type;host;"
                        "x-amz-date;x-amz-meta;x-amz-security-token, Signature="),
            std::string::npos)
      << header;
  EXPECT_EQ(seen.header("x-amz-security-token"), "session token");
  EXPECT_EQ(seen.header("content-length"), "2");
  EXPECT_EQ(seen.header("host"), server.rule());
  EXPECT_TRUE(
      header.starts_with("AWS4-HMAC-SHA256 Credential=AKID/" + seen.header("x-amz-date").substr(0, 8)));
  auto lower = seen.head;
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return static_cast<char>(std::tolower(c)); });
  EXPECT_EQ(lower.find("19700101"), std::string::npos);
  EXPECT_EQ(lower.find("x-amz-security-token: mine"), std::string::npos);
}

TEST_F(SigningOnTheWire, EveryHopIsSignedAnewForWhereItGoes) {
  TestServer other(loop_, [](Seen const&) { return Answer{ok("there")}; });
  TestServer server(loop_, [&](Seen const& seen) {
    if (seen.line().starts_with("POST")) return Answer{redirect(303, "/seen?done=1")};
    return Answer{redirect(307, other.url("/b?c=d"))};
  });
  auto request = make("POST", server.url("/a"), "n=1");
  request.headers = {{"Content-Type", "application/x-www-form-urlencoded"}};
  auto const got = fetch(std::move(request), inside({server.rule(), other.rule()}), oauth1());
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->body, "there");
  ASSERT_EQ(server.seen().size(), 2U);
  ASSERT_EQ(other.seen().size(), 1U);
  EXPECT_EQ(parameter(server.seen()[0], "oauth_signature"),
            oauth1SignatureOf(server.seen()[0], server.url("")));
  EXPECT_EQ(parameter(server.seen()[1], "oauth_signature"),
            oauth1SignatureOf(server.seen()[1], server.url("")));
  EXPECT_EQ(parameter(other.seen()[0], "oauth_signature"), oauth1SignatureOf(other.seen()[0], other.url("")));
  EXPECT_NE(parameter(server.seen()[0], "oauth_nonce"), parameter(server.seen()[1], "oauth_nonce"));

  auto const refused = fetch(make("GET", server.url("/a")), inside({server.rule()}), oauth1());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().provider_code, "host_not_allowed");
  EXPECT_EQ(other.seen().size(), 1U);
}

TEST_F(SigningOnTheWire, TheSameSeedAndTimeMakeTheSameRequest) {
  TestServer server(loop_, [](Seen const&) { return Answer{ok()}; });
  for (int i = 0; i < 2; ++i) {
    VirtualClock clock(TimePoint(std::chrono::seconds(1'760'000'000)));
    SeededRandom random(7);
    client_ = createClient(loop_.get_executor(), clock, random, log_, &kindOf);
    ASSERT_TRUE(fetch(get(server.url("/same")), inside({server.rule()}), oauth1()));
    ASSERT_TRUE(fetch(get(server.url("/same")), inside({server.rule()}), sigv4()));
    client_.reset();
  }
  ASSERT_EQ(server.seen().size(), 4U);
  EXPECT_EQ(server.seen()[0].header("authorization"), server.seen()[2].header("authorization"));
  EXPECT_EQ(server.seen()[1].header("authorization"), server.seen()[3].header("authorization"));
  EXPECT_EQ(parameter(server.seen()[0], "oauth_timestamp"), "1760000000");
  EXPECT_EQ(server.seen()[1].header("x-amz-date"), "20251009T085320Z");
}

TEST_F(SigningOnTheWire, WhatCannotBeSignedIsNotSent) {
  TestServer server(loop_, [](Seen const&) { return Answer{ok()}; });
  auto const refusal = [&](Credential credential) {
    auto const got = fetch(get(server.url()), inside({server.rule()}), std::move(credential));
    EXPECT_FALSE(got);
    if (got) return std::string();
    EXPECT_EQ(got.error().kind, ErrorKind::invalidInput);
    EXPECT_EQ(got.error().effect, Effect::notApplied);
    return got.error().message;
  };
  auto no_key = oauth1();
  no_key.username.clear();
  EXPECT_NE(refusal(std::move(no_key)).find("no consumer key"), std::string::npos);
  auto half = oauth1();
  half.signing.token_secret = Secret();
  EXPECT_NE(refusal(std::move(half)).find("a token without its secret"), std::string::npos);
  auto id = sigv4();
  id.username = "AKID/20150830, Signature=x";
  EXPECT_NE(refusal(std::move(id)).find("access key id"), std::string::npos);
  for (auto const* region : {"", "eu west", "eu/west", "eu-west-1\r\n"}) {
    auto nowhere = sigv4();
    nowhere.signing.region = region;
    EXPECT_NE(refusal(std::move(nowhere)).find("the region or the service"), std::string::npos) << region;
  }
  auto token = sigv4();
  token.signing.session_token = Secret("a\r\nX: y");
  EXPECT_NE(refusal(std::move(token)).find("session token"), std::string::npos);
  EXPECT_EQ(server.connections(), 0);
}

} // namespace
} // namespace garland::egress::testing
