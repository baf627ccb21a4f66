#include "certification/coverage.h"

#include "certification/check.h"
#include "certification/judge.h"
#include "certification/rehearsal.h"

#include "host/base/file_text.h"
#include "tests/places/places.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>

namespace garland::certification {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr char const* kManifest = R"({
  "manifest": 1, "id": "com.example.crm", "name": "CRM", "version": "1.0.0", "category": "crm", "summary": "A CRM.",
  "operations": ["health.check/1", "crm.pull/1", "crm.upsert/1", "crm.delete/1", "messaging.send/1",
                 "messaging.find/1", "intake.parse/1"],
  "actions": {"messaging.send/1": {"lookup": "messaging.find/1"}},
  "entities": {"crm.client": {"read": true, "write": true}, "crm.event": {"read": true, "write": true},
               "crm.order": {"read": true, "write": false}, "listings.review": {"read": true, "write": false}},
  "intake": {"hook": {}, "csv": {}}, "auth": [], "hosts": []})";

Subject subjectWith(char const* brief) {
  Subject out;
  out.plugin.manifest = runtime::parseManifest(kManifest).value();
  out.brief.document = parseJson(brief).value();
  return out;
}

std::vector<std::string> claimsIn(std::vector<NotCovered> const& all) {
  std::vector<std::string> out;
  for (auto const& each : all) out.push_back(each.claim);
  return out;
}

std::string whatOf(std::vector<NotCovered> const& all, std::string_view claim) {
  auto const found = std::ranges::find(all, claim, &NotCovered::claim);
  return found == all.end() ? "" : found->what;
}

Journal journalOf(std::string operation, std::vector<std::string> const& kinds = {}) {
  Journal out;
  out.operation = std::move(operation);
  for (auto const& kind : kinds) out.records.push_back({kind, "", nullptr, false, 0});
  return out;
}

TEST(Rehearsals, ADeletionIsOfARecordThatIsMadeForIt) {
  auto const subject = subjectWith(R"({"entities": {"crm.client": {"record": {"name": "Ada"}}}})");
  auto const inputs = inputsFor(subject, "crm.delete/1");
  ASSERT_EQ(inputs.size(), 1U);
  EXPECT_NE(textOr(inputs.front(), "/key", ""), "");
  EXPECT_EQ(textOr(inputs.front(), "/entity", ""), "crm.client");
  auto const before = stepsBefore(subject, "crm.delete/1", inputs.front());
  ASSERT_EQ(before.size(), 1U);
  EXPECT_EQ(textOr(before.front(), "/operation", ""), "crm.upsert/1");
  EXPECT_EQ(textOr(before.front(), "/input/data/name", ""), "Ada");
  EXPECT_THAT(stepsBefore(subject, "crm.delete/1", json::object{{"key", "k"}, {"id", "7"}}), IsEmpty())
      << "whoever names a record means that one";
}

TEST(Coverage, AnEmptyBriefCoversNothingButTheHealthCheck) {
  EXPECT_THAT(claimsIn(notCovered(subjectWith("{}"), {}, true)),
              ElementsAre("crm.pull/1 of crm.client", "crm.pull/1 of crm.event", "crm.pull/1 of crm.order",
                          "crm.upsert/1 of crm.client", "crm.upsert/1 of crm.event",
                          "crm.delete/1 of crm.client", "crm.delete/1 of crm.event", "messaging.send/1",
                          "messaging.find/1", "intake.parse/1 by hook", "intake.parse/1 by csv",
                          "records of listings.review"));
}

TEST(Coverage, EachClaimSaysWhatToFillIn) {
  auto const all = notCovered(subjectWith("{}"), {}, true);
  EXPECT_THAT(whatOf(all, "crm.pull/1 of crm.order"),
              HasSubstr("fill in certification.json: /entities/crm.order"));
  EXPECT_THAT(whatOf(all, "crm.delete/1 of crm.event"), HasSubstr("/entities/crm.event/record"));
  EXPECT_THAT(whatOf(all, "messaging.send/1"), HasSubstr("/actions/messaging.send/1"));
  EXPECT_THAT(whatOf(all, "messaging.find/1"), HasSubstr("/actions/messaging.send/1")) << "it looks that up";
  EXPECT_THAT(whatOf(all, "intake.parse/1 by csv"), HasSubstr("/intake"));
}

TEST(Coverage, OfAPartOfTheChecksOnlyWhatTheBriefLeavesOutIsTold) {
  auto const* brief =
      R"({"entities": {"crm.client": {"record": {}}, "crm.event": {"record": {}}, "crm.order": {}},
    "actions": {"messaging.send/1": {"input": {}}},
    "intake": {"leads": [{"deliveries": [{"hook": {}}]}]}})";
  EXPECT_THAT(claimsIn(notCovered(subjectWith(brief), {}, true)), ElementsAre("intake.parse/1 by csv"));
  auto const whole = notCovered(subjectWith(brief), {}, false);
  EXPECT_EQ(whole.size(), claimsOf(subjectWith(brief)).size()) << "nothing of it was called";
  EXPECT_THAT(whatOf(whole, "crm.pull/1 of crm.client"), HasSubstr("no call of it did"));
}

TEST(Coverage, APullHasShownTheKindsThatItBrought) {
  Claims shown;
  note(shown, json::object{{"entity", "crm.client"}}, journalOf("crm.pull/1"));
  EXPECT_FALSE(shown.contains(Claim{"crm.pull/1", "crm.client"})) << "nothing came";
  note(shown, json::object{{"entity", "crm.client"}},
       journalOf("crm.pull/1", {"garland.listing", "crm.client"}));
  EXPECT_TRUE(shown.contains(Claim{"crm.pull/1", "crm.client"}));
  EXPECT_FALSE(shown.contains(Claim{"crm.pull/1", "garland.listing"}));
}

TEST(Coverage, AWriteHasShownItsKindAndADeliveryItsWay) {
  Claims shown;
  note(shown, json::object{{"entity", "crm.event"}}, journalOf("crm.delete/1"));
  auto const item = json::object{{"item", json::object{{"source", "csv"}}}};
  note(shown, item, journalOf("intake.parse/1"));
  EXPECT_TRUE(shown.contains(Claim{"crm.delete/1", "crm.event"}));
  EXPECT_FALSE(shown.contains(Claim{"intake.parse/1", "csv"})) << "nothing was made of it";
  note(shown, item, journalOf("intake.parse/1", {"listings.review"}));
  EXPECT_TRUE(shown.contains(Claim{"intake.parse/1", "csv"}));
  EXPECT_TRUE(shown.contains(Claim{"", "listings.review"}));
}

TEST(Coverage, WhatFailedHasShownNothing) {
  Claims shown;
  auto failed = journalOf("crm.upsert/1", {"crm.client"});
  failed.result = Error(ErrorKind::transient, "busy");
  note(shown, json::object{{"entity", "crm.client"}}, failed);
  auto died = journalOf("health.check/1");
  died.death = Death::crashed;
  note(shown, json::object(), died);
  EXPECT_THAT(shown, IsEmpty());
}

// An answer that was put in the provider's place, or a worker that was killed: that it ended well says
// nothing.
TEST(Coverage, WhatEndedWellInTroubleOfOurMakingHasShownNothing) {
  Claims shown;
  auto spared = journalOf("crm.pull/1", {"crm.client"});
  spared.fault_met = true;
  note(shown, json::object{{"entity", "crm.client"}}, spared);
  EXPECT_THAT(shown, IsEmpty());
  spared.fault_met = false;
  note(shown, json::object{{"entity", "crm.client"}}, spared);
  EXPECT_TRUE(shown.contains(Claim{"crm.pull/1", "crm.client"}));
}

TEST(Coverage, OneKindThatIsWrittenIsNoQuestionOfKinds) {
  auto subject = subjectWith("{}");
  subject.plugin.manifest.operations = {"calendar.upsert/1"};
  subject.plugin.manifest.document =
      parseJson(R"({"entities": {"calendar.event": {"read": false, "write": true}}})").value();
  Claims shown;
  note(shown, json::object{{"data", json::object()}}, journalOf("calendar.upsert/1"));
  EXPECT_THAT(claimsOf(subject), ElementsAre(Claim{"calendar.upsert/1", ""}));
  EXPECT_THAT(notCovered(subject, shown, false), IsEmpty());
}

// By their folders: those of the plugins and of the templates.
std::map<std::string, Subject> referenceSubjects() {
  namespace fs = std::filesystem;
  std::map<std::string, Subject> out;
  for (auto const* root : {"/plugins", "/plugin-api/templates"})
    for (auto const& entry : fs::recursive_directory_iterator(inSources(root))) {
      if (entry.path().filename() != "certification.json") continue;
      Subject subject;
      auto const manifest = readFileText((entry.path().parent_path() / "connector.json").string());
      subject.plugin.manifest = runtime::parseManifest(manifest.value()).value();
      subject.brief.document = parseJson(readFileText(entry.path().string()).value()).value();
      out.emplace(entry.path().parent_path().string(), std::move(subject));
    }
  return out;
}

TEST(Coverage, BriefsOfTheReferenceConnectorsAndTemplatesLeaveNothingOut) {
  auto const all = referenceSubjects();
  for (auto const& [folder, subject] : all)
    EXPECT_THAT(claimsIn(notCovered(subject, {}, true)), IsEmpty()) << folder;
  EXPECT_EQ(all.size(), 18U);
}

// Names of the cases that a check has; nothing if it does not apply.
std::vector<std::string> casesOf(std::string_view id, Subject const& subject, Profile profile) {
  auto const check = std::ranges::find(checks(), id, &Check::id);
  if (check->skip != nullptr && !check->skip(subject).empty()) return {};
  return check->cases != nullptr ? check->cases(subject, profile) : std::vector<std::string>{"all"};
}

// A check without a case is inconclusive, and bars its level.
TEST(Coverage, EveryCheckThatAppliesToAReferenceConnectorOrTemplateHasACase) {
  for (auto const& [folder, subject] : referenceSubjects())
    for (auto const& check : checks()) {
      bool const applies = check.skip == nullptr || check.skip(subject).empty();
      if (!applies || check.after != nullptr) continue;
      EXPECT_THAT(casesOf(check.id, subject, Profile::standard), Not(IsEmpty())) << folder << " " << check.id;
    }
}

TEST(Coverage, WhoActsMeetsFaultsByItsActionsInEveryProfile) {
  int seen = 0;
  for (auto const& [folder, subject] : referenceSubjects()) {
    auto const* actions = garland::find(subject.plugin.manifest.document, "/actions");
    if (actions == nullptr) continue;
    ++seen;
    for (auto const& action : actions->as_object()) {
      auto const name = std::string(action.key().substr(0, action.key().find('/'))) + "/act/truncated_json";
      EXPECT_THAT(casesOf("FLT-05", subject, Profile::quick), Contains(name)) << folder;
      EXPECT_THAT(casesOf("FLT-01", subject, Profile::standard), Contains(name)) << folder;
      EXPECT_THAT(casesOf("FLT-02", subject, Profile::standard), Contains(name)) << folder;
    }
  }
  EXPECT_EQ(seen, 4);
}

TEST(Coverage, WhoIsSentLeadsIsLookedAtLikeWhoPulls) {
  int seen = 0;
  for (auto const& [folder, subject] : referenceSubjects()) {
    if (!subject.offers("intake.parse/1")) continue;
    ++seen;
    for (auto const* id : {"SEC-05", "SEC-06", "SEC-12", "LIF-04", "CAP-13"})
      EXPECT_THAT(casesOf(id, subject, Profile::standard), Not(IsEmpty())) << folder << " " << id;
  }
  EXPECT_EQ(seen, 8);
}

TEST(Coverage, WhatIsWrittenIsDeletedAndChangedUnderItsVersion) {
  for (auto const& [folder, subject] : referenceSubjects()) {
    if (!subject.offers("calendar.delete/1")) continue;
    EXPECT_THAT(casesOf("CAP-07", subject, Profile::quick), Contains("calendar.event/delete")) << folder;
    EXPECT_THAT(casesOf("CRM-02", subject, Profile::quick), Contains("calendar.event/delete")) << folder;
    EXPECT_THAT(casesOf("CAP-11", subject, Profile::quick), Contains("calendar.event")) << folder;
  }
}

// Everything of the suite has passed.
Report passed() {
  Report out;
  out.suite = suite();
  out.twin_digest = out.brief_digest = std::string(64, 'a');
  for (auto const& info : catalogue())
    if (info.in_suite) {
      Verdict verdict;
      verdict.check = info.id;
      out.verdicts.push_back(std::move(verdict));
    }
  return out;
}

TEST(Coverage, WhatIsNotCoveredBarsSilverAndGoldAndLeavesBronze) {
  auto report = passed();
  judge(report);
  EXPECT_EQ(report.reached, Level::gold);
  report.not_covered = {{"crm.delete/1", "nothing exercises it"}};
  judge(report);
  EXPECT_EQ(report.reached, Level::bronze);
  EXPECT_THAT(report.in_the_way[Level::silver], ElementsAre("crm.delete/1 (not covered)"));
  EXPECT_THAT(report.in_the_way[Level::gold], ElementsAre("crm.delete/1 (not covered)"));
}

// A brief that leaves an act of money out cannot make up for it by the acts that it names.
TEST(Coverage, AnActOfMoneyThatIsNotCoveredBarsBronzeToo) {
  auto subject = subjectWith(R"({"actions": {"payments.authorize/1": {"input": {}}}})");
  subject.plugin.manifest.operations = {"payments.authorize/1", "payments.refund/1", "payments.pull/1"};
  subject.plugin.manifest.document = parseJson(R"({
    "actions": {"payments.authorize/1": {}, "payments.refund/1": {}},
    "entities": {"payments.refund": {"read": true, "write": false}}})")
                                         .value();
  auto report = passed();
  report.not_covered = notCovered(subject, {{"payments.authorize/1", ""}}, false);
  EXPECT_THAT(claimsIn(report.not_covered),
              ElementsAre("payments.refund/1", "payments.pull/1 of payments.refund"));
  judge(report);
  EXPECT_EQ(report.reached, Level::none);
  EXPECT_THAT(report.in_the_way[Level::bronze], ElementsAre("payments.refund/1 (not covered)"));
  auto const read = readReport(json::serialize(toJson(report)));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->reached, Level::none);
  report.not_covered = notCovered(subject, {{"payments.authorize/1", ""}, {"payments.refund/1", ""}}, false);
  judge(report);
  EXPECT_EQ(report.reached, Level::bronze) << "what is only read bars Silver";
}

TEST(Coverage, EveryFormOfAReportTellsWhatIsNotCovered) {
  auto report = passed();
  report.not_covered = {{"crm.delete/1", "nothing <exercises> it"}};
  judge(report);
  auto const text = json::serialize(toJson(report));
  EXPECT_THAT(text,
              HasSubstr(R"([{"claim":"crm.delete/1","what":"nothing <exercises> it","bars":"silver"}])"));
  EXPECT_THAT(toHtml(report), HasSubstr("<b>crm.delete/1</b>: nothing &lt;exercises&gt; it"));
  EXPECT_THAT(toJUnit(report), HasSubstr("classname=\"coverage\" name=\"crm.delete/1\"><skipped"));
  EXPECT_THAT(toJUnit(report), HasSubstr("tests=\"" + std::to_string(report.verdicts.size() + 1) + "\""));
  EXPECT_THAT(json::serialize(toSarif(report)), HasSubstr("crm.delete/1: nothing <exercises> it"));
  auto const read = readReport(text);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->not_covered, report.not_covered);
  EXPECT_EQ(read->reached, Level::bronze) << "who reads it judges anew";
}

} // namespace
} // namespace garland::certification
