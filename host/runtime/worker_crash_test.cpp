// Plugins that die, hang or cannot be loaded: the worker says which one and at what, and ends.
#include "host/base/test_folder.h"
#include "host/runtime/test_worker.h"
#include "tests/places/places.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <fstream>
#include <sys/wait.h>

namespace garland::runtime {
namespace {

using testing::HasSubstr;
using wire::Kind;

struct End {
  std::uint64_t call = 0;
  wire::Dying dying;
  int status = -1;
  std::string output;
};

End endOf(char const* plugin, char const* operation) {
  TestWorker worker(plugin);
  End end;
  if (!worker.start()) return end;
  worker.call(1, "test.wait/1", "{}", "1"); // an innocent one beside it
  worker.call(7, operation, "{}", "2");
  if (auto const message = worker.receive(Kind::dying)) {
    end.call = message->id;
    if (auto dying = wire::decode<wire::Dying>(message->payload)) end.dying = *dying;
  }
  end.status = worker.waitExit();
  end.output = worker.output();
  return end;
}

#ifndef GARLAND_SANITIZER_BUILD
constexpr bool kSanitized = false;
#else
constexpr bool kSanitized = true; // faults are reported by the sanitizer, which exits
#endif

void expectSignal(End const& end, int signal) {
  if (kSanitized && signal != SIGABRT) {
    EXPECT_TRUE(WIFEXITED(end.status) || WIFSIGNALED(end.status));
    return;
  }
  ASSERT_TRUE(WIFSIGNALED(end.status));
  EXPECT_EQ(WTERMSIG(end.status), signal);
}

TEST(WorkerCrash, ACrashNamesItsCall) {
  auto const end = endOf("calls", "test.crash/1");
  EXPECT_EQ(end.call, 7U);
  EXPECT_EQ(end.dying.operation, "test.crash/1");
  if (!kSanitized) EXPECT_EQ(end.dying.reason, "SIGSEGV");
  expectSignal(end, SIGSEGV);
  EXPECT_THAT(end.output, HasSubstr("while test.crash/1 ran"));
}

TEST(WorkerCrash, EndlessRecursionMeetsTheGuardOfItsStack) {
  auto const end = endOf("calls", "test.recurse/1");
  EXPECT_EQ(end.call, 7U);
  EXPECT_EQ(end.dying.operation, "test.recurse/1");
  if (!kSanitized) EXPECT_THAT(end.dying.reason, HasSubstr("stack"));
  expectSignal(end, SIGSEGV);
}

TEST(WorkerCrash, AbortNamesItsCall) {
  auto const end = endOf("calls", "test.abort/1");
  EXPECT_EQ(end.call, 7U);
  EXPECT_EQ(end.dying.operation, "test.abort/1");
  EXPECT_EQ(end.dying.reason, "SIGABRT");
  expectSignal(end, SIGABRT);
}

TEST(WorkerCrash, ACallThatSpinsIsEndedByTheWatchdog) {
  auto const end = endOf("calls", "test.spin/1");
  EXPECT_EQ(end.call, 7U);
  EXPECT_EQ(end.dying.operation, "test.spin/1");
  EXPECT_THAT(end.dying.reason, HasSubstr("watchdog"));
  ASSERT_TRUE(WIFEXITED(end.status));
  EXPECT_EQ(WEXITSTATUS(end.status), wire::kExitWatchdog);
}

TEST(WorkerCrash, APluginThatExitsIsSeenByItsCode) {
  TestWorker worker("calls");
  ASSERT_TRUE(worker.start());
  worker.call(7, "test.leave/1");
  EXPECT_FALSE(worker.receive());
  auto const status = worker.waitExit();
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 9);
}

TEST(WorkerCrash, GarbageOfAPluginOnTheSocketIsFoundOutByTheHost) {
  TestWorker worker("calls");
  ASSERT_TRUE(worker.start());
  worker.call(7, "test.garbage/1", std::string(100, '\xfe'));
  // The stream is broken from there on: no message is made up of it.
  EXPECT_FALSE(worker.receive());
}

TEST(WorkerCrash, TheFlightPageNamesTheCallThatHeldTheProcessor) {
  TestWorker worker("calls");
  ASSERT_TRUE(worker.start());
  ASSERT_TRUE(worker.run("test.echo/1", "1"));
  EXPECT_EQ(worker.flight().call_id.load(), 0U);
  auto const before = worker.flight().slices.load();
  worker.call(7, "test.spin/1");
  while (worker.flight().call_id.load() != 7) {
    ASSERT_LT(worker.flight().slices.load(), before + 10);
  }
  EXPECT_GT(worker.flight().slices.load(), before);
}

// ---------------------------------------------------------------- loading

wire::LoadFailed loadFailureOf(std::string const& plugin) {
  TestWorker worker(plugin);
  auto failed = worker.receiveAs<wire::LoadFailed>(Kind::loadFailed);
  auto const status = worker.waitExit();
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), wire::kExitLoadFailed);
  return failed.value_or(wire::LoadFailed{});
}

TEST(WorkerLoad, APluginWithoutTheEntrySaysSo) {
  auto const failed = loadFailureOf("broken_no_entry");
  EXPECT_EQ(failed.stage, "symbol");
  EXPECT_THAT(failed.reason, HasSubstr("garland_entry_v1"));
}

TEST(WorkerLoad, AMissingFunctionIsNamed) {
  auto const failed = loadFailureOf("broken_undefined");
  EXPECT_EQ(failed.stage, "load");
  EXPECT_THAT(failed.reason, HasSubstr("a_function_that_nobody_has"));
}

TEST(WorkerLoad, AnEntryThatRefusesIsTold) {
  auto const failed = loadFailureOf("broken_refuses");
  EXPECT_EQ(failed.stage, "entry");
  EXPECT_THAT(failed.reason, HasSubstr("unsupported"));
}

TEST(WorkerLoad, AnIncompleteDescriptorIsRefused) {
  auto const failed = loadFailureOf("broken_incomplete");
  EXPECT_EQ(failed.stage, "entry");
  EXPECT_THAT(failed.reason, HasSubstr("find_op"));
}

TEST(WorkerLoad, AFileThatIsNoSharedObjectIsRefused) {
  auto const failed = loadFailureOf(inSources("/host/runtime/wire.h"));
  EXPECT_EQ(failed.stage, "load");
  EXPECT_THAT(failed.reason, HasSubstr("invalid ELF header"));
}

TEST(WorkerLoad, ATruncatedObjectIsRefusedOrItsDeathIsNamed) {
  std::ifstream whole(inBuild("/tests/plugins/calls.so"), std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(whole)), {});
  TestFolder const folder;
  auto const path = folder / "truncated.so";
  std::ofstream(path, std::ios::binary) << bytes.substr(0, 700);
  TestWorker worker(path);
  ASSERT_TRUE(worker.receive(Kind::closed));
  auto const message = worker.receive();
  ASSERT_TRUE(message);
  EXPECT_TRUE(message->kind == Kind::loadFailed || message->kind == Kind::dying);
  EXPECT_GE(worker.waitExit(), 0);
}

TEST(WorkerLoad, APluginThatDiesInAStaticInitialiserIsNamed) {
  TestWorker worker("broken_dies");
  auto const dying = worker.receiveAs<wire::Dying>(Kind::dying);
  ASSERT_TRUE(dying);
  EXPECT_EQ(dying->reason, "SIGABRT");
  EXPECT_EQ(dying->operation, "loading the plugin");
  EXPECT_TRUE(WIFSIGNALED(worker.waitExit()));
}

TEST(WorkerLoad, APluginThatSpinsInAStaticInitialiserIsEnded) {
  TestWorker worker("broken_spins");
  auto const dying = worker.receiveAs<wire::Dying>(Kind::dying);
  ASSERT_TRUE(dying);
  EXPECT_EQ(dying->operation, "loading the plugin");
  auto const status = worker.waitExit();
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), wire::kExitWatchdog);
}

TEST(WorkerLoad, AnUnknownOptionIsRefused) {
  TestWorker worker("calls", {"--no-such-option"});
  auto const status = worker.waitExit();
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), wire::kExitUsage);
}

} // namespace
} // namespace garland::runtime
