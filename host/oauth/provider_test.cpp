// What a manifest may say of a provider's tokens.
#include "host/oauth/oauth.h"

#include <gtest/gtest.h>

namespace garland::oauth {
namespace {

Result<Provider> read(std::string const& text, json::value const& settings = json::object()) {
  return readProvider(parseJson(text).value(), settings);
}

TEST(TokenProvider, IsRfc6749UnlessTheManifestSaysOtherwise) {
  auto const plain = read(R"({"token_url":"https://x.example/token"})").value();
  EXPECT_EQ(plain.token_url, "https://x.example/token");
  EXPECT_EQ(plain.client_auth, Provider::ClientAuth::basic);
  EXPECT_EQ(plain.renew_by, Provider::RenewBy::refresh);
  EXPECT_EQ(plain.grant_type, "refresh_token");
  EXPECT_EQ(plain.token_parameter, "refresh_token");
  EXPECT_FALSE(plain.by_get);
  EXPECT_EQ(plain.life, std::nullopt);
}

TEST(TokenProvider, AClientMaySignInForItself) {
  auto const own = read(R"({"token_url":"https://x.example/t","renew_by":"client","client":"body",
                            "scopes":["a","b"],"scope_separator":",","parameters":{"audience":"x"}})")
                       .value();
  EXPECT_EQ(own.grant_type, "client_credentials");
  EXPECT_EQ(own.token_parameter, "");
  EXPECT_EQ(own.client_auth, Provider::ClientAuth::body);
  EXPECT_EQ(own.scope, "a,b");
  ASSERT_EQ(own.parameters.size(), 1U);
  EXPECT_EQ(own.parameters[0].first, "audience");
}

TEST(TokenProvider, ATokenMayBeExchangedForOneThatLivesLonger) {
  auto const meta = read(R"({"token_url":"https://x.example/t","renew_by":"access_token","method":"GET",
                             "client":"body","grant_type":"fb_exchange_token",
                             "token_parameter":"fb_exchange_token","life_seconds":5184000,
                             "renew_at_least_seconds":86400,"refusals":["190"]})")
                        .value();
  EXPECT_EQ(meta.renew_by, Provider::RenewBy::access);
  EXPECT_TRUE(meta.by_get);
  EXPECT_EQ(meta.token_parameter, "fb_exchange_token");
  EXPECT_EQ(meta.life, std::chrono::hours(24 * 60));
  EXPECT_EQ(meta.at_least, std::chrono::hours(24));
  EXPECT_EQ(meta.refusals, std::vector<std::string>{"190"});
}

TEST(TokenProvider, AServiceAccountVouchesForItself) {
  auto const text =
      R"({"token_url":"https://x.example/t","renew_by":"assertion","client":"basic","scopes":["a"],
                        "claims":{"sub":"setting:/user","target":"x"}})";
  auto const robot = read(text, json::value{{"user", "ada@x.example"}}).value();
  EXPECT_EQ(robot.renew_by, Provider::RenewBy::assertion);
  EXPECT_EQ(robot.grant_type, "urn:ietf:params:oauth:grant-type:jwt-bearer");
  EXPECT_EQ(robot.token_parameter, "assertion");
  EXPECT_EQ(robot.client_auth, Provider::ClientAuth::none) << "its private key is not sent";
  ASSERT_EQ(robot.claims.size(), 2U);
  EXPECT_EQ(robot.claims[0].second, "ada@x.example");
  EXPECT_EQ(read(text).value().claims.size(), 1U);
}

TEST(TokenProvider, PeopleMaySignInAtAPageOfItsOwn) {
  auto const paged = read(R"({"token_url":"https://x.example/t","authorize_url":"https://x.example/a",
                              "authorize_parameters":{"access_type":"offline"},"scopes":["a","b"]})")
                         .value();
  EXPECT_EQ(paged.authorize_url, "https://x.example/a");
  EXPECT_TRUE(paged.pkce);
  EXPECT_EQ(paged.revoke_url, "");
  ASSERT_EQ(paged.authorize_parameters.size(), 1U);
  EXPECT_EQ(paged.authorize_parameters[0].second, "offline");
  EXPECT_FALSE(
      read(R"({"token_url":"https://x.example/t","authorize_url":"https://x.example/a","pkce":"none"})")
          .value()
          .pkce);
  for (auto const& [more, place] :
       {std::pair(R"("authorize_url":"x")", "/oauth2/authorize_url"),
        std::pair(R"("authorize_url":"https://x.example/a","pkce":"plain")", "/oauth2/pkce"),
        std::pair(R"("authorize_url":"https://x.example/a","renew_by":"client")", "/oauth2/authorize_url"),
        std::pair(R"("authorize_url":"https://x.example/a","authorize_parameters":{"state":"1"})",
                  "/oauth2/authorize_parameters/state"),
        std::pair(
            R"("authorize_url":"https://x.example/a","authorize_parameters":{"response_mode":"form_post"})",
            "/oauth2/authorize_parameters/response_mode")}) {
    auto const refused = read(std::string(R"({"token_url":"https://x.example/t",)") + more + "}");
    ASSERT_FALSE(refused) << more;
    EXPECT_EQ(refused.error().field, place) << more;
  }
}

TEST(TokenProvider, PeopleMaySignInOnAnotherDevice) {
  auto const text = R"({"token_url":"https://x.example/t","device_url":"setting:/device"})";
  json::value const settings{{"device", "https://x.example/d"}};
  EXPECT_EQ(read(text, settings).value().device_url, "https://x.example/d");
  EXPECT_EQ(read(R"({"token_url":"https://x.example/t"})").value().device_url, "");
  for (auto const* more :
       {R"("device_url":"x")", R"("device_url":"https://x.example/d","renew_by":"client")"}) {
    auto const refused = read(std::string(R"({"token_url":"https://x.example/t",)") + more + "}");
    ASSERT_FALSE(refused) << more;
    EXPECT_EQ(refused.error().field, "/oauth2/device_url") << more;
  }
}

TEST(TokenProvider, TheSettingsMayNameTheAddress) {
  auto const text = R"({"token_url":"setting:/token_url"})";
  json::value const settings{{"token_url", "http://127.0.0.1:9/token"}};
  EXPECT_EQ(read(text, settings).value().token_url, "http://127.0.0.1:9/token");
  auto const missing = read(text);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().field, "/oauth2/token_url");
}

TEST(TokenProvider, WhatMakesNoSenseIsRefusedWithItsPlace) {
  for (auto const& [text, place] :
       {std::pair(R"({})", "/oauth2/token_url"),
        std::pair(R"({"token_url":"ftp://x.example/"})", "/oauth2/token_url"),
        std::pair(R"({"token_url":"https://a:b@x.example/"})", "/oauth2/token_url"),
        std::pair(R"({"token_url":"https://x.example","client":"jwt"})", "/oauth2/client"),
        std::pair(R"({"token_url":"https://x.example","renew_by":"luck"})", "/oauth2/renew_by"),
        std::pair(R"({"token_url":"https://x.example","method":"PUT"})", "/oauth2/method"),
        std::pair(R"({"token_url":"https://x.example","life_seconds":5})", "/oauth2/life_seconds"),
        std::pair(R"({"token_url":"https://x.example","scopes":"a"})", "/oauth2/scopes"),
        std::pair(R"({"token_url":"https://x.example","parameters":{"a":1}})", "/oauth2/parameters"),
        std::pair(R"({"token_url":"https://x.example","refusals":[1]})", "/oauth2/refusals")}) {
    auto const refused = read(text);
    ASSERT_FALSE(refused) << text;
    EXPECT_EQ(refused.error().field, place) << text;
  }
}

} // namespace
} // namespace garland::oauth
