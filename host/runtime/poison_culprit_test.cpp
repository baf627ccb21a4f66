// Calls that end their worker, and builds that do: run alone when they are suspected, set aside when they end
// even a worker of their own, tried again after a while.
#include "host/base/test_folder.h"
#include "host/runtime/poison_fixture.h"

namespace garland::runtime::testing {
namespace {

// ---------------------------------------------------------------- culprits

TEST_F(Poison, ADeadlyCallIsRunOnceMoreAloneAndThenSetAside) {
  start("work", workOf(1, 1, 1), provider);
  waitForAll();
  ASSERT_FALSE(*ended[0]);
  auto const& error = ended[0]->error();
  EXPECT_EQ(error.kind, ErrorKind::pluginBug);
  EXPECT_EQ(error.provider_code, "poisoned");
  EXPECT_EQ(error.effect, Effect::notApplied);
  EXPECT_NE(error.message.find("test.work/1 of test.poison_probe"), std::string::npos) << error.message;
  EXPECT_EQ(provider.asks.size(), 1U);
  EXPECT_EQ(count(Kind::crashed), 2);
  EXPECT_EQ(count(Kind::poisoned), 1);

  start("work", workOf(1, 1, 1), provider); // the same again
  waitForAll();
  EXPECT_EQ(ended[1]->error().provider_code, "poisoned");
  EXPECT_EQ(count(Kind::crashed), 2) << "no worker has to die to know it";
  start("work", workOf(2), provider);
  waitForAll();
  EXPECT_TRUE(*ended[2]);
}

TEST_F(Poison, ACallThatWroteBeforeItDiedHasAnUnknownEffect) {
  start("work", workOf(1, 2, 2), provider);
  waitForAll();
  EXPECT_EQ(ended[0]->error().provider_code, "poisoned");
  EXPECT_EQ(ended[0]->error().effect, Effect::unknown);
  EXPECT_EQ(provider.writes["https://example.test/write/1"], 1);
}

TEST_F(Poison, AWorkerThatWorksOnAfterItsLastCallIsEnded) {
  runtime.info = plugin("host_probe");
  start("raw", json::value{{"what", 8}}, provider); // ends its call and spins where no signal can reach it
  waitForAll();
  runtime.runUntil([&] { return count(Kind::crashed) == 1; });
  EXPECT_NE(runtime.worker().last_exit.find("although no call ran"), std::string::npos)
      << runtime.worker().last_exit;
}

TEST_F(Poison, TwoKillsFromOutsideDoNotConvictTheCallThatHeldTheWorker) {
  holdAndKill(2);
  ASSERT_TRUE(*ended[0]) << ended[0]->error().message;
  EXPECT_EQ(provider.restarts, 2);
  EXPECT_EQ(count(Kind::poisoned), 0);
}

TEST_F(Poison, ACallThatHeldEveryWorkerThatWasKilledFromOutsideIsSetAside) {
  holdAndKill(3);
  ASSERT_FALSE(*ended[0]);
  EXPECT_EQ(ended[0]->error().provider_code, "poisoned");
}

TEST_F(Poison, AWorkerThatIsKilledForItsSlowEndDoesNotConvictACallThatWentWell) {
  lingerAlone();
  waitForAll();
  EXPECT_TRUE(*ended[1]);
  EXPECT_EQ(count(Kind::crashed), 2) << "the broken worker and the slow one";
  EXPECT_EQ(count(Kind::poisoned), 0);
}

TEST_F(Poison, AWorkerThatIsKilledFromOutsideWhileItEndsDoesNotConvictACallThatWentWell) {
  lingerAlone();
  signalWorkers(SIGKILL);
  waitForAll();
  EXPECT_TRUE(*ended[1]);
  EXPECT_EQ(count(Kind::poisoned), 0);
}

TEST_F(Poison, ACallThatRunsAloneInABuildThatMayNotRunAnyMoreIsCancelled) {
  asio::steady_timer never(runtime.loop, asio::steady_timer::time_point::max());
  bool waits = false;
  provider.on_http = [&](HttpAsk) -> Task<HttpAnswer> {
    boost::system::error_code ignored;
    waits = provider.restarts > 0;
    if (waits) co_await never.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    HttpAnswer answer;
    answer.status = 200;
    co_return answer;
  };
  start("taint", json::value{{"bad", 1}}, provider);
  waitForAll();
  start("work", workOf(7), provider); // dies of it, is blamed, and runs alone
  runtime.runUntil([&] { return waits || ended.back(); });
  ASSERT_FALSE(ended.back());
  revoked = true;
  ASSERT_TRUE(runtime.run(runtime.supervisor->adopt(Catalogue({runtime.info}), false)));
  waitForAll();
  ASSERT_FALSE(*ended.back());
  EXPECT_EQ(ended.back()->error().kind, ErrorKind::cancelled) << ended.back()->error().message;
}

// ---------------------------------------------------------------- strikes

TEST_F(PoisonOnVirtualTime, WhatBreaksAWorkerForLaterCallsIsFoundByThreeStrikes) {
  for (int strike = 1; strike <= 3; ++strike) {
    start("taint", json::value{{"bad", 1}}, provider);
    waitForAll();
    EXPECT_TRUE(*ended.back()) << "it ends well each time";
    start("work", workOf(100 + strike), provider); // dies of it, is blamed, and survives alone
    waitForAll();
    EXPECT_TRUE(*ended.back()) << ended.back()->error().message;
    EXPECT_EQ(provider.writes["https://example.test/write/" + std::to_string(100 + strike)], 1);
    EXPECT_EQ(count(Kind::crashed), strike);
    clock_.advance(60s);
  }
  EXPECT_EQ(count(Kind::poisoned), 0);
  start("taint", json::value{{"bad", 1}}, provider); // alone now, and its worker does not end in order
  waitForAll();
  EXPECT_TRUE(*ended.back());
  EXPECT_EQ(count(Kind::poisoned), 1);
  start("work", workOf(200), provider);
  start("taint", json::value{{"bad", 1}}, provider);
  waitForAll();
  EXPECT_TRUE(*ended[ended.size() - 2]);
  EXPECT_EQ(ended.back()->error().provider_code, "poisoned");
  EXPECT_EQ(count(Kind::crashed), 4) << "three shared workers and the closing check";
}

// Of many calls of one name, an operator has to find the one.
TEST_F(Poison, ACallThatIsSetAsideIsNamedByItsConnectionVendorAndRecordWithItsCapsule) {
  TestFolder const folder;
  Redactor redactor;
  auto keeping = options();
  keeping.capsules_dir = folder.path();
  keeping.redactor = &redactor;
  Runtime own(keeping);
  own.info = plugin("poison_probe");
  Call call;
  call.operation = "test.work/1";
  call.vendor_id = "ven_7";
  call.account_id = "con_7";
  call.record_id = "rec_7";
  call.account = "{}";
  call.input = json::serialize(workOf(1, 1, 1));
  auto const result = own.run(own.supervisor->call(own.info, std::move(call), provider));
  ASSERT_FALSE(result);
  EXPECT_GT(result.error().retry_after.value_or(0ms), 9min);
  auto const events = own.supervisor->events();
  auto const poisoned = std::ranges::find(events, Kind::poisoned, &SupervisorEvent::kind);
  ASSERT_NE(poisoned, events.end());
  ASSERT_TRUE(poisoned->call);
  EXPECT_EQ(poisoned->call->operation, "test.work/1");
  EXPECT_EQ(poisoned->call->account_id, "con_7");
  EXPECT_EQ(poisoned->call->vendor_id, "ven_7");
  EXPECT_EQ(poisoned->call->record_id, "rec_7");
  EXPECT_TRUE(std::filesystem::exists(poisoned->capsule)) << poisoned->capsule;
  auto const crashed = std::ranges::find(events, Kind::crashed, &SupervisorEvent::kind);
  ASSERT_TRUE(crashed->call);
  EXPECT_EQ(crashed->call->account_id, "con_7");
  auto const capsule = parseJson(readFile(poisoned->capsule));
  ASSERT_TRUE(capsule);
  EXPECT_GE(textOr(*capsule, "/plugin/build_id", "").size(), 16U);
  for (auto const* line : {"a call is set aside", "a call is run again"})
    EXPECT_TRUE(std::ranges::any_of(own.log_lines, [&](std::string const& told) {
      return told.find(line) != told.npos && told.find("con_7") != told.npos &&
             told.find("rec_7") != told.npos;
    })) << line;
}

TEST_F(Poison, AfterARepairACallThatWasSetAsideRunsAgain) {
  start("work", workOf(1, 1), provider);
  waitForAll();
  start("work", workOf(1, 1), provider);
  waitForAll();
  EXPECT_EQ(ended.back()->error().provider_code, "poisoned");
  EXPECT_EQ(count(Kind::crashed), 2) << "the second time it was not run";
  EXPECT_EQ(runtime.supervisor->retryParked("con_other"), 0U);
  start("work", workOf(1, 1), provider);
  waitForAll();
  EXPECT_EQ(count(Kind::crashed), 2);
  EXPECT_EQ(runtime.supervisor->retryParked("con_1"), 1U);
  start("work", workOf(1, 1), provider);
  waitForAll();
  EXPECT_EQ(ended.back()->error().provider_code, "poisoned");
  EXPECT_EQ(count(Kind::crashed), 3) << "it was run once, alone";
}

// ---------------------------------------------------------------- restart policy

TEST_F(PoisonOnVirtualTime, ABuildThatDiesAgainAndAgainIsTriedAndThenQuarantined) {
  int n = 0;
  for (int i = 0; i < 5; ++i) dieOf(++n);
  EXPECT_EQ(runtime.worker().state, "half open");
  EXPECT_EQ(count(Kind::halfOpen), 1);
  EXPECT_EQ(logged("a plugin is half open"), 1);
  dieOf(++n);
  EXPECT_EQ(ended.back()->error().provider_code, "worker_backing_off");
  EXPECT_EQ(ended.back()->error().kind, ErrorKind::transient);
  EXPECT_EQ(ended.back()->error().effect, Effect::notApplied);
  EXPECT_GT(ended.back()->error().retry_after, 20s);
  for (int trial = 1; trial <= 3; ++trial) {
    clock_.advance(30s);
    dieOf(++n);
    EXPECT_EQ(ended.back()->error().provider_code, "poisoned") << trial;
  }
  EXPECT_EQ(count(Kind::quarantined), 1);
  EXPECT_EQ(logged("a plugin is in quarantine"), 1);
  EXPECT_EQ(logged("trial calls in a row ended its worker"), 1) << "the log tells why";
  clock_.advance(std::chrono::hours(24));
  start("work", workOf(0), provider);
  waitForAll();
  EXPECT_EQ(ended.back()->error().provider_code, "plugin_quarantined");
  EXPECT_EQ(ended.back()->error().kind, ErrorKind::transient);
  EXPECT_EQ(runtime.worker().state, "quarantined");
  EXPECT_NE(runtime.worker().quarantine.find("Install another version"), std::string::npos);
}

TEST_F(PoisonOnVirtualTime, ABuildThatIsHalfOpenIsReleasedInOtherWordsThanFromQuarantine) {
  for (int n = 1; n <= 5; ++n) dieOf(n);
  ASSERT_EQ(runtime.worker().state, "half open");
  auto const released = runtime.run(runtime.supervisor->release(runtime.info.manifest.id));
  ASSERT_TRUE(released);
  EXPECT_EQ(released->words, runtime.info.manifest.id + " is no longer half open: it takes every call");
}

TEST_F(PoisonOnVirtualTime, ATrialThatGoesWellLetsEverybodyInAgain) {
  for (int n = 1; n <= 5; ++n) dieOf(n);
  clock_.advance(30s);
  // Two at once: one is the trial, the other is turned away.
  start("work", workOf(50), provider);
  start("work", workOf(51), provider);
  waitForAll();
  EXPECT_TRUE(*ended[5]) << ended[5]->error().message;
  ASSERT_FALSE(*ended[6]);
  EXPECT_EQ(ended[6]->error().provider_code, "worker_backing_off");
  EXPECT_EQ(count(Kind::recovered), 1);
  start("work", workOf(52), provider);
  waitForAll();
  EXPECT_TRUE(*ended[7]);
}

TEST_F(PoisonOnVirtualTime, ShutdownCancelsATrialCallToo) {
  for (int n = 1; n <= 5; ++n) dieOf(n);
  clock_.advance(30s);
  bool asked = false;
  provider.on_http = [&](HttpAsk) -> Task<HttpAnswer> {
    asked = true;
    asio::steady_timer never(runtime.loop, asio::steady_timer::time_point::max());
    boost::system::error_code why;
    co_await never.async_wait(asio::redirect_error(asio::use_awaitable, why));
    co_return Error(ErrorKind::cancelled, "the request was cancelled");
  };
  start("work", workOf(60), provider);
  runtime.runUntil([&] { return asked; });
  EXPECT_EQ(runtime.worker().state, "half open");
  EXPECT_TRUE(runtime.run(runtime.supervisor->shutdown()));
  ASSERT_TRUE(ended.back());
  EXPECT_EQ(ended.back()->error().kind, ErrorKind::cancelled) << ended.back()->error().message;
}

} // namespace
} // namespace garland::runtime::testing
