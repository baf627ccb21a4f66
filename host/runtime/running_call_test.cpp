// One call and the messages of a worker that no honest one sends. Whole workers: supervisor_hostile_test.cpp.
#include "host/runtime/running_call.h"

#include "host/runtime/host_test_kit.h"
#include "host/runtime/talk_meter.h"

#include <array>
#include <sys/socket.h>
#include <vector>

namespace garland::runtime::testing {
namespace {

class LoneCall : public ::testing::Test, public Connection::Owner {
protected:
  void SetUp() override {
    std::array<int, 2> pair{};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()), 0);
    worker_end = OwnedFd(pair[0]);
    auto connection = std::make_shared<Connection>(loop.get_executor(), OwnedFd(pair[1]), *this);
    auto asked = std::make_shared<WorkerCall>(std::make_shared<JournalBudget>());
    asked->ask.operation = "test.echo/1";
    asked->plugin_id = "test";
    asked->deadline = std::chrono::steady_clock::now() + std::chrono::hours(1);
    call = std::make_shared<RunningCall>(loop.get_executor(), std::move(connection), 1, std::move(asked),
                                         host, CallLimits());
  }
  void TearDown() override {
    call->fail(Error(ErrorKind::cancelled, "the test ends"));
    loop.run();
  }

  void onMessage(wire::Message) override {}
  void onClosed() override {}
  void onBroken(std::string) override {}

  template <class Payload> Result<void> hear(wire::Kind kind, Payload const& payload) {
    return call->onMessage(kind, wire::encode(payload));
  }
  // The violation, and that nothing of the ask was kept or handed on.
  template <class Payload>
  void expectViolation(wire::Kind kind, Payload const& ask, std::string const& part) {
    auto const heard = hear(kind, ask);
    ASSERT_FALSE(heard) << part;
    EXPECT_NE(heard.error().message.find(part), std::string::npos) << heard.error().message;
    CrashReport report;
    call->recorder().fill(report);
    EXPECT_TRUE(report.host_calls.empty());
    loop.restart();
    loop.poll();
    EXPECT_TRUE(host.asks.empty());
  }
  // How many messages of a kind are taken before it is too much; 0: all of many.
  template <class Payload> std::size_t takenOf(wire::Kind kind, Payload const& payload) {
    for (std::size_t i = 0; i < 10 * TalkMeter::kMost; ++i) {
      auto const heard = hear(kind, payload);
      if (heard) continue;
      EXPECT_EQ(heard.error().message, "it flooded the host with log lines and progress");
      return i;
    }
    return 0;
  }

  asio::io_context loop{1};
  OwnedFd worker_end;
  KeepingHost host;
  std::shared_ptr<RunningCall> call;
};

std::string const kLong(1U << 20U, 'x');

wire::HttpAsk request() {
  wire::HttpAsk ask;
  ask.request = 1;
  ask.method = "GET";
  ask.url = "https://example.test/";
  return ask;
}

TEST_F(LoneCall, ARequestLargerThanAWorkerSendsIsAViolationAndIsNotKept) {
  auto ask = request();
  ask.method = kLong;
  expectViolation(wire::Kind::httpAsk, ask, "HTTP method");
  ask = request();
  ask.url = kLong;
  expectViolation(wire::Kind::httpAsk, ask, "URL");
  ask = request();
  ask.credential_slot = kLong;
  expectViolation(wire::Kind::httpAsk, ask, "credential slot");
  ask = request();
  ask.idempotency_key = kLong;
  expectViolation(wire::Kind::httpAsk, ask, "idempotency key");
  ask = request();
  ask.headers.assign(257, {"a", "b"});
  expectViolation(wire::Kind::httpAsk, ask, "headers");
  ask = request();
  ask.headers.assign(1, {"a", kLong});
  expectViolation(wire::Kind::httpAsk, ask, "headers");
}

TEST_F(LoneCall, AKeyOrValueLargerThanAWorkerSendsIsAViolationAndIsNotKept) {
  expectViolation(wire::Kind::kvGet, wire::KvGet{1, kLong}, "key");
  expectViolation(wire::Kind::kvGet, wire::KvGet{1, ""}, "key");
  expectViolation(wire::Kind::kvPut, wire::KvPut{1, kLong, "value", 0, 0}, "key");
  expectViolation(wire::Kind::kvPut, wire::KvPut{1, "key", std::string(5U << 20U, 'x'), 0, 0}, "value");
}

TEST_F(LoneCall, LongAddressesPushOlderAsksOutOfTheRecord) {
  auto ask = request();
  ask.url += std::string(16'000, 'u');
  for (std::uint32_t i = 1; i <= 40; ++i) {
    ask.request = i;
    ASSERT_TRUE(hear(wire::Kind::httpAsk, ask));
    loop.restart();
    loop.poll();
  }
  CrashReport report;
  call->recorder().fill(report);
  EXPECT_EQ(report.host_calls.size(), CallRecorder::kMostTexts / (ask.url.size() + ask.method.size()));
  EXPECT_EQ(report.host_calls.back().url, ask.url);
  EXPECT_TRUE(report.host_calls.back().answered);
}

TEST_F(LoneCall, LinesThatNobodyKeepsAreHeardForAWhileAndNotForEver) {
  auto const taken = takenOf(wire::Kind::log, wire::Log{1, "a line", ""});
  EXPECT_GE(taken, CallLimits().log_lines + TalkMeter::kMost);
  EXPECT_EQ(host.logs.size(), CallLimits().log_lines + 1) << "and the remark that there were more";
}

TEST_F(LoneCall, ProgressWithoutEndIsAViolation) {
  EXPECT_GE(takenOf(wire::Kind::progress, wire::Progress{1, 2, "items"}), TalkMeter::kMost);
}

// Clocks are handed in: the call's deadline is an hour away.
TEST_F(LoneCall, AWorkerThatGetsNoProcessorHasMoreThanASecondToStop) {
  using namespace std::chrono_literals;
  auto const told = call->call().deadline;
  EXPECT_FALSE(call->overdue(told, 100s));
  EXPECT_FALSE(call->overdue(told + 2s, 100s)) << "nobody let it run";
  EXPECT_FALSE(call->overdue(told + 9s, 100s + 999ms));
  EXPECT_TRUE(call->overdue(told + 9s, 101s)) << "it had a second of its own";
}

TEST_F(LoneCall, AWorkerThatDoesNotStopIsWaitedForASecondAndNeverMuchLonger) {
  using namespace std::chrono_literals;
  auto const told = call->call().deadline;
  EXPECT_FALSE(call->overdue(told, 100s));
  EXPECT_FALSE(call->overdue(told + 999ms, 101s));
  EXPECT_TRUE(call->overdue(told + 1s, 101s));
}

TEST_F(LoneCall, WhatItWaitsForItsProvidersLimitIsNotItsOwnTime) {
  using namespace std::chrono_literals;
  auto const deadline = call->call().deadline;
  host.waits = 10min;
  EXPECT_FALSE(call->overdue(deadline + 9min, 100s));
  EXPECT_FALSE(call->overdue(deadline + 9min + 2s, 102s)) << "nobody told it to stop";
  EXPECT_FALSE(call->overdue(deadline + 10min, 103s));
  EXPECT_TRUE(call->overdue(deadline + 10min + 2s, 105s));
}

TEST_F(LoneCall, TheWorkerIsToldOfEachWaitOnce) {
  using namespace std::chrono_literals;
  for (auto const waited : {5s, 5s, 12s}) {
    host.waits = waited;
    auto ask = request();
    ASSERT_TRUE(hear(wire::Kind::httpAsk, ask));
    loop.restart();
    loop.poll();
  }
  std::array<char, 4096> bytes{};
  auto const got = ::recv(worker_end.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
  ASSERT_GT(got, 0);
  wire::Decoder decoder(wire::Direction::hostToWorker);
  decoder.feed({bytes.data(), static_cast<std::size_t>(got)});
  std::vector<std::int64_t> told;
  for (auto message = decoder.next(); message && *message; message = decoder.next())
    told.push_back(wire::decode<wire::HttpAnswer>((*message)->payload).value().waited_ms);
  EXPECT_EQ(told, (std::vector<std::int64_t>{5'000, 0, 7'000}));
}

TEST_F(LoneCall, AWorkerThatNeverGetsAProcessorIsNotWaitedForForEver) {
  using namespace std::chrono_literals;
  auto const told = call->call().deadline;
  EXPECT_FALSE(call->overdue(told, 100s));
  EXPECT_TRUE(call->overdue(told + 10s, 100s));
}

} // namespace
} // namespace garland::runtime::testing
