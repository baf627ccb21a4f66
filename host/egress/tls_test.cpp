// Certificates: whom egress believes, and what it says when it does not.
#include "host/egress/egress_fixture.h"
#include "host/egress/test_certificate.h"

#include <filesystem>
#include <fstream>

namespace garland::egress::testing {
namespace {

class Tls : public EgressFixture {
protected:
  static Answer fine(Seen const&) { return Answer{ok("safe")}; }
  Policy trusting(std::vector<std::string> rules) {
    auto policy = inside(std::move(rules));
    policy.extra_ca_file = authority_.file();
    return policy;
  }
  void expectUntrusted(Result<Response> const& got, std::string const& why) {
    ASSERT_TRUE(got.has_error());
    EXPECT_EQ(got.error().kind, ErrorKind::providerBug) << got.error().message;
    EXPECT_EQ(got.error().provider_code, "tls_untrusted");
    EXPECT_EQ(got.error().effect, Effect::notApplied);
    EXPECT_NE(got.error().message.find("the TLS certificate of "), std::string::npos);
    EXPECT_NE(got.error().message.find(why), std::string::npos) << got.error().message;
    EXPECT_NE(got.error().message.find("CA file"), std::string::npos);
    EXPECT_FALSE(audits_.back().credential_used);
  }
  TestAuthority authority_;
};

TEST_F(Tls, AnAuthorityOfTheOperatorIsBelieved) {
  TestServer server(loop_, fine, authority_.serverContext("DNS:localhost,IP:127.0.0.1"));
  for (auto const* host : {"localhost", "127.0.0.1"}) {
    auto const got = fetch(get(server.url("/", host)), trusting({server.rule(host)}));
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_EQ(got->body, "safe");
  }
}

TEST_F(Tls, ACaFileIsCheckedBeforeItIsNeeded) {
  EXPECT_TRUE(checkCaFile(""));
  EXPECT_TRUE(checkCaFile(authority_.file()));
  auto const missing = authority_.file() + ".missing";
  ASSERT_FALSE(checkCaFile(missing));
  EXPECT_NE(checkCaFile(missing).error().message.find(missing), std::string::npos);
  std::ofstream(missing) << "no certificate";
  EXPECT_FALSE(checkCaFile(missing));
  std::filesystem::remove(missing);
}

TEST_F(Tls, AnUnknownAuthorityIsNot) {
  TestServer server(loop_, fine, authority_.serverContext("DNS:localhost,IP:127.0.0.1"));
  expectUntrusted(fetch(make("POST", server.url()), inside({server.rule()}), bearer("token")), "issuer");
  TestAuthority const other;
  auto policy = inside({server.rule()});
  policy.extra_ca_file = other.file();
  expectUntrusted(fetch(make("POST", server.url()), policy, bearer("token")), "Garland test authority");
  EXPECT_TRUE(server.seen().empty());
}

TEST_F(Tls, WhatToDoAboutAnUnknownAuthorityIsSaidInTheCallersWords) {
  TestServer server(loop_, fine, authority_.serverContext("DNS:localhost,IP:127.0.0.1"));
  auto policy = inside({server.rule()});
  policy.advice.authority = "name it with --ca-file";
  auto const got = fetch(get(server.url()), policy);
  ASSERT_TRUE(got.has_error());
  EXPECT_TRUE(got.error().message.ends_with("; name it with --ca-file")) << got.error().message;
}

TEST_F(Tls, TrustOfOnePolicyIsNotLentToAnother) {
  TestServer server(loop_, fine, authority_.serverContext("IP:127.0.0.1"));
  ASSERT_TRUE(fetch(get(server.url()), trusting({server.rule()})));
  // The connection of the first request still stands open.
  expectUntrusted(fetch(get(server.url()), inside({server.rule()})), "issuer");
  ASSERT_TRUE(fetch(get(server.url()), trusting({server.rule()})));
  EXPECT_EQ(server.connections(), 2);
}

TEST_F(Tls, ACertificateForAnotherNameIsRefused) {
  TestServer server(loop_, fine, authority_.serverContext("DNS:other.example.com"));
  for (auto const* host : {"localhost", "127.0.0.1"})
    expectUntrusted(fetch(get(server.url("/", host)), trusting({server.rule(host)})), "another name");
  EXPECT_TRUE(server.seen().empty());
}

TEST_F(Tls, AnExpiredCertificateIsRefused) {
  TestServer server(loop_, fine, authority_.serverContext("IP:127.0.0.1", -1));
  expectUntrusted(fetch(get(server.url()), trusting({server.rule()})), "expired");
}

TEST_F(Tls, AReplacedCaFileCountsAtOnce) {
  TestServer server(loop_, fine, authority_.serverContext("IP:127.0.0.1"));
  TestAuthority const other;
  auto policy = inside({server.rule()});
  policy.extra_ca_file = other.file();
  EXPECT_TRUE(fetch(get(server.url()), policy).has_error());
  std::ofstream(other.file()) << std::ifstream(authority_.file()).rdbuf() << "\n# replaced\n";
  auto const got = fetch(get(server.url()), policy);
  EXPECT_TRUE(got) << got.error().message;
}

TEST_F(Tls, ACaFileThatCannotBeUsedIsNamed) {
  TestServer server(loop_, fine, authority_.serverContext("IP:127.0.0.1"));
  for (auto const* file : {"/does/not/exist.pem", "/dev/null"}) {
    auto policy = inside({server.rule()});
    policy.extra_ca_file = file;
    auto const got = fetch(get(server.url()), policy);
    ASSERT_TRUE(got.has_error());
    EXPECT_EQ(got.error().kind, ErrorKind::invalidInput);
    EXPECT_NE(got.error().message.find(file), std::string::npos);
    EXPECT_EQ(audits_.back().outcome, "invalid_input");
  }
  EXPECT_EQ(server.connections(), 0);
}

TEST_F(Tls, OldVersionsAreRefused) {
  auto context = authority_.serverContext("IP:127.0.0.1");
  SSL_CTX_set_security_level(context->native_handle(), 0);
  SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_VERSION);
  SSL_CTX_set_max_proto_version(context->native_handle(), TLS1_1_VERSION);
  TestServer server(loop_, fine, context);
  auto const got = fetch(get(server.url()), trusting({server.rule()}));
  ASSERT_TRUE(got.has_error());
  EXPECT_EQ(got.error().provider_code, "tls_failed");
  EXPECT_NE(got.error().message.find("TLS 1.2"), std::string::npos);
  EXPECT_TRUE(server.seen().empty());
}

TEST_F(Tls, AServerWithoutTlsIsNamedAsSuch) {
  TestServer server(loop_, [](Seen const&) { return Answer{ok("plain")}; });
  server.goSilent();
  auto request = make("POST", "https://" + server.rule() + "/");
  request.timeout = 60ms;
  auto const silent = fetch(std::move(request), trusting({server.rule()}), bearer("token"));
  ASSERT_TRUE(silent.has_error());
  EXPECT_EQ(silent.error().provider_code, "timed_out");
  EXPECT_EQ(silent.error().effect, Effect::notApplied) << "no byte of the request was sent";
}

} // namespace
} // namespace garland::egress::testing
