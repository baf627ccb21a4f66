// The listener with real sockets: what a client on loopback sees, and when a mail is acknowledged.
#include "host/mail/mail.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

namespace garland::mail {
namespace {

using testing::HasSubstr;
using testing::StartsWith;
using tcp = asio::ip::tcp;

// Keeps mails when it is told to.
class HeldInbox final : public Inbox {
public:
  explicit HeldInbox(asio::io_context& loop) : gate(loop, asio::steady_timer::time_point::max()) {}
  bool knows(std::string_view token) override { return token == "good" || token == "full"; }
  Task<void> keep(std::string token, std::string bytes) override {
    ++asked;
    boost::system::error_code ignored;
    if (held) co_await gate.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    if (token == "full") co_return Error(ErrorKind::quota, "too much waits");
    mails.push_back(std::move(bytes));
    co_return Result<void>();
  }
  Task<void> keepFor(std::string, std::string) override {
    co_return Error(ErrorKind::unsupported, "not in this test");
  }
  Task<void> keepUnfetched(std::string, Unfetched) override {
    co_return Error(ErrorKind::unsupported, "not in this test");
  }
  bool held = false;
  int asked = 0;
  asio::steady_timer gate;
  std::vector<std::string> mails;
};

class ListenerTest : public testing::Test {
protected:
  void listen(ListenOptions options = {}) {
    options.domain = "x.example";
    options.refused = [this](std::string const& peer) { refused.push_back(peer); };
    auto started = Listener::start(Surroundings{loop.get_executor(), clock, log, inbox}, options);
    ASSERT_TRUE(started) << started.error().message;
    listener = *started;
  }
  ~ListenerTest() override {
    if (listener) stop();
    listener.reset();
    loop.restart();
    loop.poll();
  }
  void stop() {
    stopped = false;
    asio::co_spawn(loop, listener->stop(), [this](std::exception_ptr) { stopped = true; });
    pump();
  }
  // Runs the loop until nothing is left to do but wait for clients.
  void pump() {
    loop.restart();
    while (loop.run_for(std::chrono::milliseconds(20)) > 0) loop.restart();
    loop.restart();
  }
  tcp::socket connect() {
    tcp::socket socket(loop);
    socket.connect(tcp::endpoint(asio::ip::address_v4::loopback(), listener->port()));
    pump();
    return socket;
  }
  void say(tcp::socket& socket, std::string_view text) {
    boost::system::error_code ignored;
    asio::write(socket, asio::buffer(text), ignored);
    pump();
  }
  // What has come by now.
  static std::string heard(tcp::socket& socket, bool* closed = nullptr) {
    std::string all;
    boost::system::error_code failed;
    socket.non_blocking(true);
    std::array<char, 4096> chunk{};
    while (!failed) all.append(chunk.data(), socket.read_some(asio::buffer(chunk), failed));
    if (closed != nullptr) *closed = failed != asio::error::would_block;
    return all;
  }
  static constexpr std::string_view envelope =
      "EHLO me\r\nMAIL FROM:<a@b>\r\nRCPT TO:<lead-good@x.example>\r\nDATA\r\n";

  asio::io_context loop{1};
  VirtualClock clock{TimePoint(std::chrono::seconds(1'790'000'000))};
  Redactor redactor;
  std::string lines;
  Log log{clock, redactor, LogLevel::debug, [this](std::string_view line) { lines += line; }};
  HeldInbox inbox{loop};
  std::shared_ptr<Listener> listener;
  bool stopped = false;
  std::vector<std::string> refused;
};

TEST_F(ListenerTest, AMailIsAcknowledgedOnlyWhenItIsKept) {
  listen();
  inbox.held = true;
  auto client = connect();
  EXPECT_THAT(heard(client), StartsWith("220 "));
  say(client, std::string(envelope) + "Subject: x\r\n\r\nhi\r\n.\r\n");
  EXPECT_EQ(inbox.asked, 1);
  EXPECT_THAT(heard(client), testing::EndsWith("354 end with a line that holds a dot\r\n"));
  inbox.gate.cancel();
  pump();
  EXPECT_THAT(heard(client), StartsWith("250 2.0.0"));
  EXPECT_THAT(inbox.mails, testing::ElementsAre("Subject: x\r\n\r\nhi\r\n"));
}

TEST_F(ListenerTest, AConnectionCutInAMailKeepsNothing) {
  listen();
  auto client = connect();
  say(client, std::string(envelope) + "Subject: x\r\n\r\nhalf of i");
  client.close();
  pump();
  EXPECT_EQ(inbox.asked, 0);
}

TEST_F(ListenerTest, WhoseMailIsForNobodyHereIsTold) {
  listen();
  auto client = connect();
  say(client,
      "EHLO me\r\nMAIL FROM:<a@b>\r\nRCPT TO:<lead-guess@x.example>\r\nRCPT TO:<a@elsewhere.example>\r\n"
      "RCPT TO:<lead-good@x.example>\r\n");
  EXPECT_THAT(heard(client), testing::EndsWith("250 2.1.5 ok\r\n"));
  EXPECT_THAT(refused, testing::ElementsAre("127.0.0.1", "127.0.0.1"));
}

TEST_F(ListenerTest, AFullInboxMakesTheSenderComeAgain) {
  listen();
  auto client = connect();
  say(client, std::string(envelope.substr(0, envelope.find("DATA"))) +
                  "RCPT TO:<lead-full@x.example>\r\nDATA\r\nx\r\n.\r\n");
  EXPECT_THAT(heard(client), HasSubstr("\r\n452 4.2.2"));
  EXPECT_EQ(inbox.mails.size(), 1U) << "who can have it has it";
}

TEST_F(ListenerTest, WhoIsSilentTooLongIsSentAway) {
  ListenOptions options;
  options.idle_timeout = Milliseconds(60'000);
  listen(options);
  auto client = connect();
  clock.advance(Milliseconds(59'000));
  pump();
  bool closed = false;
  heard(client, &closed);
  EXPECT_FALSE(closed);
  clock.advance(Milliseconds(2'000));
  pump();
  EXPECT_THAT(heard(client, &closed), StartsWith("421 4.4.2"));
  EXPECT_TRUE(closed);
}

TEST_F(ListenerTest, WhoSendsAByteNowAndThenIsSentAwayToo) {
  ListenOptions options;
  options.nameless_for = options.lifetime = Milliseconds(100'000);
  listen(options);
  auto client = connect();
  bool closed = false;
  for (int i = 0; i < 10; ++i) {
    EXPECT_FALSE(closed) << i;
    say(client, "x");
    clock.advance(Milliseconds(10'000));
    pump();
    heard(client, &closed);
  }
  EXPECT_TRUE(closed);
}

TEST_F(ListenerTest, WhoNamesNobodyHereIsSentAwayAfterAMinuteWhateverItSays) {
  listen();
  auto stranger = connect();
  auto sender = connect();
  say(sender, "EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<lead-good@x.example>\r\n");
  EXPECT_THAT(heard(sender), HasSubstr("250 2.1.5"));
  bool sent_away = false;
  bool lost = false;
  for (int i = 0; i < 6; ++i) {
    EXPECT_FALSE(sent_away) << i;
    say(stranger, "NOOP\r\n");
    clock.advance(Milliseconds(10'000));
    pump();
    heard(stranger, &sent_away);
    heard(sender, &lost);
  }
  EXPECT_TRUE(sent_away);
  EXPECT_FALSE(lost);
}

TEST_F(ListenerTest, TooManyConnectionsOfOnePeerAreTurnedAway) {
  ListenOptions options;
  options.max_per_peer = 2;
  listen(options);
  auto first = connect();
  auto second = connect();
  auto third = connect();
  bool closed = false;
  EXPECT_THAT(heard(third, &closed), StartsWith("421 4.7.0"));
  EXPECT_TRUE(closed);
  first.close();
  pump();
  auto fourth = connect();
  EXPECT_THAT(heard(fourth), StartsWith("220"));
}

TEST_F(ListenerTest, AStopWaitsForAMailThatIsBeingKeptAndForNothingElse) {
  listen();
  inbox.held = true;
  auto idle = connect();
  auto sending = connect();
  heard(idle);
  say(sending, std::string(envelope) + "x\r\n.\r\n");
  stop();
  EXPECT_FALSE(stopped);
  EXPECT_THAT(heard(idle), StartsWith("421 4.3.2"));
  heard(sending);
  inbox.gate.cancel();
  pump();
  EXPECT_TRUE(stopped);
  EXPECT_THAT(heard(sending), StartsWith("250"));
  boost::system::error_code failed;
  tcp::socket late(loop);
  late.connect(tcp::endpoint(asio::ip::address_v4::loopback(), listener->port()), failed);
  EXPECT_TRUE(failed);
}

TEST_F(ListenerTest, SettingsThatCannotWorkAreToldWithTheirPlace) {
  ListenOptions options;
  options.address = "mail.example";
  Surroundings const with{loop.get_executor(), clock, log, inbox};
  EXPECT_EQ(Listener::start(with, options).error().field, "/mail/listen");
  options = ListenOptions();
  options.certificate = "/nowhere.pem";
  EXPECT_EQ(Listener::start(with, options).error().field, "/mail/certificate");
}

} // namespace
} // namespace garland::mail
