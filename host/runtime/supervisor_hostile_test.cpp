// Workers and plugins that lie, babble or say nothing: refused or ended by name, never believed. Some lies
// are told in tests/hostile as well, by a real worker; here the host that hears them is a sanitized one, too.
#include "host/base/test_folder.h"
#include "host/runtime/host_test_kit.h"
#include "host/runtime/work_watch.h"
#include "tests/places/places.h"

namespace garland::runtime::testing {
namespace {

using namespace std::chrono_literals;

// What the host says of a worker that does `what` (test_plugins/host_probe.c).
std::string endAfter(Runtime& runtime, int what) {
  auto const result = runtime.call("raw", json::value{{"what", what}});
  EXPECT_FALSE(result);
  if (result) return {};
  EXPECT_EQ(result.error().provider_code, "poisoned") << "it did so again in a worker of its own";
  EXPECT_TRUE(runtime.call("echo")) << "the next call";
  return result.error().message;
}

void expectIn(std::string const& part, std::string const& text) {
  EXPECT_NE(text.find(part), std::string::npos) << text;
}

TEST(HostileWorker, GarbageInsteadOfAFrameEndsIt) {
  Runtime runtime;
  expectIn("ended by the host because it broke the protocol", endAfter(runtime, 1));
}

TEST(HostileWorker, AnAnswerForACallThatDoesNotRunEndsIt) {
  Runtime runtime;
  expectIn("because it sent a done for a call that does not run", endAfter(runtime, 2));
}

TEST(HostileWorker, AFrameOfTwoGigabytesEndsIt) {
  Runtime runtime;
  expectIn("claims 2147483648 bytes", endAfter(runtime, 3));
}

TEST(HostileWorker, AMessageThatOnlyTheHostMaySendEndsIt) {
  Runtime runtime;
  expectIn("broke the protocol", endAfter(runtime, 4));
}

TEST(HostileWorker, ClosingTheConnectionEndsIt) {
  Runtime runtime;
  auto const how = endAfter(runtime, 5);
  EXPECT_TRUE(how.find("closed its connection") != std::string::npos ||
              how.find("exit code 0") != std::string::npos)
      << how;
}

TEST(HostileWorker, LeavingInTheMiddleOfACallIsADeath) {
  Runtime runtime;
  expectIn("ended although nobody had asked it to (exit code 0; its connection to the host was closed) while "
           "test.raw/1 of test.host_probe ran",
           endAfter(runtime, 6));
}

TEST(HostileWorker, AResultThatIsNotJsonIsNotHandedOn) {
  Runtime runtime;
  auto const result = runtime.call("raw", json::value{{"what", 9}});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::pluginBug);
  expectIn("the result of test.raw/1 of test.host_probe is not JSON", result.error().message);
  EXPECT_TRUE(runtime.call("echo")) << "the next call";
}

TEST(HostileWorker, ASecondGreetingEndsIt) {
  Runtime runtime;
  expectIn("because it ", endAfter(runtime, 7));
}

TEST(HostileWorker, APluginThatLiesAboutItsIdIsRefusedForGood) {
  Runtime runtime;
  runtime.info = plugin("host_liar");
  for (int i = 0; i < 2; ++i) {
    auto const result = runtime.call("echo");
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().kind, ErrorKind::pluginBug);
    EXPECT_EQ(result.error().provider_code, "plugin_refused");
    expectIn("the plugin of test.host_liar calls itself \"test.somebody_else\"", result.error().message);
  }
  EXPECT_EQ(runtime.worker().state, "stopped");
}

TEST(HostileWorker, AnObjectReplacedAfterTheScanIsRefused) {
  Runtime runtime;
  TestFolder const own;
  auto const folder = own / "test.host_probe";
  auto bytes = readFile(runtime.info.path);
  writeFile(folder + "/connector.json", readFile(kPlugins + "/test.host_probe/connector.json"));
  writeFile(folder + "/connector.so", bytes);
  auto const catalogue = Catalogue::scan({own.path()}, manifestSchema());
  ASSERT_NE(catalogue.find("host_probe"), nullptr);
  runtime.info = *catalogue.find("host_probe");
  ASSERT_EQ(runtime.info.refusal, "");
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  writeFile(folder + "/connector.so", bytes);
  auto const result = runtime.call("echo");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::pluginBug);
  expectIn("changed since it was catalogued", result.error().message);
}

TEST(HostileWorker, ARefusedPluginIsNeverStarted) {
  Runtime runtime;
  runtime.info.refusal = "connector.so is not an ELF file";
  auto const result = runtime.call("echo");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::unsupported);
  expectIn("connector.so is not an ELF file", result.error().message);
  EXPECT_TRUE(runtime.supervisor->workers().empty());
}

SupervisorOptions fakeWorker(int number) {
  SupervisorOptions options;
  options.worker_path = inBuild("/tests/garland_fake_worker_") + std::to_string(number);
  options.handshake = number == 1 ? 100ms : 5000ms;
  return options;
}

TEST(HostileWorker, AWorkerThatNeverGreetsIsEnded) {
  Runtime runtime(fakeWorker(1));
  auto const result = runtime.call("echo");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::transient);
  EXPECT_EQ(result.error().effect, Effect::notApplied);
  expectIn("because it did not greet the host within 100 ms", result.error().message);
}

TEST(HostileWorker, TierDIsRefusedUnlessTheOperatorAllowsIt) {
  Runtime strict(fakeWorker(2));
  auto const refused = strict.call("echo");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::unsupported);
  expectIn("sandbox tier D", refused.error().message);

  auto options = fakeWorker(2);
  options.allow_degraded_sandbox = true;
  Runtime lenient(std::move(options));
  auto const allowed = lenient.call("echo", json::object(), 50ms); // this stand-in never answers a call
  ASSERT_FALSE(allowed);
  EXPECT_EQ(allowed.error().provider_code, "deadline");
}

TEST(HostileWorker, AnInitialiserCannotSpeakForTheSandbox) {
  Runtime runtime;
  runtime.info = plugin("host_early");
  auto const result = runtime.call("echo");
  ASSERT_FALSE(result);
  expectIn("because it described its sandbox twice", result.error().message + runtime.worker().last_exit);
}

TEST(HostileWorker, AGreetingWithoutAWordAboutTheSandboxEndsIt) {
  Runtime runtime(fakeWorker(5));
  auto const result = runtime.call("echo");
  ASSERT_FALSE(result);
  expectIn("because it greeted the host before it had described its sandbox", result.error().message);
}

TEST(HostileWorker, AWorkerOfAWorseTierThanTheMachineOffersIsRefused) {
  auto options = fakeWorker(2);
  options.allow_degraded_sandbox = true;
  options.expected_tier = SandboxTier::b;
  Runtime runtime(std::move(options));
  auto const result = runtime.call("echo");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::unsupported);
  expectIn("worse sandbox tier", result.error().message);
}

TEST(HostileWorker, AWorkerThatDoesNotReadIsEnded) {
  Runtime runtime(fakeWorker(3));
  auto const result = runtime.call("echo", json::value{{"text", std::string(16U << 20U, 'x')}});
  ASSERT_FALSE(result);
  auto const patience = std::to_string(WorkWatch::kDeaf.count());
  expectIn("because it has not read for " + patience + " s what the host sends",
           runtime.supervisor->events().front().reason);
}

TEST(HostileWorker, AWorkerThatEndsRightAfterItsGreetingFailsTheCall) {
  Runtime runtime(fakeWorker(4));
  auto const result = runtime.call("echo");
  ASSERT_FALSE(result);
  expectIn("exit code 7", result.error().message + runtime.worker().last_exit);
}

TEST(HostileWorker, AMissingWorkerProgramIsNamed) {
  SupervisorOptions options;
  options.worker_path = "/nonexistent/garland-worker";
  Runtime runtime(std::move(options));
  auto const result = runtime.call("echo");
  ASSERT_FALSE(result);
  expectIn("starting /nonexistent/garland-worker failed: No such file or directory", result.error().message);
}

} // namespace
} // namespace garland::runtime::testing
