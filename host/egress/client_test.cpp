// Requests that go well: what the server sees, what the caller gets, what is written down.
#include "host/egress/egress_fixture.h"

namespace garland::egress::testing {
namespace {

class Fetch : public EgressFixture {
protected:
  TestServer server_{
      loop_, [](Seen const& seen) { return Answer{ok("hello " + seen.body, "X-One: 1\r\nx-two:  2 \r\n")}; }};
};

TEST_F(Fetch, BringsStatusHeadersAndBody) {
  auto const answer = fetch(get(server_.url("/a/b?c=d")), inside({server_.rule()}));
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->body, "hello ");
  EXPECT_EQ(answer->final_url, server_.url("/a/b?c=d"));
  ASSERT_EQ(answer->headers.size(), 3U);
  EXPECT_EQ(answer->headers[1].name, "x-one");
  EXPECT_EQ(answer->headers[2].name, "x-two");
  EXPECT_EQ(answer->headers[2].value, "2");
  EXPECT_FALSE(answer->retry_after);
  EXPECT_EQ(server_.seen()[0].line(), "GET /a/b?c=d HTTP/1.1");
  EXPECT_EQ(server_.seen()[0].header("host"), server_.rule());
  EXPECT_EQ(server_.seen()[0].header("user-agent"), "Garland");
  EXPECT_FALSE(server_.seen()[0].has("authorization"));
}

TEST_F(Fetch, SendsEveryMethodWithItsBodyAndHeaders) {
  for (auto const* method :
       {"POST", "PUT", "PATCH", "DELETE", "PROPFIND", "REPORT", "MKCALENDAR", "OPTIONS"}) {
    auto request = make(method, server_.url("/x"), "body of " + std::string(method));
    request.headers = {
        {"Content-Type", "text/calendar"}, {"Depth", "1"}, {"If-Match", "\"e\""}, {"X-Empty", ""}};
    request.idempotency_key = "key-1";
    auto const answer = fetch(std::move(request), inside({server_.rule()}));
    ASSERT_TRUE(answer) << answer.error().message;
    auto const& seen = server_.seen().back();
    EXPECT_EQ(seen.line(), std::string(method) + " /x HTTP/1.1");
    EXPECT_EQ(seen.body, "body of " + std::string(method));
    EXPECT_EQ(seen.header("content-type"), "text/calendar");
    EXPECT_EQ(seen.header("depth"), "1");
    EXPECT_EQ(seen.header("if-match"), "\"e\"");
    EXPECT_EQ(seen.header("idempotency-key"), "key-1");
    EXPECT_NE(seen.head.find("\r\nX-Empty:"), std::string::npos);
    EXPECT_FALSE(seen.has("expect"));
  }
}

TEST_F(Fetch, SendsALongBodyAtOnceAndWhole) {
  std::string const body(3'000'000, 'b');
  auto const answer = fetch(make("PUT", server_.url(), body), inside({server_.rule()}));
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->body.size(), body.size() + 6);
  EXPECT_FALSE(server_.seen()[0].has("content-type")) << "nobody said it was a form";
  EXPECT_FALSE(server_.seen()[0].has("expect"));
}

TEST_F(Fetch, SendsALengthWithAnEmptyPostButNotWithAGet) {
  ASSERT_TRUE(fetch(make("POST", server_.url()), inside({server_.rule()})));
  ASSERT_TRUE(fetch(make("PROPFIND", server_.url()), inside({server_.rule()})));
  EXPECT_EQ(server_.seen()[0].header("content-length"), "0");
  EXPECT_FALSE(server_.seen()[1].has("content-length"));
}

TEST_F(Fetch, AHeadOfALargeThingIsNoLargeAnswer) {
  TestServer server(
      loop_, [](Seen const&) { return Answer{"HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n"}; });
  auto const answer = fetch(make("HEAD", server.url()), inside({server.rule()}));
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->body, "");
}

TEST_F(Fetch, AnErrorStatusIsAnAnswer) {
  for (int const status : {400, 401, 404, 412, 429, 500, 503, 507}) {
    TestServer server(loop_, [&](Seen const&) {
      return Answer{"HTTP/1.1 " + std::to_string(status) + " No\r\nContent-Length: 3\r\n\r\nwhy"};
    });
    auto const answer = fetch(get(server.url()), inside({server.rule()}));
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer->status, status);
    EXPECT_EQ(answer->body, "why");
    EXPECT_EQ(audits_.back().outcome, "ok");
    EXPECT_EQ(audits_.back().status, status);
  }
}

TEST_F(Fetch, ReadsChunksTrailersAndInterimAnswers) {
  TestServer server(loop_, [](Seen const&) {
    return Answer{
        "HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        "5\r\nhello\r\n1\r\n \r\n5;x=y\r\nworld\r\n0\r\nX-Trailer: t\r\n\r\n"};
  });
  auto const answer = fetch(get(server.url()), inside({server.rule()}));
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->body, "hello world");
  ASSERT_EQ(answer->headers.size(), 2U);
  EXPECT_EQ(answer->headers[0].name, "transfer-encoding");
  EXPECT_EQ(answer->headers[1].value, "t");
}

TEST_F(Fetch, ReadsABodyThatEndsWithTheConnection) {
  TestServer server(
      loop_, [](Seen const&) { return Answer{"HTTP/1.0 200 OK\r\n\r\nuntil the end", Answer::End::close}; });
  auto const answer = fetch(get(server.url()), inside({server.rule()}));
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->body, "until the end");
}

TEST_F(Fetch, ReusesAConnectionEvenForAnotherCredential) {
  for (auto const* token : {"first", "second", "third"})
    ASSERT_TRUE(fetch(get(server_.url()), inside({server_.rule()}), bearer(token)));
  ASSERT_TRUE(fetch(get(server_.url()), inside({server_.rule()})));
  EXPECT_EQ(server_.connections(), 1);
  EXPECT_EQ(server_.seen()[0].header("authorization"), "Bearer first");
  EXPECT_EQ(server_.seen()[1].header("authorization"), "Bearer second");
  EXPECT_FALSE(server_.seen()[3].has("authorization"));
}

TEST_F(Fetch, AttachesBasic) {
  ASSERT_TRUE(fetch(get(server_.url()), inside({server_.rule()}), basic("Aladdin", "open sesame")));
  EXPECT_EQ(server_.seen()[0].header("authorization"), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
}

TEST_F(Fetch, AttachesAHeaderAndDropsTheCallersOfThatName) {
  auto request = get(server_.url());
  request.headers = {{"x-api-key", "forged"}, {"X-Other", "kept"}};
  ASSERT_TRUE(fetch(std::move(request), inside({server_.rule()}),
                    named(Credential::Scheme::header, "X-Api-Key", "real")));
  EXPECT_EQ(server_.seen()[0].header("x-api-key"), "real");
  EXPECT_EQ(server_.seen()[0].head.find("forged"), std::string::npos);
  EXPECT_EQ(server_.seen()[0].header("x-other"), "kept");
}

TEST_F(Fetch, AttachesAQueryParameterThatTheCallerNeverSees) {
  auto const answer = fetch(get(server_.url("/p?a=1")), inside({server_.rule()}),
                            named(Credential::Scheme::query, "api key", "s&c=r/t"));
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(server_.seen()[0].line(), "GET /p?a=1&api%20key=s%26c%3dr%2ft HTTP/1.1");
  EXPECT_EQ(answer->final_url, server_.url("/p?a=1"));
}

TEST_F(Fetch, DropsWhatACallerMayNotSet) {
  auto request = make("POST", server_.url(), "twelve bytes");
  for (auto const* name :
       {"Authorization", "cookie", "HOST", "Proxy-Authorization", "Proxy-Anything", "Content-Length",
        "Transfer-Encoding", "Connection", "Upgrade", "Expect", "TE", "Keep-Alive"})
    request.headers.push_back({name, "forged"});
  ASSERT_TRUE(fetch(std::move(request), inside({server_.rule()})));
  EXPECT_EQ(server_.seen()[0].head.find("forged"), std::string::npos) << server_.seen()[0].head;
  EXPECT_EQ(server_.seen()[0].header("content-length"), "12");
}

TEST_F(Fetch, RefusesHeadersMethodsAndSecretsThatWouldInjectOthers) {
  auto const refused = [&](Request request, Credential credential = {}) {
    auto const answer = fetch(std::move(request), inside({server_.rule()}), std::move(credential));
    ASSERT_TRUE(answer.has_error());
    EXPECT_EQ(answer.error().kind, ErrorKind::invalidInput) << answer.error().message;
    EXPECT_EQ(answer.error().effect, Effect::notApplied);
    EXPECT_EQ(audits_.back().outcome, "invalid_input");
  };
  for (auto const* bad : {"a\r\nX: y", "a\nb", "a\rb", "a\x01", "a\x7f"}) {
    auto request = get(server_.url());
    request.headers = {{"X-Good", bad}};
    refused(std::move(request));
    request = get(server_.url());
    request.headers = {{bad, "good"}};
    refused(std::move(request));
    request = get(server_.url());
    request.idempotency_key = bad;
    refused(std::move(request));
    refused(make("GET" + std::string(bad), server_.url()));
    refused(get(server_.url()), bearer(bad));
    refused(get(server_.url()), named(Credential::Scheme::header, "X-Key", bad));
    refused(get(server_.url()), basic(bad, "password"));
  }
  auto request = get(server_.url());
  request.headers = {{"X-Good", std::string("a\0b", 3)}};
  refused(std::move(request));
  for (auto const* method : {"", "GET ", "G T", "GET\t", "TRACE", "trace", "CONNECT"})
    refused(make(method, server_.url()));
  for (auto const* name : {"", "Host", "content-length", "Transfer-Encoding", "X Y", "X:"})
    refused(get(server_.url()), named(Credential::Scheme::header, name, "secret"));
  EXPECT_EQ(server_.connections(), 0);
}

TEST_F(Fetch, WritesAnAuditEntryWithoutQueryOrHeaders) {
  ASSERT_TRUE(
      fetch(make("PUT", server_.url("/path?token=hidden"), "12345"), inside({server_.rule()}), bearer("t")));
  ASSERT_EQ(audits_.size(), 1U);
  auto const& entry = audits_[0];
  EXPECT_EQ(entry.method, "PUT");
  EXPECT_EQ(entry.scheme_host_port, "http://" + server_.rule());
  EXPECT_EQ(entry.path, "/path");
  EXPECT_EQ(entry.status, 200);
  EXPECT_EQ(entry.outcome, "ok");
  EXPECT_TRUE(entry.credential_used);
  EXPECT_EQ(entry.bytes_out, static_cast<std::size_t>(server_.bytesReceived()));
  EXPECT_EQ(entry.bytes_in, ok("hello 12345", "X-One: 1\r\nx-two:  2 \r\n").size());
  EXPECT_EQ(logged_.find("hidden"), std::string::npos);
}

TEST_F(Fetch, CountsTheBytesOfALongBodyToo) {
  for (std::size_t const size : {1000U, 65'535U, 65'536U, 2'000'000U}) {
    auto const before = server_.bytesReceived();
    ASSERT_TRUE(fetch(make("PUT", server_.url(), std::string(size, 'b')), inside({server_.rule()})));
    EXPECT_EQ(audits_.back().bytes_out, static_cast<std::size_t>(server_.bytesReceived() - before)) << size;
  }
}

TEST_F(Fetch, TakesNothingFromProxyVariables) {
  ::setenv("http_proxy", "http://127.0.0.1:1", 1);
  ::setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
  auto const answer = fetch(get(server_.url()), inside({server_.rule()}));
  ::unsetenv("http_proxy");
  ::unsetenv("ALL_PROXY");
  EXPECT_TRUE(answer) << answer.error().message;
}

TEST_F(Fetch, KeepsNoCookies) {
  TestServer server(loop_, [](Seen const&) { return Answer{ok("", "Set-Cookie: session=1; Path=/\r\n")}; });
  ASSERT_TRUE(fetch(get(server.url()), inside({server.rule()})));
  ASSERT_TRUE(fetch(get(server.url()), inside({server.rule()})));
  EXPECT_FALSE(server.seen()[1].has("cookie"));
}

TEST_F(Fetch, UnderstandsRetryAfterInSecondsAndAsADate) {
  TestServer server(loop_, [](Seen const& seen) {
    return Answer{"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n" +
                  std::string(seen.line().find("/date") == std::string::npos
                                  ? "Retry-After: 120\r\n\r\n"
                                  : "Date: Sat, 13 Jun 2026 12:00:00 GMT\r\n"
                                    "Retry-After: Sat, 13 Jun 2026 12:01:30 GMT\r\n\r\n")};
  });
  EXPECT_EQ(fetch(get(server.url()), inside({server.rule()}))->retry_after, 120s);
  EXPECT_EQ(fetch(get(server.url("/date")), inside({server.rule()}))->retry_after, 90s);
}

} // namespace
} // namespace garland::egress::testing
