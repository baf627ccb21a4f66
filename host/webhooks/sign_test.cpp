// What is signed here verifies, and nothing else does.
#include "host/webhooks/webhook_fixture.h"

namespace garland::webhooks {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

constexpr std::string_view secret = "whsec_c2FsdC1hbmQtcm9zZW1hcnk="; // read as text, or as base64
TimePoint const at{std::chrono::seconds(kNow)};

Request notice() { return requestOf({}, kBody, "https://hooks.example.com/in"); }

TEST(Sign, StripesHeaderHoldsTimeAndSignature) {
  auto const headers =
      sign(Scheme::named("stripe").value(), notice(), "evt_1", Secret(std::string(secret)), at);
  ASSERT_TRUE(headers) << headers.error().message;
  EXPECT_THAT(*headers, ElementsAre(Pair("Stripe-Signature", HasSubstr("t=1790000000,v1="))));
}

TEST(Sign, EverySchemeWithASharedKeyIsSignedAsItVerifies) {
  std::vector<std::string> unsigned_schemes;
  for (auto const& name : presetNames()) {
    auto const scheme = Scheme::named(name).value();
    auto signed_request = notice();
    auto const headers = sign(scheme, signed_request, "evt_1", Secret(std::string(secret)), at);
    if (!headers) {
      EXPECT_EQ(headers.error().kind, ErrorKind::unsupported) << name;
      EXPECT_THAT(headers.error().message, ::testing::Not(HasSubstr("c2FsdC1"))) << name;
      unsigned_schemes.push_back(name);
      continue;
    }
    signed_request.headers = *headers;
    auto clock = clockAt();
    auto const verdict = verify(scheme, signed_request, keysOf({secret}), clock);
    EXPECT_TRUE(verdict.accepted()) << name << ": " << verdict.sentence;
    EXPECT_EQ(verify(scheme, signed_request, keysOf({"whsec_b3RoZXI="}), clock).reason, Reason::mismatch)
        << name;
  }
  // Public keys, tokens, several parts, other places than headers.
  EXPECT_THAT(unsigned_schemes,
              ElementsAre("aws-sns", "google-calendar", "mailgun", "microsoft-graph", "monday", "paypal",
                          "sendgrid", "standard-webhooks-v1a", "teams", "twilio"));
}

TEST(Sign, ASecretThatIsNoKeyIsRefused) {
  auto const headers = sign(Scheme::named("svix").value(), notice(), "evt_1", Secret("whsec_%%%"), at);
  ASSERT_FALSE(headers);
  EXPECT_THAT(headers.error().message, HasSubstr("no key of this scheme"));
}

} // namespace
} // namespace garland::webhooks
