// What reviewers do: comparing versions, waiving, reading reports again. Without running a connector.
#include "certification/certification.h"
#include "certification/judge.h"

#include "host/base/file_text.h"
#include "host/base/test_folder.h"
#include "tests/places/places.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace garland::certification {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

TimePoint const kNow = parseRfc3339("2026-06-13T12:00:00Z").value();
constexpr std::chrono::hours kDay{24};

Waiver waiver() {
  Waiver out;
  out.check = "DOC-06";
  out.reason = "the icon comes with 1.1";
  out.approver = "ada";
  out.made = kNow;
  out.expires = kNow + 89 * kDay;
  return out;
}

std::string text(std::vector<Waiver> const& waivers) { return json::serialize(toJson(waivers)); }

TEST(Waivers, AreReadAsTheyWereWritten) {
  auto const read = readWaivers(text({waiver()}), kNow);
  ASSERT_TRUE(read) << read.error().message;
  ASSERT_EQ(read->size(), 1U);
  EXPECT_EQ(read->front().check, "DOC-06");
  EXPECT_EQ(read->front().expires, kNow + 89 * kDay);
}

TEST(Waivers, OfMoreThanNinetyDaysAreRefused) {
  auto longer = waiver();
  longer.expires = kNow + 91 * kDay;
  auto const read = readWaivers(text({longer}), kNow);
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().message, HasSubstr("more than 90 days"));
}

TEST(Waivers, ThatHaveEndedAreRefusedWithAllOthersOfTheirFile) {
  auto other = waiver();
  other.check = "DOC-05";
  EXPECT_TRUE(readWaivers(text({waiver(), other}), kNow));
  other.expires = kNow + 10 * kDay;
  auto const read = readWaivers(text({waiver(), other}), kNow + 11 * kDay);
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().message, HasSubstr("expired on 2026-06-23"));
}

TEST(Waivers, ForMoneyAndForTheHarnessThereAreNone) {
  for (auto const* id : {"PAY-01", "HAR-04"}) {
    auto money = waiver();
    money.check = id;
    EXPECT_FALSE(checkWaiver(money, kNow)) << id;
  }
}

Report report() {
  Report out;
  out.suite = suite();
  out.seed = 7;
  out.profile = Profile::full;
  out.wanted = Level::silver;
  out.connector_id = "com.example.crm";
  out.connector_version = "1.0.0";
  out.digest = std::string(64, 'a');
  out.package = std::string(64, 'b');
  out.twin_digest = std::string(64, 'c');
  out.brief_digest = std::string(64, 'd');
  for (auto const& info : catalogue()) {
    if (!info.in_suite) continue;
    Verdict verdict;
    verdict.check = info.id;
    if (info.id == "DOC-05") verdict.outcome = Outcome::fail;
    out.verdicts.push_back(std::move(verdict));
  }
  return out;
}

TEST(Report, IsReadAgainAndItsLevelIsJudgedAnew) {
  auto out = report();
  judge(out);
  EXPECT_EQ(out.reached, Level::bronze);
  out.reached = Level::gold; // whatever it says
  out.certified = true;
  auto const read = readReport(json::serialize(toJson(out)));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->reached, Level::bronze);
  EXPECT_FALSE(read->certified);
  EXPECT_EQ(read->package, out.package);
}

TEST(Report, WithAWaiverReachesWhatTheFindingStoodInTheWayOf) {
  auto out = report();
  auto accepted = waiver();
  accepted.check = "DOC-05";
  out.waivers = {accepted};
  applyWaivers(out);
  judge(out);
  EXPECT_EQ(out.reached, Level::gold);
  auto const page = toHtml(out);
  EXPECT_THAT(page, HasSubstr("WAIVED DOC-05 until 2026-09-10"));
  EXPECT_THAT(json::serialize(toJson(out)), HasSubstr("\"outcome\":\"waived\""));
  EXPECT_THAT(toJUnit(out), HasSubstr("waived until 2026-09-10 by ada"));
  auto forged = toJson(out);
  forged.as_object().erase("waivers");
  EXPECT_FALSE(readReport(json::serialize(forged))) << "waived, and no waiver of it";
}

TEST(Report, WhatCouldNotBeJudgedIsNeverWaived) {
  auto out = report();
  auto accepted = waiver();
  accepted.check = "DOC-05";
  out.waivers = {accepted};
  auto& verdict = *std::ranges::find(out.verdicts, "DOC-05", &Verdict::check);
  verdict.outcome = Outcome::pass;
  CaseResult failed;
  failed.findings.emplace_back();
  failed.findings[0].check = "DOC-05";
  add(verdict, failed);
  CaseResult unclear;
  unclear.trouble = "the twin hangs";
  add(verdict, unclear);
  auto forged = out;
  applyWaivers(out);
  EXPECT_EQ(verdict.outcome, Outcome::fail) << "the other case may hide anything";
  judge(out);
  EXPECT_EQ(out.reached, Level::bronze);
  std::ranges::find(forged.verdicts, "DOC-05", &Verdict::check)->outcome = Outcome::waived;
  EXPECT_FALSE(readReport(json::serialize(toJson(forged))));
}

TEST(Report, TellsHowItWasRunAndAnySeed) {
  auto out = report();
  out.seed = 18'446'744'073'709'551'615U;
  out.sandbox = "B";
  out.worker = std::string(64, 'e');
  out.profile = Profile::quick;
  judge(out);
  auto const read = readReport(json::serialize(toJson(out)));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->seed, out.seed);
  EXPECT_EQ(read->sandbox, "B");
  EXPECT_EQ(read->worker, out.worker);
  EXPECT_THAT(toHtml(out), HasSubstr("worker eeeeeeeeeeeeeeee,"));
  EXPECT_EQ(read->profile, Profile::quick);
}

// Whoever reads it has to see that a version was held to no promise of the last one.
TEST(Report, SaysOnItsPageWhetherAnEarlierVersionWasCompared) {
  auto out = report();
  judge(out);
  EXPECT_THAT(toHtml(out), HasSubstr("No earlier version was given, so nothing is compared"));
  out.since = Comparison();
  out.since->old_version = "1.0.0";
  EXPECT_THAT(toHtml(out), AllOf(HasSubstr("Since version 1.0.0"), HasSubstr("Nothing but its code."),
                                 Not(HasSubstr("No earlier version"))));
}

TEST(Report, OfAnotherSuiteIsNotRead) {
  auto out = report();
  out.suite = {"0.9.0", std::string(64, '0')};
  auto const read = readReport(json::serialize(toJson(out)));
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().kind, ErrorKind::invalidInput);
  EXPECT_THAT(read.error().message, HasSubstr("is of suite 0.9.0 (0000000000000000)"));
  EXPECT_THAT(read.error().message, HasSubstr("this is suite " + suite().version));
  EXPECT_THAT(read.error().message,
              HasSubstr("Certify again with this one: garland certify PATH --report DIR"));
}

TEST(Report, OfMoneyNeedsEveryBlockerOfMoneyAtAnyLevel) {
  auto out = report();
  for (auto& verdict : out.verdicts)
    verdict.outcome = verdict.check == "PAY-08" ? Outcome::fail : Outcome::pass;
  judge(out);
  EXPECT_EQ(out.reached, Level::none);
}

TEST(Times, AreDrawnOnAPageThatLoadsNothing) {
  auto const page = timesHtml(
      report(), {{"CAP-04", "volume-1", 1234.5, {}, 20'480, {}}, {"CAP-04", "volume-2", 1.5, {}, 4'096, {}}});
  EXPECT_THAT(page, HasSubstr("<svg"));
  EXPECT_THAT(page, HasSubstr("1.2 s"));
  EXPECT_THAT(page, HasSubstr("20 MiB"));
  EXPECT_THAT(page, Not(HasSubstr("http")));
}

TEST(Difference, TellsWhatAsksForMoreThanBefore) {
  std::string const now = inBuild("/plugins/garland.tave");
  TestFolder const folder;
  std::filesystem::copy(now, folder.path(), std::filesystem::copy_options::recursive);
  auto manifest = parseJson(readFileText(now + "/connector.json").value()).value();
  auto& object = manifest.as_object();
  object["hosts"].as_array().push_back("metrics.example.com");
  object["limits"].as_object()["max_body"] = 33'554'432;
  object["entities"].as_object()["crm.note"].as_object()["write"] = true;
  std::ofstream(folder / "connector.json", std::ios::trunc) << json::serialize(manifest);
  auto const comparison = compareVersions(now, folder.path());
  ASSERT_TRUE(comparison) << comparison.error().message;
  std::vector<std::string> words;
  for (auto const& each : comparison->differences)
    words.push_back((each.asks_for_more ? "! " : "  ") + inWords(each));
  EXPECT_THAT(words, Contains("! added host metrics.example.com"));
  EXPECT_THAT(words, Contains("! changed budget max_body, bytes: 16777216 -> 33554432"));
  EXPECT_THAT(words, Contains("! changed field /entities/crm.note/write: false -> true"));
  EXPECT_EQ(words.size(), 3U);
  EXPECT_TRUE(compareVersions(now, now)->differences.empty());
}

TEST(Difference, TellsHowSecretsTravelAndWhatRequestsAreBoundedBy) {
  std::string const now = inBuild("/plugins/garland.tave");
  TestFolder const folder;
  std::filesystem::copy(now, folder.path(), std::filesystem::copy_options::recursive);
  auto manifest = parseJson(readFileText(now + "/connector.json").value()).value();
  manifest.at("auth").at(0).as_object()["parameter"] = "X-Debug";
  manifest.at("limits").as_object()["requests"] =
      json::object{{"connection", json::object{{"count", 100}, {"seconds", 60}}}};
  std::ofstream(folder / "connector.json", std::ios::trunc) << json::serialize(manifest);
  auto const wordsOf = [](Result<Comparison> const& comparison) {
    std::vector<std::string> words;
    for (auto const& each : comparison.value().differences)
      words.push_back((each.asks_for_more ? "! " : "  ") + inWords(each));
    return words;
  };
  EXPECT_THAT(wordsOf(compareVersions(now, folder.path())),
              ::testing::UnorderedElementsAre("! added scope key, parameter X-Debug",
                                              "  removed scope key, parameter X-API-KEY",
                                              "! added field /limits/requests/connection/count: 100",
                                              "! added field /limits/requests/connection/seconds: 60"));
  EXPECT_THAT(wordsOf(compareVersions(folder.path(), now)),
              Contains("! removed field /limits/requests/connection/count: 100"))
      << "without a budget it asks as fast as it likes";
}

TEST(Difference, AnOperationThatIsGoneIsNamedAndMarked) {
  std::string const now = inBuild("/plugins/garland.tave");
  TestFolder const folder;
  std::filesystem::copy(now, folder.path(), std::filesystem::copy_options::recursive);
  auto manifest = parseJson(readFileText(now + "/connector.json").value()).value();
  auto& operations = manifest.at("operations").as_array();
  std::string const gone = "records.get/1";
  auto const found = std::find(operations.begin(), operations.end(), json::value(gone));
  ASSERT_NE(found, operations.end());
  operations.erase(found);
  std::ofstream(folder / "connector.json", std::ios::trunc) << json::serialize(manifest);
  auto const lost = compareVersions(now, folder.path());
  ASSERT_TRUE(lost) << lost.error().message;
  ASSERT_EQ(lost->differences.size(), 1U);
  EXPECT_EQ(inWords(lost->differences.front()), "removed operation " + gone);
  EXPECT_TRUE(lost->differences.front().asks_for_more) << "PKG-12 fails it";
  auto const came = compareVersions(folder.path(), now);
  ASSERT_EQ(came->differences.size(), 1U);
  EXPECT_EQ(inWords(came->differences.front()), "added operation " + gone);
}

} // namespace
} // namespace garland::certification
