// Who shares a worker process, and when an idle one is ended.
#include "host/runtime/host_test_kit.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include <csignal>
#include <set>

namespace garland::runtime::testing {
namespace {

using namespace std::chrono_literals;

SupervisorOptions isolated(Isolation isolation) {
  SupervisorOptions options;
  options.isolation = isolation;
  return options;
}

Task<json::value> callOf(Runtime& runtime, std::string vendor, std::string operation, CallHost& host,
                         json::value input = json::object()) {
  Call call;
  call.operation = "test." + operation + "/1";
  call.vendor_id = std::move(vendor);
  call.account_id = "con_" + call.vendor_id;
  call.account = json::serialize(
      json::value{{"account_id", call.account_id}, {"settings", json::object()}, {"slots", json::array()}});
  call.input = json::serialize(input);
  call.deadline = 60s;
  return runtime.valueOf(runtime.supervisor->call(runtime.info, std::move(call), host));
}

std::set<int> pids(Runtime const& runtime) {
  std::set<int> out;
  for (auto const& worker : runtime.supervisor->workers())
    if (worker.pid > 0) out.insert(worker.pid);
  return out;
}

bool isAlive(int pid) { return ::kill(pid, 0) == 0; }

// A request that is not answered before the test says so.
struct Gate {
  explicit Gate(Runtime& runtime) : timer(runtime.loop, asio::steady_timer::time_point::max()) {
    host.on_http = [this](HttpAsk) -> Task<HttpAnswer> {
      ++waiting;
      boost::system::error_code ignored;
      if (!is_open) co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
      HttpAnswer answer;
      answer.status = 200;
      co_return answer;
    };
  }
  void open() {
    is_open = true;
    timer.cancel();
  }
  KeepingHost host;
  asio::steady_timer timer;
  int waiting = 0;
  bool is_open = false;
};

TEST(Isolation, TheCallsOfTwoVendorsShareAWorkerUnlessToldOtherwise) {
  Runtime runtime;
  ASSERT_TRUE(runtime.run(callOf(runtime, "ven_a", "echo", runtime.host)));
  ASSERT_TRUE(runtime.run(callOf(runtime, "ven_b", "echo", runtime.host)));
  EXPECT_EQ(pids(runtime).size(), 1U);
}

TEST(Isolation, EachVendorHasAWorkerOfItsOwn) {
  Runtime runtime(isolated(Isolation::vendor));
  ASSERT_TRUE(runtime.run(callOf(runtime, "ven_a", "echo", runtime.host)));
  ASSERT_TRUE(runtime.run(callOf(runtime, "ven_b", "echo", runtime.host)));
  ASSERT_TRUE(runtime.run(callOf(runtime, "ven_a", "echo", runtime.host)));
  auto const workers = runtime.supervisor->workers();
  ASSERT_EQ(workers.size(), 2U);
  EXPECT_EQ(workers[0].vendor_id, "ven_a");
  EXPECT_EQ(workers[1].vendor_id, "ven_b");
  EXPECT_NE(workers[0].pid, workers[1].pid);
  EXPECT_EQ(workers[0].restarts + workers[1].restarts, 0U);
}

TEST(Isolation, OneVendorsCrashDoesNotTouchAnothersCalls) {
  Runtime runtime(isolated(Isolation::vendor));
  Gate gate(runtime);
  std::optional<Result<json::value>> other;
  runtime.spawn(callOf(runtime, "ven_b", "http", gate.host, json::value{{"count", 1}}),
                [&](Result<json::value> result) { other = std::move(result); });
  runtime.runUntil([&] { return gate.waiting == 1; });
  auto const pid = *pids(runtime).begin();
  EXPECT_FALSE(runtime.run(callOf(runtime, "ven_a", "crash", runtime.host)));
  EXPECT_FALSE(other);
  gate.open();
  runtime.runUntil([&] { return other.has_value(); });
  ASSERT_TRUE(*other) << other->error().message;
  EXPECT_EQ(gate.waiting, 1) << "the call was run again";
  EXPECT_TRUE(pids(runtime).contains(pid));
}

// Vendor A's calls end their worker, each by another input; vendor B's do not.
struct TwoVendors {
  explicit TwoVendors(Isolation isolation) : runtime(withLongIdle(isolation), &clock) {}
  static SupervisorOptions withLongIdle(Isolation isolation) {
    auto options = isolated(isolation);
    options.idle_vendor = 24h;
    return options;
  }
  Error crashOfA() {
    clock.advance(10s); // over the pause after a death
    auto const result =
        runtime.run(callOf(runtime, "ven_a", "crash", runtime.host, json::value{{"n", ++calls}}));
    return result ? Error() : result.error();
  }
  Result<json::value> answer(std::string vendor) {
    return runtime.run(callOf(runtime, std::move(vendor), "echo", runtime.host));
  }
  void untilHalfOpen() {
    for (int i = 0; i < 5; ++i) EXPECT_EQ(crashOfA().provider_code, "poisoned");
    EXPECT_EQ(crashOfA().provider_code, "worker_backing_off");
  }
  void untilQuarantined() {
    untilHalfOpen();
    for (int trial = 0; trial < 3; ++trial) {
      clock.advance(30s);
      EXPECT_EQ(crashOfA().provider_code, "poisoned");
    }
  }
  std::string stateOfA() const {
    for (auto const& worker : runtime.supervisor->workers())
      if (worker.vendor_id == "ven_a") return worker.state;
    return "none";
  }
  int calls = 0;
  VirtualClock clock{TimePoint{}};
  Runtime runtime;
};

class WithoutSharing : public ::testing::TestWithParam<Isolation> {};

TEST_P(WithoutSharing, AVendorWhoseWorkersKeepDyingSlowsNobodyElseDown) {
  TwoVendors vendors(GetParam());
  ASSERT_TRUE(vendors.answer("ven_b"));
  vendors.untilHalfOpen();
  EXPECT_EQ(vendors.stateOfA(), "half open");
  ASSERT_TRUE(vendors.answer("ven_b")) << "at once: the clock stands still";
  for (int trial = 0; trial < 3; ++trial) {
    vendors.clock.advance(30s);
    vendors.crashOfA();
    ASSERT_TRUE(vendors.answer("ven_b"));
  }
  auto const refused = vendors.answer("ven_a");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().provider_code, "plugin_quarantined");
  EXPECT_NE(refused.error().message.find("for ven_a"), std::string::npos) << refused.error().message;
  EXPECT_EQ(vendors.stateOfA(), "quarantined");
  EXPECT_TRUE(vendors.answer("ven_b"));
  ASSERT_TRUE(vendors.runtime.run(vendors.runtime.supervisor->release("test.host_probe")));
  EXPECT_TRUE(vendors.answer("ven_a"));
}

TEST_P(WithoutSharing, ABuildThatWorksForNobodyElseIsQuarantinedForAll) {
  TwoVendors vendors(GetParam());
  vendors.untilQuarantined();
  auto const refused = vendors.answer("ven_b");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().provider_code, "plugin_quarantined");
  auto const released = vendors.runtime.run(vendors.runtime.supervisor->release("test.host_probe"));
  ASSERT_TRUE(released) << released.error().message;
  EXPECT_EQ(released->outcome, Adoption::Outcome::released);
  EXPECT_TRUE(vendors.answer("ven_b"));
  EXPECT_TRUE(vendors.answer("ven_a"));
  auto const again = vendors.runtime.run(vendors.runtime.supervisor->release("test.host_probe"));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().kind, ErrorKind::conflict);
}

TEST_P(WithoutSharing, ATrialThatGoesWellLetsTheVendorInAgain) {
  TwoVendors vendors(GetParam());
  vendors.untilHalfOpen();
  vendors.clock.advance(30s);
  EXPECT_TRUE(vendors.answer("ven_a"));
  EXPECT_TRUE(vendors.answer("ven_a"));
  EXPECT_NE(vendors.stateOfA(), "half open");
}

INSTANTIATE_TEST_SUITE_P(Isolation, WithoutSharing,
                         ::testing::Values(Isolation::vendor, Isolation::operation),
                         [](auto const& info) { return std::string(name(info.param)); });

TEST(Isolation, OnePluginsOwnSettingWins) {
  SupervisorOptions options;
  options.isolation_of["test.host_probe"] = Isolation::vendor;
  Runtime runtime(std::move(options));
  ASSERT_TRUE(runtime.run(callOf(runtime, "ven_a", "echo", runtime.host)));
  ASSERT_TRUE(runtime.run(callOf(runtime, "ven_b", "echo", runtime.host)));
  EXPECT_EQ(pids(runtime).size(), 2U);
}

TEST(Isolation, AnIsolatedOperationHasAWorkerForItselfThatEndsWithIt) {
  Runtime runtime(isolated(Isolation::operation));
  Gate gate(runtime);
  int ended = 0;
  for (int n = 0; n < 3; ++n)
    runtime.spawn(callOf(runtime, "ven_a", "http", gate.host, json::value{{"count", 1}}),
                  [&](Result<json::value> result) {
                    EXPECT_TRUE(result);
                    ++ended;
                  });
  runtime.runUntil([&] { return gate.waiting == 3; });
  auto const all = pids(runtime);
  EXPECT_EQ(all.size(), 3U);
  gate.open();
  runtime.runUntil([&] { return ended == 3 && runtime.supervisor->workers().empty(); });
  for (auto const pid : all) EXPECT_FALSE(isAlive(pid));
}

TEST(IdleWorker, IsEndedInOrderAndStartedAgainByTheNextCall) {
  VirtualClock clock{TimePoint{}};
  SupervisorOptions options;
  options.idle = 600s;
  Runtime runtime(std::move(options), &clock);
  ASSERT_TRUE(runtime.call("echo"));
  auto const pid = runtime.worker().pid;
  runtime.runUntil([&] { return clock.sleepers() == 1; });
  clock.advance(599'999ms);
  runtime.runUntil([&] { return clock.sleepers() == 1; });
  EXPECT_EQ(runtime.worker().pid, pid);
  clock.advance(61s);
  runtime.runUntil([&] { return runtime.worker().pid == 0; });
  EXPECT_FALSE(isAlive(pid));
  EXPECT_EQ(runtime.worker().state, "stopped");
  EXPECT_NE(runtime.worker().last_exit.find("exit code 0"), std::string::npos) << runtime.worker().last_exit;
  ASSERT_TRUE(runtime.call("echo")); // at once: this end was no death
  EXPECT_EQ(runtime.worker().restarts, 1U);
}

TEST(IdleWorker, ACallThatComesWhileItEndsIsAnsweredByTheNext) {
  VirtualClock clock{TimePoint{}};
  Runtime runtime({}, &clock);
  ASSERT_TRUE(runtime.call("echo"));
  auto const pid = runtime.worker().pid;
  runtime.runUntil([&] { return clock.sleepers() == 1; });
  clock.advance(3600s);
  std::optional<Result<json::value>> answer;
  runtime.loop.restart();
  runtime.loop.poll_one(); // the worker has been asked to end, or is about to be
  runtime.spawn(runtime.task("echo", runtime.host), [&](Result<json::value> result) { answer = result; });
  runtime.runUntil([&] { return answer.has_value(); });
  EXPECT_TRUE(*answer) << answer->error().message;
  EXPECT_FALSE(isAlive(pid) && runtime.worker().pid != pid);
}

TEST(IdleWorker, AWorkerWithACallIsNotIdle) {
  VirtualClock clock{TimePoint{}};
  Runtime runtime({}, &clock);
  Gate gate(runtime);
  std::optional<Result<json::value>> answer;
  runtime.spawn(callOf(runtime, "ven_a", "http", gate.host, json::value{{"count", 1}}),
                [&](Result<json::value> result) { answer = std::move(result); });
  runtime.runUntil([&] { return gate.waiting == 1 && clock.sleepers() == 1; });
  auto const pid = runtime.worker().pid;
  for (int hour = 0; hour < 3; ++hour) {
    clock.advance(3600s);
    runtime.runUntil([&] { return clock.sleepers() == 1; });
  }
  gate.open();
  runtime.runUntil([&] { return answer.has_value(); });
  ASSERT_TRUE(*answer);
  EXPECT_EQ(runtime.worker().pid, pid);
}

TEST(IdleWorker, AVendorsIsForgottenSooner) {
  VirtualClock clock{TimePoint{}};
  Runtime runtime(isolated(Isolation::vendor), &clock);
  for (int n = 0; n < 5; ++n)
    ASSERT_TRUE(runtime.run(callOf(runtime, "ven_" + std::to_string(n), "echo", runtime.host)));
  EXPECT_EQ(pids(runtime).size(), 5U);
  for (int minute = 0; minute < 2; ++minute) {
    runtime.runUntil([&] { return clock.sleepers() == 1; });
    clock.advance(60s);
    runtime.runUntil([&] { return pids(runtime).empty(); });
  }
  runtime.runUntil([&] { return runtime.supervisor->workers().empty(); });
}

} // namespace
} // namespace garland::runtime::testing
