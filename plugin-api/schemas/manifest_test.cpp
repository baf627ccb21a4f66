// The manifest's schema: what it takes, and that it names the place of what it refuses.
#include "host/base/schema.h"

#include <garland/schemas.hpp>

#include <gtest/gtest.h>

#include <functional>

namespace garland {
namespace {

json::object good() {
  return parseJson(
             R"({"manifest":1,"id":"garland.caldav","name":"CalDAV","version":"1.0.0","category":"calendar",
    "summary":"One sentence.","operations":["health.check/1","calendar.pull/1"],
    "entities":{"calendar.event":{"read":true,"write":true}},
    "auth":[{"slot":"login","scheme":"basic","fields":["username","password"]},
            {"slot":"key","scheme":"header","parameter":"X-Api-Key","fields":["key"]}],
    "hosts":["setting:/url","*.icloud.com","api.example.com","127.0.0.1"],
    "settings":{"type":"object","properties":{"url":{"type":"string"}}},
    "limits":{"max_body":16777216},"poll":{"every_seconds":900}})")
      .value()
      .get_object();
}

Schema const& schema() {
  static Schema const compiled = Schema::compile(parseJson(schemaText("manifest.json")).value()).value();
  return compiled;
}

// Every pointer that is complained about, in one line; empty if the manifest is taken.
std::string refusal(std::function<void(json::object&)> const& spoil) {
  auto manifest = good();
  spoil(manifest);
  std::string all;
  for (auto const& problem : schema().check(manifest))
    all += "[" + problem.pointer + "] " + problem.message + "\n";
  return all;
}

void expectRefusedAt(std::string_view pointer, std::function<void(json::object&)> const& spoil) {
  auto const said = refusal(spoil);
  EXPECT_NE(said.find("[" + std::string(pointer) + "]"), std::string::npos)
      << pointer << " is not among:\n"
      << (said.empty() ? "nothing: it was taken" : said);
}

TEST(ManifestSchema, AGoodManifestIsTaken) {
  EXPECT_EQ(refusal([](json::object&) {}), "");
  EXPECT_EQ(refusal([](json::object& m) {
              m.erase("limits"), m.erase("poll"), m.erase("settings"), m.erase("entities");
            }),
            "");
  EXPECT_EQ(refusal([](json::object& m) { m["auth"] = json::array(), m["hosts"] = json::array(); }), "");
}

TEST(ManifestSchema, AMissingMemberIsNamed) {
  for (auto const* member :
       {"manifest", "id", "name", "version", "category", "summary", "operations", "auth", "hosts"}) {
    auto const said = refusal([&](json::object& m) { m.erase(member); });
    EXPECT_NE(said.find(member), std::string::npos) << member << ": " << said;
  }
}

TEST(ManifestSchema, AnUnknownMemberIsRefused) {
  auto const said = refusal([](json::object& m) { m["hostz"] = json::array(); });
  EXPECT_NE(said.find("hostz"), std::string::npos) << said;
  expectRefusedAt("/limits", [](json::object& m) { m["limits"] = {{"max_boddy", 1}}; });
}

TEST(ManifestSchema, EveryWrongValueIsRefusedAtItsPlace) {
  using Object = json::object;
  expectRefusedAt("/manifest", [](Object& m) { m["manifest"] = 2; });
  for (auto const* id :
       {"caldav", "Garland.caldav", "garland..caldav", "garland.caldav/x", "garland.../etc", ""})
    expectRefusedAt("/id", [&](Object& m) { m["id"] = id; });
  expectRefusedAt("/id", [](Object& m) { m["id"] = std::string(100'000, 'a'); });
  expectRefusedAt("/name", [](Object& m) { m["name"] = 5; });
  for (auto const* version : {"1", "1.0", "01.0.0", "v1.0.0", "1.0.0-"})
    expectRefusedAt("/version", [&](Object& m) { m["version"] = version; });
  expectRefusedAt("/category", [](Object& m) { m["category"] = "weather"; });
  expectRefusedAt("/operations", [](Object& m) { m["operations"] = json::array(); });
  expectRefusedAt("/operations/1",
                  [](Object& m) { m["operations"] = json::array{"health.check/1", "calendar.pull"}; });
  expectRefusedAt("/entities/calendar.event",
                  [](Object& m) { m["entities"] = {{"calendar.event", {{"read", true}}}}; });
  expectRefusedAt("/auth/0/scheme",
                  [](Object& m) { m["auth"].as_array()[0].as_object()["scheme"] = "digest"; });
  expectRefusedAt("/auth/1", [](Object& m) { m["auth"].as_array()[1].as_object().erase("parameter"); });
  expectRefusedAt("/auth/0/fields",
                  [](Object& m) { m["auth"].as_array()[0].as_object()["fields"] = json::array{"password"}; });
  expectRefusedAt("/auth/1/fields",
                  [](Object& m) { m["auth"].as_array()[1].as_object()["fields"] = json::array{"a", "b"}; });
  expectRefusedAt("/auth/1/fields", [](Object& m) {
    m["auth"].as_array()[1] =
        Object{{"slot", "feed"}, {"scheme", "address"}, {"fields", json::array{"a", "b"}}};
  });
  expectRefusedAt("/hosts", [](Object& m) { m["hosts"] = "api.example.com"; });
  expectRefusedAt("/hosts", [](Object& m) { m["hosts"] = json::array(); });
  for (auto const* rule :
       {"https://api.example.com", "*", "*.", "API.example.com", "setting:url", "a..b", "a/b", ""})
    expectRefusedAt("/hosts/0", [&](Object& m) { m["hosts"] = json::array{rule}; });
  expectRefusedAt("/settings", [](Object& m) { m["settings"] = json::object(); });
  expectRefusedAt("/settings/type", [](Object& m) { m["settings"] = {{"type", "string"}}; });
  expectRefusedAt("/limits/max_body", [](Object& m) { m["limits"] = {{"max_body", 0}}; });
  expectRefusedAt("/limits/max_body", [](Object& m) { m["limits"] = {{"max_body", 33554433}}; });
  expectRefusedAt("/limits/requests", [](Object& m) { m["limits"] = {{"requests", Object()}}; });
  expectRefusedAt("/limits/requests/app/count",
                  [](Object& m) { m["limits"] = {{"requests", {{"app", {{"count", 0}, {"seconds", 1}}}}}}; });
  expectRefusedAt("/poll/every_seconds", [](Object& m) { m["poll"] = {{"every_seconds", 1}}; });
}

TEST(ManifestSchema, ASlotThatSignsSaysWhatTheSignatureNeeds) {
  auto const with = [](std::string_view slot) {
    return [=](json::object& m) { m["auth"] = json::array{parseJson(slot).value()}; };
  };
  EXPECT_EQ(refusal(with(R"({"slot":"a","scheme":"oauth1","signature":"HMAC-SHA1","fields":["k","s"]})")),
            "");
  EXPECT_EQ(
      refusal(with(R"({"slot":"a","scheme":"oauth1","signature":"PLAINTEXT","fields":["k","s","t","u"]})")),
      "");
  EXPECT_EQ(refusal(with(R"({"slot":"a","scheme":"sigv4","region":"setting:/region","service":"ses",
    "fields":["id","key","token"]})")),
            "");
  auto const unknown =
      refusal(with(R"({"slot":"a","scheme":"oauth1","signature":"RSA-SHA1","fields":["k","s"]})"));
  EXPECT_NE(unknown.find("[/auth/0/signature]"), std::string::npos) << unknown;
  EXPECT_NE(unknown.find("HMAC-SHA256"), std::string::npos) << unknown;
  auto const unsaid = refusal(with(R"({"slot":"a","scheme":"oauth1","fields":["k","s"]})"));
  EXPECT_NE(unsaid.find("signature"), std::string::npos) << unsaid;
  for (auto const* missing : {"region", "service"}) {
    json::object slot{{"slot", "a"}, {"scheme", "sigv4"}, {"region", "eu-west-1"}, {"service", "ses"}};
    slot["fields"] = json::array{"id", "key"};
    EXPECT_EQ(refusal(with(json::serialize(slot))), "");
    slot.erase(missing);
    auto const said = refusal(with(json::serialize(slot)));
    EXPECT_NE(said.find(missing), std::string::npos) << said;
  }
  expectRefusedAt("/auth/0/region", with(R"({"slot":"a","scheme":"sigv4","region":"EU west","service":"ses",
    "fields":["id","key"]})"));
  expectRefusedAt("/auth/0/fields",
                  with(R"({"slot":"a","scheme":"sigv4","region":"a","service":"ses","fields":["id"]})"));
  EXPECT_EQ(refusal(with(R"({"slot":"a","scheme":"oauth2","fields":["i","s","t"],
    "oauth2":{"token_url":"https://x.example/token","client":"body","refusals":["190"]}})")),
            "");
  EXPECT_EQ(refusal(with(R"({"slot":"a","scheme":"oauth2","fields":["i","s","t"],
    "oauth2":{"token_url":"https://x.example/token","authorize_url":"https://x.example/authorize","pkce":"S256",
              "authorize_parameters":{"access_type":"offline"},"scopes":["read"],
              "device_url":"https://x.example/device"}})")),
            "");
  EXPECT_EQ(refusal(with(R"({"slot":"a","scheme":"oauth2","parameter":"access_token","fields":["i","s"],
    "oauth2":{"token_url":"setting:/token_url","renew_by":"client","scopes":["read"]}})")),
            "");
  EXPECT_EQ(refusal(with(R"({"slot":"a","scheme":"oauth2","fields":["email","private_key"],
    "oauth2":{"token_url":"https://x.example/token","renew_by":"assertion","claims":{"sub":"setting:/user"}}})")),
            "");
  expectRefusedAt("/auth/0/fields", with(R"({"slot":"a","scheme":"oauth2","fields":["i","s"],
    "oauth2":{"token_url":"https://x.example/token"}})"));
  expectRefusedAt("/auth/0/oauth2/token_url", with(R"({"slot":"a","scheme":"oauth2","fields":["i","s","t"],
    "oauth2":{"token_url":"http://x.example/token"}})"));
  expectRefusedAt("/auth/0/oauth2/device_url", with(R"({"slot":"a","scheme":"oauth2","fields":["i","s","t"],
    "oauth2":{"token_url":"https://x.example/token","device_url":"http://x.example/device"}})"));
  // Where it would be without effect it is no mistake that stays unseen.
  expectRefusedAt("/auth/0", with(R"({"slot":"a","scheme":"bearer","region":"a","fields":["t"]})"));
  expectRefusedAt("/auth/0",
                  with(R"({"slot":"a","scheme":"basic","signature":"HMAC-SHA1","fields":["u","p"]})"));
}

TEST(ManifestSchema, AnActionSaysHowALostAnswerIsFoundOut) {
  auto const with = [](std::string_view actions) {
    return [=](json::object& m) { m["actions"] = parseJson(actions).value(); };
  };
  EXPECT_EQ(refusal(with("{}")), "");
  EXPECT_EQ(refusal(with(R"({"payments.create/1":{"lookup":"payments.find/1"},
    "messages.send/1":{"repeat":"same_key","repeat_for":86400},"messages.call/1":{}})")),
            "");
  expectRefusedAt("/actions", with("[]"));
  EXPECT_NE(refusal(with(R"({"payments.create":{}})")), "");
  expectRefusedAt("/actions/payments.create~11", with(R"({"payments.create/1":7})"));
  expectRefusedAt("/actions/payments.create~11", with(R"({"payments.create/1":{"retry":true}})"));
  expectRefusedAt("/actions/payments.create~11/lookup", with(R"({"payments.create/1":{"lookup":"find"}})"));
  expectRefusedAt("/actions/payments.create~11/repeat",
                  with(R"({"payments.create/1":{"repeat":"always","repeat_for":86400}})"));
  expectRefusedAt("/actions/payments.create~11/repeat_for",
                  with(R"({"payments.create/1":{"repeat":"same_key","repeat_for":1}})"));
  EXPECT_NE(refusal(with(R"({"payments.create/1":{"repeat":"same_key"}})")), "");
  EXPECT_NE(refusal(with(R"({"payments.create/1":{"repeat_for":86400}})")), "");
  EXPECT_NE(
      refusal(with(
          R"({"payments.create/1":{"lookup":"payments.find/1","repeat":"same_key","repeat_for":86400}})")),
      "");
}

TEST(ManifestSchema, WebhooksNameASchemeOrDescribeOne) {
  auto const with = [](std::string_view webhooks) {
    return [=](json::object& m) { m["webhooks"] = parseJson(webhooks).value(); };
  };
  EXPECT_EQ(refusal(with(R"({"signature":"svix"})")), "");
  EXPECT_EQ(refusal(with(R"({"signature":{"algorithm":"hmac-sha256","at":{"header":"X-Sign"},"encoding":"hex",
    "signed":"{id}.{body}","values":{"id":{"header":"X-Id"}}},"handshakes":[{"method":"GET","answer":{}}]})")),
            "");
  expectRefusedAt("/webhooks/signature", with(R"({"signature":7})"));
  expectRefusedAt("/webhooks/signature", with(R"({"signature":"Not A Name"})"));
  expectRefusedAt("/webhooks/signature", with(R"({"signature":{}})"));
  expectRefusedAt("/webhooks/signature/at/header", with(R"({"signature":{"at":{"header":"two words"}}})"));
  expectRefusedAt("/webhooks/signature/algorithm", with(R"({"signature":{"at":{},"algorithm":"md5"}})"));
  expectRefusedAt("/webhooks/handshakes/0/method",
                  with(R"({"signature":"svix","handshakes":[{"method":"PUT","answer":{}}]})"));
}

TEST(Schemas, EveryOneCompilesAndDescribesItsMembers) {
  std::function<void(json::value const&, std::string const&)> const described =
      [&](json::value const& node, std::string const& where) {
        if (node.is_array())
          for (auto const& item : node.get_array()) described(item, where);
        if (!node.is_object()) return;
        auto const& object = node.get_object();
        auto const* properties = object.if_contains("properties");
        bool const conditional = where.ends_with("/if") || where.ends_with("/then") ||
                                 where.ends_with("/else") || where.find("/if/") != std::string::npos;
        if (properties != nullptr && !conditional)
          for (auto const& [name, member] : properties->get_object())
            EXPECT_TRUE(member.get_object().contains("description") || member.get_object().contains("$ref"))
                << where << ": " << name << " has no description";
        for (auto const& [name, member] : object) described(member, where + "/" + std::string(name));
      };
  EXPECT_GE(schemas::schemaNames().size(), 15U);
  for (auto const name : schemas::schemaNames()) {
    auto const document = parseJson(schemaText(name)).value();
    EXPECT_TRUE(Schema::compile(document)) << name;
    described(document, std::string(name));
  }
  EXPECT_EQ(schemaText("no.json"), "");
}

} // namespace
} // namespace garland
