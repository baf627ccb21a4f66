// What the commands of certification say to authors and reviewers, and the codes that they exit with.
#include "certification/certification.h"
#include "tests/end_to_end/process_test_kit.h"
#include "tests/places/places.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

namespace garland::testing {
namespace {

namespace fs = std::filesystem;
namespace cert = certification;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

std::string const kBuild = inBuild("");
std::string const kTave = kBuild + "/plugins/garland.tave";

std::size_t countOf(std::string const& text, std::string_view word) {
  std::size_t out = 0;
  for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++out;
  return out;
}

class CertifyCommands : public ::testing::Test {
protected:
  std::string said(std::vector<std::string> words, int expected_exit) {
    words.insert(words.begin(), kBuild + "/bin/garland");
    auto const done = runProgram(words, {}, "");
    EXPECT_EQ(done.exit_code, expected_exit) << words[1] << "\n" << done.out << done.err;
    return done.out + done.err;
  }
  std::string certified(std::vector<std::string> words, int expected_exit) {
    std::vector<std::string> const always{"certify", "--allow-degraded-sandbox", "--profile", "quick"};
    words.insert(words.begin(), always.begin(), always.end());
    return said(std::move(words), expected_exit);
  }
  // The connector, with a word in its manifest that its shared object does not have: PKG-01 fails.
  std::string otherManifest() {
    fs::copy(kTave, folder_ / "garland.tave", fs::copy_options::recursive);
    auto text = readFile(folder_ / "garland.tave/connector.json");
    text.insert(text.find('{') + 1, "\n");
    writeFile(folder_ / "garland.tave/connector.json", text);
    return folder_ / "garland.tave";
  }
  // A folder of twins in which the brief is this.
  std::string twinsWith(std::string const& brief) {
    fs::create_directories(folder_ / "twins");
    fs::copy(kBuild + "/twins/garland.tave-twin", folder_ / "twins/garland.tave-twin",
             fs::copy_options::recursive);
    writeFile(folder_ / "twins/garland.tave-twin/certification.json", brief);
    return folder_ / "twins";
  }
  // A report in which everything passed but this.
  std::string reportWith(std::string const& check, cert::Outcome outcome, std::string const& reason = "") {
    cert::Report report;
    report.suite = cert::suite();
    report.sandbox = "A";
    report.connector_id = "garland.tave";
    report.connector_version = "1.0.0";
    report.digest = std::string(64, 'a');
    report.package = std::string(64, 'b');
    report.twin_digest = std::string(64, 'c');
    report.brief_digest = std::string(64, 'd');
    for (auto const& info : cert::catalogue()) {
      if (!info.in_suite) continue;
      auto& verdict = report.verdicts.emplace_back();
      verdict.check = info.id;
      if (info.id != check) continue;
      verdict.outcome = outcome;
      verdict.reason = reason;
    }
    fs::create_directories(folder_ / "report");
    writeFile(folder_ / "report/report.json", json::serialize(cert::toJson(report)));
    return folder_ / "report";
  }
  std::string waived(std::string const& check, std::string const& reason, int expected_exit,
                     std::vector<std::string> const& more = {}) {
    std::vector<std::string> words{"certify", "waive", check,        "--reason", reason,
                                   "--until", "30d",   "--approver", "ada"};
    words.insert(words.end(), more.begin(), more.end());
    return said(std::move(words), expected_exit);
  }
  std::string newKey(std::string const& name) {
    said({"keys", "new", "--out", folder_ / name}, 0);
    return folder_ / name;
  }
  TestFolder folder_;
};

TEST_F(CertifyCommands, EachTellsItsOwnExitCodesAndNoOthers) {
  for (std::vector<std::string> words :
       {std::vector<std::string>{}, {"replay"}, {"diff"}, {"waive"}, {"attest"}, {"verify"}}) {
    words.insert(words.begin(), "certify");
    words.emplace_back("--help");
    auto const help = said(words, 0);
    EXPECT_EQ(countOf(help, "Exit codes: "), 1U) << help;
    EXPECT_THAT(help,
                AllOf(HasSubstr("Exit codes: 0 "), HasSubstr("2 wrong usage"), Not(HasSubstr("no daemon"))));
  }
  EXPECT_EQ(countOf(said({"init", "--help"}, 0), "Exit codes: "), 1U);
  EXPECT_THAT(said({"vendors", "ls", "--help"}, 0), HasSubstr("3 no daemon"));
}

TEST_F(CertifyCommands, ARunExitsByWhatItFoundAndWhatItWasGiven) {
  certified({kTave, "--only", "PKG-03"}, 0);
  certified({kTave, "--only", "PKG-03", "--level", "gold"}, 0);
  certified({otherManifest(), "--only", "PKG-01"}, 1);
  certified({folder_ / "nowhere", "--only", "PKG-03"}, 2);
  certified({kTave, "--only", "XYZ-99"}, 2);
  certified({kTave, "--level", "platinum"}, 2);
  certified({kTave, "--only", "PKG-03", "--worker", folder_ / "no-worker"}, 3);
  writeFile(folder_ / "file", "");
  certified({kTave, "--only", "PKG-03", "--report", folder_ / "file"}, 3);
}

TEST_F(CertifyCommands, PartOfTheChecksEndsWithWhatTheyFoundAndNoLevel) {
  auto const told = certified({kTave, "--only", "PKG-03"}, 0);
  EXPECT_THAT(told, AllOf(HasSubstr("1 pass of 1 check (suite"), Not(HasSubstr("not run")),
                          Not(HasSubstr("certified"))));
}

TEST_F(CertifyCommands, ARunEndsWhenItsTimeIsOverAndSaysWhatWasNotRun) {
  EXPECT_THAT(certified({kTave, "--time-limit", "1"}, 1),
              AllOf(HasSubstr("not run: the time limit of 1 s was over"), HasSubstr("not everything was run"),
                    HasSubstr("not certified for bronze")));
}

TEST_F(CertifyCommands, TheLastVersionIsComparedWithIfItIsGiven) {
  EXPECT_THAT(certified({kTave, "--only", "PKG-11,PKG-12"}, 0), HasSubstr("2 skip of 2 checks"));
  EXPECT_THAT(certified({kTave, "--only", "PKG-11,PKG-12", "--previous", kTave}, 0),
              HasSubstr("2 pass of 2 checks"));
}

TEST_F(CertifyCommands, AReplayEndsWithWhatItFoundAndExitsByIt) {
  auto const path = otherManifest();
  auto const found = certified({path, "--only", "PKG-01"}, 1);
  auto const at = found.find("g2:PKG-01");
  ASSERT_NE(at, std::string::npos) << found;
  auto const token = found.substr(at, found.find(' ', at) - at);
  auto const replay = [&](std::string const& which, int expected_exit) {
    return said({"certify", "replay", which, "--path", path, "--allow-degraded-sandbox"}, expected_exit);
  };
  EXPECT_THAT(replay(token, 1), AllOf(HasSubstr("1 fail of 1 check"), Not(HasSubstr("not run"))));
  fs::copy_file(kTave + "/connector.json", path + "/connector.json", fs::copy_options::overwrite_existing);
  EXPECT_THAT(replay(token, 0), HasSubstr("1 pass of 1 check"));
  EXPECT_THAT(replay("g1:PKG-01", 2), HasSubstr("no replay token"));
}

// A longer profile does more of the same, and so finds other things in other places.
TEST_F(CertifyCommands, AFindingThatIsReplayedIsTheSameAgain) {
  auto const twins = twinsWith("{}");
  std::vector<std::string> const always{"--twins", twins, "--allow-degraded-sandbox"};
  auto const report = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {kBuild + "/bin/garland", "--json", "certify"});
    words.insert(words.end(), always.begin(), always.end());
    auto const done = runProgram(words, {}, "");
    EXPECT_EQ(done.exit_code, 1) << done.out << done.err;
    return parseJson(done.out).value();
  };
  auto const first = report({kTave, "--only", "ABI-05", "--profile", "quick", "--seed", "11"});
  auto const& findings = garland::find(first, "/checks/0/findings")->get_array();
  ASSERT_FALSE(findings.empty());
  auto const token = textOr(findings.front(), "/token", "");
  json::array same; // that one case has found
  for (auto const& each : findings)
    if (textOr(each, "/token", "") == token) same.push_back(each);
  auto const again = report({"replay", token, "--path", kTave});
  EXPECT_EQ(garland::find(again, "/checks/0/findings")->get_array(), same);
  EXPECT_EQ(textOr(again, "/profile", ""), "quick");
  EXPECT_EQ(integerOr(again, "/seed", 0), 11);
}

TEST_F(CertifyCommands, OneCauseInManyPlacesIsToldOnce) {
  auto const told = certified({kTave, "--only", "ABI-05,CRM-03,CRM-05", "--twins", twinsWith("{}")}, 1);
  EXPECT_EQ(countOf(told, "ABI-05 major fail"), 1U) << told;
  EXPECT_THAT(told, HasSubstr("| at: a host without services and 1 more place"));
}

TEST_F(CertifyCommands, ChecksThatCannotBeJudgedForOneReasonAreToldInOneLine) {
  fs::create_directories(folder_ / "empty");
  auto const told = certified({kTave, "--only", "CRM", "--twins", folder_ / "empty"}, 1);
  EXPECT_THAT(told, HasSubstr("CRM-01, CRM-02, CRM-03, CRM-04, CRM-05 inconclusive"));
  EXPECT_EQ(countOf(told, "garland_add_twin() builds one"), 1U) << told;
}

TEST_F(CertifyCommands, WhatIsNoSharedObjectIsNamed) {
  writeFile(folder_ / "connector.so", "#!/bin/sh\necho hello\n");
  auto const told = certified({folder_ / "connector.so"}, 2);
  EXPECT_THAT(told, AllOf(HasSubstr("connector.so is a text that begins \"#!/bin/sh\", and no shared object"),
                          HasSubstr("garland_add_connector()")));
  fs::copy_file(kTave + "/connector.json", folder_ / "connector.json");
  EXPECT_THAT(certified({folder_.path()}, 2), HasSubstr("is a text that begins"));
  writeFile(folder_ / "connector.so", "");
  EXPECT_THAT(certified({folder_.path()}, 2), HasSubstr("connector.so is empty"));
}

TEST_F(CertifyCommands, VersionsAreComparedOrTheWordsAreWrong) {
  EXPECT_THAT(said({"certify", "diff", kTave, kTave}, 0), HasSubstr("0 differences"));
  said({"certify", "diff", kTave, folder_ / "nowhere"}, 2);
  EXPECT_THAT(said({"certify", "diff", kTave, "99.0.0"}, 2), HasSubstr("no package of version 99.0.0"));
}

TEST_F(CertifyCommands, OnlyAFindingIsWaived) {
  auto const why = std::string("the icon comes with the next version");
  auto const report = reportWith("DOC-06", cert::Outcome::inconclusive, "the brief lacks it");
  EXPECT_THAT(waived("DOC-06", why, 2, {"--report", report}),
              AllOf(HasSubstr("only findings can be waived"), HasSubstr("the brief lacks it"),
                    HasSubstr("run it again")));
  EXPECT_THAT(waived("DOC-05", why, 2, {"--report", report}), HasSubstr("its outcome is pass"));
  EXPECT_FALSE(fs::exists(report + "/waivers.json"));
  reportWith("DOC-06", cert::Outcome::fail);
  EXPECT_THAT(waived("DOC-06", why, 0, {"--report", report}), HasSubstr("waived DOC-06 of garland.tave"));
  waived("DOC-06", why, 3, {"--file", "/proc/none/waivers.json"});
}

TEST_F(CertifyCommands, WhoeverWaivesAnswersForItUnlessAnotherIsNamed) {
  auto const why = std::string("the icon comes with the next version");
  auto const file = folder_ / "w.json";
  auto const approver = [&] { return textOr(parseJson(readFile(file)).value(), "/waivers/0/approver", ""); };
  EXPECT_THAT(waived("DOC-06", why, 0, {"--file", file}), HasSubstr(" by ada in "));
  EXPECT_EQ(approver(), "ada");
  auto const told =
      said({"certify", "waive", "DOC-06", "--reason", why, "--until", "30d", "--file", file}, 0);
  EXPECT_NE(approver(), "ada");
  EXPECT_NE(approver(), "");
  EXPECT_THAT(told, HasSubstr(" by " + approver() + " in "));
}

TEST_F(CertifyCommands, AReasonThatIsTooShortIsToldHowLongItMustBeAndWhy) {
  EXPECT_THAT(waived("DOC-06", "later", 2, {"--file", folder_ / "w.json"}),
              AllOf(HasSubstr("has 5 characters, and at least 10 are needed"), HasSubstr("signed report")));
}

TEST_F(CertifyCommands, AttestationsAreSignedOrSaidWhyNot) {
  auto const key = newKey("market.key");
  auto const attest = [&](std::string const& report, int expected_exit,
                          std::vector<std::string> const& more = {}) {
    std::vector<std::string> words{"certify", "attest", report, "--key", key};
    words.insert(words.end(), more.begin(), more.end());
    return said(std::move(words), expected_exit);
  };
  attest(folder_ / "nowhere", 2);
  attest(reportWith("PKG-03", cert::Outcome::fail), 1);
  auto const report = reportWith("PKG-03", cert::Outcome::pass);
  EXPECT_THAT(attest(report, 0), HasSubstr("mutants that the suite's own checks have killed: "));
  attest(report, 3, {"--out", "/proc/none/a.json"});
  auto const file = report + "/attestation.json";
  said({"certify", "verify", file, "--trust", key + ".pub"}, 0);
  said({"certify", "verify", file, "--trust", newKey("other.key") + ".pub"}, 1);
  EXPECT_THAT(
      said({"certify", "verify", file}, 1),
      AllOf(HasSubstr("trust: not judged; name whom you trust with --trust"), Not(HasSubstr("it counts"))));
  EXPECT_THAT(said({"--json", "certify", "verify", file}, 1), HasSubstr("\"ok\": false"));
  said({"certify", "verify", folder_ / "nowhere"}, 2);
}

TEST_F(CertifyCommands, AFolderThatIsNamedByALinkIsPackedWithItsTwin) {
  fs::create_directory_symlink(kTave, folder_ / "my-crm");
  EXPECT_THAT(said({"pack", folder_ / "my-crm", "-o", folder_ / "x.gpk"}, 0), Not(HasSubstr("no twin")));
  EXPECT_THAT(said({"package", "show", folder_ / "x.gpk"}, 0), HasSubstr("twin/connector.json"));
  fs::copy(kTave, folder_ / "alone", fs::copy_options::recursive);
  EXPECT_THAT(said({"pack", folder_ / "alone", "-o", folder_ / "y.gpk"}, 0), HasSubstr("no twin is in it"));
}

TEST_F(CertifyCommands, EachTemplateIsListedWithWhatItIsFor) {
  auto const listed = said({"init", "--list"}, 0);
  std::size_t count = 0;
  for (auto const& entry : fs::directory_iterator(kBuild + "/share/garland/templates")) {
    if (!entry.is_directory()) continue;
    ++count;
    EXPECT_THAT(listed, ::testing::ContainsRegex(entry.path().filename().string() + " +[a-z].{20,}"));
  }
  EXPECT_GE(count, 6U);
}

} // namespace
} // namespace garland::testing
