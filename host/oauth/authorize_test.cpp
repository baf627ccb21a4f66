// The address where somebody is sent to sign in.
#include "host/oauth/authorize.h"

#include <gmock/gmock.h>

namespace garland::oauth {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

SendOff sendOff() {
  SendOff out;
  out.provider.authorize_url = "https://id.example/authorize";
  out.provider.scope = "read,write";
  out.provider.authorize_parameters = {{"access_type", "offline"}};
  out.client_id = "an id";
  out.redirect_uri = "https://garland.example/back";
  return out;
}

// The verifier and its challenge are those of RFC 7636, appendix B.
TEST(AuthorizePage, SaysWhoAsksForWhatAndProvesNothingByItself) {
  auto const page =
      pageOf(sendOff(), Secret("a-ticket"), Secret("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"));
  EXPECT_EQ(page, "https://id.example/authorize?response_type=code&client_id=an%20id&redirect_uri="
                  "https%3A%2F%2Fgarland.example%2Fback&scope=read%2Cwrite&state=a-ticket&code_challenge="
                  "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256&"
                  "access_type=offline");
  EXPECT_THAT(page, Not(HasSubstr("dBjft")));
}

TEST(AuthorizePage, GoesOnBehindAQueryAndWithoutWhatTheProviderRefuses) {
  auto asked = sendOff();
  asked.provider.authorize_url += "?tenant=1";
  asked.provider.scope.clear();
  asked.provider.pkce = false;
  auto const page = pageOf(asked, Secret("a-ticket"), Secret());
  EXPECT_THAT(page, HasSubstr("authorize?tenant=1&response_type=code&"));
  EXPECT_THAT(page, Not(HasSubstr("scope=")));
  EXPECT_THAT(page, Not(HasSubstr("code_challenge")));
}

TEST(AuthorizePage, ATicketIsAsLongAsAVerifierHasToBe) {
  SeededRandom random(1);
  auto const one = newTicket(random);
  EXPECT_EQ(one.reveal().size(), 43U);
  EXPECT_NE(one.reveal(), newTicket(random).reveal());
}

} // namespace
} // namespace garland::oauth
