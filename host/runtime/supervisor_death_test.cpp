// How workers end, and what that does to calls: every call is answered once, and the next one works.
#include "host/runtime/host_test_kit.h"
#include "tests/places/places.h"

#include <dirent.h>
#include <sys/wait.h>

#include <csignal>
#include <set>

namespace garland::runtime::testing {
namespace {

using namespace std::chrono_literals;

// One call to `operation`, and `act` as soon as it reports progress or asks for HTTP.
struct Running {
  Running(Runtime& runtime, std::string operation, std::function<void()> act) : runtime_(runtime) {
    runtime.host.on_progress = [act = std::move(act)](std::string const&) { act(); };
    runtime.spawn(runtime.task(std::move(operation), runtime.host), [this](Result<json::value> result) {
      EXPECT_FALSE(ended) << "answered twice";
      ended = std::move(result);
    });
  }
  Result<json::value> const& wait() {
    runtime_.runUntil([this] { return ended.has_value(); });
    return *ended;
  }
  Runtime& runtime_;
  std::optional<Result<json::value>> ended;
};

std::set<std::string> openDescriptors() {
  std::set<std::string> out;
  auto* folder = ::opendir("/proc/self/fd");
  while (auto const* entry = ::readdir(folder)) {
    if (entry->d_name[0] != '.' && std::stoi(entry->d_name) != ::dirfd(folder)) out.insert(entry->d_name);
  }
  ::closedir(folder);
  return out;
}

bool hasChildren() {
  siginfo_t info{};
  return ::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

TEST(WorkerDeath, ACallWhoseWorkersAreAllKilledFailsAndTheNextCallWorks) {
  Runtime runtime;
  Running running(runtime, "wait", [] { signalWorkers(SIGKILL); });
  auto const& result = running.wait();
  ASSERT_FALSE(result);
  auto const& error = result.error();
  EXPECT_EQ(error.kind, ErrorKind::transient);
  EXPECT_EQ(error.provider_code, "worker_died");
  EXPECT_EQ(error.effect, Effect::unknown);
  EXPECT_NE(error.message.find("test.host_probe was killed by SIGKILL while test.wait/1"), std::string::npos)
      << error.message;
  EXPECT_EQ(runtime.host.restarts, 2);
  EXPECT_TRUE(runtime.call("echo"));
  EXPECT_EQ(runtime.worker().restarts, 2U) << "the third worker of the call was its own";
  EXPECT_EQ(runtime.worker().last_exit, "was killed by SIGKILL while test.wait/1 of test.host_probe ran");
}

TEST(WorkerDeath, EveryCallOfADeadWorkerIsAnsweredExactlyOnce) {
  Runtime runtime;
  int waiting = 0;
  int ended = 0;
  runtime.host.on_progress = [&](std::string const&) {
    if (++waiting % 40 == 0 || waiting > 80) signalWorkers(SIGKILL);
  };
  for (int n = 0; n < 40; ++n) {
    runtime.spawn(runtime.task("wait", runtime.host, json::value{{"n", n}}), [&](Result<json::value> result) {
      ASSERT_FALSE(result);
      EXPECT_EQ(result.error().provider_code, "worker_died") << result.error().message;
      ++ended;
    });
  }
  runtime.runUntil([&] { return ended == 40; });
  EXPECT_TRUE(runtime.call("echo"));
  EXPECT_EQ(ended, 40);
}

TEST(WorkerDeath, ACrashNamesItsSignalAndOperation) {
  Runtime runtime;
  auto const result = runtime.call("crash");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().provider_code, "poisoned");
#if __has_feature(address_sanitizer)
  auto const cause = "a sanitizer's report"; // it catches the signal first
#else
  auto const cause = "SIGSEGV";
#endif
  EXPECT_NE(result.error().message.find(cause), std::string::npos) << result.error().message;
  EXPECT_NE(result.error().message.find("while test.crash/1 of test.host_probe ran"), std::string::npos)
      << result.error().message;
}

TEST(WorkerDeath, APluginThatIgnoresItsDeadlineCostsItsWorkerOnly) {
  Runtime runtime;
  ASSERT_TRUE(runtime.call("echo")); // the worker is there: the deadline passes in the plugin
  auto const result = runtime.call("hang", json::object(), 100ms);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().provider_code, "deadline");
  EXPECT_TRUE(runtime.call("echo"));
  EXPECT_NE(runtime.worker().last_exit.find("did not stop test.hang/1"), std::string::npos)
      << runtime.worker().last_exit;
}

TEST(WorkerDeath, TheOthersOfAHangingCallAreRunAgain) {
  SupervisorOptions options;
  options.drain = 10ms;
  Runtime runtime(std::move(options));
  KeepingHost other;
  std::optional<Result<json::value>> waited;
  runtime.spawn(runtime.task("wait", other), [&](Result<json::value> result) { waited = std::move(result); });
  runtime.runUntil([&] { return other.progress_done == 1; });
  auto const hung = runtime.call("hang", json::object(), 100ms);
  ASSERT_FALSE(hung);
  runtime.runUntil([&] { return other.restarts == 1; });
  EXPECT_FALSE(waited);
  EXPECT_NE(runtime.worker().last_exit.find("did not stop test.hang/1"), std::string::npos)
      << runtime.worker().last_exit;
  EXPECT_TRUE(runtime.run(runtime.supervisor->shutdown()));
  EXPECT_TRUE(waited);
}

TEST(WorkerDeath, WhoKeptAnotherCallFromStoppingIsTheSuspect) {
  SupervisorOptions options;
  options.drain = 10ms;
  Runtime runtime(std::move(options));
  KeepingHost other;
  std::optional<Result<json::value>> waited;
  runtime.spawn(runtime.task("wait", other, json::object(), 1000ms),
                [&](Result<json::value> result) { waited = std::move(result); });
  runtime.runUntil([&] { return other.progress_done == 1; });
  runtime.spawn(runtime.task("hang", runtime.host), [](Result<json::value> const&) {});
  runtime.runUntil([&] { return runtime.host.restarts == 1; });
  ASSERT_TRUE(waited);
  EXPECT_EQ(waited->error().provider_code, "deadline");
  auto const alone = [](std::string const& line) {
    return line.find("a call is run again") != line.npos && line.find("\"alone\":true") != line.npos;
  };
  EXPECT_TRUE(std::ranges::any_of(runtime.log_lines, alone));
  EXPECT_TRUE(runtime.run(runtime.supervisor->shutdown()));
}

// Restarts at once, so that only what is counted can keep the next worker back.
SupervisorOptions hasty(std::string worker_path) {
  SupervisorOptions options;
  options.worker_path = std::move(worker_path);
  options.restart_base = options.restart_cap = 1ms;
  return options;
}

TEST(WorkerDeath, AWorkerThatCannotBeStartedIsNoDeathOfItsBuild) {
  VirtualClock clock{TimePoint{}};
  Runtime runtime(hasty(kPlugins + "/no-such-worker"), &clock);
  for (int i = 0; i < 8; ++i) {
    auto const result = runtime.call("echo");
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().kind, ErrorKind::transient);
    EXPECT_NE(result.error().message.find("no-such-worker"), std::string::npos) << result.error().message;
    clock.advance(1ms);
  }
  EXPECT_TRUE(runtime.supervisor->events().empty());
}

TEST(WorkerDeath, OnlyASandboxThatCannotBeClosedThreeTimesRefusesThePlugin) {
  VirtualClock clock{TimePoint{}};
  Runtime runtime(hasty(inBuild("/tests/garland_fake_worker_6")), &clock);
  for (auto const expected : {ErrorKind::transient, ErrorKind::transient, ErrorKind::unsupported}) {
    auto const result = runtime.call("echo");
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().kind, expected) << result.error().message;
    EXPECT_NE(result.error().message.find("unshare failed"), std::string::npos) << result.error().message;
    clock.advance(1ms);
  }
  auto const events = runtime.supervisor->events();
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].kind, SupervisorEvent::Kind::refused);
}

TEST(WorkerDeath, AfterTheFirstDeathTheNextWorkerHasToWait) {
  VirtualClock clock{TimePoint{}};
  SupervisorOptions options;
  options.restart_base = 1000ms;
  Runtime runtime(std::move(options), &clock);
  EXPECT_FALSE(runtime.call("crash", json::value{{"n", 1}}));
  EXPECT_FALSE(runtime.call("crash", json::value{{"n", 2}})); // the second worker came at once
  EXPECT_EQ(runtime.worker().state, "backing off");
  auto const hurried = runtime.call("echo", json::object(), 100ms);
  ASSERT_FALSE(hurried);
  EXPECT_EQ(hurried.error().provider_code, "worker_backing_off");
  ASSERT_TRUE(hurried.error().retry_after);
  EXPECT_GE(*hurried.error().retry_after, 500ms);
  EXPECT_LE(*hurried.error().retry_after, 1000ms);

  std::optional<Result<json::value>> patient;
  runtime.spawn(runtime.task("echo", runtime.host),
                [&](Result<json::value> result) { patient = std::move(result); });
  runtime.runUntil([&] { return clock.sleepers() == 1; });
  clock.advance(1000ms);
  runtime.runUntil([&] { return patient.has_value(); });
  EXPECT_TRUE(*patient);
  EXPECT_EQ(runtime.worker().restarts, 2U);
}

TEST(WorkerDeath, ShutdownWaitsForRunningCallsAndThenCancelsThem) {
  SupervisorOptions options;
  options.drain = 50ms;
  Runtime runtime(std::move(options));
  Running running(runtime, "wait", [] {});
  runtime.runUntil([&] { return runtime.host.progress_done == 1; });
  EXPECT_TRUE(runtime.run(runtime.supervisor->shutdown()));
  ASSERT_TRUE(running.ended);
  EXPECT_EQ(running.ended->error().kind, ErrorKind::cancelled);
  EXPECT_TRUE(runtime.supervisor->workers().empty());
  EXPECT_FALSE(hasChildren());
  auto const late = runtime.call("echo");
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().kind, ErrorKind::transient);
}

TEST(WorkerDeath, ShutdownEndsAWorkerThatHangs) {
  SupervisorOptions options;
  options.drain = 10ms;
  Runtime runtime(std::move(options));
  Running running(runtime, "hang", [] {});
  runtime.runUntil(
      [&] { return !runtime.supervisor->workers().empty() && runtime.worker().state == "running"; });
  EXPECT_TRUE(runtime.run(runtime.supervisor->shutdown()));
  EXPECT_TRUE(running.ended);
  EXPECT_FALSE(hasChildren());
}

TEST(WorkerDeath, ASupervisorThatIsDroppedTakesItsWorkersAlong) {
  Runtime runtime;
  EXPECT_TRUE(runtime.call("echo"));
  runtime.supervisor.reset();
  EXPECT_FALSE(hasChildren());
}

TEST(WorkerDeath, TwoHundredStartsAndStopsLeaveNothingBehind) {
  std::set<std::string> before;
  for (int i = 0; i < 201; ++i) {
    {
      Runtime runtime;
      ASSERT_TRUE(runtime.call("echo")) << i;
      if (i % 3 == 1) {
        EXPECT_FALSE(runtime.call("crash"));
      }
    }
    if (i == 0) before = openDescriptors();
  }
  EXPECT_EQ(openDescriptors(), before);
  EXPECT_FALSE(hasChildren());
}

} // namespace
} // namespace garland::runtime::testing
