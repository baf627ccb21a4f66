// Which build takes a plugin's calls, also after a restart, and what is kept on disk for that.
#include "host/base/test_folder.h"
#include "host/runtime/releases.h"

#include "host/runtime/host_test_kit.h"
#include "host/vault/vault.h"

#include <thread>

namespace garland::runtime::testing {
namespace {

namespace fs = std::filesystem;
using Outcome = Adoption::Outcome;
constexpr char const* kWhy = "3 trial calls in a row ended its worker";

class ReleasesTest : public ::testing::Test {
protected:
  ReleasesTest() { restart(); }
  ~ReleasesTest() override { releases_.reset(); } // it writes as long as it lives

  // A new daemon on the same folder.
  void restart(bool development = false) {
    releases_.reset();
    releases_ = std::make_unique<Releases>(
        KeptBuilds((folder_ / "kept").string()), log_,
        Releases::Options{development, [this](Provenance const& from) { return judge_(from); }});
  }
  PluginInfo installed(std::string const& version, std::string const& bytes = "") {
    PluginInfo info;
    auto const code = "the code of " + version + bytes;
    info.path = (folder_ / "installed" / "connector.so").string();
    writeFile(info.path, code); // over the one before, as an installation does
    info.digest = vault::sha256Hex(code);
    auto const text = R"({"id":"test.plugin","version":")" + version +
                      R"(","operations":["test.work/1"],"auth":[],"hosts":[]})";
    info.manifest = parseManifest(text).value();
    return info;
  }
  Adoption adopt(PluginInfo const& plugin, bool allow_downgrade = false) {
    auto verdict = releases_->verdict(plugin, allow_downgrade);
    if (verdict.outcome != Outcome::refused && verdict.outcome != Outcome::unchanged)
      releases_->install(releases_->prepare(plugin));
    return verdict;
  }
  std::string runs() const {
    auto const build = releases_->find("test.plugin");
    return build ? build->manifest.version : "none";
  }
  void proveGood(std::string const& operation = "test.work/1") {
    releases_->provedGood(releases_->find("test.plugin"), operation);
  }
  // So many calls of the operation end a worker of their own; whether that condemns the build.
  bool diesOf(int calls, std::string const& operation = "test.work/1") {
    bool condemned = false;
    for (int i = 0; i < calls; ++i)
      condemned = releases_->condemns(releases_->find("test.plugin"), operation, "con_a").has_value();
    return condemned;
  }

  // The next to be told comes from a certified package.
  PluginInfo certified(std::string const& version, std::string const& package) {
    auto info = installed(version);
    info.provenance.kind = Provenance::Kind::certified;
    info.provenance.package = package;
    return info;
  }

  TestFolder const own_;
  fs::path folder_ = own_.path();
  std::function<Result<void>(Provenance const&)> judge_ = [](Provenance const&) { return Result<void>(); };
  SystemClock clock_;
  Redactor redactor_;
  std::thread::id logged_on_; // the last line
  Log log_{clock_, redactor_, LogLevel::warn,
           [this](std::string_view) { logged_on_ = std::this_thread::get_id(); }};
  std::unique_ptr<Releases> releases_;
};

TEST_F(ReleasesTest, AHigherVersionTakesOver) {
  EXPECT_EQ(adopt(installed("1.9.0")).outcome, Outcome::installed);
  EXPECT_EQ(adopt(installed("1.9.0")).outcome, Outcome::unchanged);
  EXPECT_EQ(adopt(installed("1.10.0")).outcome, Outcome::upgraded);
  EXPECT_EQ(runs(), "1.10.0");
}

TEST_F(ReleasesTest, ALowerVersionIsRefusedInWordsUnlessItIsAllowed) {
  adopt(installed("1.10.0"));
  auto const older = installed("1.9.0");
  auto const refused = adopt(older);
  EXPECT_EQ(refused.outcome, Outcome::refused);
  EXPECT_EQ(refused.version, "1.10.0");
  EXPECT_NE(refused.words.find("older than 1.10.0"), std::string::npos) << refused.words;
  EXPECT_NE(refused.words.find("--allow-downgrade"), std::string::npos) << refused.words;
  EXPECT_EQ(runs(), "1.10.0");
  EXPECT_EQ(adopt(older, true).outcome, Outcome::downgraded);
  EXPECT_EQ(runs(), "1.9.0");
}

TEST_F(ReleasesTest, ADowngradeIsNoticedAfterARestartToo) {
  adopt(installed("2.0.0"));
  auto const older = installed("1.0.0");
  restart();
  EXPECT_EQ(adopt(older).outcome, Outcome::refused);
  EXPECT_EQ(runs(), "2.0.0"); // from its kept copy: the installed one is overwritten
  auto const kept = releases_->find("test.plugin");
  EXPECT_EQ(readFile(kept->path), "the code of 2.0.0");
}

TEST_F(ReleasesTest, OtherBytesUnderOneVersionAreRefusedUnlessInDevelopment) {
  adopt(installed("1.0.0"));
  auto const other = installed("1.0.0", "!");
  EXPECT_EQ(adopt(other).outcome, Outcome::refused);
  EXPECT_NE(adopt(other).words.find("development = true"), std::string::npos);
  restart(true);
  EXPECT_EQ(adopt(other).outcome, Outcome::upgraded);
  EXPECT_EQ(releases_->find("test.plugin")->digest, other.digest);
}

TEST_F(ReleasesTest, AQuarantinedBuildFallsBackToTheLastThatHasAnsweredACall) {
  adopt(installed("1.0.0"));
  proveGood();
  adopt(installed("1.1.0")); // answers nothing
  auto const bad = installed("1.2.0");
  adopt(bad);
  auto const good = releases_->fallBack(releases_->find("test.plugin"), kWhy);
  ASSERT_TRUE(good);
  EXPECT_EQ(runs(), "1.0.0");
  EXPECT_EQ(adopt(bad).outcome, Outcome::refused);
  EXPECT_EQ(adopt(installed("1.2.1")).outcome, Outcome::upgraded);
}

TEST_F(ReleasesTest, AFallBackOutlivesTheDaemon) {
  adopt(installed("1.0.0"));
  proveGood();
  auto const bad = installed("1.1.0");
  adopt(bad);
  releases_->fallBack(releases_->find("test.plugin"), kWhy);
  restart();
  EXPECT_EQ(runs(), "1.0.0");
  EXPECT_EQ(readFile(releases_->find("test.plugin")->path), "the code of 1.0.0");
  auto const again = adopt(bad);
  EXPECT_EQ(again.outcome, Outcome::refused);
  EXPECT_NE(again.words.find("quarantined"), std::string::npos) << again.words;
}

TEST_F(ReleasesTest, TheLastGoodBuildIsStillThereAfterARestart) {
  adopt(installed("1.0.0"));
  proveGood();
  adopt(installed("1.1.0"));
  restart();
  ASSERT_EQ(runs(), "1.1.0");
  ASSERT_TRUE(releases_->fallBack(releases_->find("test.plugin"), kWhy));
  EXPECT_EQ(runs(), "1.0.0");
}

TEST_F(ReleasesTest, WithoutAGoodBuildTheQuarantinedOneStays) {
  adopt(installed("1.0.0"));
  adopt(installed("1.1.0"));
  EXPECT_FALSE(releases_->fallBack(releases_->find("test.plugin"), kWhy));
  EXPECT_EQ(runs(), "1.1.0");
}

TEST_F(ReleasesTest, AQuarantineOutlivesTheDaemonAlsoWithoutAGoodBuild) {
  auto const bad = installed("1.0.0");
  adopt(bad);
  proveGood();
  EXPECT_FALSE(releases_->quarantine(releases_->find("test.plugin"), kWhy));
  restart();
  ASSERT_EQ(runs(), "1.0.0");
  auto const* const why = releases_->quarantined(bad);
  ASSERT_TRUE(why);
  EXPECT_EQ(*why, kWhy);
  ASSERT_EQ(releases_->quarantines().size(), 1U);
  EXPECT_EQ(releases_->quarantines()[0].runs, "");
  auto const same = adopt(bad);
  EXPECT_EQ(same.outcome, Outcome::unchanged);
  EXPECT_NE(same.words.find("garland plugins release test.plugin"), std::string::npos) << same.words;
}

TEST_F(ReleasesTest, WhatIsReleasedMayRunAlsoAfterARestart) {
  adopt(installed("1.0.0"));
  proveGood();
  auto const bad = installed("1.1.0");
  adopt(bad);
  EXPECT_FALSE(releases_->release("test.plugin"));
  releases_->quarantine(releases_->find("test.plugin"), kWhy);
  EXPECT_EQ(releases_->quarantines().at(0).runs, "1.0.0");
  EXPECT_EQ(adopt(bad).outcome, Outcome::refused);
  EXPECT_TRUE(releases_->release("test.plugin"));
  EXPECT_FALSE(releases_->release("test.plugin"));
  restart();
  EXPECT_TRUE(releases_->quarantines().empty());
  EXPECT_EQ(adopt(bad).outcome, Outcome::upgraded);
}

TEST_F(ReleasesTest, NothingFallsBackToAQuarantinedBuildHoweverOftenItHasAnswered) {
  adopt(installed("1.0.0"));
  proveGood();
  auto const bad = releases_->find("test.plugin");
  releases_->quarantine(bad, kWhy);
  releases_->provedGood(bad, "test.work/1"); // a call that was under way
  adopt(installed("1.1.0"));
  EXPECT_FALSE(releases_->fallBack(releases_->find("test.plugin"), kWhy));
  EXPECT_EQ(runs(), "1.1.0");
}

TEST_F(ReleasesTest, ABuildThatAnswersNoCallOfAnOperationIsCondemnedOnlyIfAnotherCanTakeItsPlace) {
  adopt(installed("1.0.0"));
  EXPECT_FALSE(diesOf(5)) << "nobody would answer then";
  proveGood();
  adopt(installed("1.1.0"));
  proveGood("test.other/1");
  EXPECT_FALSE(diesOf(2));
  EXPECT_TRUE(diesOf(1));
  releases_->fallBack(releases_->find("test.plugin"), kWhy);
  EXPECT_FALSE(diesOf(5)) << "nothing is left to fall back to";
}

TEST_F(ReleasesTest, WhatABuildHasAnsweredSpeaksForItAfterARestartToo) {
  adopt(installed("1.0.0"));
  proveGood();
  adopt(installed("1.1.0"));
  proveGood();
  restart();
  ASSERT_EQ(runs(), "1.1.0");
  EXPECT_FALSE(diesOf(5));
  EXPECT_TRUE(diesOf(3, "test.other/1"));
}

TEST_F(ReleasesTest, ABuildIsCopiedOnAnotherThreadThanTheLoops) {
  writeFile((folder_ / "kept").string(), "no folder can be made here, and the log says so");
  restart();
  asio::io_context loop;
  Build prepared;
  asio::co_spawn(loop, releases_->prepareAside(installed("1.0.0")),
                 [&](std::exception_ptr, Result<Build> build) { prepared = build ? *build : nullptr; });
  loop.run();
  ASSERT_TRUE(prepared);
  EXPECT_NE(logged_on_, std::thread::id());
  EXPECT_NE(logged_on_, std::this_thread::get_id());
}

TEST_F(ReleasesTest, ACopyThatIsNotWhatWasKeptIsNotRun) {
  adopt(installed("1.0.0"));
  auto const kept = releases_->find("test.plugin")->path;
  writeFile(kept, "something else");
  restart();
  EXPECT_EQ(runs(), "none");
  EXPECT_EQ(adopt(installed("1.0.0")).outcome, Outcome::installed);
  EXPECT_EQ(readFile(kept), "the code of 1.0.0");
}

TEST_F(ReleasesTest, OnlyTheRunningAndTheLastGoodBuildAreKept) {
  for (int n = 0; n < 5; ++n) {
    adopt(installed("1." + std::to_string(n) + ".0"));
    proveGood();
  }
  fs::create_directory(folder_ / "kept" / (std::string(64, 'a') + ".new")); // left by a crash
  restart();
  int folders = 0;
  for (auto const& entry : fs::directory_iterator(folder_ / "kept")) folders += entry.is_directory() ? 1 : 0;
  EXPECT_EQ(folders, 2);
}

TEST_F(ReleasesTest, ARemovedPluginRunsNoMoreButItsVersionIsRemembered) {
  adopt(installed("2.0.0"));
  auto const missing = releases_->missingIn(Catalogue{});
  ASSERT_EQ(missing.size(), 1U);
  releases_->remove("test.plugin");
  EXPECT_EQ(runs(), "none");
  EXPECT_EQ(adopt(installed("1.0.0")).outcome, Outcome::refused);
  EXPECT_EQ(adopt(installed("2.0.0")).outcome, Outcome::installed);
}

TEST_F(ReleasesTest, AFileThatChangedSinceItWasCataloguedIsNotKept) {
  auto const catalogued = installed("1.0.0");
  installed("1.1.0"); // overwrites it
  KeptBuilds const kept((folder_ / "other").string());
  auto const result = kept.keep(catalogued);
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().message.find("scan the plugins again"), std::string::npos);
}

// ---------------------------------------------------------------- builds that may not run any more

Result<void> nothingOf(Provenance const& from, std::string const& package) {
  if (from.package == package) return Error(ErrorKind::forbidden, "it was revoked");
  return {};
}

TEST_F(ReleasesTest, ABuildWhoseAttestationDoesNotCountAnyMoreIsWithdrawn) {
  adopt(certified("1.0.0", "aa"));
  EXPECT_TRUE(releases_->withdraw().empty());
  judge_ = [](Provenance const& from) { return nothingOf(from, "aa"); };
  auto const gone = releases_->withdraw();
  ASSERT_EQ(gone.size(), 1U);
  EXPECT_EQ(gone[0].build->manifest.version, "1.0.0");
  EXPECT_EQ(gone[0].why, "it was revoked");
  EXPECT_EQ(runs(), "none");
  auto refused = certified("1.0.0", "aa");
  refused.refusal = "x.gpk may not be loaded";
  EXPECT_EQ(adopt(refused).words, "x.gpk may not be loaded") << "nothing goes on";
}

TEST_F(ReleasesTest, WhereABuildComesFromIsKnownAfterARestart) {
  adopt(certified("1.0.0", "aa"));
  restart();
  auto const build = releases_->find("test.plugin");
  ASSERT_TRUE(build);
  EXPECT_EQ(releases_->provenanceOf(*build).package, "aa");
  judge_ = [](Provenance const& from) { return nothingOf(from, "aa"); };
  EXPECT_EQ(releases_->withdraw().size(), 1U);
}

TEST(Provenance, OfAnUnknownOrDamagedKindIsNoSystemBuild) {
  using Kind = Provenance::Kind;
  for (auto const kind : {Kind::system, Kind::developer, Kind::certified}) {
    Provenance from;
    from.kind = kind;
    EXPECT_EQ(provenanceFrom(toJson(from)), from) << name(kind);
  }
  EXPECT_EQ(provenanceFrom(json::object{{"kind", "licensed"}}).kind, Kind::developer);
  EXPECT_EQ(provenanceFrom(json::object{{"kind", 1}}).kind, Kind::developer);
  EXPECT_EQ(provenanceFrom(json::value("damaged")).kind, Kind::developer);
}

TEST_F(ReleasesTest, AWithdrawnBuildIsNotFallenBackTo) {
  adopt(certified("1.0.0", "aa"));
  proveGood();
  adopt(certified("1.1.0", "bb"));
  judge_ = [](Provenance const& from) { return nothingOf(from, "aa"); };
  EXPECT_TRUE(releases_->withdraw().empty()) << "1.1.0 takes the calls";
  EXPECT_EQ(releases_->quarantine(releases_->find("test.plugin"), kWhy), nullptr);
}

TEST_F(ReleasesTest, TheSameBytesCertifiedAnewAreJudgedByTheNewAttestation) {
  adopt(certified("1.0.0", "aa"));
  releases_->retell(Catalogue({certified("1.0.0", "bb")}));
  judge_ = [](Provenance const& from) { return nothingOf(from, "aa"); };
  EXPECT_TRUE(releases_->withdraw().empty());
  EXPECT_EQ(releases_->provenanceOf(certified("1.0.0", "aa")).package, "bb");
}

} // namespace
} // namespace garland::runtime::testing
