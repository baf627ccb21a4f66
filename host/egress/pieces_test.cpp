// Answers without an end, taken as they come.
#include "host/egress/egress_fixture.h"

namespace garland::egress::testing {
namespace {

class Pieces : public EgressFixture {
protected:
  // One request to a server with this script; it takes pieces until `last` has come.
  Result<Response> ask(TestServer::Script script, std::string const& last) {
    server_ = std::make_unique<TestServer>(loop_, std::move(script));
    auto request = get(server_->url());
    request.timeout = 1ms;
    request.max_body = 1;
    request.on_body = [this, last](std::string_view bytes) {
      taken_.append(bytes);
      return taken_.find(last) == std::string::npos;
    };
    return fetch(std::move(request), inside({server_->rule()}));
  }
  std::unique_ptr<TestServer> server_;
  std::string taken_;
};

constexpr auto kEndless = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: one\n\n";

TEST_F(Pieces, WhoeverHasEnoughEndsAnAnswerThatHasNoEnd) {
  auto const got = ask([](Seen const&) { return Answer{kEndless, Answer::End::hang}; }, "one");
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->status, 200);
  EXPECT_EQ(got->body, "");
  EXPECT_EQ(taken_, "data: one\n\n");
  EXPECT_TRUE(runUntil([this] { return server_->hangUps() == 1; })) << "the server is told";
  EXPECT_FALSE(server_->seen()[0].has("accept-encoding"));
}

TEST_F(Pieces, TheEndIsTheServers) {
  auto const got = ask([](Seen const&) { return Answer{kEndless, Answer::End::close}; }, "two");
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(taken_, "data: one\n\n");
}

TEST_F(Pieces, AConnectionThatBreaksIsNoEnd) {
  auto const got = ask(
      [](Seen const&) {
        return Answer{"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nsome", Answer::End::close};
      },
      "all");
  ASSERT_TRUE(got.has_error());
  EXPECT_EQ(got.error().provider_code, "connection_lost");
  EXPECT_EQ(taken_, "some");
}

TEST_F(Pieces, ARefusalIsKeptAsAnyAnswerIs) {
  auto const got = ask(
      [](Seen const&) {
        return Answer{"HTTP/1.1 410 Gone\r\nContent-Length: 1\r\n\r\nx", Answer::End::keep};
      },
      "x");
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->status, 410);
  EXPECT_EQ(got->body, "x");
  EXPECT_EQ(taken_, "");
}

} // namespace
} // namespace garland::egress::testing
