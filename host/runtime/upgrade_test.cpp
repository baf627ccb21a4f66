// A new build takes over while calls run: nothing is lost, nothing is done twice, and what the instances
// know goes along.
#include "host/base/test_folder.h"
#include "host/runtime/host_test_kit.h"
#include "tests/places/places.h"

#include <limits>
#include <map>
#include <random>
#include <set>

namespace garland::runtime::testing {
namespace {

using namespace std::chrono_literals;
using Outcome = Adoption::Outcome;

Catalogue release(std::string const& folder) {
  return Catalogue::scan({inBuild("/tests/releases/") + folder}, manifestSchema());
}

PluginInfo infoOf(std::string const& folder) { return *release(folder).find("test.upgrading"); }

class Upgrading : public Runtime {
public:
  explicit Upgrading(SupervisorOptions options = {}, Clock* clock = nullptr)
      : Runtime(std::move(options), clock) {
    info = infoOf("1.0.0");
  }
  Adoption adopt(std::string const& folder, bool allow_downgrade = false) {
    auto const adopted = run(supervisor->adopt(release(folder), allow_downgrade));
    return adopted ? adopted->at(0) : Adoption{};
  }
  Task<json::value> work(int n, int count, CallHost& on) {
    return task("work", on, json::value{{"n", n}, {"count", count}});
  }
  // The version that answered and how many calls its instance has seen: "1.1.0 7".
  std::string answer(int n = 0) {
    auto const result = run(work(n, 0, host));
    if (!result) return result.error().message;
    return textOr(*result, "/version", "") + " " + std::to_string(integerOr(*result, "/calls", -1));
  }
  std::vector<std::string> versions() const {
    std::vector<std::string> out;
    for (auto const& worker : supervisor->workers()) out.push_back(worker.version);
    return out;
  }
};

using Versions = std::vector<std::string>;

// A provider that counts what is done to it and answers late, in an order of its own.
struct CountingProvider {
  CountingProvider(Runtime& runtime, std::uint64_t seed) : loop(runtime.loop), random(seed) {
    host.on_http = [this](HttpAsk ask) -> Task<HttpAnswer> {
      ++done[ask.url];
      asio::steady_timer later(loop, std::chrono::microseconds(random() % 2000));
      co_await later.async_wait(asio::use_awaitable);
      HttpAnswer answer;
      answer.status = 200;
      co_return answer;
    };
  }
  asio::io_context& loop;
  std::mt19937_64 random;
  KeepingHost host;
  std::map<std::string, int> done;
};

class UpgradeUnderLoad : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(UpgradeUnderLoad, LosesNothingAndDoesNothingTwice) {
  constexpr int kInFlight = 64;
  constexpr int kWrites = 3;
  Upgrading runtime;
  CountingProvider provider(runtime, GetParam());
  int last = std::numeric_limits<int>::max(); // call; known once the last upgrade is done
  int begun = 0;
  int ended = 0;
  std::map<std::string, int> versions;
  std::function<void()> const next = [&] {
    if (begun >= last) return;
    runtime.spawn(runtime.work(begun++, kWrites, provider.host), [&](Result<json::value> result) {
      EXPECT_TRUE(result) << result.error().message;
      if (result) ++versions[textOr(*result, "/version", "")];
      ++ended;
      next();
    });
  };
  for (int i = 0; i < kInFlight; ++i) next();
  for (auto const* const version : {"1.1.0", "1.2.0", "1.3.0", "1.4.0", "1.5.0"}) {
    auto const later = ended + 100 + static_cast<int>(provider.random() % 100);
    runtime.runUntil([&] { return ended >= later; });
    EXPECT_GE(begun - ended, kInFlight);
    EXPECT_EQ(runtime.adopt(version).outcome, Outcome::upgraded);
  }
  last = begun + 100;
  runtime.runUntil([&] { return ended == last; });
  EXPECT_EQ(versions.size(), 6U);
  EXPECT_EQ(provider.done.size(), static_cast<std::size_t>(last * kWrites));
  for (auto const& [url, times] : provider.done) EXPECT_EQ(times, 1) << url;
  runtime.runUntil([&] { return runtime.versions() == Versions{"1.5.0"}; });
}

INSTANTIATE_TEST_SUITE_P(Seeds, UpgradeUnderLoad, ::testing::Range<std::uint64_t>(1, 6));

TEST(Upgrade, NewCallsGoToTheNewBuildWhileALongOneEndsInTheOld) {
  Upgrading runtime;
  KeepingHost slow;
  asio::steady_timer gate(runtime.loop, asio::steady_timer::time_point::max());
  slow.on_http = [&](HttpAsk) -> Task<HttpAnswer> {
    boost::system::error_code ignored;
    co_await gate.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    HttpAnswer answer;
    answer.status = 200;
    co_return answer;
  };
  std::optional<Result<json::value>> old;
  runtime.spawn(runtime.work(7, 1, slow), [&](Result<json::value> result) { old = std::move(result); });
  runtime.runUntil([&] { return slow.asks.size() == 1; });
  auto const adopted = runtime.adopt("1.1.0");
  EXPECT_EQ(adopted.outcome, Outcome::upgraded) << adopted.words;
  EXPECT_EQ(adopted.version, "1.1.0");
  EXPECT_EQ(runtime.answer(), "1.1.0 1");
  EXPECT_EQ(runtime.versions(), (Versions{"1.0.0", "1.1.0"}));
  EXPECT_EQ(runtime.supervisor->workers().at(0).state, "draining");
  EXPECT_FALSE(old);
  gate.cancel();
  runtime.runUntil([&] { return old.has_value(); });
  ASSERT_TRUE(*old) << old->error().message;
  EXPECT_EQ(textOr(**old, "/version", ""), "1.0.0");
  runtime.runUntil([&] { return runtime.versions() == Versions{"1.1.0"}; });
}

TEST(Upgrade, WhatAnInstanceKnowsGoesToTheNewBuild) {
  Upgrading runtime;
  EXPECT_EQ(runtime.answer(), "1.0.0 1");
  EXPECT_EQ(runtime.answer(), "1.0.0 2");
  runtime.adopt("1.1.0");
  runtime.runUntil([&] { return runtime.versions() == Versions{"1.1.0"}; });
  EXPECT_EQ(runtime.answer(), "1.1.0 3");
  EXPECT_EQ(runtime.answer(), "1.1.0 4"); // it is given once
}

TEST(Upgrade, AStateThatNobodyAskedForGoesToTheNextButOne) {
  Upgrading runtime;
  EXPECT_EQ(runtime.answer(), "1.0.0 1");
  for (auto const* const version : {"1.1.0", "1.2.0"}) {
    runtime.adopt(version);
    runtime.runUntil([&] { return runtime.versions() == Versions{version}; });
  }
  EXPECT_EQ(runtime.answer(), "1.2.0 2");
}

TEST(Upgrade, AStateThatIsTooLargeIsNotHandedOn) {
  Upgrading runtime;
  runtime.info = infoOf("boasts");
  EXPECT_EQ(runtime.answer(), "1.1.0 1");
  runtime.adopt("1.2.0");
  runtime.runUntil([&] { return runtime.versions() == Versions{"1.2.0"}; });
  EXPECT_EQ(runtime.answer(), "1.2.0 1");
  EXPECT_TRUE(std::ranges::any_of(runtime.log_lines, [](std::string const& line) {
    return line.find("too large to hand on") != std::string::npos;
  }));
}

TEST(Upgrade, AStateOnWhichTheNewBuildDiesIsGivenToItOnce) {
  Upgrading runtime;
  EXPECT_EQ(runtime.answer(), "1.0.0 1");
  runtime.adopt("chokes");
  runtime.runUntil([&] { return runtime.versions() == Versions{"1.2.0"}; });
  EXPECT_EQ(runtime.answer(), "1.2.0 1"); // without what 1.0.0 knew
}

TEST(Upgrade, ALowerVersionIsRefusedAndTheHigherGoesOn) {
  Upgrading runtime;
  runtime.info = infoOf("1.3.0");
  EXPECT_EQ(runtime.answer(), "1.3.0 1");
  auto const pid = runtime.worker().pid;
  auto const refused = runtime.adopt("1.1.0");
  EXPECT_EQ(refused.outcome, Outcome::refused);
  EXPECT_NE(refused.words.find("1.1.0 is older than 1.3.0"), std::string::npos) << refused.words;
  EXPECT_EQ(runtime.answer(), "1.3.0 2");
  EXPECT_EQ(runtime.worker().pid, pid);
  EXPECT_EQ(runtime.adopt("1.1.0", true).outcome, Outcome::downgraded);
  runtime.runUntil([&] { return runtime.versions() == Versions{"1.1.0"}; });
}

TEST(Upgrade, WhatDoesNotRunIsToldFromWhatRuns) {
  Upgrading runtime;
  runtime.info = infoOf("1.3.0");
  EXPECT_EQ(runtime.answer(), "1.3.0 1");
  auto const standing = [&](char const* folder) { return runtime.supervisor->standing(infoOf(folder)); };
  EXPECT_EQ(standing("1.3.0").refusal, "");
  EXPECT_EQ(standing("1.3.0").runs->manifest.version, "1.3.0");
  for (auto const* const folder : {"1.1.0", "refuses"}) {
    auto const refused = runtime.adopt(folder, folder == std::string("refuses"));
    ASSERT_EQ(refused.outcome, Outcome::refused) << folder;
    EXPECT_EQ(standing(folder).refusal, refused.words);
    ASSERT_TRUE(standing(folder).runs);
    EXPECT_EQ(standing(folder).runs->manifest.version, "1.3.0");
  }
  EXPECT_EQ(runtime.adopt("1.5.0").outcome, Outcome::upgraded);
  EXPECT_EQ(standing("1.5.0").refusal, "");
}

TEST(Upgrade, AFirstBuildThatCannotBeLoadedSaysWhy) {
  Upgrading runtime;
  runtime.info = infoOf("refuses");
  EXPECT_EQ(runtime.adopt("refuses").outcome, Outcome::installed); // there is nothing that could go on
  auto const told = runtime.answer();
  auto const standing = runtime.supervisor->standing(runtime.info);
  EXPECT_FALSE(standing.runs);
  EXPECT_NE(standing.refusal, "");
  EXPECT_NE(told.find(standing.refusal), std::string::npos) << told;
}

// An interrupted copy, or a connector.so that is gone.
TEST(Upgrade, ADamagedFileStopsNothingNeitherNowNorAfterARestart) {
  TestFolder const own;
  std::filesystem::path const folder = own.path();
  SupervisorOptions options;
  options.builds_dir = (folder / "kept").string();
  auto const plugins = folder / "plugins";
  auto const place = plugins / "test.upgrading";
  auto const from = std::filesystem::path(infoOf("1.1.0").path).parent_path();
  auto const scan = [&] { return Catalogue::scan({plugins.string()}, manifestSchema()); };
  for (bool const missing : {false, true}) {
    std::filesystem::create_directories(plugins);
    std::filesystem::copy(from, place, std::filesystem::copy_options::recursive);
    {
      Upgrading runtime(options);
      runtime.run(runtime.supervisor->adopt(scan(), false)).value();
      EXPECT_EQ(runtime.answer(), "1.1.0 1");
      if (missing)
        std::filesystem::remove(place / "connector.so");
      else
        std::filesystem::resize_file(place / "connector.so", 3000);
      auto const damaged = scan();
      EXPECT_EQ(runtime.run(runtime.supervisor->adopt(damaged, false)).value().at(0).outcome,
                Outcome::refused);
      runtime.info = *damaged.find("test.upgrading");
      EXPECT_EQ(runtime.answer(), "1.1.0 2");
    }
    Upgrading restarted(options);
    auto const damaged = scan();
    restarted.run(restarted.supervisor->adopt(damaged, false)).value();
    restarted.info = *damaged.find("test.upgrading");
    EXPECT_EQ(restarted.supervisor->build(restarted.info)->refusal, "");
    EXPECT_EQ(restarted.answer(), "1.1.0 1");
    EXPECT_NE(restarted.supervisor->standing(restarted.info).refusal.find("1.1.0 goes on"),
              std::string::npos);
    std::filesystem::remove_all(place);
  }
}

TEST(Upgrade, OtherBytesUnderTheSameVersionNeedTheDevelopmentSetting) {
  Upgrading strict;
  strict.info = infoOf("1.1.0");
  EXPECT_EQ(strict.answer(), "1.1.0 1");
  EXPECT_EQ(strict.adopt("other").outcome, Outcome::refused);
  SupervisorOptions options;
  options.development = true;
  Upgrading lenient(std::move(options));
  lenient.info = infoOf("1.1.0");
  EXPECT_EQ(lenient.answer(), "1.1.0 1");
  EXPECT_EQ(lenient.adopt("other").outcome, Outcome::upgraded);
}

TEST(Upgrade, ABuildThatCannotBeLoadedNeverTakesACall) {
  Upgrading runtime;
  EXPECT_EQ(runtime.answer(), "1.0.0 1");
  auto const refused = runtime.adopt("refuses");
  EXPECT_EQ(refused.outcome, Outcome::refused);
  EXPECT_EQ(refused.version, "1.0.0");
  EXPECT_NE(refused.words.find("1.0.0 goes on"), std::string::npos) << refused.words;
  EXPECT_EQ(runtime.answer(), "1.0.0 2");
  EXPECT_EQ(runtime.adopt("1.1.0").outcome, Outcome::upgraded);
  runtime.runUntil([&] { return runtime.versions() == Versions{"1.1.0"}; });
  EXPECT_EQ(runtime.answer(), "1.1.0 3");
}

TEST(Upgrade, ABuildThatIsNotInstalledAnyMoreEndsItsWorkers) {
  Upgrading runtime;
  EXPECT_EQ(runtime.answer(), "1.0.0 1");
  auto const adopted = runtime.run(runtime.supervisor->adopt(Catalogue{}, false));
  ASSERT_TRUE(adopted);
  EXPECT_EQ(adopted->at(0).outcome, Outcome::removed);
  runtime.runUntil([&] { return runtime.versions().empty(); });
  auto const late = runtime.run(runtime.work(1, 0, runtime.host));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().kind, ErrorKind::unsupported);
}

// A provider that never answers; what asks it ends by being cancelled alone.
void neverAnswer(KeepingHost& host, asio::steady_timer& never) {
  host.on_http = [&never](HttpAsk) -> Task<HttpAnswer> {
    boost::system::error_code ignored;
    co_await never.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    co_return HttpAnswer();
  };
}

TEST(Withdrawn, ACallOfABuildThatMayNotRunAnyMoreIsCancelled) {
  bool revoked = false;
  SupervisorOptions options;
  options.admits = [&revoked](Provenance const&) {
    return revoked ? Result<void>(Error(ErrorKind::forbidden, "it charged twice")) : Result<void>();
  };
  Upgrading runtime(std::move(options));
  KeepingHost slow;
  asio::steady_timer never(runtime.loop, asio::steady_timer::time_point::max());
  neverAnswer(slow, never);
  std::optional<Result<json::value>> ended;
  runtime.spawn(runtime.work(7, 1, slow), [&](Result<json::value> result) { ended = std::move(result); });
  runtime.runUntil([&] { return slow.asks.size() == 1; });
  revoked = true;
  auto installed = infoOf("1.0.0");
  installed.refusal = "x.gpk may not be loaded";
  ASSERT_TRUE(runtime.run(runtime.supervisor->adopt(Catalogue({installed}), false)));
  runtime.runUntil([&] { return ended.has_value() && runtime.versions().empty(); });
  ASSERT_FALSE(*ended);
  EXPECT_EQ(ended->error().kind, ErrorKind::cancelled) << ended->error().message;
  EXPECT_EQ(runtime.run(runtime.work(8, 0, runtime.host)).error().kind, ErrorKind::unsupported);
}

TEST(Withdrawn, ACallThatStillEndsInAReplacedBuildIsCancelledToo) {
  std::string revoked;
  SupervisorOptions options;
  options.admits = [&revoked](Provenance const& from) {
    return from.package == revoked ? Result<void>(Error(ErrorKind::forbidden, "it charged twice"))
                                   : Result<void>();
  };
  Upgrading runtime(std::move(options));
  auto const from = [](std::string const& folder) {
    auto info = infoOf(folder);
    info.provenance.package = "package of " + folder;
    return Catalogue({info});
  };
  ASSERT_TRUE(runtime.run(runtime.supervisor->adopt(from("1.0.0"), false)));
  KeepingHost slow;
  asio::steady_timer never(runtime.loop, asio::steady_timer::time_point::max());
  neverAnswer(slow, never);
  std::optional<Result<json::value>> ended;
  runtime.spawn(runtime.work(7, 1, slow), [&](Result<json::value> result) { ended = std::move(result); });
  runtime.runUntil([&] { return slow.asks.size() == 1; });
  ASSERT_TRUE(runtime.run(runtime.supervisor->adopt(from("1.1.0"), false)));
  EXPECT_EQ(runtime.answer(), "1.1.0 1");
  EXPECT_FALSE(ended);
  revoked = "package of 1.0.0";
  ASSERT_TRUE(runtime.run(runtime.supervisor->adopt(from("1.1.0"), false)));
  runtime.runUntil([&] { return ended.has_value() && runtime.versions() == Versions{"1.1.0"}; });
  ASSERT_FALSE(*ended);
  EXPECT_EQ(ended->error().kind, ErrorKind::cancelled) << ended->error().message;
}

TEST(Upgrade, EveryVendorsWorkerIsReplaced) {
  SupervisorOptions options;
  options.isolation = Isolation::vendor;
  Upgrading runtime(std::move(options));
  auto const callFor = [&](std::string vendor) {
    Call call;
    call.operation = "test.work/1";
    call.vendor_id = vendor;
    call.account_id = "con_" + vendor;
    call.account = "{}";
    call.input = "{}";
    auto const result =
        runtime.run(runtime.valueOf(runtime.supervisor->call(runtime.info, std::move(call), runtime.host)));
    return result ? textOr(*result, "/version", "") + " " + std::to_string(integerOr(*result, "/calls", 0))
                  : result.error().message;
  };
  EXPECT_EQ(callFor("ven_a"), "1.0.0 1");
  EXPECT_EQ(callFor("ven_b"), "1.0.0 1");
  EXPECT_EQ(callFor("ven_b"), "1.0.0 2");
  runtime.adopt("1.1.0");
  runtime.runUntil([&] { return runtime.versions() == Versions{"1.1.0"}; }); // the one that was tried
  EXPECT_EQ(callFor("ven_a"), "1.1.0 2");
  EXPECT_EQ(callFor("ven_b"), "1.1.0 3");
}

TEST(FallBack, CallsGoToTheLastGoodBuildOnceTheNewOneIsQuarantined) {
  VirtualClock clock{TimePoint{}};
  SupervisorOptions options;
  options.restart_base = 2000ms; // longer than the calls' patience
  Upgrading runtime(std::move(options), &clock);
  EXPECT_EQ(runtime.answer(), "1.0.0 1");
  EXPECT_EQ(runtime.adopt("1.1.0").outcome, Outcome::upgraded);
  ASSERT_TRUE(runtime.call("work")) << "it is not the operation as such that it cannot do";
  int calls = 0;
  while (runtime.supervisor->build(runtime.info)->manifest.version == "1.1.0" && calls < 50) {
    auto const result =
        runtime.run(runtime.task("work", runtime.host, json::value{{"n", ++calls}, {"die", 1}}, 500ms));
    EXPECT_FALSE(result);
    clock.advance(10s); // over the pauses after deaths, to the next trial
  }
  EXPECT_EQ(runtime.answer(), "1.0.0 1");
  EXPECT_EQ(runtime.adopt("1.1.0").outcome, Outcome::refused);
  auto const workers = runtime.supervisor->workers();
  auto const tells = [](WorkerStatus const& one) {
    return one.version == "1.1.0" && one.quarantine.find("1.0.0 runs meanwhile") != std::string::npos;
  };
  EXPECT_TRUE(std::ranges::any_of(workers, tells))
      << "an operator sees why the installed version does not run";
  ASSERT_TRUE(runtime.run(runtime.supervisor->release("test.upgrading")));
  EXPECT_EQ(runtime.adopt("1.1.0").outcome, Outcome::upgraded);
}

// A call for an account of its own.
Result<std::string> workFor(Upgrading& runtime, std::string const& account_id, bool dies = false) {
  Call call;
  call.operation = "test.work/1";
  call.account_id = account_id;
  call.account = "{}";
  call.input = dies ? R"({"n":1,"die":1})" : R"({"n":1})";
  call.deadline = 10s;
  return runtime.run(runtime.supervisor->call(runtime.info, std::move(call), runtime.host));
}

TEST(FallBack, ThreeAccountsAreEnoughForABuildThatAnswersNone) {
  Upgrading runtime;
  EXPECT_EQ(runtime.answer(), "1.0.0 1");
  EXPECT_EQ(runtime.adopt("crashes").outcome, Outcome::upgraded);
  for (auto const* const account : {"con_a", "con_b", "con_c"}) {
    auto const died = workFor(runtime, account);
    ASSERT_FALSE(died);
    EXPECT_EQ(died.error().provider_code, "poisoned");
  }
  EXPECT_TRUE(workFor(runtime, "con_a")) << "in 1.0.0";
  auto const events = runtime.supervisor->events();
  auto const told = std::ranges::find(events, SupervisorEvent::Kind::quarantined, &SupervisorEvent::kind);
  ASSERT_NE(told, events.end());
  EXPECT_NE(told->reason.find("3 calls of test.work/1 (3 accounts)"), std::string::npos) << told->reason;
  EXPECT_EQ(runtime.adopt("crashes").outcome, Outcome::refused);
}

TEST(FallBack, ADeadlyRecordAmongGoodOnesCondemnsNoBuild) {
  SupervisorOptions options;
  options.restart_base = 1ms;
  options.restart_cap = 1ms;
  Upgrading runtime(std::move(options));
  EXPECT_EQ(runtime.answer(), "1.0.0 1");
  EXPECT_EQ(runtime.adopt("1.1.0").outcome, Outcome::upgraded);
  ASSERT_TRUE(workFor(runtime, "con_good"));
  for (auto const* const account : {"con_a", "con_b", "con_c"}) {
    auto const died = workFor(runtime, account, true);
    ASSERT_FALSE(died);
    EXPECT_EQ(died.error().provider_code, "poisoned") << died.error().message;
  }
  EXPECT_EQ(runtime.supervisor->build(runtime.info)->manifest.version, "1.1.0");
  EXPECT_TRUE(workFor(runtime, "con_good"));
}

TEST(Quarantine, OfTheOnlyBuildOutlivesTheDaemonUntilItIsReleased) {
  VirtualClock clock{TimePoint{}};
  TestFolder const folder;
  SupervisorOptions options;
  options.restart_base = 2000ms; // longer than the calls' patience
  options.builds_dir = folder.path();
  int calls = 0;
  auto const codeOfNext = [&](Upgrading& runtime) {
    clock.advance(10s);
    auto const result = runtime.run(runtime.task("work", runtime.host, json::value{{"n", ++calls}}, 500ms));
    return result ? std::string() : result.error().provider_code;
  };
  {
    Upgrading runtime(options, &clock);
    EXPECT_EQ(runtime.adopt("crashes").outcome, Outcome::installed);
    while (codeOfNext(runtime) != "plugin_quarantined") ASSERT_LT(calls, 50);
  }
  {
    Upgrading restarted(options, &clock);
    auto const events = restarted.supervisor->events();
    EXPECT_TRUE(std::ranges::count(events, SupervisorEvent::Kind::crashed, &SupervisorEvent::kind) > 0);
    EXPECT_EQ(std::ranges::count(events, SupervisorEvent::Kind::quarantined, &SupervisorEvent::kind), 1);
    EXPECT_EQ(restarted.adopt("crashes").outcome, Outcome::unchanged);
    EXPECT_NE(restarted.supervisor->standing(infoOf("crashes")).refusal.find("is in quarantine"),
              std::string::npos);
    EXPECT_EQ(codeOfNext(restarted), "plugin_quarantined");
    ASSERT_EQ(restarted.supervisor->workers().size(), 1U);
    EXPECT_EQ(restarted.worker().state, "quarantined");
    EXPECT_EQ(restarted.worker().pid, 0);
    ASSERT_TRUE(restarted.run(restarted.supervisor->release("test.upgrading")));
    EXPECT_EQ(codeOfNext(restarted), "poisoned") << "it is run again";
  }
}

} // namespace
} // namespace garland::runtime::testing
