// Calls through a real worker: results, questions, order, back-pressure, cancellation.
#include "host/runtime/host_test_kit.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>

namespace garland::runtime::testing {
namespace {

using namespace std::chrono_literals;

TEST(Supervisor, ACallAnswersWithItsResult) {
  Runtime runtime;
  auto const result = runtime.call("echo", json::value{{"text", "Grüße"}, {"n", 7}});
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(*result, (json::value{{"text", "Grüße"}, {"n", 7}}));
  EXPECT_EQ(runtime.worker().state, "idle");
  EXPECT_EQ(runtime.worker().restarts, 0U);
}

TEST(Supervisor, AnOperationWithoutAResultAnswersNull) {
  Runtime runtime;
  auto const result = runtime.call("kv");
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_TRUE(result->is_null());
  EXPECT_EQ(runtime.host.kv.at("key").value.size(), 3U);
}

TEST(Supervisor, APluginsErrorArrivesWhole) {
  Runtime runtime;
  auto const result = runtime.call("fail");
  ASSERT_FALSE(result);
  auto const& error = result.error();
  EXPECT_EQ(error.kind, ErrorKind::conflict);
  EXPECT_EQ(error.effect, Effect::notApplied);
  EXPECT_EQ(error.http_status, 412);
  EXPECT_EQ(error.provider_code, "changed");
  EXPECT_EQ(error.message, "somebody was faster");
  EXPECT_EQ(textOr(error.detail, "/current", ""), "7");
}

TEST(Supervisor, AnOperationThatTheManifestDoesNotNameIsUnsupportedWithoutAWorker) {
  Runtime runtime;
  auto const result = runtime.call("unknown");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::unsupported);
  EXPECT_TRUE(runtime.supervisor->workers().empty());
}

TEST(Supervisor, AnOperationThatThePluginLacksIsUnsupported) {
  Runtime runtime;
  auto const result = runtime.call("missing");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::unsupported);
  EXPECT_EQ(result.error().effect, Effect::notApplied);
}

TEST(Supervisor, SixtyFourCallsInterleaveTheirRequests) {
  Runtime runtime;
  int open = 0;
  int most_open = 0;
  asio::steady_timer all_in(runtime.loop, asio::steady_timer::time_point::max());
  // Nobody is answered until all have asked: that needs 64 calls to wait at the same time.
  runtime.host.on_http = [&](HttpAsk ask) -> Task<HttpAnswer> {
    most_open = std::max(most_open, ++open);
    if (open == 64) all_in.cancel();
    boost::system::error_code ignored;
    if (most_open < 64) co_await all_in.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    --open;
    HttpAnswer answer;
    answer.status = 200;
    answer.body = ask.url;
    co_return answer;
  };
  int ended = 0;
  for (int n = 0; n < 64; ++n) {
    runtime.spawn(runtime.task("http", runtime.host, json::value{{"n", n}, {"count", 3}}),
                  [&, n](Result<json::value> result) {
                    ASSERT_TRUE(result) << result.error().message;
                    auto const url_bytes =
                        3 * static_cast<int>(std::string("https://example.test//0").size() +
                                             std::to_string(n).size());
                    EXPECT_EQ(*result, (json::value{{"n", n}, {"sum", 600 + url_bytes}}));
                    ++ended;
                  });
  }
  runtime.runUntil([&] { return ended == 64; });
  EXPECT_EQ(most_open, 64);
  EXPECT_EQ(runtime.host.asks.size(), 192U);
  EXPECT_EQ(runtime.host.asks.front().headers.at(0).first, "Accept");
}

TEST(Supervisor, MoreCallsThanAWorkerTakesWaitInTheHost) {
  Runtime runtime;
  int ended = 0;
  for (int n = 0; n < 600; ++n) {
    runtime.spawn(runtime.task("http", runtime.host, json::value{{"n", n}, {"count", 1}}),
                  [&](Result<json::value> result) {
                    ASSERT_TRUE(result) << result.error().message;
                    ++ended;
                  });
  }
  runtime.runUntil([&] { return ended == 600; });
  EXPECT_LE(runtime.host.most_open, 256);
}

TEST(Supervisor, ManyLargeInputsAtOnceAreNotTakenForAWorkerThatDoesNotRead) {
  Runtime runtime;
  std::string const large(1U << 20U, 'x');
  int ended = 0;
  for (int n = 0; n < 150; ++n) {
    runtime.spawn(runtime.task("echo", runtime.host, json::value{{"text", large}}),
                  [&](Result<json::value> result) {
                    EXPECT_TRUE(result) << result.error().message;
                    ++ended;
                  });
  }
  runtime.runUntil([&] { return ended == 150; });
}

TEST(Supervisor, RecordsAndCheckpointsArriveOneAtATimeAndInOrder) {
  Runtime runtime;
  bool busy = false;
  auto const slowly = [&](std::string) -> Task<void> {
    EXPECT_FALSE(std::exchange(busy, true));
    asio::steady_timer turn(runtime.loop, 0ms); // lets everything else go first
    co_await turn.async_wait(asio::use_awaitable);
    busy = false;
    co_return Result<void>();
  };
  runtime.host.on_emit = slowly;
  runtime.host.on_checkpoint = slowly;
  auto const result = runtime.call("emit", json::value{{"count", 500}, {"every", 100}});
  ASSERT_TRUE(result) << result.error().message;
  std::vector<std::string> expected;
  for (int i = 1; i <= 500; ++i) {
    auto const record = "{\"i\":" + std::to_string(i) + "}";
    expected.push_back("test.item " + record);
    if (i % 100 == 0) expected.push_back("checkpoint " + record);
  }
  EXPECT_EQ(runtime.host.events, expected);
  EXPECT_EQ(runtime.host.progress_done, 500U);
  EXPECT_EQ(runtime.host.logs, std::vector<std::string>{"all emitted {\"a\":1}"});
}

TEST(Supervisor, ASlowHostHoldsThePluginBack) {
  Runtime runtime;
  asio::steady_timer gate(runtime.loop, asio::steady_timer::time_point::max());
  bool open = false;
  runtime.host.on_emit = [&](std::string) -> Task<void> {
    boost::system::error_code ignored;
    if (!open) co_await gate.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    co_return Result<void>();
  };
  bool ended = false;
  runtime.spawn(runtime.task("emit", runtime.host, json::value{{"count", 10'000}}),
                [&](Result<json::value> result) {
                  EXPECT_TRUE(result);
                  ended = true;
                });
  // Another call goes through meanwhile: the plugin is parked, its worker is not.
  runtime.runUntil([&] { return !runtime.host.events.empty(); });
  KeepingHost other;
  auto const echoed = runtime.run(runtime.task("echo", other));
  EXPECT_TRUE(echoed);
  EXPECT_LE(runtime.host.progress_done, 64U);
  open = true;
  gate.cancel();
  runtime.runUntil([&] { return ended; });
  EXPECT_EQ(runtime.host.events.size(), 10'000U);
}

TEST(Supervisor, ARefusedRecordEndsTheCallWithTheHostsReason) {
  Runtime runtime;
  runtime.host.on_emit = [&](std::string record) -> Task<void> {
    if (record == "{\"i\":3}") co_return Error(ErrorKind::quota, "the vendor's plan is full");
    co_return Result<void>();
  };
  auto const result = runtime.call("emit", json::value{{"count", 10'000}, {"every", 5000}});
  ASSERT_FALSE(result);
  EXPECT_LT(runtime.host.progress_done, 5000U) << "the plugin was not told";
  EXPECT_EQ(result.error().kind, ErrorKind::quota);
  EXPECT_EQ(result.error().message, "the vendor's plan is full");
  EXPECT_EQ(runtime.host.events.size(), 3U); // nothing after the refused one, no checkpoint either
}

TEST(Supervisor, ACancelledCallStopsThePluginAndLeavesTheWorkerRunning) {
  Runtime runtime;
  asio::cancellation_signal stop;
  runtime.host.on_progress = [&](std::string const&) { stop.emit(asio::cancellation_type::terminal); };
  std::optional<Result<json::value>> ended;
  auto keep = [&](std::exception_ptr bug, Result<json::value> result) {
    EXPECT_FALSE(bug);
    ended = std::move(result);
  };
  asio::co_spawn(runtime.loop, runtime.task("wait", runtime.host),
                 asio::bind_cancellation_slot(stop.slot(), keep));
  runtime.runUntil([&] { return ended.has_value(); });
  ASSERT_FALSE(*ended);
  EXPECT_EQ(ended->error().kind, ErrorKind::cancelled);
  EXPECT_EQ(runtime.worker().state, "idle");
  EXPECT_TRUE(runtime.call("echo"));
  EXPECT_EQ(runtime.worker().restarts, 0U);
}

// Longer than what is usual, also where sanitizers make work slower.
json::value const long_work{{"ms", 1'400}};

TEST(Supervisor, ACallThatHoldsTheProcessorForLongEndsItsWorker) {
  Runtime runtime;
  auto const result = runtime.call("work", long_work);
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().message.find("watchdog"), std::string::npos) << result.error().message;
}

TEST(Supervisor, ACallMayHoldTheProcessorForAsLongAsTheOptionsSay) {
  SupervisorOptions options;
  options.slice = 2'800ms;
  Runtime runtime(std::move(options));
  auto const result = runtime.call("work", long_work);
  ASSERT_TRUE(result) << result.error().message;
}

TEST(Supervisor, WhatIsSaidOfAPluginsOwnSliceGoesBeforeWhatIsSaidOfAll) {
  SupervisorOptions options;
  options.slice_of["test.host_probe"] = 2'800ms;
  Runtime runtime(std::move(options));
  auto const result = runtime.call("work", long_work);
  ASSERT_TRUE(result) << result.error().message;
}

TEST(Supervisor, ACallPastItsDeadlineIsStopped) {
  Runtime runtime;
  ASSERT_TRUE(runtime.call("echo"));
  auto const result = runtime.call("wait", json::object(), 100ms);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::transient);
  EXPECT_EQ(result.error().provider_code, "deadline");
  EXPECT_NE(result.error().message.find("test.wait/1 of test.host_probe"), std::string::npos);
  EXPECT_EQ(runtime.worker().restarts, 0U);
}

TEST(Supervisor, ARequestThatIsStillServedWhenTheCallEndsIsCancelledFirst) {
  Runtime runtime;
  bool cancelled = false;
  runtime.host.on_http = [&](HttpAsk) -> Task<HttpAnswer> {
    asio::steady_timer never(runtime.loop, asio::steady_timer::time_point::max());
    boost::system::error_code why;
    co_await never.async_wait(asio::redirect_error(asio::use_awaitable, why));
    cancelled = why == asio::error::operation_aborted;
    co_return Error(ErrorKind::cancelled, "the request was cancelled");
  };
  ASSERT_TRUE(runtime.call("echo")); // the worker is there: the deadline passes in the request
  auto const result = runtime.call("http", json::value{{"count", 1}}, 300ms);
  EXPECT_FALSE(result);
  EXPECT_TRUE(cancelled); // before call() returned: the CallHost may be gone afterwards
}

} // namespace
} // namespace garland::runtime::testing
