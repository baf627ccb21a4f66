// Many requests: nothing leaks, nothing is mixed up.
#include "host/egress/egress_fixture.h"
#include "host/egress/test_certificate.h"

#include <boost/asio/steady_timer.hpp>

#include <array>
#include <filesystem>

namespace garland::egress::testing {
namespace {

std::ptrdiff_t openDescriptors() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
}

class Many : public EgressFixture {
protected:
  Many() {
    asio::steady_timer const timer(loop_);
  } // the loop's own descriptors are made with the first timer
};

TEST_F(Many, AThousandInARowUseOneConnectionAndLeakNoDescriptor) {
  auto const before = openDescriptors();
  {
    TestServer server(loop_, [](Seen const& seen) { return Answer{ok(seen.line())}; });
    for (int i = 0; i < 1000; ++i) {
      auto const path = "/" + std::to_string(i);
      auto const got = fetch(get(server.url(path)), inside({server.rule()}), bearer(std::to_string(i)));
      ASSERT_TRUE(got) << got.error().message;
      ASSERT_EQ(got->body, "GET " + path + " HTTP/1.1");
      ASSERT_EQ(server.seen().back().header("authorization"), "Bearer " + std::to_string(i));
    }
    EXPECT_EQ(server.connections(), 1);
    EXPECT_EQ(audits_.size(), 1000U);
  }
  client_.reset();
  loop_.restart();
  while (loop_.poll() != 0) {
  }
  EXPECT_EQ(openDescriptors(), before);
}

TEST_F(Many, TwoHundredAtOnceAreAnsweredEachWithItsOwn) {
  auto const before = openDescriptors();
  TestAuthority const authority;
  for (bool const with_tls : {false, true}) {
    auto server = std::make_unique<TestServer>(
        loop_, [](Seen const& seen) { return Answer{ok(seen.header("authorization") + seen.body)}; },
        with_tls ? authority.serverContext("IP:127.0.0.1") : nullptr);
    int right = 0;
    int ended = 0;
    for (int i = 0; i < 200; ++i) {
      auto policy = inside({server->rule()});
      policy.extra_ca_file = authority.file();
      auto const number = std::to_string(i);
      asio::co_spawn(loop_, client_->fetch(make("POST", server->url(), number), policy, bearer(number)),
                     [&, number](std::exception_ptr, Result<Response> got) {
                       ++ended;
                       EXPECT_TRUE(got) << got.error().message;
                       right += got && got->body == "Bearer " + number + number ? 1 : 0;
                     });
    }
    ASSERT_TRUE(runUntil([&] { return ended == 200; }));
    EXPECT_EQ(right, 200);
    EXPECT_LE(server->connections(), 64);
  }
  client_.reset();
  loop_.restart();
  while (loop_.poll() != 0) {
  }
  EXPECT_EQ(openDescriptors(), before);
}

TEST_F(Many, FailuresOfEveryKindLeakNoDescriptor) {
  auto const before = openDescriptors();
  {
    int count = 0;
    TestServer server(loop_, [&](Seen const&) {
      constexpr std::array kEnds = {Answer::End::close, Answer::End::reset, Answer::End::hang};
      return Answer{"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
                    kEnds[static_cast<std::size_t>(count++) % 3]};
    });
    for (int i = 0; i < 60; ++i) {
      auto request = get(i % 5 == 4 ? "https://nobody.invalid/" : server.url());
      request.timeout = 20ms;
      EXPECT_TRUE(fetch(std::move(request), inside({server.rule(), "nobody.invalid"})).has_error());
    }
  }
  client_.reset();
  loop_.restart();
  while (loop_.poll() != 0) {
  }
  EXPECT_EQ(openDescriptors(), before);
}

} // namespace
} // namespace garland::egress::testing
