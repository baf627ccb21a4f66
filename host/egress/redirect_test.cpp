// Where a fetch may go: hosts, addresses, and the same again after each redirect.
#include "host/egress/egress_fixture.h"
#include "host/egress/test_certificate.h"

namespace garland::egress::testing {
namespace {

class Door : public EgressFixture {
protected:
  TestServer target_{loop_, [](Seen const&) { return Answer{ok("here")}; }};
  TestServer::Script to(int status, std::string location) {
    return [=](Seen const&) { return Answer{redirect(status, location)}; };
  }
};

TEST_F(Door, AHostThatIsNotListedIsRefusedBeforeAnyConnection) {
  for (auto const& rules : {std::vector<std::string>{},
                            {"other.example.com"},
                            {"127.0.0.1"},
                            {"127.0.0.1:1"},
                            {"*.127.0.0.1:" + std::to_string(target_.port())},
                            {"localhost:" + std::to_string(target_.port())}}) {
    auto const got = fetch(make("POST", target_.url()), inside(rules));
    ASSERT_TRUE(got.has_error());
    EXPECT_EQ(got.error().kind, ErrorKind::forbidden);
    EXPECT_EQ(got.error().effect, Effect::notApplied);
    EXPECT_NE(got.error().message.find("127.0.0.1"), std::string::npos);
    EXPECT_EQ(audits_.back().outcome, "forbidden");
    EXPECT_EQ(audits_.back().scheme_host_port, "http://" + target_.rule());
  }
  EXPECT_EQ(target_.connections(), 0);
}

TEST_F(Door, OddSpellingsOfAnAddressMeanThatAddress) {
  auto const port = ":" + std::to_string(target_.port()) + "/";
  for (auto const* host : {"2130706433", "0x7f000001", "0177.0.0.1", "127.1", "0x7f.1", "[::ffff:127.0.0.1]",
                           "[::ffff:7f00:1]", "127.0.0.1."}) {
    EXPECT_EQ(fetch(get("http://" + std::string(host) + port), inside({"10.0.0.1", "[::1]"})).error().kind,
              ErrorKind::forbidden)
        << host;
    auto const got = fetch(get("http://" + std::string(host) + port), inside({target_.rule()}));
    EXPECT_TRUE(got) << host << ": " << got.error().message;
  }
}

// What settings may hold: other ways to write the machine itself, and where clouds keep their credentials.
TEST_F(Door, APrivateAddressIsRefusedHoweverItIsWritten) {
  Policy policy;
  policy.allowed_hosts = {"127.0.0.1", "169.254.169.254", "[::1]", "[fd00:ec2::254]", "localhost"};
  for (auto const* host : {"2130706433", "0x7f000001", "0177.0.0.1", "127.1", "[::ffff:127.0.0.1]",
                           "[::ffff:7f00:1]", "127.0.0.1.", "169.254.169.254", "2852039166", "0xa9fea9fe",
                           "[::ffff:a9fe:a9fe]", "[::1]", "[fd00:ec2::254]", "localhost", "LOCALHOST"}) {
    auto const got = fetch(make("POST", "https://" + std::string(host) + "/"), policy, bearer("token"));
    ASSERT_TRUE(got.has_error()) << host;
    EXPECT_EQ(got.error().kind, ErrorKind::forbidden) << host << ": " << got.error().message;
    EXPECT_EQ(got.error().provider_code, "private_address") << host;
    EXPECT_FALSE(audits_.back().credential_used) << host;
  }
}

TEST_F(Door, APrivateAddressIsRefusedUnlessAllowed) {
  TestAuthority const authority;
  TestServer server(
      loop_, [](Seen const&) { return Answer{ok()}; }, authority.serverContext("DNS:localhost,IP:127.0.0.1"));
  for (auto const* host : {"127.0.0.1", "localhost"}) {
    auto policy = inside({server.rule(host)});
    policy.extra_ca_file = authority.file();
    ASSERT_TRUE(fetch(get(server.url("/", host)), policy));
    policy.allow_private_network = false;
    auto const before = server.connections();
    auto const got = fetch(make("POST", server.url("/", host)), policy);
    ASSERT_TRUE(got.has_error()) << "a connection made under another policy was reused";
    EXPECT_EQ(got.error().kind, ErrorKind::forbidden) << got.error().message;
    EXPECT_EQ(got.error().provider_code, "private_address");
    EXPECT_EQ(got.error().effect, Effect::notApplied);
    EXPECT_EQ(server.connections(), before);
  }
}

TEST_F(Door, UnusableAddressesAreRefusedEvenOnAPrivateNetwork) {
  for (auto const* host :
       {"0.0.0.0", "255.255.255.255", "224.0.0.1", "192.0.2.1", "[::]", "[2001:db8::1]", "[ff02::1]"}) {
    auto const got = fetch(get("https://" + std::string(host) + "/"), inside({host}));
    ASSERT_TRUE(got.has_error());
    EXPECT_EQ(got.error().kind, ErrorKind::forbidden) << host << ": " << got.error().message;
  }
}

TEST_F(Door, PlainHttpIsForThePrivateNetworkOnly) {
  auto policy = inside({target_.rule(), "8.8.8.8"});
  auto const outside = fetch(get("http://8.8.8.8/"), policy);
  ASSERT_TRUE(outside.has_error());
  EXPECT_EQ(outside.error().kind, ErrorKind::forbidden);
  EXPECT_NE(
      outside.error().message.find("would send everything readable, what it signs in with too; use https"),
      std::string::npos);
  policy.allow_private_network = false;
  auto const got = fetch(get(target_.url()), policy);
  EXPECT_NE(got.error().message.find("would send everything readable, what it signs in with too; use https"),
            std::string::npos);
  EXPECT_EQ(target_.connections(), 0);
}

TEST_F(Door, WhatOpensThePrivateNetworkIsSaidInTheCallersWords) {
  auto policy = inside({target_.rule(), "127.0.0.1"});
  policy.allow_private_network = false;
  policy.advice.private_network = "set [a] private";
  policy.advice.plain_http = "set [a] clear";
  auto const inner = fetch(get("https://127.0.0.1/"), policy);
  EXPECT_TRUE(inner.error().message.ends_with("; set [a] private")) << inner.error().message;
  auto const clear = fetch(get(target_.url()), policy);
  EXPECT_TRUE(clear.error().message.ends_with("; set [a] clear")) << clear.error().message;
}

TEST_F(Door, ARedirectToAListedHostIsFollowedWithTheCredential) {
  for (int const status : {301, 302, 303, 307, 308}) {
    TestServer first(loop_, to(status, target_.url("/new?x=1", "b.localhost")));
    auto const got =
        fetch(get(first.url("/old", "a.localhost")),
              inside({first.rule("*.localhost"), target_.rule("b.localhost")}), bearer("token-token-token"));
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_EQ(got->body, "here");
    EXPECT_EQ(got->final_url, target_.url("/new?x=1", "b.localhost"));
    EXPECT_EQ(target_.seen().back().header("authorization"), "Bearer token-token-token");
    EXPECT_EQ(target_.seen().back().header("host"), target_.rule("b.localhost"));
    ASSERT_GE(audits_.size(), 2U);
    EXPECT_EQ(audits_[audits_.size() - 2].status, status);
    EXPECT_EQ(audits_.back().path, "/new");
    EXPECT_TRUE(audits_.back().credential_used);
  }
}

TEST_F(Door, ARedirectToAHostThatIsNotListedIsRefusedAndSeesNoCredential) {
  for (auto const* host : {"b.localhost", "127.0.0.1", "localhost"}) {
    TestServer first(loop_, to(302, target_.url("/steal", host)));
    auto const got = fetch(make("PUT", first.url("/", "a.localhost")), inside({first.rule("a.localhost")}),
                           bearer("token"));
    ASSERT_TRUE(got.has_error());
    EXPECT_EQ(got.error().kind, ErrorKind::forbidden);
    EXPECT_EQ(got.error().effect, Effect::notApplied) << "a redirected PUT was not carried out";
    EXPECT_NE(got.error().message.find("a.localhost redirects"), std::string::npos) << got.error().message;
    EXPECT_EQ(audits_.back().outcome, "forbidden");
    EXPECT_EQ(audits_.back().scheme_host_port, "http://" + target_.rule(host));
    EXPECT_FALSE(audits_.back().credential_used);
  }
  EXPECT_EQ(target_.connections(), 0);
}

TEST_F(Door, ARelativeRedirectIsResolved) {
  TestServer server(loop_, [](Seen const& seen) {
    return seen.line().find("/.well-known/caldav") != std::string::npos
               ? Answer{redirect(301, "../dav/./x/../home/?a=b#part")}
               : Answer{ok("home")};
  });
  auto const got =
      fetch(make("PROPFIND", server.url("/.well-known/caldav"), "<propfind/>"), inside({server.rule()}));
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(server.seen()[1].line(), "PROPFIND /dav/home/?a=b HTTP/1.1");
  EXPECT_EQ(got->final_url, server.url("/dav/home/?a=b"));
}

TEST_F(Door, ARedirectKeepsOrChangesTheMethodAsItsStatusSays) {
  struct Case {
    int status;
    char const* method;
    char const* then;
  };
  for (auto const& expected :
       {Case{301, "POST", "GET"}, Case{302, "POST", "GET"}, Case{303, "POST", "GET"},
        Case{307, "POST", "POST"}, Case{308, "POST", "POST"}, Case{301, "PROPFIND", "PROPFIND"},
        Case{302, "REPORT", "REPORT"}, Case{307, "PUT", "PUT"}, Case{308, "PUT", "PUT"},
        Case{302, "PUT", "PUT"}, Case{301, "DELETE", "DELETE"}, Case{303, "PUT", "GET"},
        Case{303, "HEAD", "HEAD"}, Case{302, "GET", "GET"}}) {
    TestServer first(loop_, to(expected.status, target_.url()));
    bool const has_body =
        std::string_view(expected.method) != "GET" && std::string_view(expected.method) != "HEAD";
    auto request = make(expected.method, first.url(), has_body ? "body" : "");
    request.headers = {{"Content-Type", "text/plain"}, {"Depth", "1"}};
    request.idempotency_key = "k";
    ASSERT_TRUE(fetch(std::move(request), inside({first.rule(), target_.rule()})));
    auto const& seen = target_.seen().back();
    bool const kept = std::string_view(expected.method) == expected.then;
    EXPECT_EQ(seen.line(), std::string(expected.then) + " / HTTP/1.1")
        << expected.status << " " << expected.method;
    EXPECT_EQ(seen.body, kept && has_body ? "body" : "");
    EXPECT_EQ(seen.has("content-type"), kept);
    EXPECT_EQ(seen.has("idempotency-key"), kept);
    EXPECT_TRUE(seen.has("depth"));
  }
}

TEST_F(Door, AfterARedirectedPostTheEffectStaysUnknown) {
  TestServer first(loop_, to(303, "https://elsewhere.example/"));
  auto const got = fetch(make("POST", first.url()), inside({first.rule()}));
  ASSERT_TRUE(got.has_error());
  EXPECT_EQ(got.error().kind, ErrorKind::forbidden);
  EXPECT_EQ(got.error().effect, Effect::unknown);
}

TEST_F(Door, AWriteThatWasRedirectedToARefusalMayHaveBeenApplied) {
  TestServer refuses(
      loop_, [](Seen const&) { return Answer{"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"}; });
  for (auto const* method : {"PUT", "GET"}) {
    TestServer first(loop_, to(303, refuses.url()));
    auto const got = fetch(make(method, first.url()), inside({first.rule(), refuses.rule()}));
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_EQ(got->status, 404);
    EXPECT_TRUE(got->redirected);
    EXPECT_EQ(got->may_have_applied, std::string_view(method) == "PUT");
  }
}

TEST_F(Door, ALoopOfRedirectsEnds) {
  TestServer server(loop_, to(302, "/again"));
  auto policy = inside({server.rule()});
  auto const got = fetch(get(server.url()), policy);
  ASSERT_TRUE(got.has_error());
  EXPECT_EQ(got.error().kind, ErrorKind::providerBug);
  EXPECT_NE(got.error().message.find("more than 5 times"), std::string::npos);
  EXPECT_EQ(server.seen().size(), 6U);
  policy.max_redirects = 0;
  EXPECT_EQ(fetch(get(server.url()), policy)->status, 302) << "none allowed: the redirect is the answer";
}

TEST_F(Door, ARedirectToNonsenseIsTheProvidersFault) {
  for (auto const* where : {"ftp://x.example/", "javascript:alert(1)", "http://user:pass@127.0.0.1/",
                            "http://a b/", "http:///", "//a..b/", "http://[::1", "file:///etc/passwd"}) {
    TestServer server(loop_, to(302, where));
    auto const got = fetch(get(server.url()), inside({server.rule()}));
    ASSERT_TRUE(got.has_error()) << where;
    EXPECT_TRUE(got.error().kind == ErrorKind::providerBug) << where << ": " << got.error().message;
  }
}

TEST_F(Door, ARedirectWithoutAPlaceIsAnAnswer) {
  TestServer server(loop_,
                    [](Seen const&) { return Answer{"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n"}; });
  EXPECT_EQ(fetch(get(server.url()), inside({server.rule()}))->status, 302);
}

TEST_F(Door, ARedirectFromHttpsToHttpIsRefused) {
  TestAuthority const authority;
  TestServer first(loop_, to(302, target_.url()), authority.serverContext("IP:127.0.0.1"));
  auto policy = inside({first.rule(), target_.rule()});
  policy.extra_ca_file = authority.file();
  auto const got = fetch(get(first.url()), policy, bearer("token"));
  ASSERT_TRUE(got.has_error());
  EXPECT_EQ(got.error().kind, ErrorKind::forbidden);
  EXPECT_NE(got.error().message.find("from https to http"), std::string::npos) << got.error().message;
  EXPECT_EQ(target_.connections(), 0);
}

// 127.0.0.1 plays a public server, 127.0.0.2 and ::1 are private: what a name that suddenly resolves
// to the inside looks like at connect time.
TEST_F(Door, ARedirectIntoThePrivateNetworkIsRefusedAtTheSocket) {
  useClient(&loopbackIsOutside);
  TestAuthority const authority;
  auto const tls = authority.serverContext("DNS:a.localhost,IP:127.0.0.1,IP:127.0.0.2");
  TestServer inner(loop_, [](Seen const&) { return Answer{ok("secrets")}; }, tls, "127.0.0.2");
  TestServer first(loop_, to(307, inner.url("/", "127.0.0.2")), tls);
  auto policy = inside({first.rule(), first.rule("a.localhost"), inner.rule("127.0.0.2")});
  policy.extra_ca_file = authority.file();
  ASSERT_TRUE(fetch(get(first.url()), policy)) << "the operator may allow it";
  policy.allow_private_network = false;
  auto const inner_connections = inner.connections();
  auto const got = fetch(make("POST", first.url()), policy, bearer("token"));
  ASSERT_TRUE(got.has_error());
  EXPECT_EQ(got.error().kind, ErrorKind::forbidden) << got.error().message;
  EXPECT_NE(got.error().message.find("127.0.0.2"), std::string::npos);
  EXPECT_EQ(got.error().effect, Effect::notApplied);
  EXPECT_EQ(inner.connections(), inner_connections);
  EXPECT_EQ(audits_.back().outcome, "forbidden");
  EXPECT_FALSE(audits_.back().credential_used);
}

TEST_F(Door, OfANamesAddressesOnlyThePermittedAreTried) {
  useClient(&loopbackIsOutside);
  TestAuthority const authority;
  TestServer server(
      loop_, [](Seen const&) { return Answer{ok("fine")}; }, authority.serverContext("DNS:a.localhost"));
  Policy policy;
  policy.allowed_hosts = {server.rule("a.localhost")}; // ::1 and 127.0.0.1
  policy.extra_ca_file = authority.file();
  auto const got = fetch(get(server.url("/", "a.localhost")), policy);
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->body, "fine");
}

} // namespace
} // namespace garland::egress::testing
