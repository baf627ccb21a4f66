// The bytes that a provider is asked with.
#include "host/oauth/request.h"

#include <gmock/gmock.h>

namespace garland::oauth {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

Use use() {
  Use use;
  use.place = Place{"ven_1", "con_1", "account"};
  use.client_id = "an id";
  use.client_secret = Secret("a:secret");
  use.provider.token_url = "https://x.example:8443/token";
  use.policy.allowed_hosts = {"elsewhere.example"};
  use.policy.allow_private_network = true;
  return use;
}

TokenRequest requestFor(Use const& what) {
  return oauth::requestFor(what, Secret("a+token"), Milliseconds(9'000));
}

TEST(RequestForTokens, IsAFormWithTheClientByHttpBasic) {
  auto const made = requestFor(use());
  EXPECT_EQ(made.request.method, "POST");
  EXPECT_EQ(made.request.url, "https://x.example:8443/token");
  EXPECT_EQ(made.request.body, "grant_type=refresh_token&refresh_token=a%2Btoken");
  EXPECT_EQ(made.request.timeout, Milliseconds(9'000));
  EXPECT_EQ(made.request.audit_subject, "con_1");
  EXPECT_EQ(made.credential.scheme, egress::Credential::Scheme::basic);
  EXPECT_EQ(made.credential.username, "an%20id");
  EXPECT_EQ(made.credential.secret.reveal(), "a%3Asecret");
}

TEST(RequestForTokens, HasACodeWithWhatProvesWhoAskedForIt) {
  Redemption redemption;
  redemption.verifier = Secret("a-verifier");
  redemption.redirect_uri = "https://garland.example/back";
  auto what = use();
  what.provider.grant_type = "refresh_token";
  auto const made = redemptionFor(what, Secret("a code"), redemption, Milliseconds(9'000));
  EXPECT_EQ(made.request.body, "grant_type=authorization_code&code=a%20code&redirect_uri="
                               "https%3A%2F%2Fgarland.example%2Fback&code_verifier=a-verifier");
  EXPECT_EQ(made.credential.username, "an%20id");
}

TEST(RequestForTokens, GoesToTheTokenUrlAndNowhereElse) {
  auto const policy = requestFor(use()).policy;
  EXPECT_THAT(policy.allowed_hosts, ElementsAre("x.example:8443"));
  EXPECT_EQ(policy.max_redirects, 0);
  EXPECT_TRUE(policy.allow_private_network);
}

TEST(RequestForTokens, HasTheClientInItsBodyOrNotAtAllIfTheProviderWantsThat) {
  auto what = use();
  what.provider.client_auth = Provider::ClientAuth::body;
  auto made = requestFor(what);
  EXPECT_THAT(made.request.body, HasSubstr("&client_id=an%20id&client_secret=a%3Asecret"));
  EXPECT_EQ(made.credential.scheme, egress::Credential::Scheme::none);
  what.provider.client_auth = Provider::ClientAuth::none;
  made = requestFor(what);
  EXPECT_THAT(made.request.body, Not(HasSubstr("secret")));
  EXPECT_EQ(made.credential.scheme, egress::Credential::Scheme::none);
}

TEST(RequestForTokens, OfAClientWithoutASecretNamesItUnlessAnAssertionDoes) {
  auto what = use();
  what.provider.client_auth = Provider::ClientAuth::none;
  EXPECT_THAT(requestFor(what).request.body, HasSubstr("&client_id=an%20id"));
  auto const revoking = revocationFor(what, Secret("rt"), true, Milliseconds(9'000));
  EXPECT_THAT(revoking.request.body, HasSubstr("&client_id=an%20id"));
  what.provider.renew_by = Provider::RenewBy::assertion;
  EXPECT_THAT(requestFor(what).request.body, Not(HasSubstr("client_id")));
}

TEST(RequestForTokens, OfTheClientAloneNamesItsScope) {
  auto what = use();
  what.provider.renew_by = Provider::RenewBy::client;
  what.provider.grant_type = "client_credentials";
  what.provider.token_parameter.clear();
  what.provider.scope = "read write";
  what.provider.parameters.emplace_back("audience", "x&y");
  EXPECT_EQ(requestFor(what).request.body, "grant_type=client_credentials&scope=read%20write&audience=x%26y");
}

TEST(RequestForTokens, OnAnotherDeviceNamesTheClientOnceHoweverItSignsIn) {
  auto what = use();
  what.provider.device_url = "https://x.example:9443/device";
  what.provider.scope = "read write";
  auto made = deviceRequestFor(what, Milliseconds(9'000));
  EXPECT_EQ(made.request.url, "https://x.example:9443/device");
  EXPECT_EQ(made.request.body, "scope=read%20write&client_id=an%20id");
  EXPECT_EQ(made.credential.username, "an%20id");
  EXPECT_THAT(made.policy.allowed_hosts, ElementsAre("x.example:9443"));
  made = pollFor(what, Secret("a code"), Milliseconds(9'000));
  EXPECT_EQ(made.request.url, "https://x.example:8443/token");
  EXPECT_EQ(made.request.body, "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code&"
                               "device_code=a%20code&client_id=an%20id");
  what.provider.client_auth = Provider::ClientAuth::body;
  EXPECT_EQ(deviceRequestFor(what, Milliseconds(9'000)).request.body,
            "scope=read%20write&client_id=an%20id&client_secret=a%3Asecret");
}

TEST(RequestForTokens, ByGetHasAllOfItInItsQuery) {
  auto what = use();
  what.provider.by_get = true;
  what.provider.token_parameter = "fb_exchange_token";
  what.provider.token_url += "?v=1";
  auto const made = requestFor(what);
  EXPECT_EQ(made.request.method, "GET");
  EXPECT_EQ(made.request.url,
            "https://x.example:8443/token?v=1&grant_type=refresh_token&fb_exchange_token=a%2Btoken");
  EXPECT_EQ(made.request.body, "");
}

} // namespace
} // namespace garland::oauth
