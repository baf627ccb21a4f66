// A canary credential is sent into every kind of trouble; no error, audit entry, log line or answer
// may show it in any spelling.
#include "host/egress/egress_fixture.h"
#include "host/egress/test_certificate.h"

#include "host/base/bytes.h"
#include "host/base/test_spellings.h"

namespace garland::egress::testing {
namespace {

constexpr std::string_view kCanary = "canary-9f8e/7d6c+5b4a\"3210 end";

class Secrecy : public EgressFixture {
protected:
  static Credential credential(Credential::Scheme scheme) {
    Credential made{scheme, "X-Key", "anna", Secret(std::string(kCanary))};
    if (scheme == Credential::Scheme::oauth1) {
      made.signing.method = Signing::Method::plaintext; // the one that sends its secrets
      made.signing.token = "t";
      made.signing.token_secret = Secret(std::string(kCanary));
    }
    if (scheme == Credential::Scheme::sigv4) {
      made.signing.region = "eu-west-1";
      made.signing.service = "ses";
      made.signing.session_token = Secret(std::string(kCanary));
    }
    return made;
  }
  void expectNowhere(Result<Response> const& got, std::string const& what) {
    std::string all = logged_;
    if (got) {
      all += got->body + got->final_url;
      for (auto const& header : got->headers) all += header.name + ": " + header.value + "\n";
    } else {
      all += json::serialize(toJson(got.error()));
    }
    for (auto const& entry : audits_)
      all += entry.method + entry.scheme_host_port + entry.path + entry.outcome;
    for (auto const& spelling : spellingsOf(kCanary))
      EXPECT_EQ(all.find(spelling), std::string::npos) << what << " shows it as " << spelling << "\n" << all;
    audits_.clear();
    logged_.clear();
  }
};

constexpr std::array kSchemes = {Credential::Scheme::basic,  Credential::Scheme::bearer,
                                 Credential::Scheme::header, Credential::Scheme::query,
                                 Credential::Scheme::oauth1, Credential::Scheme::sigv4};

TEST_F(Secrecy, NoTroubleShowsTheCredential) {
  TestAuthority const authority;
  for (auto const scheme : kSchemes) {
    struct Case {
      std::string what;
      Answer answer;
    };
    for (auto const& trouble :
         {Case{"reset", {"", Answer::End::reset}},
          Case{"half", {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", Answer::End::close}},
          Case{"silence", {"", Answer::End::hang}}, Case{"no HTTP", {"220 hello\r\n", Answer::End::close}},
          Case{"large", {ok(std::string(2000, 'x'))}},
          Case{"elsewhere", {redirect(302, "http://other.example/")}}, Case{"loop", {redirect(302, "/")}},
          Case{"nonsense", {redirect(302, "::")}}}) {
      TestServer server(loop_, [&](Seen const&) { return trouble.answer; });
      auto request = make("POST", server.url());
      request.max_body = 1000;
      request.timeout = trouble.what == "silence" ? 60ms : 10s;
      auto const got = fetch(std::move(request), inside({server.rule()}), credential(scheme));
      EXPECT_TRUE(got.has_error()) << trouble.what;
      expectNowhere(got, trouble.what);
    }
    TestServer tls(loop_, [](Seen const&) { return Answer{ok()}; }, authority.serverContext("DNS:nobody"));
    expectNowhere(fetch(get(tls.url()), inside({tls.rule()}), credential(scheme)), "TLS");
    expectNowhere(fetch(get("https://nobody.invalid/"), inside({"nobody.invalid"}), credential(scheme)),
                  "name");
    expectNowhere(fetch(get("https://10.0.0.1/"), {}, credential(scheme)), "not listed");
    expectNowhere(fetch(make("A B", "https://10.0.0.1/"), {}, credential(scheme)), "method");
    auto bad = credential(scheme);
    bad.secret = Secret(std::string(kCanary) + "\r\nX: y");
    expectNowhere(fetch(get("http://127.0.0.1:1/"), inside({"127.0.0.1:1"}), std::move(bad)), "line break");
  }
}

TEST_F(Secrecy, AnEchoOfTheCredentialIsTakenOut) {
  for (auto const scheme : kSchemes) {
    TestServer server(loop_, [&](Seen const& seen) {
      if (seen.line().find("/next") == std::string::npos) {
        auto const target = seen.line().substr(5, seen.line().rfind(' ') - 5);
        return Answer{redirect(302, "/next/" + percentEncode(kCanary) + target)};
      }
      auto headers =
          "X-Key-Again: " + seen.header("x-key") + "\r\nX-Echo: " + seen.header("authorization") + "\r\n";
      std::string body = seen.head;
      for (auto const& spelling : spellingsOf(kCanary)) body += spelling + "\n";
      for (auto const* before : {"a", "ab", "abc"})
        body += base64(before + std::string(kCanary) + "!") + "\n";
      return Answer{ok(body, headers)};
    });
    auto const got = fetch(get(server.url()), inside({server.rule()}), credential(scheme));
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_NE(got->body.find("[secret]"), std::string::npos);
    expectNowhere(got, "an echo");
  }
}

TEST_F(Secrecy, ATracedRequestWouldEchoItSoThereIsNone) {
  TestServer server(loop_, [](Seen const& seen) { return Answer{ok(seen.head)}; });
  EXPECT_TRUE(fetch(make("TRACE", server.url()), inside({server.rule()}), bearer("x")).has_error());
  EXPECT_EQ(server.connections(), 0);
}

} // namespace
} // namespace garland::egress::testing
