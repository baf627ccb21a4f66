// A credential that is the address itself, such as a calendar feed's: it is fetched and told to nobody.
#include "host/egress/egress_fixture.h"

#include <gmock/gmock.h>

namespace garland::egress::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr auto kTail = "/feeds/c7a1f04e.ics?key=91d2b3aa5577";

class SecretAddress : public EgressFixture {
protected:
  Result<Response> fetchAddress(std::string address, Policy policy = inside({})) {
    return fetch(get("slot:feed"), std::move(policy),
                 Credential{Credential::Scheme::address, {}, {}, Secret(std::move(address))});
  }
  std::string told() const {
    std::string all = logged_;
    for (auto const& entry : audits_) all += entry.scheme_host_port + entry.path + "\n";
    return all;
  }
};

TEST_F(SecretAddress, TakesThePlaceOfTheRequestsAndItsHostIsAllowed) {
  TestServer server(loop_, [](Seen const& seen) { return Answer{ok(seen.line())}; });
  auto const got = fetchAddress(server.url() + std::string(kTail).substr(1));
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->body, "GET [secret] HTTP/1.1");
  EXPECT_THAT(got->final_url, Not(HasSubstr("c7a1f04e")));
  ASSERT_EQ(audits_.size(), 1U);
  EXPECT_EQ(audits_[0].path, "/[secret]");
  EXPECT_TRUE(audits_[0].credential_used);
  EXPECT_THAT(told(), Not(HasSubstr("c7a1f04e")));
}

TEST_F(SecretAddress, NoPathOnTheWayIsToldAndNoOtherHostIsGoneTo) {
  TestServer other(loop_, [](Seen const&) { return Answer{ok()}; });
  TestServer server(loop_, [&](Seen const& seen) {
    if (seen.line().find("/second") != std::string::npos)
      return Answer{redirect(302, other.url() + "third-5e1b")};
    return Answer{redirect(302, "/second-5e1b")};
  });
  auto const got = fetchAddress(server.url() + std::string(kTail).substr(1));
  ASSERT_TRUE(got.has_error());
  EXPECT_EQ(got.error().provider_code, "host_not_allowed");
  EXPECT_EQ(other.connections(), 0);
  EXPECT_EQ(audits_.size(), 3U);
  EXPECT_THAT(told() + got.error().message, Not(HasSubstr("5e1b")));
}

TEST_F(SecretAddress, WebcalMeansHttps) {
  fetchAddress("webcal://127.0.0.1:1" + std::string(kTail));
  fetchAddress("WEBCALS://127.0.0.1:1" + std::string(kTail));
  ASSERT_EQ(audits_.size(), 2U);
  for (auto const& entry : audits_) EXPECT_EQ(entry.scheme_host_port, "https://127.0.0.1:1");
}

TEST_F(SecretAddress, OnThePublicInternetIsNotSentReadable) {
  auto const got = fetchAddress("http://calendar.example" + std::string(kTail), {});
  ASSERT_TRUE(got.has_error());
  EXPECT_EQ(got.error().provider_code, "plain_http");
}

TEST_F(SecretAddress, ThatIsNoneIsRefusedWithoutBeingRepeated) {
  for (auto const* bad : {"c7a1f04e", "ftp://c7a1f04e.example/", "https://",
                          "https://me:c7a1f04e@host.example/", "https://host.example/c7a1f04e\n"}) {
    auto const got = fetchAddress(bad);
    ASSERT_TRUE(got.has_error()) << bad;
    EXPECT_THAT(got.error().message + told(), Not(HasSubstr("c7a1f04e"))) << bad;
    audits_.clear();
    logged_.clear();
  }
}

} // namespace
} // namespace garland::egress::testing
