// Daemons that tell each other by a real nats-server: cut off, absent at the start, encrypted, without its
// stream.
#include "host/nats/nats.h"

#include "host/base/test_port.h"
#include "host/nats/nats_fixture.h"
#include "host/nats/session.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>

#include <algorithm>
#include <cstdlib>
#include <mutex>

namespace garland::nats {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr auto kPatience = std::chrono::seconds(100);

// A daemon as far as the carrier sees it.
class Node {
public:
  Node(asio::io_context& loop, Log const& log, Options options)
      : carrier(connect(loop.get_executor(), log, std::move(options))) {
    carrier->listen([this](std::string const& line) { heard.push_back(line); });
  }
  bool has(std::string const& line) const { return std::ranges::count(heard, line) > 0; }

  std::vector<std::string> heard;
  std::shared_ptr<Carrier> carrier;
};

class Nats : public ::testing::Test {
protected:
  Options options() const {
    Options out;
    out.servers = server.url();
    out.limit = kPatience; // the machine may be busy
    return out;
  }
  void until(std::function<bool()> done) {
    auto const give_up = std::chrono::steady_clock::now() + kPatience;
    while (!done()) {
      loop.run_one_for(std::chrono::milliseconds(10)); // connections come and go beside the loop
      ASSERT_LT(std::chrono::steady_clock::now(), give_up) << "it does not come to that";
    }
  }
  void close(Node& node) {
    bool closed = false;
    asio::co_spawn(loop, node.carrier->close(), [&closed](std::exception_ptr, Result<void> ended) {
      EXPECT_TRUE(ended);
      closed = true;
    });
    until([&] { return closed; });
  }
  // As an operator may.
  natsStatus removeStream() {
    natsConnection* connection = nullptr;
    jsCtx* context = nullptr;
    auto status = natsConnection_ConnectTo(&connection, server.url().c_str());
    if (status == NATS_OK) status = natsConnection_JetStream(&context, connection, nullptr);
    if (status == NATS_OK) status = js_DeleteStream(context, "garland", nullptr, nullptr);
    jsCtx_Destroy(context);
    natsConnection_Destroy(connection);
    return status;
  }
  std::vector<std::string> logged() {
    std::lock_guard const lock(mutex);
    return lines;
  }
  std::size_t logged(std::string const& level) {
    auto const all = logged();
    return static_cast<std::size_t>(std::ranges::count_if(
        all, [&](auto const& line) { return line.find("\"" + level + "\"") != std::string::npos; }));
  }
  std::size_t warnings() { return logged("warn"); }

  NatsFixture server;
  asio::io_context loop;
  asio::executor_work_guard<asio::io_context::executor_type> const busy{loop.get_executor()};
  SystemClock clock;
  Redactor redactor;
  std::mutex mutex; // sessions log from their threads
  std::vector<std::string> lines;
  Log log{clock, redactor, LogLevel::debug, [this](std::string_view line) {
            std::lock_guard const lock(mutex);
            lines.emplace_back(line);
          }};
};

TEST_F(Nats, WhatOneTellsTheOtherHears) {
  server.start();
  Node a(loop, log, options());
  Node b(loop, log, options());
  until([&] { return a.carrier->connected() && b.carrier->connected(); });
  until([&] { return b.has(""); });
  a.carrier->tell("nod_a feed ven_1 ");
  a.carrier->tell("nod_a leases  ");
  until([&] { return b.has("nod_a feed ven_1 ") && b.has("nod_a leases  "); });
  until([&] { return a.has("nod_a feed ven_1 "); });
  close(a);
  close(b);
}

TEST_F(Nats, KilledAndStartedAgainItCarriesOnAndSaysThatSomethingMayHaveBeenMissed) {
  server.start();
  Node a(loop, log, options());
  Node b(loop, log, options());
  until([&] { return a.carrier->connected() && b.carrier->connected(); });
  until([&] { return b.has(""); });
  server.kill();
  until([&] { return !a.carrier->connected() && !b.carrier->connected(); });
  loop.poll(); // what was said before it went may be on its way yet
  b.heard.clear();
  until([&] { return logged("debug") >= 3; }); // tries in vain
  EXPECT_THAT(b.heard, IsEmpty());
  EXPECT_EQ(warnings(), 2U) << "each says once that it is gone";
  server.start();
  until([&] { return a.carrier->connected() && b.carrier->connected(); });
  until([&] { return b.has(""); });
  a.carrier->tell("nod_a feed ven_2 ");
  until([&] { return b.has("nod_a feed ven_2 "); });
  close(a);
  close(b);
}

TEST_F(Nats, WhatIsToldBeforeItIsThereIsCarriedWhenItIs) {
  Node a(loop, log, options());
  until([&] { return warnings() == 1; });
  EXPECT_FALSE(a.carrier->connected());
  a.carrier->tell("nod_a feed ven_1 ");
  server.start();
  until([&] { return a.has("nod_a feed ven_1 "); });
  EXPECT_THAT(logged().back(), HasSubstr("tell each other over NATS"));
  close(a);
}

TEST_F(Nats, WhatWasToldLastIsCarriedBeforeItCloses) {
  server.start();
  Node a(loop, log, options());
  Node b(loop, log, options());
  until([&] { return a.carrier->connected() && b.carrier->connected(); });
  a.carrier->tell("nod_a leases  ");
  close(a);
  until([&] { return b.has("nod_a leases  "); });
}

TEST_F(Nats, OneThatNobodyAnswersClosesAllTheSame) {
  Node a(loop, log, options());
  until([&] { return warnings() == 1; });
  close(a);
  EXPECT_THAT(a.heard, Each("")) << "and nothing is heard";
}

TEST_F(Nats, AStreamThatIsTakenAwayIsMadeAgain) {
  server.start();
  Node a(loop, log, options()); // alone: another one would notice too, and perhaps sooner
  until([&] { return a.carrier->connected(); });
  ASSERT_EQ(removeStream(), NATS_OK);
  a.carrier->tell("nod_a feed ven_1 ");
  until([&] { return warnings() >= 1; });
  until([&] { return a.carrier->connected(); });
  a.heard.clear();
  a.carrier->tell("nod_a feed ven_2 ");
  until([&] { return a.has("nod_a feed ven_2 "); });
}

TEST_F(Nats, AConsumerThatHasGoneWithItsStreamIsNoticed) {
  server.start();
  auto const session = Session::open(options()).value();
  EXPECT_TRUE(session->check());
  ASSERT_EQ(removeStream(), NATS_OK);
  EXPECT_FALSE(session->check());
}

TEST_F(Nats, TwoInstallationsOnOneServerDoNotHearEachOther) {
  server.start();
  auto other = options();
  other.stream = "staging";
  Node a(loop, log, options());
  Node b(loop, log, other);
  until([&] { return a.carrier->connected() && b.carrier->connected(); });
  a.carrier->tell("nod_a feed ven_1 ");
  until([&] { return a.has("nod_a feed ven_1 "); });
  b.carrier->tell("nod_b feed ven_1 ");
  until([&] { return b.has("nod_b feed ven_1 "); });
  EXPECT_FALSE(b.has("nod_a feed ven_1 "));
}

TEST_F(Nats, WithoutItsCredentialsItSaysWhichFileItWants) {
  server.start();
  auto wrong = options();
  wrong.credentials_file = "/nowhere/garland.creds";
  Node a(loop, log, wrong);
  until([&] { return warnings() == 1; });
  EXPECT_THAT(logged(), Contains(HasSubstr("/nowhere/garland.creds")));
}

TEST(NatsUser, NeedsNoMoreRightsThanTheDecisionNames) {
  NatsFixture server(R"(authorization { users: [ { user: garlandd, password: some, permissions: {
    publish: ["garland.lines", "$JS.API.STREAM.INFO.garland", "$JS.API.STREAM.CREATE.garland",
              "$JS.API.CONSUMER.*.garland", "$JS.API.CONSUMER.*.garland.>"],
    subscribe: ["_INBOX.>"] } } ] })");
  server.start();
  Options options;
  options.limit = kPatience;
  options.servers = server.url("nats", "garlandd:some@"); // as no setting may say it
  auto const session = Session::open(options);
  ASSERT_TRUE(session) << session.error().message;
  EXPECT_TRUE((*session)->publish("nod_a feed ven_1 "));
  EXPECT_TRUE((*session)->check());
  EXPECT_EQ((*session)->next().value(), "nod_a feed ven_1 ");
}

class EncryptedNats : public ::testing::Test {
protected:
  // Signed by itself.
  static std::string certificateIn(TestFolder const& folder, std::string const& address) {
    auto const made = std::system(
        ("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
         "-subj /CN=nats -addext subjectAltName=IP:" +
         address + " -keyout " + (folder / "key.pem") + " -out " + (folder / "cert.pem") + " 2>/dev/null")
            .c_str());
    EXPECT_EQ(made, 0);
    return folder / "cert.pem";
  }

  static std::string settingsIn(TestFolder const& folder) {
    return "tls { cert_file: \"" + (folder / "cert.pem") + "\", key_file: \"" + (folder / "key.pem") + "\" }";
  }
};

TEST_F(EncryptedNats, ItsCertificateIsCheckedAgainstTheAuthorities) {
  TestFolder const folder;
  auto const certificate = certificateIn(folder, loopbackOfThisProcess());
  NatsFixture server(settingsIn(folder));
  server.start();
  Options options;
  options.servers = server.url("tls");
  options.limit = kPatience;
  EXPECT_FALSE(Session::open(options)) << "the system does not know it";
  options.ca_file = certificate;
  auto const session = Session::open(options);
  EXPECT_TRUE(session) << session.error().message;
}

TEST_F(EncryptedNats, ACertificateForAnotherAddressIsRefused) {
  TestFolder const folder;
  Options options;
  options.ca_file = certificateIn(folder, "127.0.0.1");
  NatsFixture server(settingsIn(folder));
  server.start();
  options.servers = server.url("tls");
  options.limit = kPatience;
  auto const session = Session::open(options);
  ASSERT_FALSE(session);
  EXPECT_THAT(session.error().message, HasSubstr("IP address mismatch"));
}

} // namespace
} // namespace garland::nats
