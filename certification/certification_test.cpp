// What can be told without running a connector: reading shared objects, tokens, the catalogue, the forms of a
// report.
#include "certification/certification.h"
#include "certification/check.h"
#include "certification/checks/stale_reads.h"
#include "certification/checks/version_order.h"
#include "certification/drawing.h"
#include "certification/elf_facts.h"
#include "certification/escape.h"
#include "certification/faults.h"
#include "certification/run_case.h"
#include "certification/token.h"

#include "host/base/file_text.h"
#include "tests/places/places.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <set>

namespace garland::certification {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string objectOf(char const* id) {
  return readFileText(inBuild("/plugins/") + id + "/connector.so").value();
}

Finding finding() {
  Finding out;
  out.check = "CAP-04";
  out.what = "of 3 records <b>2</b> came & \"one\" did not";
  out.where = "crm.client";
  out.token = tokenFor({"CAP-04", "volume-1", 7, std::string(64, 'a'), std::string(64, 'b')});
  return out;
}

Report report() {
  Report out;
  out.suite = suite();
  out.connector_id = "com.example.crm";
  out.connector_version = "1.0.0";
  out.digest = std::string(64, 'a');
  Verdict failed;
  failed.check = "CAP-04";
  failed.outcome = Outcome::fail;
  failed.findings = {finding()};
  Verdict passed;
  passed.check = "PKG-03";
  Verdict skipped;
  skipped.check = "WHK-01";
  skipped.outcome = Outcome::skip;
  skipped.reason = "not applicable: the manifest has no webhooks";
  out.verdicts = {passed, failed, skipped};
  for (auto const level : {Level::bronze, Level::silver, Level::gold})
    out.in_the_way[level] = {"CAP-04 (fail)"};
  return out;
}

TEST(Maps, OnlyCodeOfAPluginCounts) {
  Subject subject;
  subject.plugin.path = "/opt/plugins/com.example.crm/connector.so";
  EXPECT_TRUE(mapsPlugin("7f00-7f01 r-xp 00000000 00:01 7   /memfd:garland-plugin (deleted)\n", subject));
  EXPECT_TRUE(
      mapsPlugin("7f00-7f01 r--p 0 00:01 7\n7f01-7f02 r-xp 0 08:01 9 " + subject.plugin.path, subject));
  EXPECT_FALSE(mapsPlugin("7f00-7f01 r--p 00000000 00:01 7   /memfd:garland-plugin (deleted)\n", subject))
      << "its bytes are read for their digest";
  EXPECT_FALSE(mapsPlugin("7f00-7f01 r-xp 00000000 08:01 9   /usr/lib/libc.so.6\n", subject));
}

TEST(Catalogue, HasEveryCheckOnceWithWordsForPeople) {
  EXPECT_EQ(catalogue().size(), 167U);
  std::set<std::string> ids;
  for (auto const& info : catalogue()) {
    EXPECT_TRUE(ids.insert(info.id).second) << info.id;
    EXPECT_FALSE(info.title.empty() || info.passes.empty() || info.why.empty() || info.mend.empty())
        << info.id;
  }
}

TEST(Catalogue, KnowsEveryCheckThatIsWritten) {
  std::set<std::string_view> ids;
  for (auto const& check : checks()) {
    EXPECT_NE(checkInfo(check.id), nullptr) << check.id;
    EXPECT_TRUE(ids.insert(check.id).second) << check.id << " is there twice";
    EXPECT_NE(check.run, nullptr) << check.id;
  }
  EXPECT_GE(ids.size(), 15U);
}

TEST(Catalogue, ThePageOfTheDocumentsIsWhatTheProgramTells) {
  auto const page = readFileText(inSources("/sdk-docs/certification-checks.md"));
  ASSERT_TRUE(page) << page.error().message;
  EXPECT_EQ(*page, catalogueMarkdown())
      << "renew it: garland certify --list --markdown > sdk-docs/certification-checks.md";
}

TEST(Catalogue, HasAMutantForEveryCheckThatIsWritten) {
  // The coordinator is the subject of the checks HAR, and no connector can bring about what they look for:
  // certify_test.cpp makes the harness itself fail them. A mutant there is welcome and not asked for.
  std::set<std::string> killed;
  for (auto const& file : std::filesystem::directory_iterator(inSources("/certification/mutants"))) {
    if (file.path().extension() != ".json") continue;
    auto const document = parseJson(readFileText(file.path().string()).value()).value();
    for (auto const& mutant : garland::find(document, "/mutants")->get_array())
      killed.insert(textOr(mutant, "/kills", ""));
  }
  for (auto const& check : checks())
    if (!check.id.starts_with("HAR-")) {
      EXPECT_TRUE(killed.contains(std::string(check.id))) << check.id;
    }
}

TEST(Catalogue, WhatACheckDoesNotLookAtIsToldInEveryReport) {
  EXPECT_THAT(checkInfo("DOC-07")->not_looked_at, HasSubstr("a run reaches nobody"));
  EXPECT_THAT(json::serialize(toJson(report())), HasSubstr("a run reaches nobody"));
  EXPECT_THAT(toHtml(report()), HasSubstr("Of DOC-07: whether a test message is answered"));
  EXPECT_THAT(checkInfo("PKG-12")->not_looked_at, HasSubstr("of operations, actions and records none"));
  EXPECT_THAT(catalogueMarkdown(),
              HasSubstr("Not in this suite version: whether a test message is answered"));
}

TEST(Versions, AreOrderedByTheirNumbersAndNotByTheirLetters) {
  EXPECT_TRUE(isOlder("2.5.0", "2.6.3"));
  EXPECT_TRUE(isOlder("2.9.0", "2.10.0"));
  EXPECT_TRUE(isOlder("2.5", "2.5.1"));
  EXPECT_TRUE(isOlder("2.5.0-1+deb12u1", "2.5.0-1+deb12u2"));
  EXPECT_TRUE(isOlder("3.0~rc1", "3.0"));
  EXPECT_TRUE(isOlder("9.0", "1:1.0"));
  EXPECT_TRUE(isOlder("1.1.1k", "1.1.1l"));
  EXPECT_FALSE(isOlder("2.6.3", "2.6.3"));
  EXPECT_FALSE(isOlder("02.6", "2.6"));
  EXPECT_FALSE(isOlder("2.10", "2.9"));
  EXPECT_FALSE(isOlder("", "0"));
}

TEST(Suite, HasAVersionAndADigest) {
  EXPECT_FALSE(suite().version.empty());
  EXPECT_EQ(suite().digest.size(), 64U);
}

// A changed check is another suite, though nobody has given it another version.
TEST(Suite, AMutantScoreOfAnotherDigestCountsForNothingAndIsToldSo) {
  MutantScore score{suite(), 194, 194};
  EXPECT_TRUE(isOfThisSuite(score));
  EXPECT_THAT(inWords(score), Not(HasSubstr("another suite digest")));
  score.suite.digest = std::string(64, '0');
  EXPECT_FALSE(isOfThisSuite(score));
  EXPECT_THAT(inWords(score), HasSubstr("194 of 194, by suite " + suite().version));
  EXPECT_THAT(inWords(score), HasSubstr("another suite digest than this one's"));
  EXPECT_FALSE(isOfThisSuite({})) << "none was published";
  auto const document = toJson(report());
  auto const* told = garland::find(document, "/mutant_score/of_this_suite");
  ASSERT_NE(told, nullptr);
  EXPECT_EQ(told->as_bool(), isOfThisSuite(mutantScore()));
  EXPECT_THAT(toHtml(report()), HasSubstr(xmlText(inWords(mutantScore()))));
}

TEST(Faults, AreTwentyFourWithNamesOfTheirOwn) {
  std::set<std::string_view> names;
  for (auto const& fault : faults()) {
    EXPECT_TRUE(names.insert(fault.name).second) << fault.name;
    EXPECT_TRUE(fault.answer != nullptr || fault.repeats != Fault::Repeats::no) << fault.name;
  }
  EXPECT_EQ(names.size(), 24U);
}

TEST(ElfFacts, TellsWhatAConnectorExportsAndNeeds) {
  auto const facts = readElfFacts(objectOf("garland.tave"));
  ASSERT_TRUE(facts) << facts.error().message;
  ASSERT_EQ(facts->exports.size(), 1U);
  EXPECT_EQ(facts->exports[0].name, "garland_entry_v1");
  EXPECT_THAT(facts->needed, ::testing::Contains("libc.so.6"));
  EXPECT_TRUE(facts->relro && facts->bind_now);
  EXPECT_FALSE(facts->executable_stack);
  EXPECT_EQ(facts->build_id.size(), 40U);
  EXPECT_THAT(facts->manifest, HasSubstr("\"garland.tave\""));
  auto const exit = std::ranges::find(facts->imports, "__cxa_finalize", &ElfSymbol::name);
  ASSERT_NE(exit, facts->imports.end());
  EXPECT_EQ(exit->version, "GLIBC_2.2.5");
}

TEST(ElfFacts, EveryPrefixOfAnObjectIsReadOrRefused) {
  auto const whole = objectOf("garland.tave");
  EXPECT_FALSE(readElfFacts(""));
  EXPECT_FALSE(readElfFacts("\x7f"
                            "ELF"));
  for (std::size_t size = 1; size < whole.size(); size += whole.size() / 97) {
    auto const facts = readElfFacts(std::string_view(whole).substr(0, size));
    if (!facts) {
      EXPECT_FALSE(facts.error().message.empty());
    }
  }
}

TEST(Token, NamesItsCase) {
  auto const token = tokenFor({"FLT-01", "crm.client/pull/status_500", 7, std::string(64, 'a'),
                               std::string(64, 'b'), Profile::quick});
  auto const replay = readToken(token);
  ASSERT_TRUE(replay) << replay.error().message;
  EXPECT_EQ(replay->check, "FLT-01");
  EXPECT_EQ(replay->case_name, "crm.client/pull/status_500");
  EXPECT_EQ(replay->seed, 7U);
  EXPECT_EQ(replay->digest, std::string(16, 'a'));
  EXPECT_EQ(replay->suite, std::string(16, 'b'));
  EXPECT_EQ(replay->profile, Profile::quick);
}

TEST(Token, OfOlderReportsIsReadAsOneOfTheLongestProfile) {
  auto const replay = readToken("g1:CAP-04:volume-1:7:aaaaaaaaaaaaaaaa:bbbbbbbbbbbbbbbb");
  ASSERT_TRUE(replay) << replay.error().message;
  EXPECT_EQ(replay->profile, Profile::full);
  EXPECT_EQ(replay->case_name, "volume-1");
  EXPECT_EQ(replay->digest, std::string(16, 'a'));
}

TEST(Token, WhatIsNoneIsRefusedWithASentence) {
  for (auto const* token :
       {"", "g1", "g1:CAP-04:all:7:aaaaaaaaaaaaaaaa", "g1:XXX-04:all:7:aaaaaaaaaaaaaaaa:bbbbbbbbbbbbbbbb",
        "g1:CAP-04:all:x:aaaaaaaaaaaaaaaa:bbbbbbbbbbbbbbbb", "g1:CAP-04:all:7:aaaa:bbbbbbbbbbbbbbbb",
        "g1:CAP-04:all:7:quick:aaaaaaaaaaaaaaaa:bbbbbbbbbbbbbbbb",
        "g2:CAP-04:all:7:aaaaaaaaaaaaaaaa:bbbbbbbbbbbbbbbb",
        "g2:CAP-04:all:7:slow:aaaaaaaaaaaaaaaa:bbbbbbbbbbbbbbbb"}) {
    auto const replay = readToken(token);
    ASSERT_FALSE(replay) << token;
    EXPECT_THAT(replay.error().message, HasSubstr("no replay token"));
  }
}

TEST(Reports, TextIsEscapedWhereItStandsInMarkup) {
  EXPECT_EQ(xmlText("<a b=\"c\">&'\x01"), "&lt;a b=&quot;c&quot;&gt;&amp;&#39; ");
  for (auto const& text : {toHtml(report()), toJUnit(report())}) {
    EXPECT_THAT(text, Not(HasSubstr("<b>2</b>")));
    EXPECT_THAT(text, HasSubstr("&lt;b&gt;2&lt;/b&gt; came &amp; &quot;one&quot;"));
  }
}

TEST(Reports, WhatStrangersSayMovesNoCursorAndIsCutBetweenCharacters) {
  EXPECT_EQ(oneLine("a\x1b[2Jb\nc\x7f"), "a [2Jb c ");
  EXPECT_EQ(oneLine("a\xc2\x9b"
                    "2Jb"),
            "a 2Jb")
      << "U+009B is CSI";
  EXPECT_EQ(oneLine("a\xe2\x80\xae"
                    "b\xe2\x81\xa6"),
            "a b ")
      << "direction of text";
  EXPECT_EQ(oneLine("a\x9b\xff"
                    "b"),
            "a\xef\xbf\xbd\xef\xbf\xbd"
            "b");
  EXPECT_EQ(oneLine("B\xc3\xb6", 3), "B\xc3\xb6");
  EXPECT_EQ(oneLine("B\xc3\xb6!", 2), "B...");
  Subject const subject;
  Machine const machine;
  Trial trial({subject, machine, "CAP-04", "all"});
  trial.giveUp("the twin said \xc2\x9b\x1b[31m");
  EXPECT_EQ(trial.trouble(), "the twin said   [31m");
}

TEST(Reports, SayHowACaseIsRunAgainAndWhatHasToBeFilledIn) {
  auto out = report();
  out.sandbox = "A";
  EXPECT_THAT(replayCommand(out, finding()), ::testing::EndsWith(finding().token + " --path CONNECTOR"));
  EXPECT_THAT(replayWords(out), HasSubstr("CONNECTOR is the connector with the digest aaaaaaaaaaaaaaaa..."));
  EXPECT_THAT(replayWords(out), Not(HasSubstr("--twins")));
  out.sandbox = "D";
  out.twin_digest = std::string(64, 'b');
  out.since.emplace();
  out.since->old_version = "0.9.0";
  auto const command = replayCommand(out, finding());
  EXPECT_THAT(command, ::testing::EndsWith(" --path CONNECTOR --previous PREVIOUS --allow-degraded-sandbox"));
  EXPECT_THAT(replayWords(out), HasSubstr("PREVIOUS its version 0.9.0"));
  EXPECT_THAT(replayWords(out), HasSubstr("--twins FOLDER; it was the one with the digest bbbb"));
  EXPECT_THAT(replayWords(out), HasSubstr("--worker FILE"));
  for (auto const& page : {toHtml(out), toJUnit(out)}) {
    EXPECT_THAT(page, HasSubstr(xmlText(command)));
    EXPECT_THAT(page, HasSubstr(xmlText(replayWords(out))));
  }
  auto const sarif = toSarif(out);
  EXPECT_THAT(textOr(sarif, "/runs/0/results/0/message/text", ""), HasSubstr(command));
  EXPECT_EQ(textOr(sarif, "/runs/0/properties/replay", ""), replayWords(out));
}

Exchange exchangeOf(char const* method, char const* url) {
  Exchange out;
  out.ask.method = method;
  out.ask.url = url;
  out.answer = runtime::HttpAnswer();
  return out;
}

TEST(StaleReads, AreARaceOnlyIfWhatIsReadBeforeTheWriteIsWhatWasReadBefore) {
  Journal journal;
  journal.exchanges = {exchangeOf("GET", "https://a.test/1"), exchangeOf("PUT", "https://a.test/1"),
                       exchangeOf("GET", "https://a.test/2")};
  StaleReads same;
  same.keep(journal);
  EXPECT_FALSE(same.answer(journal.exchanges[0].ask)) << "not before it is asked to";
  same.show(true);
  EXPECT_FALSE(same.isRace()) << "nothing was read again";
  EXPECT_TRUE(same.answer(journal.exchanges[0].ask));
  EXPECT_FALSE(same.answer(journal.exchanges[1].ask)) << "a write goes on its way";
  EXPECT_FALSE(same.answer(journal.exchanges[0].ask)) << "what is read after it is as it is";
  EXPECT_TRUE(same.isRace());
  StaleReads other;
  other.keep(journal);
  other.show(true);
  EXPECT_TRUE(other.answer(journal.exchanges[0].ask));
  EXPECT_FALSE(other.answer(journal.exchanges[2].ask)) << "it was read after the write";
  EXPECT_FALSE(other.isRace()) << "the provider has told of the edit";
  StaleReads unread;
  unread.show(true);
  EXPECT_TRUE(unread.isRace()) << "who reads nothing goes by the version that the host has read";
}

TEST(Trial, ThatHungOrFoundALotIsFull) {
  Subject const subject;
  Machine const machine;
  Trial hung({subject, machine, "CAP-04", "all"});
  hung.find(Outcome::fail, "one");
  EXPECT_FALSE(hung.isFull());
  hung.find(Outcome::hang, "it hung");
  EXPECT_TRUE(hung.isFull());
  Trial many({subject, machine, "CAP-04", "all"});
  for (int i = 0; i < 10; ++i) many.find(Outcome::fail, "again");
  EXPECT_TRUE(many.isFull());
}

TEST(Reports, ThePageLoadsNothingAndTellsWhatIsNotInTheSuite) {
  auto const page = toHtml(report());
  EXPECT_THAT(page, Not(HasSubstr("<script")));
  EXPECT_THAT(page, Not(HasSubstr("http://")));
  EXPECT_THAT(page, Not(HasSubstr("https://")));
  EXPECT_THAT(page, HasSubstr("width=device-width"));
  EXPECT_THAT(page, HasSubstr("UPG-01"));
  EXPECT_THAT(page, HasSubstr("not applicable: the manifest has no webhooks"));
  EXPECT_THAT(page, HasSubstr("Passes if: " + xmlText(checkInfo("WHK-01")->passes)));
  EXPECT_THAT(page, Not(HasSubstr("Passed: "))) << "a check that was skipped has passed nothing";
}

TEST(Reports, TheRootOfJUnitHasTheTotals) {
  auto out = report();
  Verdict unclear;
  unclear.check = "PKG-04";
  unclear.outcome = Outcome::inconclusive;
  out.verdicts.push_back(unclear);
  EXPECT_THAT(toJUnit(out),
              HasSubstr("<testsuites tests=\"4\" failures=\"1\" errors=\"1\" skipped=\"1\" time=\"0\">"));
}

std::size_t countOf(std::string const& text, std::string const& word) {
  std::size_t n = 0;
  for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++n;
  return n;
}

TEST(Drawings, PutTheLongestBarFirstAndSayInWordsWhatTheyShow) {
  auto const drawn = drawing("Time <here>", {{"CAP", 1}, {"FLT", 4}, {"ABI", 1}}, "s");
  EXPECT_THAT(drawn, HasSubstr("<title>Time &lt;here&gt;</title>"));
  EXPECT_THAT(drawn, HasSubstr("<desc>FLT 4 s, ABI 1 s, CAP 1 s</desc>"));
  EXPECT_THAT(drawn, HasSubstr("width=220 height")) << "the longest";
  EXPECT_EQ(countOf(drawn, "width=55 height"), 2U) << "a quarter of it";
  std::vector<Bar> many(kMostBars + 2, Bar{"CAP", 1});
  EXPECT_EQ(countOf(drawing("Time", many, "s"), "<rect"), kMostBars);
  EXPECT_THAT(drawing("Time", many, "s"), HasSubstr("; 2 shorter ones are left out</desc>"));
  EXPECT_THAT(drawing("Time", {}, "s"), Not(HasSubstr("<svg")));
}

TEST(Reports, ThePageDrawsTheVirtualClockAndTheRequestsByArea) {
  auto out = report();
  out.verdicts[1].requests = 12;
  out.verdicts[1].took = Milliseconds(2'500);
  auto const page = toHtml(out);
  EXPECT_EQ(countOf(page, "<svg"), 2U);
  EXPECT_THAT(page, HasSubstr("<desc>CAP 2.5 s</desc>"));
  EXPECT_THAT(page, HasSubstr("<desc>CAP 12 requests</desc>"));
  EXPECT_THAT(page, HasSubstr("12 requests in 2.5 s of the virtual clock"));
  auto const again = readReport(json::serialize(toJson(out)));
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->verdicts[1].requests, 12U);
  EXPECT_EQ(again->verdicts[1].took, Milliseconds(2'500));
}

TEST(Times, AreDrawnAsTimeAndAsMemoryByCheck) {
  std::vector<CaseTime> const times{{"CAP-04", "volume-1", 1'500, {}, 2'048, ""},
                                    {"CAP-04", "volume-2", 500, {}, 4'096, ""},
                                    {"FLT-01", "all", 1'000, {}, 0, ""}};
  auto const page = timesHtml(report(), times);
  EXPECT_THAT(page, HasSubstr("<desc>CAP-04 2 s, FLT-01 1 s</desc>"));
  EXPECT_THAT(page, HasSubstr("<desc>CAP-04 4 MiB</desc>"));
}

TEST(Times, TellWhatHungOnceAndTheReportDoesNot) {
  std::vector<CaseTime> const times{{"CAP-04", "volume-1", 1'500, {{"load_us", 12}}, 2'048, ""},
                                    {"FLT-01", "all", 61'000, {}, 0, "crm.pull/1 took <a minute>"}};
  auto const told = toJson(times);
  EXPECT_EQ(told.at(0).at("load_us"), 12.0);
  EXPECT_FALSE(told.at(0).as_object().contains("hung_once"));
  EXPECT_EQ(textOr(told, "/1/hung_once", ""), "crm.pull/1 took <a minute>");
  auto const page = timesHtml(report(), times);
  EXPECT_THAT(page, HasSubstr("Hung once"));
  EXPECT_THAT(page, HasSubstr("<b>FLT-01 all</b>: crm.pull/1 took &lt;a minute&gt;"));
  EXPECT_THAT(timesHtml(report(), {times[0]}), Not(HasSubstr("Hung once")));
}

TEST(Reports, OneCauseInManyPlacesIsOneOnThePageAndEachInTheData) {
  auto out = report();
  auto& findings = out.verdicts[1].findings;
  for (int i = 1; i < 15; ++i) {
    auto other = finding();
    other.where = "step " + std::to_string(i);
    findings.push_back(other);
  }
  findings.push_back(finding());
  findings.back().what = "something else";
  auto const html = toHtml(out);
  EXPECT_EQ(countOf(html, xmlText(finding().what)), 1U);
  EXPECT_THAT(html, HasSubstr("and 14 more places"));
  EXPECT_THAT(html, HasSubstr("where: step 14")) << "unfolded, each place is there with its token";
  EXPECT_THAT(html, HasSubstr("something else"));
  EXPECT_EQ(garland::find(toJson(out), "/checks/1/findings")->get_array().size(), 16U);
  EXPECT_EQ(garland::find(toSarif(out), "/runs/0/results")->get_array().size(), 16U);
  EXPECT_EQ(morePlaces(1), "and 1 more place");
}

TEST(Reports, WhatStandsInTheWayUnfoldsIfItIsMuch) {
  auto out = report();
  for (int i = 0; i < 9; ++i) out.in_the_way[Level::gold].push_back("reason " + std::to_string(i));
  EXPECT_THAT(toHtml(out), HasSubstr("and 4 more"));
  EXPECT_THAT(toHtml(out), HasSubstr("reason 8"));
}

// One of each outcome that has a form of its own.
Report mixedReport() {
  auto out = report();
  for (auto const outcome : {Outcome::inconclusive, Outcome::waived, Outcome::hang}) {
    Verdict verdict;
    verdict.check = outcome == Outcome::hang ? "FLT-01" : outcome == Outcome::waived ? "DOC-06" : "CAP-01";
    verdict.outcome = outcome;
    verdict.reason = outcome == Outcome::hang ? "" : "said by somebody";
    if (outcome != Outcome::inconclusive) {
      verdict.findings = {finding()};
      verdict.findings[0].check = verdict.check;
      verdict.findings[0].where.clear();
    }
    out.verdicts.push_back(std::move(verdict));
  }
  out.not_covered.push_back({"crm.delete/1", "nothing exercises it", Level::silver});
  return out;
}

TEST(Reports, JUnitCountsWhatIsInIt) {
  auto const text = toJUnit(mixedReport());
  EXPECT_THAT(text, HasSubstr("tests=\"7\" failures=\"2\" errors=\"1\" skipped=\"3\""));
  EXPECT_EQ(countOf(text, "<testcase "), 7U);
  EXPECT_EQ(countOf(text, "<failure "), 2U);
  EXPECT_EQ(countOf(text, "<error "), 1U);
  EXPECT_EQ(countOf(text, "<skipped "), 3U);
}

TEST(Reports, SarifHasWhatItsVersionAsksForAndPointsEveryResultAtItsRule) {
  auto const sarif = toSarif(mixedReport());
  EXPECT_EQ(textOr(sarif, "/version", ""), "2.1.0");
  EXPECT_THAT(textOr(sarif, "/$schema", ""), HasSubstr("sarif-2.1.0"));
  EXPECT_NE(textOr(sarif, "/runs/0/tool/driver/name", ""), "");
  auto const* results = garland::find(sarif, "/runs/0/results");
  ASSERT_NE(results, nullptr);
  ASSERT_EQ(results->get_array().size(), 4U);
  std::set<std::string> named;
  for (auto const& result : results->get_array()) {
    auto const id = textOr(result, "/ruleId", "");
    named.insert(id);
    auto const rule = "/runs/0/tool/driver/rules/" + std::to_string(integerOr(result, "/ruleIndex", -1));
    EXPECT_EQ(textOr(sarif, rule + "/id", ""), id);
    EXPECT_NE(textOr(sarif, rule + "/shortDescription/text", ""), "") << id;
    EXPECT_NE(textOr(result, "/message/text", ""), "") << id;
    EXPECT_THAT(textOr(result, "/level", ""), ::testing::AnyOf("error", "warning", "note")) << id;
    auto const* place = garland::find(result, "/locations/0/logicalLocations/0");
    EXPECT_EQ(place != nullptr, id == "CAP-04") << id << " names a place where there is one";
  }
  EXPECT_EQ(named, (std::set<std::string>{"CAP-04", "DOC-06", "FLT-01", "NOT-COVERED"}));
}

TEST(Levels, ALevelNeedsWhatItAsksFor) {
  EXPECT_TRUE(blocks(Outcome::fail) && blocks(Outcome::hang) && blocks(Outcome::inconclusive));
  EXPECT_FALSE(blocks(Outcome::pass) || blocks(Outcome::skip) || blocks(Outcome::waived) ||
               blocks(Outcome::warn));
}

} // namespace
} // namespace garland::certification
