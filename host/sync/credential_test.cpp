// What a slot's fields become, scheme by scheme.
#include "host/sync/credential.h"

#include <gmock/gmock.h>

namespace garland::sync {
namespace {

using Scheme = egress::Credential::Scheme;
using Method = egress::Signing::Method;

runtime::AuthSlot slotOf(std::string const& rest) {
  auto const manifest =
      runtime::parseManifest(R"({"id":"a.b","version":"1","auth":[{"slot":"key",)" + rest + "}]}");
  return manifest.value().auth.at(0);
}

TEST(Credentials, TheOrderOfTheFieldsSaysWhatEachIs) {
  json::value const typed{{"ck", "1"}, {"cs", "2"}, {"t", "3"}, {"ts", "4"}};
  auto const slot = slotOf(R"("scheme":"oauth1","signature":"HMAC-SHA256","fields":["ck","cs","t","ts"])");
  auto const made = credentialOf(slot, typed, {}).value();
  EXPECT_EQ(made.scheme, Scheme::oauth1);
  EXPECT_EQ(made.signing.method, Method::hmacSha256);
  EXPECT_EQ(made.username, "1");
  EXPECT_EQ(made.secret.reveal(), "2");
  EXPECT_EQ(made.signing.token, "3");
  EXPECT_EQ(made.signing.token_secret.reveal(), "4");
  EXPECT_THAT(secretsOf(made), ::testing::IsSupersetOf({"2", "4"}));
  for (auto const& [word, method] :
       {std::pair("HMAC-SHA1", Method::hmacSha1), std::pair("PLAINTEXT", Method::plaintext)})
    EXPECT_EQ(credentialOf(
                  slotOf(R"("scheme":"oauth1","fields":["ck","cs"],"signature":")" + std::string(word) + '"'),
                  typed, {})
                  .value()
                  .signing.method,
              method);
}

TEST(Credentials, TheRegionComesFromTheManifestOrTheSettings) {
  json::value const typed{{"id", "AKID"}, {"key", "k"}};
  auto const fixed = slotOf(R"("scheme":"sigv4","region":"eu-west-1","service":"ses","fields":["id","key"])");
  EXPECT_EQ(credentialOf(fixed, typed, {}).value().signing.region, "eu-west-1");
  auto const set = slotOf(
      R"("scheme":"sigv4","region":"setting:/aws/region","service":"ses","fields":["id","key","session"])");
  json::value const settings{{"aws", {{"region", "us-east-1"}}}};
  auto const made = credentialOf(set, typed, settings).value();
  EXPECT_EQ(made.scheme, Scheme::sigv4);
  EXPECT_EQ(made.username, "AKID");
  EXPECT_EQ(made.secret.reveal(), "k");
  EXPECT_EQ(made.signing.region, "us-east-1");
  EXPECT_EQ(made.signing.service, "ses");
  EXPECT_TRUE(made.signing.session_token.empty());
  auto const temporary = credentialOf(set, json::value{{"session", "s"}}, settings).value();
  EXPECT_EQ(temporary.signing.session_token.reveal(), "s");
  EXPECT_THAT(secretsOf(temporary), ::testing::Contains("s"));
  auto const missing = credentialOf(set, typed, json::object());
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().message,
            "requests cannot be signed: the setting /aws/region of this connection is empty; set it");
}

TEST(Credentials, TheOtherSchemesAreAsTheyWere) {
  auto const basic = credentialOf(slotOf(R"("scheme":"basic","fields":["u","p"])"),
                                  json::value{{"u", "ada"}, {"p", "x"}}, {})
                         .value();
  EXPECT_EQ(basic.username, "ada");
  EXPECT_EQ(basic.secret.reveal(), "x");
  auto const header = credentialOf(slotOf(R"("scheme":"header","parameter":"X-Key","fields":["k"])"),
                                   json::value{{"k", "x"}}, {})
                          .value();
  EXPECT_EQ(header.scheme, Scheme::header);
  EXPECT_EQ(header.name, "X-Key");
  EXPECT_EQ(header.username, "");
  EXPECT_EQ(header.secret.reveal(), "x");
}

} // namespace
} // namespace garland::sync
