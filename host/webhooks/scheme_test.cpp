// Schemes as people write them: every preset reads, and a mistake is told with its place.
#include "host/webhooks/webhook_fixture.h"

#include <set>

namespace garland::webhooks {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kGood = R"({"signature":{"algorithm":"hmac-sha256","at":{"header":"X-Sign"},
  "encoding":"hex","signed":"{id}.{body}","values":{"id":{"header":"X-Id"}}}})";

std::string refusal(std::string_view text) {
  auto const document = parseJson(text);
  if (!document) return "not JSON: " + document.error().message;
  auto const scheme = Scheme::read(*document);
  return scheme ? "taken" : scheme.error().message;
}

// The good one with one part in another's place.
std::string refusalWith(std::string_view part, std::string_view other) {
  std::string text(kGood);
  text.replace(text.find(part), part.size(), other);
  return refusal(text);
}

TEST(SchemeData, EveryPresetReadsAndSaysWhatItIs) {
  EXPECT_GE(presetNames().size(), 25U);
  for (auto const& name : presetNames()) {
    auto const scheme = Scheme::named(name);
    ASSERT_TRUE(scheme) << name << ": " << scheme.error().message;
    EXPECT_FALSE(scheme->summary().empty()) << name;
  }
}

TEST(SchemeData, APresetIsFoundByItsAliasAndWithEitherDash) {
  for (auto const* name :
       {"svix", "resend", "svix_resend", "svix-resend", "standard_webhooks", "authorize_net"})
    EXPECT_TRUE(Scheme::named(name)) << name;
  auto const unknown = Scheme::named("striped");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().kind, ErrorKind::notFound);
  EXPECT_THAT(unknown.error().message, HasSubstr("stripe, "));
}

TEST(SchemeData, AManifestMayNameAPresetAndBringItsOwnHandshakes) {
  auto const named = schemeOf(R"({"signature":"github"})");
  auto const probe =
      schemeOf(R"({"signature":"github","handshakes":[{"method":"GET","answer":{"text":"here"}}]})");
  auto request = requestOf({}, "");
  request.method = "GET";
  EXPECT_FALSE(answerHandshake(named, request, keysOf(), clockAt()));
  EXPECT_EQ(answerHandshake(probe, request, keysOf(), clockAt()).value().body, "here");
  EXPECT_THAT(refusal(R"({"signature":"striped"})"), HasSubstr("no webhook scheme of that name"));
}

TEST(SchemeData, AnUnknownMemberIsToldWithItsPlace) {
  EXPECT_EQ(refusal(kGood), "taken");
  EXPECT_THAT(refusalWith("\"encoding\"", "\"encodign\":\"hex\",\"encoding\""),
              testing::AllOf(HasSubstr("/signature"), HasSubstr("encodign")));
  EXPECT_THAT(refusalWith("{\"header\":\"X-Id\"}", "{\"header\":\"X-Id\",\"colour\":1}"),
              testing::AllOf(HasSubstr("/signature/values/id"), HasSubstr("colour")));
}

TEST(SchemeData, AWrongValueIsToldWithItsPlace) {
  EXPECT_THAT(refusalWith("hmac-sha256", "md5"), HasSubstr("/signature/algorithm"));
  EXPECT_THAT(refusalWith("\"hex\"", "\"utf-8\""), HasSubstr("/signature/encoding"));
  EXPECT_THAT(refusalWith("{\"header\":\"X-Sign\"}", "7"), HasSubstr("/signature/at"));
  EXPECT_THAT(refusal(R"({"signature":5})"), HasSubstr("/signature"));
  EXPECT_THAT(refusal("[]"), HasSubstr("webhooks"));
  EXPECT_THAT(refusal("{}"), HasSubstr("signature"));
}

TEST(SchemeData, APlaceIsExactlyOne) {
  EXPECT_THAT(refusalWith("{\"header\":\"X-Sign\"}", "{}"),
              HasSubstr("/webhooks/signature/at: must have exactly one"));
  EXPECT_THAT(refusalWith("{\"header\":\"X-Sign\"}", R"({"header":"X-Sign","query":"s"})"),
              HasSubstr("exactly one"));
  EXPECT_THAT(refusalWith("{\"header\":\"X-Sign\"}", R"({"header":"X-Sign","member":"v1"})"),
              HasSubstr("\"split\""));
}

TEST(SchemeData, ANameInATemplateMustMeanSomething) {
  EXPECT_THAT(refusalWith("{id}.{body}", "{idd}.{body}"),
              testing::AllOf(HasSubstr("/webhooks/signature/signed"), HasSubstr("{idd}"),
                             HasSubstr("sorted_params")));
  EXPECT_THAT(refusalWith("{id}.{body}", "{timestamp}.{body}"), HasSubstr("{timestamp} means nothing"));
  for (auto const* broken : {"{body", "body}", "{}", "{{body}}"})
    EXPECT_THAT(refusalWith("{id}.{body}", broken), HasSubstr("/signed")) << broken;
  EXPECT_THAT(refusalWith("\"id\":", "\"body\":"), HasSubstr("means something already"));
  EXPECT_THAT(refusalWith("\"id\":", "\"I D\":"), HasSubstr("a name is small letters"));
}

TEST(SchemeData, WhatBelongsTogetherIsThere) {
  EXPECT_THAT(refusalWith("\"encoding\":\"hex\",", ""), HasSubstr("\"encoding\" is missing"));
  EXPECT_THAT(refusalWith("\"signed\":\"{id}.{body}\",", ""), HasSubstr("\"signed\" is missing"));
  EXPECT_THAT(refusalWith("\"encoding\"", "\"tolerance_seconds\":5,\"encoding\""),
              HasSubstr("needs a timestamp"));
  EXPECT_THAT(refusalWith("\"algorithm\":\"hmac-sha256\",", ""), HasSubstr("exactly one of algorithm"));
  EXPECT_THAT(refusalWith("hmac-sha256", "jwt"), HasSubstr("jwt"));
  EXPECT_THAT(refusalWith("hmac-sha256", "token"), HasSubstr("means nothing with token"));
  EXPECT_THAT(refusalWith("\"algorithm\":\"hmac-sha256\"",
                          R"("algorithm_by":{"at":{"header":"X-A"},"is":{"none":"token"}})"),
              HasSubstr("may not choose token"));
  EXPECT_THAT(refusal(R"({"signature":"github","handshakes":[{"method":"POST","answer":{},
    "visit":{"url":{"body":"/u"},"hosts":["a.studio.test"]}}]})"),
              HasSubstr("anybody could make the host visit"));
  EXPECT_THAT(
      refusal(R"({"signature":"github","handshakes":[{"method":"GET","answer":{"headers":{"X:Y":"a"}}}]})"),
      HasSubstr("a header's name"));
}

TEST(SchemeData, AHostRuleEndsInADomain) {
  auto const with = [](std::string const& host) {
    return refusal(
        R"({"signature":{"algorithm":"rsa-sha256","at":{"header":"S"},"encoding":"hex","signed":"{body}",
      "certificate":{"url":{"header":"U"},"hosts":[")" +
        host + R"("]}}})");
  };
  for (auto const* good : {"a.studio.test", "*.studio.test", "keys.*.studio.test", "*.keys.*.studio.test"})
    EXPECT_EQ(with(good), "taken") << good;
  for (auto const* bad :
       {"*", "*.test", "studio.*", "test", "https://studio.test", "a.*.test", "", "Studio.Test"})
    EXPECT_THAT(with(bad), HasSubstr("/signature/certificate/hosts/0")) << bad;
}

// Everybody has the certificate, so everybody could make an HMAC with it.
TEST(SchemeData, ACertificateIsNoSharedKey) {
  auto const with = [](std::string const& algorithm, std::string const& more = {}) {
    return refusal(R"({"signature":{)" + algorithm + R"(,"at":{"header":"S"},"encoding":"hex")" + more +
                   R"(,"certificate":{"url":{"header":"U"},"hosts":["a.studio.test"]}}})");
  };
  std::string const text = R"(,"signed":"{body}")";
  EXPECT_EQ(with(R"("algorithm":"rsa-sha1")", text), "taken");
  EXPECT_EQ(with(R"("algorithm":"jwt")", R"(,"jwt":{"algorithms":["RS256"]})"), "taken");
  for (auto const& bad :
       {with(R"("algorithm":"hmac-sha256")", text), with(R"("algorithm":"token")"),
        with(R"("algorithm":"jwt")", R"(,"jwt":{"algorithms":["RS256","HS256"]})"),
        with(R"("algorithm_by":{"at":{"header":"A"},"is":{"1":"rsa-sha1","2":"hmac-sha1"}})", text)})
    EXPECT_THAT(bad, HasSubstr("/signature/certificate"));
}

TEST(SchemeData, SaysWhatItNeedsToBeTold) {
  EXPECT_TRUE(Scheme::named("square")->needsUrl());
  EXPECT_TRUE(Scheme::named("monday")->needsUrl());
  EXPECT_FALSE(Scheme::named("stripe")->needsUrl());
  EXPECT_TRUE(Scheme::named("paypal")->parameters().contains("webhook_id"));
  EXPECT_TRUE(Scheme::named("aws-sns")->parameters().contains("topic"));
}

} // namespace
} // namespace garland::webhooks
