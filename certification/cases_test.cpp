// One case at a time, of checks as they are and of some that only a test has: what the harness makes of it.
#include "certification/certify_fixture.h"
#include "certification/checks/exercise.h"
#include "certification/names.h"
#include "certification/run_case.h"

#include "host/base/ids.h"
#include "tests/places/places.h"

#include <gmock/gmock.h>

#include <algorithm>

namespace garland::certification {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class HarnessRows : public ::testing::Test {
protected:
  HarnessRows() {
    subject_ =
        openSubject(optionsFor("garland.tave", {}).path, optionsFor("garland.tave", {}).twin_dirs).value();
    machine_.worker = optionsFor("garland.tave", {}).worker;
    machine_.allow_degraded = true;
  }
  CaseResult run(Check const& check, std::string name = "all", Past const* past = nullptr) {
    return runCase(check, {subject_, machine_, check.id, std::move(name), 7, Profile::quick, past});
  }
  CaseResult run(std::string_view id, std::string name, Past const* past) {
    return run(*std::ranges::find(checks(), id, &Check::id), std::move(name), past);
  }
  Subject subject_;
  Machine machine_;
};

// What it asks for comes after its steps, which are taken once.
void deletesTwice(Trial& trial) {
  Ask ask;
  ask.operation = "crm.delete/1";
  ask.input = json::object{{"entity", "crm.project"}, {"key", "delete-1"}, {"id", "{id}"}};
  json::object const record{{"name", "Ahorn wedding"}, {"stage", "booked"}};
  json::object const input{{"entity", "crm.project"}, {"key", "make-1"}, {"data", record}};
  ask.before = {json::object{{"operation", "crm.upsert/1"}, {"input", input}}};
  trial.mustRun(ask, "first");
  trial.mustRun(ask, "again");
  int made = 0;
  int gone = 0;
  auto const ledger = trial.bench().ledger();
  for (auto const& entry : ledger.value()) {
    made += textOr(entry, "/what", "") == "job.created" ? 1 : 0;
    gone += textOr(entry, "/what", "") == "job.deleted" ? 1 : 0;
  }
  trial.expect(made == 1 && gone == 1, "made " + std::to_string(made) + ", gone " + std::to_string(gone));
  trial.expect(trial.shown().contains(Claim{"crm.delete/1", "crm.project"}), "it was not noted");
}

TEST_F(HarnessRows, StepsAreTakenOnceBeforeWhatTheyAreFor) {
  auto const result = run(Check{.id = "CAP-03", .run = deletesTwice});
  EXPECT_EQ(result.trouble, "");
  for (auto const& finding : result.findings) ADD_FAILURE() << finding.what;
}

// Wrong input, and a megabyte of one letter, show nothing, however well they are answered.
void asksOddly(Trial& trial) {
  trial.run(oddAsk("health.check/1"));
  Ask large;
  large.operation = "health.check/1";
  large.raw_input = largeInput(100);
  trial.run(large);
  trial.expect(trial.shown().empty(), "an odd call counts");
  trial.run("health.check/1", json::object());
  trial.expect(trial.shown().contains(Claim{"health.check/1", ""}), "a call in earnest does not count");
}

TEST_F(HarnessRows, WhatNobodyAsksInEarnestCoversNothing) {
  auto const result = run(Check{.id = "CAP-03", .run = asksOddly});
  EXPECT_EQ(result.trouble, "");
  for (auto const& finding : result.findings) ADD_FAILURE() << finding.what;
}

// The ledger tells whether it was there: of a record that never was, nothing is deleted.
void deletesWhatItHasMade(Trial& trial) {
  std::ranges::find(checks(), "RES-01", &Check::id)->run(trial);
  auto const ledger = trial.bench().ledger();
  auto const gone = std::ranges::count_if(
      ledger.value(), [](auto const& entry) { return textOr(entry, "/what", "") == "job.deleted"; });
  trial.expect(gone == 1, "deleted " + std::to_string(gone));
}

TEST_F(HarnessRows, WhatIsDoneAThousandTimesIsDoneToSomethingThatIsThere) {
  machine_.probe = inBuild("/bin/garland-probe");
  subject_.plugin.manifest.operations = {"crm.upsert/1", "crm.delete/1"};
  auto& entities = subject_.brief.document.at("entities").as_object();
  entities = json::object{{"crm.project", entities.at("crm.project")}};
  ASSERT_EQ(usesOf(subject_).at(1).operation, "crm.delete/1");
  auto const result = run(Check{.id = "RES-01", .run = deletesWhatItHasMade}, "use-1");
  for (auto const& finding : result.findings) ADD_FAILURE() << finding.what;
}

// Nothing tells two accounts apart but their id, and nothing in it tells that nobody but a suite has made it.
TEST_F(HarnessRows, AccountsLookAsThoseOfADaemonAndDifferInTheirIdAlone) {
  auto const told = [&](char const* name, std::uint64_t seed) {
    World world;
    world.seed = seed;
    Bench const bench(subject_, machine_, std::move(world));
    return parseJson(bench.account(name)).value().as_object();
  };
  auto one = told("one", 7);
  auto two = told("two", 7);
  auto const id = std::string(one.at("account_id").as_string());
  EXPECT_TRUE(isId("con", id)) << id;
  EXPECT_TRUE(isId("con", std::string(two.at("account_id").as_string())));
  EXPECT_NE(one.at("account_id"), two.at("account_id"));
  EXPECT_EQ(one, told("one", 7)) << "the same seed";
  EXPECT_NE(one, told("one", 8));
  one.erase("account_id");
  two.erase("account_id");
  EXPECT_EQ(one, two);
}

TEST(Names, AreThoseOfADaemonAndAlwaysTheSame) {
  EXPECT_TRUE(isId("op", idNamed("op", "sweep-1")));
  EXPECT_EQ(idNamed("op", "sweep-1"), idNamed("op", "sweep-1"));
  EXPECT_NE(idNamed("op", "sweep-1"), idNamed("op", "sweep-2"));
  EXPECT_THAT(keyNamed("once-1"),
              ::testing::MatchesRegex("[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"));
  EXPECT_EQ(keyNamed("once-1"), keyNamed("once-1"));
  EXPECT_NE(keyNamed("once-1"), keyNamed("once-2"));
}

TEST_F(HarnessRows, ACaseThatComparesOrCallsNothingIsTroubleAndIsTold) {
  Check const idle{.id = "SOC-01", .run = [](Trial&) {}};
  Check const silent{.id = "SOC-02", .run = [](Trial& trial) { trial.expect(true, ""); }};
  auto const first = run(idle);
  auto const second = run(silent);
  EXPECT_TRUE(first.empty);
  EXPECT_THAT(first.trouble, HasSubstr("compared nothing"));
  EXPECT_THAT(second.trouble, HasSubstr("called no operation"));
  Past past;
  past.cases = {{&idle, "all", &first}, {&silent, "all", &second}};
  EXPECT_EQ(run("HAR-05", "all", &past).findings.size(), 2U);
  past.cases.clear();
  EXPECT_NE(run("HAR-05", "all", &past).trouble, "") << "nothing looked at is no proof";
}

TEST_F(HarnessRows, ACaseThatThrowsIsTroubleAndEndsNothingElse) {
  Check const rash{.id = "SOC-01", .run = [](Trial&) { json::value("text").as_object(); }};
  EXPECT_THAT(run(rash).trouble, HasSubstr("certification.json"));
}

// A busy machine lets anybody hang, so that is told of the run and not of the connector.
TEST_F(HarnessRows, ACaseThatHungOnceKeepsWhatItFoundBeforeAndNoFindingTellsOfTheHanging) {
  static int times = 0;
  times = 0;
  Check const slow{.id = "CAP-01",
                   .run =
                       [](Trial& trial) {
                         trial.expect(true, "");
                         if (times++ > 0) return;
                         trial.find(Outcome::fail, "a record got lost", "first pull");
                         trial.find(Outcome::hang, "it took a minute", "second pull");
                         trial.find(Outcome::fail, "nothing came", "second pull");
                       },
                   .calls_plugin = false};
  auto const result = run(slow, "good");
  EXPECT_EQ(times, 2);
  ASSERT_EQ(result.findings.size(), 1U);
  EXPECT_EQ(result.findings[0].what, "a record got lost");
  EXPECT_EQ(result.hung_once, "it took a minute (second pull)");
  EXPECT_FALSE(isClean(result));
}

// The report of a machine that was busy for a minute has the bytes of one that was not.
TEST_F(HarnessRows, ACaseThatOnlyHungOnceIsTheSameAsOneThatDidNot) {
  static int times = 0;
  Check const slow{.id = "CAP-01",
                   .run =
                       [](Trial& trial) {
                         trial.expect(true, "");
                         if (times++ == 0) trial.find(Outcome::hang, "it took a minute");
                       },
                   .calls_plugin = false};
  times = 0;
  auto const busy = run(slow, "good");
  EXPECT_EQ(times, 2);
  auto const calm = run(slow, "good");
  EXPECT_EQ(times, 3);
  EXPECT_EQ(busy.hung_once, "it took a minute");
  EXPECT_EQ(calm.hung_once, "");
  EXPECT_TRUE(isClean(busy));
  EXPECT_TRUE(isSame(busy, calm));
}

TEST_F(HarnessRows, ACaseThatHangsAgainHasHung) {
  Check const stuck{.id = "CAP-01",
                    .run = [](Trial& trial) { trial.find(Outcome::hang, "it took a minute"); },
                    .calls_plugin = false};
  auto const result = run(stuck, "good");
  ASSERT_EQ(result.findings.size(), 1U);
  EXPECT_EQ(result.findings[0].outcome, Outcome::hang);
  EXPECT_EQ(result.hung_once, "") << "it is a finding";
}

TEST_F(HarnessRows, AConnectorWhoseVerdictChangesIsTold) {
  static int times = 0;
  Check const moody{.id = "CAP-01", .run = [](Trial& trial) { trial.expect(++times % 2 == 0, "it is odd"); }};
  auto const first = run(moody, "good");
  Past past;
  past.cases = {{&moody, "good", &first}};
  // The case of the real check has no finding, the kept one has: two verdicts.
  EXPECT_EQ(run("HAR-04", "CAP-01/good", &past).findings.size(), 1U);
  EXPECT_EQ(run("HAR-03", "CAP-01/good", &past).findings.size(), 1U);
  EXPECT_EQ(run("HAR-04", "CAP-01/good", nullptr).findings.size(), 0U);
}

// A case of the harness's own has no second run: drawn as a sample, it would end inconclusive and block.
TEST_F(HarnessRows, WhatIsRunAgainIsNeverACaseOfTheHarness) {
  auto const checkOf = [](std::string_view id) { return &*std::ranges::find(checks(), id, &Check::id); };
  CaseResult const clean;
  Past past;
  past.cases = {{checkOf("HAR-08"), "all", &clean}, {checkOf("HLT-01"), "all", &clean}};
  for (auto const* id : {"HAR-03", "HAR-04"})
    EXPECT_EQ(checkOf(id)->after(past, Profile::quick, 7), std::vector<std::string>{"HLT-01/all"}) << id;
}

TEST_F(HarnessRows, ASkipThatTheManifestDoesNotSupportIsTold) {
  Past past;
  past.verdicts.emplace_back();
  past.verdicts[0].check = "CAP-04";
  past.verdicts[0].outcome = Outcome::skip;
  past.verdicts[0].reason = "not today";
  EXPECT_EQ(run("HAR-06", "all", &past).findings.size(), 1U);
  past.verdicts[0].check = "PAY-01";
  EXPECT_EQ(run("HAR-06", "all", &past).findings.size(), 0U) << "the manifest has no payments";
  EXPECT_TRUE(manifestOnly(subject_).brief.document.is_null());
  EXPECT_FALSE(manifestOnly(subject_).hasTwin());
}

TEST_F(HarnessRows, AWorkerThatHangsIsGoneASecondAfterItsEnd) {
  auto const result = run("HAR-08", "all", nullptr);
  EXPECT_EQ(result.trouble, "");
  EXPECT_TRUE(result.findings.empty()) << result.findings[0].what;
  EXPECT_GE(result.assertions, 3U);
}

TEST_F(HarnessRows, AWorkerThatStaysIsNotTakenForGone) {
  Bench bench(subject_, machine_, World());
  Ask ask;
  ask.operation = kNoOperation;
  bench.run(std::move(ask));
  auto const frozen = bench.freeze();
  ASSERT_FALSE(frozen.empty());
  EXPECT_FALSE(bench.isGone(frozen[0], Milliseconds(50)));
  EXPECT_EQ(bench.close(), "");
  EXPECT_TRUE(bench.isGone(frozen[0], Milliseconds(0)));
}

// Authors cannot publish the suite's mutant score, so nothing is found at them for its lack.
TEST_F(HarnessRows, AScoreThatIsNotPublishedIsNoFindingOfTheConnector) {
  auto const result = run("HAR-01", "all", nullptr);
  EXPECT_EQ(result.trouble, "");
  EXPECT_TRUE(result.findings.empty()) << result.findings[0].what;
}

TEST_F(HarnessRows, RulesOfTheLastVersionWithoutAnExampleDivideByNothing) {
  subject_.previous =
      parseJson(R"({"version": "0.9.0", "settings": {"properties": {"a": {"examples": [], "enum": []}}}})")
          .value();
  EXPECT_TRUE(run("PKG-11", "all", nullptr).findings.empty());
}

TEST_F(HarnessRows, WhatTheLastVersionHadIsComparedWithIt) {
  subject_.previous = subject_.plugin.manifest.document;
  EXPECT_EQ(run("PKG-12", "all", nullptr).trouble, "");
  EXPECT_TRUE(run("PKG-12", "all", nullptr).findings.empty());
  subject_.previous.at("operations").as_array().emplace_back("crm.merge/1");
  ASSERT_EQ(run("PKG-12", "all", nullptr).findings.size(), 1U);
  EXPECT_THAT(run("PKG-12", "all", nullptr).findings[0].what, HasSubstr("crm.merge/1 is gone"));
}

TEST_F(HarnessRows, BeforeTheFirstMajorVersionAMinorOneMayTakeAwayAndAPatchMayNot) {
  subject_.previous = subject_.plugin.manifest.document;
  subject_.previous.at("operations").as_array().emplace_back("crm.merge/1");
  subject_.previous.at("version") = "0.3.2";
  auto const found = [&](char const* version) {
    subject_.plugin.manifest.version = version;
    return run("PKG-12", "all", nullptr).findings;
  };
  EXPECT_TRUE(found("0.4.0").empty());
  EXPECT_TRUE(found("1.0.0").empty());
  ASSERT_EQ(found("0.3.3").size(), 1U);
  EXPECT_THAT(found("0.3.3")[0].what, HasSubstr("asks for a new minor version before 1.0.0"));
  ASSERT_EQ(found("0.3.1").size(), 2U);
  EXPECT_THAT(found("0.3.1")[0].what, HasSubstr("is older than the release 0.3.2"));
  subject_.previous.at("version") = "1.3.0";
  EXPECT_EQ(found("1.4.0").size(), 1U) << "from 1.0.0 on a minor version takes nothing away";
  EXPECT_TRUE(found("2.0.0").empty());
}

// A marketplace may be shown 1.1.0 first: then there is nothing to hold it to, and nothing is in its way.
TEST_F(HarnessRows, WithoutTheLastVersionNothingIsComparedAndItIsSaidHowToGiveIt) {
  for (auto const* id : {"PKG-11", "PKG-12"}) {
    auto const& check = *std::ranges::find(checks(), id, &Check::id);
    for (auto const* version : {"0.1.0", "1.0.0", "1.1.0", "2.3.4"}) {
      subject_.plugin.manifest.version = version;
      subject_.previous = nullptr;
      EXPECT_THAT(check.skip(subject_),
                  HasSubstr("no version before " + std::string(version) + " was given"));
      EXPECT_THAT(check.skip(subject_), HasSubstr("--previous PACKAGE"));
      subject_.previous = subject_.plugin.manifest.document;
      EXPECT_EQ(check.skip(subject_), "") << "it was given, so it is compared";
    }
  }
}

TEST_F(HarnessRows, WhatLiesBesideAConnectorHasALimitToo) {
  EXPECT_GT(subject_.document_bytes, 0U);
  EXPECT_TRUE(run("PKG-10", "all", nullptr).findings.empty());
  subject_.document_bytes = std::uintmax_t{6} << 20U;
  ASSERT_EQ(run("PKG-10", "all", nullptr).findings.size(), 1U);
  EXPECT_THAT(run("PKG-10", "all", nullptr).findings[0].what, HasSubstr("documents and pictures have 6 MiB"));
}

// A signature that counts for a week can be sent again for a week.
TEST_F(HarnessRows, ASchemeThatTakesOldRequestsIsTold) {
  auto const found = [&](int tolerance) {
    subject_.plugin.manifest.webhooks =
        parseJson(
            R"({"signature": {"algorithm": "hmac-sha256", "at": {"header": "X-Sign", "split": ",", "member": "v1"},
          "encoding": "hex", "signed": "{timestamp}.{body}",
          "timestamp": {"at": {"header": "X-Sign", "split": ",", "member": "t"}}, "tolerance_seconds": )" +
            std::to_string(tolerance) + "}}")
            .value();
    return run("WHK-01", "all", nullptr).findings;
  };
  EXPECT_TRUE(found(300).empty());
  ASSERT_EQ(found(604'800).size(), 1U);
  EXPECT_THAT(found(604'800)[0].what, HasSubstr("an hour after it was sent"));
}

// What the manifest says can happen is asked for, though the brief leaves it out.
TEST_F(HarnessRows, ARevokedCredentialThatTheBriefLeavesOutIsMissed) {
  auto const& check = *std::ranges::find(checks(), "CAP-01", &Check::id);
  subject_.brief.document.at("credentials").as_object().erase("revoked");
  EXPECT_THAT(check.cases(subject_, Profile::quick), ::testing::Contains("revoked"));
  EXPECT_THAT(run(check, "revoked").trouble, HasSubstr("fill in certification.json: /credentials/revoked"));
  subject_.plugin.manifest.document.as_object()["auth"] = json::array();
  EXPECT_THAT(check.cases(subject_, Profile::quick), Not(::testing::Contains("revoked")));
}

TEST_F(HarnessRows, ABriefThatNamesNothingIsNoFaultOfTheHarness) {
  subject_.brief.document = json::object{{"entities", json::object()}};
  CaseResult idle;
  idle.empty = true;
  Past past;
  past.cases = {{&*std::ranges::find(checks(), "CAP-04", &Check::id), "all", &idle}};
  auto const result = run("HAR-05", "all", &past);
  EXPECT_TRUE(result.findings.empty());
  EXPECT_THAT(result.trouble, HasSubstr("certification.json names nothing to exercise"));
}

} // namespace
} // namespace garland::certification
