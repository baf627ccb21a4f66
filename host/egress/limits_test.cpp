// Answers that are too large, too slow or no HTTP, and connections that break: what is told about
// them, and what is known about the effect.
#include "host/egress/egress_fixture.h"
#include "host/egress/failure.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <zlib.h>

namespace garland::egress::testing {
namespace {

class Trouble : public EgressFixture {
protected:
  // One request to a server with this script.
  Result<Response> ask(TestServer::Script script, Request request = make("GET", "")) {
    server_ = std::make_unique<TestServer>(loop_, std::move(script));
    request.url = server_->url();
    return fetch(std::move(request), inside({server_->rule()}));
  }
  static TestServer::Script answer(std::string bytes, Answer::End end = Answer::End::keep) {
    return [=](Seen const&) { return Answer{bytes, end}; };
  }
  std::unique_ptr<TestServer> server_;
};

std::string gzip(std::string const& text) {
  z_stream stream{};
  constexpr int kGzip = 15 + 16;
  ::deflateInit2(&stream, 9, Z_DEFLATED, kGzip, 8, Z_DEFAULT_STRATEGY);
  std::string out(::deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  ::deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  ::deflateEnd(&stream);
  return out;
}

TEST_F(Trouble, ACompressedAnswerIsUnpacked) {
  auto const got = ask(answer(ok(gzip("hello hello hello"), "Content-Encoding: gzip\r\n")));
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->body, "hello hello hello");
  EXPECT_EQ(server_->seen()[0].header("accept-encoding"), "gzip");
}

TEST_F(Trouble, AnAnswerThatUnpacksBeyondTheLimitIsStoppedThere) {
  auto request = make("GET", "");
  request.max_body = 100'000;
  auto const packed = gzip(std::string(50'000'000, 'x'));
  ASSERT_LT(packed.size(), request.max_body);
  auto const got = ask(answer(ok(packed, "Content-Encoding: gzip\r\n")), std::move(request));
  ASSERT_TRUE(got.has_error());
  EXPECT_EQ(got.error().kind, ErrorKind::hostLimit);
  EXPECT_NE(got.error().message.find("100000 bytes"), std::string::npos);
}

TEST_F(Trouble, AnAnswerOfExactlyTheLimitIsFineAndOneByteMoreIsNot) {
  auto request = make("GET", "");
  request.max_body = 1000;
  EXPECT_EQ(ask(answer(ok(std::string(1000, 'x'))), request)->body.size(), 1000U);
  EXPECT_EQ(ask(answer(ok(std::string(1001, 'x'))), request).error().kind, ErrorKind::hostLimit);
  auto const chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" +
                       std::string(1001, 'x') + "\r\n0\r\n\r\n";
  auto const got = ask(answer(chunked), request);
  ASSERT_TRUE(got.has_error());
  EXPECT_EQ(got.error().kind, ErrorKind::hostLimit);
  EXPECT_EQ(got.error().effect, Effect::notApplied) << "a GET changes nothing";
  request.method = "POST";
  EXPECT_EQ(ask(answer(chunked), request).error().effect, Effect::unknown);
}

TEST_F(Trouble, WhereTheStatusIsAllThatCountsAnAnswerIsOneWhateverItsBody) {
  auto request = make("POST", "");
  request.timeout = 400ms;
  request.max_body = 1000;
  request.body_is_optional = true;
  auto const large = ask(answer(ok(std::string(300'000, 'x'))), request);
  ASSERT_TRUE(large) << large.error().message;
  EXPECT_EQ(large->status, 200);
  EXPECT_EQ(large->body, std::string(1000, 'x'));
  for (auto const end : {Answer::End::hang, Answer::End::close}) {
    auto const half = ask(answer("HTTP/1.1 202 OK\r\nContent-Length: 10\r\n\r\nhalf", end), request);
    ASSERT_TRUE(half) << half.error().message;
    EXPECT_EQ(half->status, 202);
    EXPECT_EQ(half->body, "half");
  }
  for (auto const* start : {"", "HTTP/1.1 200 OK\r\nContent-Le", "HTTP/1.1 100 Continue\r\n\r\n"})
    EXPECT_EQ(ask(answer(start, Answer::End::hang), request).error().provider_code, "timed_out") << start;
}

TEST_F(Trouble, TooManyHeadersAreRefused) {
  std::string headers;
  for (int i = 0; i < 1000; ++i) headers += "X-" + std::to_string(i) + ": " + std::string(80, 'v') + "\r\n";
  auto const got = ask(answer(ok("", headers)));
  ASSERT_TRUE(got.has_error());
  EXPECT_EQ(got.error().kind, ErrorKind::hostLimit) << got.error().message;
}

TEST_F(Trouble, AServerThatNeverAnswersIsTimedOut) {
  auto request = make("GET", "");
  request.timeout = 400ms;
  for (auto const* start :
       {"", "HTTP/1.1 200 OK\r\nContent-Le", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"}) {
    auto const got = ask(answer(start, Answer::End::hang), request);
    ASSERT_TRUE(got.has_error());
    EXPECT_EQ(got.error().kind, ErrorKind::transient);
    EXPECT_EQ(got.error().provider_code, "timed_out");
    EXPECT_EQ(got.error().effect, Effect::notApplied);
    EXPECT_NE(got.error().message.find("within 400 ms"), std::string::npos) << got.error().message;
  }
  request.method = "PUT";
  EXPECT_EQ(ask(answer("", Answer::End::hang), request).error().effect, Effect::unknown);
}

// Whoever pays again "later" may pay twice.
TEST_F(Trouble, OnlyWhatCannotHaveBeenDoneIsToBeTriedAgainLater) {
  for (auto const* method : {"GET", "POST", "DELETE"})
    for (auto const end : {Answer::End::hang, Answer::End::close}) {
      auto request = make(method, "");
      request.timeout = end == Answer::End::hang ? 400ms : 10'000ms;
      auto const got = ask(answer("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", end), request);
      ASSERT_TRUE(got.has_error());
      auto const& said = got.error().message;
      EXPECT_EQ(said.ends_with("; try again later"), isSafe(method)) << method << ": " << said;
      EXPECT_EQ(said.ends_with("; whether it acted on the request is unknown"), !isSafe(method)) << said;
    }
}

TEST(Unfinished, ToldIsTheTimeThatPassedAndNotTheOneThatWasLeft) {
  EXPECT_EQ(unfinished(119'999ms, 119'999ms, 119'999ms), " did not finish its answer within 120 s");
  EXPECT_EQ(unfinished(60ms, 60ms, 60ms), " did not finish its answer within 60 ms");
  EXPECT_EQ(unfinished(65'004ms, 119'999ms, 119'999ms),
            " sent nothing for a minute, or hardly anything, and was given up after 65 s");
  // Redirects had used up the rest.
  EXPECT_EQ(unfinished(20'000ms, 20'000ms, 30'000ms), " did not finish its answer within 30 s");
}

TEST_F(Trouble, ATimeoutOfZeroIsNotForEver) {
  auto request = make("GET", "");
  request.timeout = 0ms;
  EXPECT_EQ(ask(answer("", Answer::End::hang), request).error().provider_code, "timed_out");
}

TEST_F(Trouble, AfterABreakTheEffectOfAWriteIsUnknownAndOfAReadNone) {
  struct Case {
    std::string sent;
    Answer::End end;
  };
  for (auto const& broken :
       {Case{"", Answer::End::close}, Case{"", Answer::End::reset},
        Case{"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", Answer::End::close},
        Case{"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", Answer::End::reset},
        Case{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhal", Answer::End::close}})
    for (auto const* method :
         {"GET", "HEAD", "OPTIONS", "PROPFIND", "REPORT", "POST", "PUT", "DELETE", "MKCALENDAR"}) {
      if (std::string_view(method) == "HEAD" && !broken.sent.empty()) continue; // its answer is complete
      auto const got = ask(answer(broken.sent, broken.end), make(method, ""));
      ASSERT_TRUE(got.has_error()) << method << " " << broken.sent;
      EXPECT_EQ(got.error().kind, ErrorKind::transient) << got.error().message;
      EXPECT_EQ(got.error().provider_code, "connection_lost");
      EXPECT_EQ(got.error().effect, isSafe(method) ? Effect::notApplied : Effect::unknown) << method;
      EXPECT_EQ(audits_.back().outcome, "transient");
      EXPECT_EQ(audits_.back().status, 0);
      EXPECT_EQ(server_->seen().size(), 1U) << "sent twice";
    }
}

TEST_F(Trouble, OnAReusedConnectionThatBreaksAWriteIsNotSentTwice) {
  for (auto const* method : {"POST", "GET"}) {
    int count = 0;
    TestServer server(loop_, [&](Seen const&) {
      // The second request comes on the connection of the first and is not answered.
      return ++count == 2 ? Answer{"", Answer::End::close} : Answer{ok("fine")};
    });
    ASSERT_TRUE(fetch(get(server.url()), inside({server.rule()})));
    auto const second = fetch(make(method, server.url()), inside({server.rule()}));
    if (isSafe(method)) {
      EXPECT_TRUE(second) << second.error().message;
      EXPECT_EQ(server.seen().size(), 3U);
    } else {
      ASSERT_TRUE(second.has_error());
      EXPECT_EQ(second.error().effect, Effect::unknown);
      EXPECT_EQ(second.error().provider_code, "connection_lost");
      EXPECT_EQ(server.seen().size(), 2U) << "the POST was sent twice";
    }
  }
}

TEST_F(Trouble, WhatIsNoHttpIsTheProvidersFault) {
  for (auto const* bytes : {"220 mail.example.com ESMTP\r\n", "HTTP/1.1 xyz\r\n\r\n",
                            "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n"}) {
    auto const got = ask(answer(bytes, Answer::End::close));
    ASSERT_TRUE(got.has_error()) << bytes;
    EXPECT_EQ(got.error().kind, ErrorKind::providerBug) << got.error().message;
    EXPECT_EQ(got.error().provider_code, "bad_http");
  }
  auto const got = ask(answer(ok("this is not gzip", "Content-Encoding: gzip\r\n")));
  ASSERT_TRUE(got.has_error());
  EXPECT_EQ(got.error().kind, ErrorKind::providerBug) << got.error().message;
}

TEST_F(Trouble, APortWhereNobodyListensRefuses) {
  auto url = std::string();
  auto rule = std::string();
  {
    TestServer const gone(loop_, answer(""));
    url = gone.url();
    rule = gone.rule();
  }
  auto const got = fetch(make("POST", url), inside({rule}));
  ASSERT_TRUE(got.has_error());
  EXPECT_EQ(got.error().kind, ErrorKind::transient);
  EXPECT_EQ(got.error().provider_code, "refused") << got.error().message;
  EXPECT_EQ(got.error().effect, Effect::notApplied);
  EXPECT_FALSE(audits_.back().credential_used);
}

TEST_F(Trouble, AnUnknownHostIsNamed) {
  auto const got = fetch(make("POST", "https://nobody.invalid/"), inside({"nobody.invalid"}));
  ASSERT_TRUE(got.has_error());
  EXPECT_EQ(got.error().kind, ErrorKind::transient);
  EXPECT_EQ(got.error().provider_code, "unknown_host") << got.error().message;
  EXPECT_EQ(got.error().effect, Effect::notApplied);
  EXPECT_NE(got.error().message.find("the name nobody.invalid does not exist"), std::string::npos);
}

TEST_F(Trouble, CancellingTheCallerHangsUp) {
  TestServer server(loop_, answer("HTTP/1.1 200 OK\r\n", Answer::End::hang));
  asio::cancellation_signal cancel;
  std::optional<Result<Response>> result;
  asio::co_spawn(loop_, client_->fetch(make("POST", server.url()), inside({server.rule()}), {}),
                 asio::bind_cancellation_slot(cancel.slot(), [&](std::exception_ptr, Result<Response> got) {
                   result = std::move(got);
                 }));
  ASSERT_TRUE(runUntil([&] { return server.seen().size() == 1; }));
  cancel.emit(asio::cancellation_type::terminal);
  ASSERT_TRUE(runUntil([&] { return result.has_value() && server.hangUps() == 1; }));
  EXPECT_EQ(result->error().kind, ErrorKind::cancelled);
  EXPECT_EQ(result->error().effect, Effect::unknown);
  EXPECT_EQ(audits_.back().outcome, "cancelled");
}

TEST_F(Trouble, ShutdownCancelsWhatIsInFlightAndRefusesMore) {
  TestServer server(loop_, answer("", Answer::End::hang));
  int ended = 0;
  for (int i = 0; i < 5; ++i)
    asio::co_spawn(loop_, client_->fetch(get(server.url()), inside({server.rule()}), {}),
                   [&](std::exception_ptr, Result<Response> got) {
                     EXPECT_EQ(got.error().kind, ErrorKind::cancelled);
                     ++ended;
                   });
  ASSERT_TRUE(runUntil([&] { return server.seen().size() == 5; }));
  client_->shutdown();
  ASSERT_TRUE(runUntil([&] { return ended == 5 && server.hangUps() == 5; }));
  EXPECT_EQ(fetch(get(server.url()), inside({server.rule()})).error().kind, ErrorKind::cancelled);
}

TEST_F(Trouble, AClientMayDieBeforeItsRequests) {
  TestServer server(loop_, answer("", Answer::End::hang));
  int ended = 0;
  asio::co_spawn(loop_, client_->fetch(get(server.url()), inside({server.rule()}), {}),
                 [&](std::exception_ptr, Result<Response> got) { ended += got.has_error() ? 1 : 0; });
  ASSERT_TRUE(runUntil([&] { return server.seen().size() == 1; }));
  client_.reset();
  ASSERT_TRUE(runUntil([&] { return ended == 1; }));
}

TEST(Loop, MayDieInTheMiddleOfARequest) {
  SystemClock clock;
  SystemRandom random;
  Redactor const redactor;
  Log const log(clock, redactor, LogLevel::error, [](std::string_view) {});
  asio::io_context loop;
  auto client = Client::create(loop.get_executor(), clock, random, log);
  TestServer server(loop, [](Seen const&) { return Answer{"", Answer::End::hang}; });
  Request request;
  request.url = server.url();
  Policy policy;
  policy.allowed_hosts = {server.rule()};
  policy.allow_private_network = true;
  asio::co_spawn(loop, client->fetch(request, policy, Credential()),
                 [](std::exception_ptr, Result<Response>) { ADD_FAILURE() << "nothing runs any more"; });
  while (server.seen().empty()) loop.run_one();
}

} // namespace
} // namespace garland::egress::testing
