#include "host/base/schema.h"
#include "host/runtime/runtime.h"

#include <garland/schemas.hpp>

#include <gtest/gtest.h>

namespace garland::runtime {
namespace {

constexpr std::string_view kText =
    R"({"manifest":1,"id":"garland.caldav","name":"CalDAV","version":"1.0.0","category":"calendar",
  "summary":"One.","operations":["calendar.pull/1"],
  "auth":[{"slot":"login","scheme":"basic","fields":["username","password"]},
          {"slot":"key","scheme":"header","parameter":"X-Key","fields":["token"]}],
  "hosts":["setting:/url","*.icloud.com"],"settings":{"type":"object"},"limits":{"max_body":1024},"poll":{"every_seconds":60},
  "webhooks":{"signature":"svix"}})";

TEST(Manifest, EveryMemberIsRead) {
  auto const manifest = parseManifest(kText);
  ASSERT_TRUE(manifest) << manifest.error().message;
  EXPECT_EQ(manifest->id, "garland.caldav");
  EXPECT_EQ(manifest->operations, std::vector<std::string>{"calendar.pull/1"});
  ASSERT_EQ(manifest->auth.size(), 2U);
  EXPECT_EQ(manifest->auth[0].fields, (std::vector<std::string>{"username", "password"}));
  EXPECT_EQ(manifest->auth[1].parameter, "X-Key");
  EXPECT_EQ(manifest->max_body, 1024U);
  EXPECT_EQ(manifest->poll_every, std::chrono::minutes(1));
  EXPECT_TRUE(manifest->settings_schema.is_object());
  EXPECT_EQ(textOr(manifest->webhooks, "/signature", ""), "svix");
}

TEST(Manifest, WithoutWebhooksNoneComeIn) {
  auto const manifest = parseManifest(R"({"id":"a.b","version":"1"})");
  ASSERT_TRUE(manifest) << manifest.error().message;
  EXPECT_TRUE(manifest->webhooks.is_null());
}

TEST(Manifest, ATenthOfWhatAProviderGrantsMayComeAtOnceUnlessItIsSaid) {
  auto const manifest = parseManifest(R"({"id":"a.b","version":"1","limits":{"requests":{
    "connection":{"count":100,"seconds":60},"app":{"count":3,"seconds":1,"at_once":3}}}})");
  ASSERT_TRUE(manifest) << manifest.error().message;
  ASSERT_TRUE(manifest->requests_of_connection && manifest->requests_of_app);
  EXPECT_EQ(manifest->requests_of_connection->count, 100);
  EXPECT_EQ(manifest->requests_of_connection->span, std::chrono::minutes(1));
  EXPECT_EQ(manifest->requests_of_connection->at_once, 10);
  EXPECT_EQ(manifest->requests_of_app->at_once, 3);
  EXPECT_FALSE(parseManifest(R"({"id":"a.b","version":"1"})")->requests_of_connection);
}

TEST(Manifest, ActionsMayNameALookupOrTheTimeThatAKeyIsRememberedOrNeither) {
  auto const manifest =
      parseManifest(R"({"id":"a.b","version":"1","operations":["a.b/1","a.c/1","a.d/1","a.e/1"],
    "actions":{"a.b/1":{"lookup":"a.e/1"},"a.c/1":{"repeat":"same_key","repeat_for":86400},"a.d/1":{}}})");
  ASSERT_TRUE(manifest) << manifest.error().message;
}

TEST(Manifest, NotJsonIsToldWithItsPlace) {
  auto const manifest = parseManifest("{\n  \"id\": oops\n}");
  ASSERT_FALSE(manifest);
  EXPECT_NE(manifest.error().message.find("at line 2, column"), std::string::npos)
      << manifest.error().message;
}

TEST(Manifest, WrongTypesAreErrorsWithTheirPlace) {
  struct Case {
    std::string text;
    std::string place;
  };
  for (auto const& [text, place] :
       {Case{R"({"id":7})", "/id"},
        Case{R"({"id":"a.b","version":"1","operations":"x"})", "/operations"},
        Case{R"({"id":"a.b","version":"1","operations":[7]})", "/operations"},
        Case{R"({"id":"a.b","version":"1","auth":{}})", "/auth"},
        Case{R"({"id":"a.b","version":"1","auth":[{"slot":"x"}]})", "/auth/0: /scheme"},
        Case{R"({"id":"a.b","version":"1","auth":[{"slot":"x","scheme":"digest","fields":["a"]}]})",
             "/auth/0: /scheme: must be basic, bearer, header, query, address, oauth1, oauth2 or sigv4"},
        Case{R"({"id":"a.b","version":"1","auth":[{"slot":"x","scheme":"basic","fields":["a"]}]})",
             "/auth/0: /fields: must be those of basic, in this order: the user name and the password"},
        Case{R"({"id":"a.b","version":"1","poll":{"every_seconds":-1}})", "/poll/every_seconds"},
        Case{R"({"id":"a.b","version":"1","limits":{"max_body":0}})", "/limits/max_body"},
        Case{R"({"id":"a.b","version":"1","limits":{"requests":{"app":{"count":0,"seconds":1}}}})",
             "/limits/requests/app/count"},
        Case{R"({"id":"a.b","version":"1","limits":{"requests":{"connection":{"count":5}}}})",
             "/limits/requests/connection/seconds"},
        Case{
            R"({"id":"a.b","version":"1","limits":{"requests":{"app":{"count":5,"seconds":1,"at_once":6}}}})",
            "/limits/requests/app/at_once"},
        Case{R"({"id":"a.b","version":"1","webhooks":[]})", "/webhooks/signature"},
        Case{R"({"id":"a.b","version":"1","webhooks":{"signature":7}})", "/webhooks/signature"},
        Case{R"({"id":"a.b","version":"1","actions":[]})", "/actions"},
        Case{R"({"id":"a.b","version":"1","actions":{"a.b/1":{}}})", "/actions/a.b~11: must be one of"},
        Case{R"({"id":"a.b","version":"1","operations":["a.b/1"],"actions":{"a.b/1":7}})", "/actions/a.b~11"},
        Case{R"({"id":"a.b","version":"1","operations":["a.b/1"],"actions":{"a.b/1":{"lookup":"a.c/1"}}})",
             "/actions/a.b~11/lookup"},
        Case{R"({"id":"a.b","version":"1","operations":["a.b/1"],"actions":{"a.b/1":{"lookup":7}}})",
             "/lookup"},
        Case{R"({"id":"a.b","version":"1","operations":["a.b/1"],"actions":{"a.b/1":{"repeat":"always"}}})",
             "/actions/a.b~11/repeat"},
        Case{R"({"id":"a.b","version":"1","operations":["a.b/1"],"actions":{"a.b/1":{"repeat":"same_key"}}})",
             "/actions/a.b~11/repeat_for"},
        Case{R"({"id":"a.b","version":"1","operations":["a.b/1","a.c/1"],"actions":{"a.b/1":
                 {"lookup":"a.c/1","repeat":"same_key","repeat_for":9}}})",
             "/actions/a.b~11: must have"},
        Case{"[]", "/id"}}) {
    auto const manifest = parseManifest(text);
    ASSERT_FALSE(manifest) << text;
    EXPECT_TRUE(manifest.error().message.starts_with(place)) << manifest.error().message;
  }
}

Result<Manifest> withSlot(std::string const& rest) {
  return parseManifest(R"({"id":"a.b","version":"1","auth":[{"slot":"key",)" + rest + "}]}");
}

// A manifest with one slot of this scheme, and so many fields.
json::object manifestWith(std::string_view scheme, std::size_t fields) {
  auto manifest = parseJson(kText).value().get_object();
  json::object slot{{"slot", "key"}, {"scheme", scheme}};
  slot["fields"] = json::array{"a", "b", "c", "d"};
  slot["fields"].get_array().resize(fields);
  if (scheme == "header" || scheme == "query") slot["parameter"] = "X-Key";
  if (scheme == "oauth1") slot["signature"] = "PLAINTEXT";
  for (auto const* member : {"region", "service"})
    if (scheme == "sigv4") slot[member] = "ses";
  if (scheme == "oauth2") slot["oauth2"] = json::object{{"token_url", "https://x.example/token"}};
  manifest["auth"] = json::array{slot};
  return manifest;
}

TEST(Manifest, EverySchemeOfTheSchemaIsReadAndNothingThatTheSchemaRefuses) {
  auto const document = parseJson(schemaText("manifest.json")).value();
  auto const schema = Schema::compile(document).value();
  for (auto const& word : find(document, "/definitions/slot/properties/scheme/enum")->as_array()) {
    std::string_view const scheme = word.get_string();
    int taken = 0;
    for (std::size_t fields = 1; fields <= 4; ++fields) {
      auto const manifest = manifestWith(scheme, fields);
      bool const reads = static_cast<bool>(parseManifest(json::serialize(manifest)));
      bool const fits = schema.check(manifest).empty();
      taken += reads;
      EXPECT_TRUE(fits || !reads) << scheme << " with " << fields << " fields";
      EXPECT_TRUE(reads || !fits || (scheme == "oauth1" && fields == 3))
          << scheme << " with " << fields << " fields";
    }
    EXPECT_GT(taken, 0) << scheme;
  }
}

TEST(Manifest, SlotsThatSignSayWhatTheSignatureNeeds) {
  auto const oauth1 = withSlot(R"("scheme":"oauth1","signature":"HMAC-SHA256","fields":["k","s","t","u"])");
  ASSERT_TRUE(oauth1) << oauth1.error().message;
  EXPECT_EQ(oauth1->auth[0].signature, "HMAC-SHA256");
  EXPECT_EQ(oauth1->auth[0].may_lack, 0U);
  auto const sigv4 =
      withSlot(R"("scheme":"sigv4","region":"setting:/region","service":"ses","fields":["i","s","t"])");
  ASSERT_TRUE(sigv4) << sigv4.error().message;
  EXPECT_EQ(sigv4->auth[0].region, "setting:/region");
  EXPECT_EQ(sigv4->auth[0].service, "ses");
  EXPECT_EQ(sigv4->auth[0].may_lack, 1U); // the session token
  auto const oauth2 =
      withSlot(R"("scheme":"oauth2","oauth2":{"token_url":"https://x.example/t"},"fields":["i","s","t"])");
  ASSERT_TRUE(oauth2) << oauth2.error().message;
  EXPECT_EQ(textOr(oauth2->auth[0].oauth2, "/token_url", ""), "https://x.example/t");
  EXPECT_EQ(oauth2->auth[0].may_lack, 0U);
}

TEST(Manifest, ASlotThatCannotSignIsToldWhatIsMissing) {
  struct Case {
    std::string slot;
    std::string said;
  };
  for (auto const& [slot, said] :
       {Case{R"("scheme":"oauth1","fields":["k","s"])",
             "/signature: must be HMAC-SHA1, HMAC-SHA256 or PLAINTEXT"},
        Case{R"("scheme":"oauth1","signature":"RSA-SHA1","fields":["k","s"])",
             "/signature: must be HMAC-SHA1"},
        Case{R"("scheme":"oauth1","signature":"PLAINTEXT","fields":["k","s","t"])",
             "/fields: must be those of oauth1, in this order: the consumer key"},
        Case{R"("scheme":"sigv4","service":"ses","fields":["i","s"])", "/region: must name it"},
        Case{R"("scheme":"sigv4","region":"setting:","service":"ses","fields":["i","s"])",
             "/region: must name it"},
        Case{R"("scheme":"sigv4","region":"eu-west-1","fields":["i","s"])", "/service: must name it"},
        Case{R"("scheme":"sigv4","region":"eu-west-1","service":"ses","fields":["i"])",
             "/fields: must be those of sigv4, in this order: the access key id"},
        Case{R"("scheme":"oauth2","fields":["i","s","t"])", "/oauth2: must say how tokens are asked for"},
        Case{R"("scheme":"bearer","oauth2":{},"fields":["t"])", "/oauth2: is for the scheme oauth2 only"},
        Case{R"("scheme":"oauth2","oauth2":{},"fields":["i","s"])",
             "/fields: must be the client's id, its secret"},
        Case{R"("scheme":"oauth2","oauth2":{"renew_by":"assertion"},"fields":["i","s","t"])",
             "/fields: must be the client's id and its secret only"},
        Case{R"("scheme":"oauth2","oauth2":{"renew_by":"client"},"fields":["i","s","t"])",
             "/fields: must be the client's id and its secret only"}}) {
    auto const manifest = withSlot(slot);
    ASSERT_FALSE(manifest) << slot;
    EXPECT_TRUE(manifest.error().message.starts_with("/auth/0: " + said)) << manifest.error().message;
  }
}

TEST(Manifest, AllowedHostsTakeTheHostAndPortOutOfTheSettingsUrl) {
  auto const manifest = parseManifest(kText).value();
  auto const hosts = [&](std::string const& url) { return manifest.allowedHosts(json::value{{"url", url}}); };
  using Hosts = std::vector<std::string>;
  EXPECT_EQ(hosts("https://cal.example.com/dav/"), (Hosts{"cal.example.com", "*.icloud.com"}));
  EXPECT_EQ(hosts("http://127.0.0.1:5232/"), (Hosts{"127.0.0.1:5232", "*.icloud.com"}));
  EXPECT_EQ(hosts("https://user@[::1]:8443/x"), (Hosts{"[::1]:8443", "*.icloud.com"}));
  EXPECT_EQ(hosts("https://good.example.com@evil.example.com/"), (Hosts{"evil.example.com", "*.icloud.com"}));
}

TEST(Manifest, SettingsWithoutAUsableUrlAllowNothingMore) {
  auto const manifest = parseManifest(kText).value();
  for (auto const* text : {"{}", "[]", "null", R"({"url":7})", R"({"url":"not a url"})",
                           R"({"url":"mailto:a@b.c"})", R"({"url":"https://"})"})
    EXPECT_EQ(manifest.allowedHosts(parseJson(text).value()), std::vector<std::string>{"*.icloud.com"})
        << text;
}

} // namespace
} // namespace garland::runtime
