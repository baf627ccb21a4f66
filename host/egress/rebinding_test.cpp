// DNS rebinding: a name that stood for a public server when it was looked at, and stands for the inside when
// it is connected to. 127.0.0.1 plays the public internet, 127.0.0.2 is private.
#include "host/egress/egress_fixture.h"
#include "host/egress/test_certificate.h"
#include "host/egress/test_resolver.h"

namespace garland::egress::testing {
namespace {

constexpr auto kOutside = "127.0.0.1";
constexpr auto kInside = "127.0.0.2";

class Rebinding : public EgressFixture {
protected:
  Rebinding() {
    useClient(&loopbackIsOutside);
    policy_.allowed_hosts = {outer_.rule(kName), inner_.rule(kName)};
    policy_.extra_ca_file = authority_.file();
  }

  void expectRefused(Result<Response> const& got) {
    ASSERT_TRUE(got.has_error());
    EXPECT_EQ(got.error().kind, ErrorKind::forbidden) << got.error().message;
    EXPECT_EQ(got.error().provider_code, "private_address");
    EXPECT_EQ(got.error().effect, Effect::notApplied);
    EXPECT_FALSE(audits_.back().credential_used);
    EXPECT_EQ(inner_.connections(), 0);
  }

  TestAuthority const authority_;
  std::shared_ptr<asio::ssl::context> tls_ = authority_.serverContext(std::string("DNS:") + kName);
  TestServer inner_{loop_, [](Seen const&) { return Answer{ok("secrets")}; }, tls_, kInside};
  TestServer outer_{loop_,
                    [this](Seen const& seen) {
                      bool const leads_on = seen.line().starts_with("POST /there ");
                      return Answer{leads_on ? redirect(307, inner_.url("/", kName)) : ok("here")};
                    },
                    tls_, kOutside};
  Policy policy_;
};

TEST_F(Rebinding, ANameThatStandsForTheInsideAtTheSecondFetchIsRefusedAtTheSocket) {
  TestResolver const names([](int asked) { return asked == 0 ? kOutside : kInside; });
  auto const first = fetch(get(outer_.url("/", kName)), policy_);
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ(first->body, "here");
  expectRefused(fetch(make("POST", inner_.url("/", kName)), policy_, bearer("token")));
  EXPECT_EQ(names.asked(), 2);
}

TEST_F(Rebinding, ANameThatChangesBetweenARedirectAndItsConnectionIsRefusedAtTheSocket) {
  TestResolver const names([](int asked) { return asked == 0 ? kOutside : kInside; });
  expectRefused(fetch(make("POST", outer_.url("/there", kName)), policy_, bearer("token")));
  EXPECT_EQ(names.asked(), 2);
  EXPECT_EQ(outer_.connections(), 1);
}

TEST_F(Rebinding, TheSameNameIsReachedInsideWhereTheOperatorAllowsIt) {
  TestResolver const names([](int) { return kInside; });
  policy_.allow_private_network = true;
  auto const got = fetch(get(inner_.url("/", kName)), policy_);
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->body, "secrets");
}

} // namespace
} // namespace garland::egress::testing
