// Whole runs of the harness on a connector with its twin, in the production worker.
#include "certification/certify_fixture.h"
#include "certification/ending.h"
#include "certification/folder.h"
#include "certification/run_case.h"

#include "host/base/file_text.h"
#include "host/base/test_folder.h"
#include "host/vault/vault.h"
#include "tests/places/places.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <garland/schemas.hpp>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <set>

#include <dlfcn.h>
#include <unistd.h>

namespace garland::certification {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::set<std::string> children() {
  std::set<std::string> out;
  for (auto const& thread : std::filesystem::directory_iterator("/proc/self/task")) {
    auto const text = readFileText(thread.path().string() + "/children");
    if (text && !text->empty()) out.insert(*text);
  }
  return out;
}

TEST(Certify, TheSameSeedGivesTheSameBytesTwice) {
  auto const first = certify(optionsFor("garland.tave", {"CAP-04", "CAP-05", "CAP-12", "PKG"}));
  auto options = optionsFor("garland.tave", {"CAP-04", "CAP-05", "CAP-12", "PKG"});
  options.jobs = 1;
  auto const second = certify(std::move(options));
  ASSERT_TRUE(first && second);
  EXPECT_EQ(json::serialize(toJson(first->report)), json::serialize(toJson(second->report)));
  EXPECT_EQ(toHtml(first->report), toHtml(second->report));
  EXPECT_EQ(outcomeOf(first->report, "CAP-04"), Outcome::pass);
  auto const& drawn = first->report.verdicts;
  auto const pulled = std::ranges::find(drawn, "CAP-04", &Verdict::check);
  EXPECT_GE(pulled->requests, 1U);
  EXPECT_GE(pulled->took, Milliseconds(50)) << "a request takes that on the virtual clock";
}

TEST(Certify, NoWorkerIsLeftAndNoPluginIsMapped) {
  auto const options = optionsFor("garland.tave", {"CAP-01", "HLT-01", "ABI-02"});
  auto const run = certify(options);
  ASSERT_TRUE(run) << run.error().message;
  EXPECT_EQ(run->report.worker, vault::sha256Hex(readFileText(options.worker).value()));
  EXPECT_EQ(children(), std::set<std::string>());
  EXPECT_THAT(readFileText("/proc/self/maps").value(), Not(HasSubstr("connector.so")));
  EXPECT_THAT(readFileText("/proc/self/maps").value(), Not(HasSubstr("garland-plugin")));
}

TEST(Certify, AConnectorWithoutATwinIsToldSoAndReachesNoLevel) {
  auto options = optionsFor("garland.caldav", {});
  options.twin_dirs = {inBuild("/no-twins")};
  auto const run = certify(std::move(options));
  ASSERT_TRUE(run) << run.error().message;
  EXPECT_EQ(outcomeOf(run->report, "PKG-03"), Outcome::pass);
  EXPECT_EQ(outcomeOf(run->report, "CAP-04"), Outcome::inconclusive) << "no twin is no excuse";
  EXPECT_EQ(outcomeOf(run->report, "CAP-07"), Outcome::inconclusive);
  EXPECT_EQ(outcomeOf(run->report, "PAY-01"), Outcome::skip) << "the manifest has no payments";
  EXPECT_EQ(run->report.reached, Level::none);
#ifdef GARLAND_SANITIZER_BUILD
  std::set<std::string> const found{"ABI-01", "PKG-05"}; // what the sanitizer has put into the connector
#else
  std::set<std::string> const found;
#endif
  for (auto const& verdict : run->report.verdicts)
    EXPECT_EQ(verdict.outcome != Outcome::inconclusive && blocks(verdict.outcome),
              found.contains(verdict.check))
        << verdict.check;
}

TEST(Certify, APackageIsCertifiedWithTheTwinThatItBrings) {
  auto const schema = Schema::compile(parseJson(schemas::schemaText("manifest.json")).value()).value();
  auto options = optionsFor("garland.tave", {"PKG-01", "CAP-01", "CAP-05"});
  auto const packed =
      marketplace::pack({options.path, "", options.twin_dirs[0] + "/garland.tave-twin"}, schema);
  ASSERT_TRUE(packed) << packed.error().message;
  TestFolder const folder;
  std::filesystem::path const path = folder / "certify_test.gpk";
  ASSERT_TRUE(marketplace::writeFile(path.string(), *packed));
  auto const before = certify(options);
  options.path = path.string();
  options.twin_dirs.clear();
  auto const run = certify(options);
  ASSERT_TRUE(run && before) << run.error().message;
  for (auto const& verdict : run->report.verdicts) EXPECT_EQ(verdict.outcome, Outcome::pass) << verdict.check;
  EXPECT_EQ(run->report.digest, before->report.digest);
  EXPECT_EQ(run->report.package.size(), 64U);
  EXPECT_EQ(before->report.package, "");
  auto damaged = *packed;
  auto& byte = damaged[damaged.size() / 2];
  byte = byte == 'x' ? 'y' : 'x';
  ASSERT_TRUE(marketplace::writeFile(path.string(), damaged));
  EXPECT_FALSE(certify(options)) << "nothing of a damaged package is run";
  std::filesystem::remove(path);
}

// ---- the harness on itself

TEST(Harness, ACoordinatorThatMapsThePluginIsTold) {
  auto const options = optionsFor("garland.tave", {"HAR-02"});
  auto const clean = certify(options);
  ASSERT_TRUE(clean);
  EXPECT_EQ(outcomeOf(clean->report, "HAR-02"), Outcome::pass);
  auto* const mapped = ::dlopen((options.path + "/connector.so").c_str(), RTLD_NOW | RTLD_LOCAL);
  ASSERT_NE(mapped, nullptr) << ::dlerror();
  auto const run = certify(options);
  ::dlclose(mapped);
  ASSERT_TRUE(run);
  EXPECT_EQ(outcomeOf(run->report, "HAR-02"), Outcome::fail);
}

TEST(Certify, WhatIsNotInTheSuiteIsRefusedBySentence) {
  auto const run = certify(optionsFor("garland.tave", {"SOC-01"}));
  ASSERT_FALSE(run);
  EXPECT_THAT(run.error().message, HasSubstr("not in this suite version"));
  EXPECT_THAT(certify(optionsFor("garland.tave", {"XYZ-99"})).error().message, HasSubstr("no check"));
}

TEST(Certify, AnotherConnectorIsNoLastVersion) {
  auto options = optionsFor("garland.tave", {"PKG-12"});
  options.previous = optionsFor("garland.caldav", {}).path;
  auto const run = certify(options);
  ASSERT_FALSE(run);
  EXPECT_EQ(run.error().kind, ErrorKind::invalidInput) << "wrong usage, exit code 2";
  EXPECT_THAT(run.error().message, HasSubstr("is of garland.caldav, and what is certified is garland.tave"));
  options.previous = options.path;
  EXPECT_TRUE(certify(options)) << "the same connector is compared";
}

TEST(Certify, ACaseThatTheCheckDoesNotHaveIsRefused) {
  for (auto const* check : {"CAP-04", "HAR-04"}) {
    auto options = optionsFor("garland.tave", {check});
    options.only_case = "CAP-04/volume-nonsense";
    auto const run = certify(std::move(options));
    ASSERT_FALSE(run) << check;
    EXPECT_THAT(run.error().message, HasSubstr("no case \"CAP-04/volume-nonsense\""));
  }
}

// A twin's folder with another certification.json.
Result<Certified> certifyWith(std::string const& brief, std::vector<std::string> only) {
  namespace fs = std::filesystem;
  auto options = optionsFor("garland.tave", std::move(only));
  TestFolder const own;
  fs::path const dir = own.path();
  fs::copy(options.twin_dirs[0] + "/garland.tave-twin", dir / "garland.tave-twin",
           fs::copy_options::recursive | fs::copy_options::overwrite_existing);
  std::ofstream(dir / "garland.tave-twin/certification.json", std::ios::trunc) << brief;
  options.twin_dirs = {dir.string()};
  return certify(std::move(options));
}

TEST(Certify, ABriefThatIsNotOfItsFormIsRefusedWithItsPlace) {
  auto const run = certifyWith(R"({"entities": {"crm.client": {"record": []}}})", {"CRM"});
  ASSERT_FALSE(run);
  EXPECT_EQ(run.error().kind, ErrorKind::invalidInput);
  EXPECT_THAT(run.error().message, HasSubstr("/entities/crm.client/record"));
  EXPECT_THAT(run.error().message, HasSubstr("certification.json"));
}

// Whoever begins with an empty brief is told of each check that cannot run what to write.
TEST(Certify, WhatTheBriefLacksIsNamedByItsMember) {
  auto const run = certifyWith("{}", {"ABI", "LIF", "SUS", "CAP", "CRM", "WHK", "HLT", "FLT", "SEC-05",
                                      "SEC-06", "SEC-07", "PRF", "DOC"});
  ASSERT_TRUE(run) << run.error().message;
  std::size_t count = 0;
  for (auto const& verdict : run->report.verdicts) {
    if (verdict.outcome != Outcome::inconclusive) continue;
    ++count;
    EXPECT_THAT(verdict.reason, HasSubstr("certification.json: /")) << verdict.check;
  }
  EXPECT_GE(count, 30U);
}

TEST(Certify, ATwinThatIsMissingIsSaidHowToMake) {
  auto options = optionsFor("garland.tave", {"CAP-04"});
  options.twin_dirs = {inBuild("/no-twins")};
  auto const run = certify(std::move(options));
  ASSERT_TRUE(run) << run.error().message;
  EXPECT_THAT(run->report.verdicts[0].reason, HasSubstr("garland_add_twin()"));
}

// ---- a run that ends early

TEST(Ending, StaysDueAndSaysWhy) {
  bool yes = false;
  Ending const ending(std::chrono::seconds(0), [&] { return yes; });
  EXPECT_FALSE(ending.isDue());
  yes = true;
  EXPECT_TRUE(ending.isDue());
  yes = false;
  EXPECT_TRUE(ending.isDue());
  EXPECT_EQ(ending.why(), "the run was interrupted");
}

TEST(Certify, ARunThatIsInterruptedSaysWhatWasNotRunAndLeavesNothing) {
  auto options = optionsFor("garland.tave", {});
  options.profile = Profile::quick;
  options.jobs = 1;
  std::atomic<bool> enough = false;
  options.on_progress = [&](std::size_t done, std::size_t, std::string const&) { enough = done >= 3; };
  options.interrupted = [&] { return enough.load(); };
  auto const run = certify(std::move(options));
  ASSERT_TRUE(run) << run.error().message;
  auto const& report = run->report;
  EXPECT_EQ(run->times.size(), 3U) << "what had run by then";
  EXPECT_EQ(report.ended_early, "the run was interrupted");
  EXPECT_EQ(report.reached, Level::none);
  EXPECT_THAT(report.in_the_way.at(Level::bronze), ::testing::Contains(HasSubstr("the run was interrupted")));
  for (auto const* id : {"CAP-04", "HAR-04"}) {
    auto const verdict = std::ranges::find(report.verdicts, id, &Verdict::check);
    EXPECT_EQ(verdict->outcome, Outcome::inconclusive) << id;
    EXPECT_EQ(verdict->reason, "not run: the run was interrupted") << id;
  }
  EXPECT_EQ(children(), std::set<std::string>());
  EXPECT_EQ(readReport(json::serialize(toJson(report)))->ended_early, report.ended_early);
}

TEST(Certify, AnOperationThatRunsWhenTheTimeIsOverIsEndedWithIt) {
  auto const base = optionsFor("garland.tave", {});
  auto const subject = openSubject(base.path, base.twin_dirs).value();
  bool frozen = false;
  int asked = 0; // not when it begins, but while it runs
  Ending const ending(std::chrono::seconds(0), [&] { return frozen && ++asked > 5; });
  Machine machine;
  machine.worker = base.worker;
  machine.allow_degraded = true;
  machine.ending = &ending;
  Bench bench(subject, machine, {});
  Ask ask;
  ask.operation = kNoOperation;
  bench.run(ask);
  ASSERT_FALSE(bench.freeze().empty());
  frozen = true;
  auto const began = std::chrono::steady_clock::now();
  ask.operation = "health.check/1";
  EXPECT_EQ(bench.run(ask).death, Death::hung);
  EXPECT_TRUE(ending.isDue());
  EXPECT_LT(std::chrono::steady_clock::now() - began, machine.limit) << "it hangs, and nobody waits for it";
  bench.close();
}

// ---- temporary folders

TEST(Folders, ThoseOfKilledRunsAreSweptAndThoseInUseAreNot) {
  namespace fs = std::filesystem;
  auto mine = std::make_unique<Folder>();
  auto const path = mine->path();
  ASSERT_FALSE(path.empty());
  auto const killed = fs::path(path).parent_path() / ("garland-certify-" + std::to_string(::getpid()));
  fs::create_directories(killed / "deeper");
  std::ofstream(killed / "lock") << "";
  auto const other = killed.string() + "x"; // no lock: somebody else's, or not made yet
  fs::create_directories(other);
  sweepFolders();
  EXPECT_TRUE(fs::exists(path));
  EXPECT_FALSE(fs::exists(killed));
  EXPECT_TRUE(fs::exists(other));
  fs::remove_all(other);
  mine.reset();
  EXPECT_FALSE(fs::exists(path));
}

TEST(Certify, OneCaseRunsByItself) {
  auto options = optionsFor("garland.tave", {"CAP-04"});
  options.only_case = "volume-1";
  auto const run = certify(std::move(options));
  ASSERT_TRUE(run) << run.error().message;
  ASSERT_EQ(run->report.verdicts.size(), 1U);
  EXPECT_EQ(run->report.verdicts[0].cases, 1U);
  EXPECT_EQ(run->report.reached, Level::none) << "a part of the checks proves no level";
}

TEST(Bench, TimeIsVirtualAndAFaultTakesItsOwn) {
  auto const subject =
      openSubject(optionsFor("garland.tave", {}).path, optionsFor("garland.tave", {}).twin_dirs);
  ASSERT_TRUE(subject) << subject.error().message;
  Machine machine;
  machine.worker = optionsFor("garland.tave", {}).worker;
  machine.allow_degraded = true;
  Bench bench(*subject, machine, World());
  Ask ask;
  ask.operation = "health.check/1";
  ask.fault = FaultOrder{faultNamed("timeout_after_send"), 0};
  auto const begin = bench.now();
  auto const journal = bench.run(std::move(ask));
  EXPECT_FALSE(journal.ok());
  EXPECT_GE(bench.now() - begin, Milliseconds(60'000)) << "what was left of the call's time";
  EXPECT_EQ(journal.result.error().kind, ErrorKind::transient);
  EXPECT_EQ(bench.close(), "");
}

} // namespace
} // namespace garland::certification
