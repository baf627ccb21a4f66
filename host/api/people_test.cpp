// People at the door: to the provider and back, and what their cookie opens.
#include "host/api/cookies.h"
#include "host/api/sign_in_door.h"
#include "host/api/sign_in_failure.h"
#include "host/api/testing/fake_provider.h"
#include "host/base/utf8.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace garland::api {
namespace {

using ::testing::AllOf;
using testing::FakeProvider;
using testing::Harness;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr auto kSession = "/api/integrations/session";
constexpr auto kSessions = "/api/integrations/sessions";
constexpr auto kVendors = "/api/integrations/vendors";

class People : public ::testing::Test {
protected:
  std::vector<std::string> refusals() {
    return house_.onLoop([&] {
      std::vector<std::string> out;
      for (auto const& event : house_.book.told)
        if (event.kind == audit::Kind::refusal && event.facts.contains("why"))
          out.emplace_back(event.facts.at("why").as_string());
      return out;
    });
  }
  void isA(json::value groups) { provider_.claims["groups"] = std::move(groups); }

  Harness house_;
  FakeProvider provider_{house_};
};

TEST_F(People, WhoSignsInHasASessionOfTheirRole) {
  auto const cookie = provider_.signIn();
  EXPECT_THAT(cookie, ::testing::StartsWith("__Host-garland=gs_"));
  auto const who = provider_.bare("GET", kSession, cookie);
  ASSERT_EQ(who.status, 200) << who.body;
  EXPECT_EQ(textOr(who.json(), "/name", ""), "rosa@studio.example");
  EXPECT_EQ(textOr(who.json(), "/role", ""), "auditor");
  EXPECT_EQ(provider_.bare("GET", "/api/integrations/audit", cookie).status, 200);
  EXPECT_EQ(provider_.bare("GET", kVendors, cookie).status, 403) << "auditors see no vendors";
  EXPECT_THAT(house_.logText(), Not(HasSubstr(cookie.substr(cookie.find("gs_")))));
}

TEST_F(People, WhatTheOpenIdProviderIsAskedIsToldToTheAuditChainAsThat) {
  provider_.signIn();
  house_.onLoop([&] {
    EXPECT_EQ(house_.egress.requests.size(), 3U) << "where it is, its keys, and a token";
    for (auto const& request : house_.egress.requests)
      EXPECT_EQ(request.audit_subject, "oidc") << request.url;
  });
}

TEST_F(People, ALongNameIsCutToWholeCharactersOnOneLine) {
  provider_.claims["email"] = "rosa\n" + std::string(194, 'a') + "\u00e9";
  auto const who = provider_.bare("GET", kSession, provider_.signIn());
  ASSERT_EQ(who.status, 200) << who.body;
  EXPECT_TRUE(isUtf8(who.body));
  EXPECT_THAT(textOr(who.json(), "/name", ""), ::testing::StartsWith("rosa aaa"));
}

TEST_F(People, TheBrowserIsSentWithStateNonceAndAChallengeAndACookieThatNoScriptReads) {
  auto const away = provider_.bare("GET", "/sign-in");
  EXPECT_THAT(away.headers.at("location"),
              AllOf(HasSubstr("https://id.example.com/authorize?response_type=code&client_id=garland"),
                    HasSubstr("redirect_uri=https%3A%2F%2Fgarland.example.com%2Fsign-in%2Fcallback"),
                    HasSubstr("code_challenge_method=S256")));
  EXPECT_THAT(away.headers.at("set-cookie"),
              AllOf(HasSubstr("__Secure-garland-sign-in=gs_"), HasSubstr("HttpOnly; Secure"),
                    HasSubstr("SameSite=Lax"), HasSubstr("Path=/sign-in"), HasSubstr("Max-Age=600")));
  auto const done = provider_.finish(provider_.begin());
  EXPECT_THAT(done.headers.at("set-cookie"),
              AllOf(HasSubstr("HttpOnly; Secure"), HasSubstr("SameSite=Strict"), HasSubstr("Path=/")));
}

TEST_F(People, AnAnswerCountsOnce) {
  auto const begun = provider_.begin();
  EXPECT_EQ(provider_.finish(begun).status, 200);
  EXPECT_EQ(provider_.finish(begun).status, 403);
  EXPECT_EQ(provider_.tokens_asked, 1);
  EXPECT_THAT(refusals(), ::testing::ElementsAre("sign_in_over"));
}

TEST_F(People, AnAnswerCountsInTheBrowserThatAskedOnly) {
  auto const mine = provider_.begin();
  auto const theirs = provider_.begin();
  auto crossed = theirs;
  crossed.cookie = mine.cookie;
  EXPECT_EQ(provider_.finish(crossed).status, 403);
  crossed.cookie.clear();
  EXPECT_EQ(provider_.finish(crossed).status, 403);
  EXPECT_EQ(provider_.tokens_asked, 0) << "a code of another is not even shown to the provider";
}

TEST_F(People, AfterTenMinutesASignInIsOver) {
  auto const begun = provider_.begin();
  house_.advance(std::chrono::minutes(10));
  EXPECT_EQ(provider_.finish(begun).status, 403);
}

TEST_F(People, AProviderThatRefusesOrIsAnotherSignsNobodyIn) {
  auto begun = provider_.begin();
  EXPECT_EQ(provider_.bare("GET", "/sign-in/callback?error=access_denied&state=" + begun.state, begun.cookie)
                .status,
            403);
  begun = provider_.begin();
  EXPECT_EQ(provider_.finish(begun, "&iss=https%3A%2F%2Fother.example.com").status, 403);
  begun = provider_.begin();
  EXPECT_EQ(provider_.finish(begun, "&iss=https%3A%2F%2Fid.example.com&session_state=x").status, 200);
}

TEST_F(People, ACodeWithoutTheVerifierIsWorthNothing) {
  auto const begun = provider_.begin();
  provider_.challenge = "another";
  auto const refused = provider_.finish(begun);
  EXPECT_EQ(refused.status, 403);
  EXPECT_THAT(refused.body, HasSubstr("invalid_grant"));
  EXPECT_THAT(refusals(), ::testing::ElementsAre("code_refused"));
}

TEST_F(People, AClientThatTheProviderRefusesIsInTheLogAndNotTheBrowsersBusiness) {
  provider_.refuses = "invalid_client";
  auto const refused = provider_.finish(provider_.begin());
  EXPECT_EQ(refused.status, 403);
  EXPECT_THAT(refused.body, AllOf(HasSubstr("the daemon's log says why"), Not(HasSubstr("client_"))));
  EXPECT_THAT(refusals(), ::testing::ElementsAre("client_refused"));
  EXPECT_THAT(house_.logText(),
              AllOf(HasSubstr("a sign-in failed"), HasSubstr("client_secret_file must be what is registered"),
                    HasSubstr(textOr(refused.json(), "/request_id", "?"))));
}

TEST_F(People, AProviderThatCannotBeAskedIsInTheLogWithItsAddressAndTheBrowserIsToldNone) {
  house_.onLoop([this] {
    house_.egress.answer = [](egress::Request const&) -> Result<egress::Response> {
      return Error(ErrorKind::transient, "id.example.com leads to 10.0.0.3");
    };
  });
  auto const away = provider_.bare("GET", "/sign-in");
  EXPECT_EQ(away.status, 503);
  EXPECT_THAT(away.body, AllOf(HasSubstr("the daemon's log says why"), Not(HasSubstr("10.0.0.3")),
                               Not(HasSubstr("id.example.com"))));
  EXPECT_THAT(house_.logText(), HasSubstr("id.example.com leads to 10.0.0.3"));
  EXPECT_THAT(refusals(), ::testing::ElementsAre("unreachable"));
  house_.onLoop([this] {
    EXPECT_THAT(std::string(house_.egress.policies.front().advice.private_network),
                HasSubstr("[oidc] private_network"));
  });
}

TEST(FailedSignIn, TellsABrowserNoAddressOfAProviderThatMayNotBeAsked) {
  Error inside(ErrorKind::forbidden, "id.example.com leads to 10.0.0.3; set [oidc] private_network");
  inside.provider_code = "unreachable";
  EXPECT_THAT(forBrowsers(inside).message,
              AllOf(HasSubstr("the daemon's log says why"), Not(HasSubstr("10.0.0.3"))));
  Error refused(ErrorKind::forbidden, "you have several roles");
  refused.provider_code = "several_roles";
  EXPECT_EQ(forBrowsers(refused).message, "you have several roles") << "which is for whoever signs in";
}

TEST_F(People, WhoHasNoRoleIsInTheLogWithTheClaimAndItsValuesAndWithoutAName) {
  isA(json::array{"staff", std::string(100, 'x'), "rosa@studio.example"});
  EXPECT_EQ(provider_.finish(provider_.begin()).status, 403);
  EXPECT_THAT(refusals(), ::testing::ElementsAre("no_role"));
  EXPECT_THAT(house_.logText(),
              AllOf(HasSubstr(R"("claim":"groups")"), HasSubstr(R"("values":3)"),
                    HasSubstr(R"("said":["staff",")" + std::string(60, 'x') + R"("])"), HasSubstr("psn_0"),
                    Not(HasSubstr("rosa@")), Not(HasSubstr("person-7"))));
}

TEST_F(People, AClaimThatIsNotThereIsSaidToBeMissing) {
  provider_.claims.erase("groups");
  EXPECT_EQ(provider_.finish(provider_.begin()).status, 403);
  EXPECT_THAT(house_.logText(), HasSubstr(R"("in_the_token":false)"));
}

TEST_F(People, ATokenOfAnotherSignInOrClientIsRefused) {
  auto begun = provider_.begin();
  provider_.claims["nonce"] = "another";
  EXPECT_EQ(provider_.finish(begun).status, 403);
  begun = provider_.begin();
  provider_.claims["aud"] = "another";
  EXPECT_EQ(provider_.finish(begun).status, 403);
  EXPECT_THAT(refusals(), ::testing::ElementsAre("token", "token"));
  EXPECT_THAT(house_.logText(), HasSubstr("the token belongs to another sign-in"));
}

TEST_F(People, AProvidersNewKeyIsLearntWhenItIsFirstUsedAndNotMoreOftenThanOnceAMinute) {
  provider_.signIn();
  EXPECT_EQ(provider_.keys_asked, 1);
  provider_.signIn();
  EXPECT_EQ(provider_.keys_asked, 1) << "they are kept";
  house_.advance(std::chrono::minutes(1));
  provider_.signer = FakeProvider::Signer(FakeProvider::Signer::Kind::p256, "key-2");
  provider_.keys.push_back(provider_.signer.jwk());
  provider_.signIn();
  EXPECT_EQ(provider_.keys_asked, 2);
  provider_.signer = FakeProvider::Signer(FakeProvider::Signer::Kind::p256, "key-3");
  EXPECT_EQ(provider_.finish(provider_.begin()).status, 403);
  EXPECT_EQ(provider_.finish(provider_.begin()).status, 403);
  EXPECT_EQ(provider_.keys_asked, 2);
}

TEST_F(People, WhoHasNoRoleOrSeveralHasNoSession) {
  for (auto const& groups :
       {json::value(json::array{"staff"}), json::value(json::array{"auditors", "reviewers"}), json::value(7),
        json::value(nullptr)}) {
    isA(groups);
    EXPECT_EQ(provider_.finish(provider_.begin()).status, 403) << json::serialize(groups);
  }
  isA("reviewers");
  EXPECT_EQ(provider_.finish(provider_.begin()).status, 200) << "one text is a list of one";
  isA(json::array{"auditors", "admins"});
  EXPECT_THAT(provider_.finish(provider_.begin()).body, HasSubstr("operator"));
}

TEST_F(People, AChangeNeedsTheHeaderThatOtherSitesPagesCannotSend) {
  isA("admins");
  auto const cookie = provider_.signIn();
  auto const make = [&](std::string const& more) {
    std::string const body = R"({"name":"Rosa"})";
    testing::Client client(house_.server->port());
    client.send(std::string("POST ") + kVendors + " HTTP/1.1\r\nHost: " + house_.host() +
                "\r\nCookie: " + cookie + "\r\nContent-Type: application/json\r\nContent-Length: " +
                std::to_string(body.size()) + "\r\n" + more + "\r\n" + body);
    return client.read().status;
  };
  EXPECT_EQ(make(""), 403);
  EXPECT_EQ(make("X-Garland: 1\r\nOrigin: https://evil.example.com\r\n"), 403);
  EXPECT_EQ(make("X-Garland: 1\r\nOrigin: https://garland.example.com\r\n"), 201);
  EXPECT_EQ(make("X-Garland: 1\r\nOrigin: https://garland.example.com:443\r\n"), 201);
  EXPECT_EQ(make("X-Garland: 1\r\nOrigin: null\r\n"), 403);
  EXPECT_EQ(make("X-Garland: 1\r\n"), 201);
  EXPECT_EQ(provider_.bare("GET", kSession, cookie, "Origin: https://evil.example.com\r\n").status, 403);
  EXPECT_THAT(refusals(), ::testing::Each("other_site"));
}

TEST_F(People, WhoSignsOutIsOut) {
  auto const cookie = provider_.signIn();
  auto const out = provider_.bare("DELETE", kSession, cookie, "X-Garland: 1\r\n");
  EXPECT_EQ(out.status, 200) << out.body;
  EXPECT_THAT(out.headers.at("set-cookie"), HasSubstr("__Host-garland=; Max-Age=0"));
  EXPECT_EQ(provider_.bare("GET", kSession, cookie).status, 401);
  EXPECT_THAT(refusals(), ::testing::ElementsAre("signed_out"));
}

TEST_F(People, AnOperatorSeesWhoIsInAndPutsThemOut) {
  auto const cookie = provider_.signIn();
  auto const items = house_.ask("GET", kSessions).json().at("items").as_array();
  ASSERT_EQ(items.size(), 1U);
  auto const id = textOr(items.front(), "/id", "");
  EXPECT_EQ(house_.ask("DELETE", std::string(kSessions) + "/" + id).status, 200);
  EXPECT_EQ(provider_.bare("GET", kSession, cookie).status, 401);
}

TEST_F(People, AWrongCookieIsSlowedLikeAWrongKey) {
  auto const wrong = "__Host-garland=gs_" + std::string(43, 'x');
  for (int i = 0; i < 10; ++i) EXPECT_EQ(provider_.bare("GET", kSession, wrong).status, 401);
  EXPECT_EQ(provider_.bare("GET", kSession, wrong).status, 429);
}

TEST_F(People, ASignInIsNotBegunMoreOftenThanAPersonWould) {
  for (int i = 0; i < 30; ++i) EXPECT_EQ(provider_.bare("GET", "/sign-in").status, 303);
  EXPECT_EQ(provider_.bare("GET", "/sign-in").status, 429);
}

TEST_F(People, AProviderThatNamesAnotherIssuerOrAnUnsafeAddressIsNotAsked) {
  provider_.document["issuer"] = "https://other.example.com";
  EXPECT_EQ(provider_.bare("GET", "/sign-in").status, 502);
  EXPECT_THAT(house_.logText(), HasSubstr("compare the two letter by letter"));
  EXPECT_THAT(refusals(), ::testing::ElementsAre("wrong_provider"));
  provider_.document["issuer"] = "https://id.example.com";
  provider_.document["token_endpoint"] = "http://id.example.com/token";
  EXPECT_EQ(provider_.bare("GET", "/sign-in").status, 502);
}

TEST(SignInsOfPeople, GoOnToAProviderInTheSessionOnlyThatTheyWereBegunIn) {
  // [oidc] public_url is spelled otherwise, and is the same place.
  Harness house({}, testing::kWebhooks, nullptr, "https://Garland.example.com:443");
  FakeProvider provider(house);
  provider.claims["groups"] = "admins";
  auto const vendor = house.await(house.engine.addVendor("Ada")).value().id;
  auto const wish = R"({"vendor_id":")" + vendor + R"(","plugin":"caldav","settings":{}})";
  auto const mine = provider.signIn();
  auto const theirs = provider.signIn();
  auto client = house.client();
  client.send(
      "POST /api/integrations/vendor/authorize HTTP/1.1\r\nHost: " + house.host() + "\r\nCookie: " + mine +
      "\r\nX-Garland: 1\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(wish.size()) +
      "\r\n\r\n" + wish);
  auto const begun = client.read();
  ASSERT_EQ(begun.status, 201) << begun.body;
  auto const* const start = "/api/integrations/oauth/start?state=a-ticket";
  EXPECT_EQ(provider.bare("GET", start, theirs).status, 403);
  EXPECT_EQ(provider.bare("GET", start).status, 403);
  EXPECT_EQ(provider.bare("GET", start, mine).status, 200);
  EXPECT_EQ(provider.bare("DELETE", kSession, mine, "X-Garland: 1\r\n").status, 200);
  EXPECT_EQ(provider.bare("GET", start, mine).status, 403) << "who signed out has no session";
  ASSERT_EQ(house.ask("POST", "/api/integrations/vendor/authorize", wish).status, 201);
  EXPECT_EQ(provider.bare("GET", start).status, 200) << "a program has none";
}

TEST(Cookies, AreFoundByTheirWholeNameAndOnlyIfThereIsOne) {
  Request request;
  request.headers.emplace_back("cookie", "a=1; __Host-garland=x; b=2");
  EXPECT_EQ(cookieNamed(request, "__Host-garland"), "x");
  EXPECT_EQ(cookieNamed(request, "Host-garland"), "");
  EXPECT_EQ(cookieNamed(request, "__Host-garlan"), "");
  request.headers.emplace_back("cookie", "__Host-garland=y");
  EXPECT_EQ(cookieNamed(request, "__Host-garland"), "") << "which of them?";
}

TEST(RolesOfPeople, AreOnlyCountedWhereTheClaimIsThatOfAName) {
  OidcSettings settings;
  for (auto const* name : {"preferred_username", "uid", "oid", "cn"})
    for (auto const* path : {"", "/attributes/"}) {
      settings.roles_claim = path + std::string(name);
      json::object const claims{{name, "rosa"}, {"attributes", json::object{{name, "rosa"}}}};
      auto const said = rolesSaid(claims, settings);
      EXPECT_EQ(said.at("values"), 1) << settings.roles_claim;
      EXPECT_FALSE(said.contains("said")) << settings.roles_claim;
    }
  settings.roles_claim = "roles";
  EXPECT_TRUE(rolesSaid(json::object{{"roles", "admins"}}, settings).contains("said"));
}

TEST(RolesOfPeople, AreReadFromAPathOfTheClaims) {
  OidcSettings settings;
  settings.roles_claim = "/realm_access/roles";
  settings.roles["admins"] = OidcRole{access::Role::operator_, ""};
  auto const claims = parseJson(R"({"realm_access":{"roles":["admins"]}})").value();
  EXPECT_EQ(roleFrom(claims.as_object(), settings).value().role, access::Role::operator_);
  for (auto const* other :
       {"{}", R"({"realm_access":7})", R"({"realm_access":{}})", R"({"roles":["admins"]})"})
    EXPECT_EQ(roleFrom(parseJson(other).value().as_object(), settings).error().kind, ErrorKind::forbidden);
}

} // namespace
} // namespace garland::api
