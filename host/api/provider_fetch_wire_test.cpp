// Certificates from real servers with TLS on loopback, which plays the public internet.
#include "host/api/provider_fetch.h"
#include "host/egress/egress_fixture.h"
#include "host/egress/test_certificate.h"
#include "host/webhooks/webhook_fixture.h"

namespace garland::api {
namespace {

using egress::testing::Answer;
using egress::testing::ok;
using egress::testing::Seen;
using egress::testing::TestServer;
using ::testing::HasSubstr;
using ::testing::Not;

class ProviderFetchWire : public egress::testing::EgressFixture {
protected:
  ProviderFetchWire() { useClient(&egress::testing::loopbackIsOutside); }

  Result<ProviderFetch::Certificate> certificate(std::string url, std::string const& ca_file,
                                                 Milliseconds patience = Milliseconds(5'000)) {
    ProviderFetch provider(loop_.get_executor(), clock_, client_.get(), ca_file, patience);
    std::optional<Result<ProviderFetch::Certificate>> answer;
    asio::co_spawn(loop_, provider.certificate("garland.pinned", std::move(url)),
                   [&](std::exception_ptr, Result<ProviderFetch::Certificate> got) { answer = got; });
    if (!runUntil([&] { return answer.has_value(); })) ADD_FAILURE() << "the fetch did not end";
    return *answer;
  }
  void expectNotNow(Result<ProviderFetch::Certificate> const& got, std::string const& why) {
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().kind, ErrorKind::transient);
    EXPECT_TRUE(got.error().retry_after);
    EXPECT_THAT(got.error().message, HasSubstr(why));
  }
  std::shared_ptr<asio::ssl::context> tls(int days = 1) {
    return authority_.serverContext("DNS:localhost,IP:127.0.0.1", days);
  }
  egress::testing::TestAuthority authority_;
};

TEST_F(ProviderFetchWire, ACertificateIsFetchedAsItStandsThere) {
  TestServer server(loop_, [](Seen const&) { return Answer{ok(webhooks::kCertificate)}; }, tls());
  auto const got = certificate(server.url("/keys/7.pem"), authority_.file());
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(**got, webhooks::kCertificate);
  EXPECT_EQ(server.seen().at(0).line(), "GET /keys/7.pem HTTP/1.1");
}

TEST_F(ProviderFetchWire, AServerThatIsNotTheNamedOneIsNotBelieved) {
  TestServer server(loop_, [](Seen const&) { return Answer{ok(webhooks::kCertificate)}; }, tls());
  expectNotNow(certificate(server.url(), ""), "is not trusted");
  TestServer expired(loop_, [](Seen const&) { return Answer{ok(webhooks::kCertificate)}; }, tls(-1));
  expectNotNow(certificate(expired.url(), authority_.file()), "expired");
  TestServer plain(loop_, [](Seen const&) { return Answer{ok(webhooks::kCertificate)}; });
  expectNotNow(certificate(plain.url(), authority_.file()), "plain http");
  for (auto const* one : {&server, &expired, &plain}) EXPECT_TRUE(one->seen().empty());
}

TEST_F(ProviderFetchWire, NoRedirectIsFollowedNotEvenOnTheSameServer) {
  TestServer server(
      loop_,
      [](Seen const& seen) {
        bool const first = seen.line().starts_with("GET /first ");
        return Answer{first ? egress::testing::redirect(302, "/second") : ok(webhooks::kCertificate)};
      },
      tls());
  expectNotNow(certificate(server.url("/first"), authority_.file()), "answered 302");
  EXPECT_EQ(server.seen().size(), 1U);
}

TEST_F(ProviderFetchWire, NoMoreIsReadThanACertificateHas) {
  TestServer server(loop_, [](Seen const&) { return Answer{ok(std::string((64U << 10U) + 1, 'x'))}; }, tls());
  expectNotNow(certificate(server.url(), authority_.file()), "larger than");
}

TEST_F(ProviderFetchWire, AServerThatSaysNothingIsNotWaitedFor) {
  TestServer server(loop_, [](Seen const&) { return Answer{"", Answer::End::hang}; }, tls());
  expectNotNow(certificate(server.url(), authority_.file(), Milliseconds(300)), "127.0.0.1");
}

} // namespace
} // namespace garland::api
