// What the command-line tool answers to words that are wrong, incomplete or no longer true.
#include "tests/end_to_end/one_request_server.h"
#include "tests/end_to_end/studio_fixture.h"

#include <gmock/gmock.h>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <vector>

namespace garland::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// A daemon without any connection.
class CommandLine : public ::testing::Test {
protected:
  void SetUp() override { host_.start(); }
  std::string said(std::vector<std::string> const& words, int expected_exit) {
    auto const done = host_.run(words);
    EXPECT_EQ(done.exit_code, expected_exit) << words[0] << "\n" << done.out << done.err;
    return done.out + done.err;
  }
  Host host_;
};

using WithStudio = Studio;

TEST_F(CommandLine, AnUnknownCommandIsNamed) {
  EXPECT_THAT(said({"frobnicate"}, 2), HasSubstr("\"garland frobnicate\""));
  EXPECT_THAT(said({"coins", "--help"}, 2), HasSubstr("\"garland coins\""));
  EXPECT_THAT(said({"connections"}, 2), HasSubstr("ls, show, connect"));
}

TEST_F(CommandLine, AConnectorIsNotMadeOfWrongWords) {
  auto const folder = host_.folder() + "/made";
  EXPECT_THAT(said({"init", "My_crm", "--dir", folder}, 2), HasSubstr("cannot be named \"My_crm\""));
  EXPECT_THAT(said({"init", "twins", "--dir", folder}, 2), HasSubstr("cannot be named \"twins\""));
  EXPECT_THAT(said({"init", "crm", "--template", "none", "--dir", folder}, 2),
              AllOf(HasSubstr("there is no template \"none\""), HasSubstr("crm-oauth2")));
  EXPECT_THAT(said({"init", "crm", "--id", "crm", "--dir", folder}, 2), HasSubstr("reverse DNS form"));
  EXPECT_THAT(said({"init", "crm", "--dir", host_.folder()}, 2), HasSubstr("is there already"));
  EXPECT_THAT(said({"init"}, 2), HasSubstr("name the connector"));
  EXPECT_FALSE(std::filesystem::exists(folder));
}

TEST_F(CommandLine, WhatIsMadeIsNotRunBeforeItIsBuilt) {
  auto const folder = host_.folder() + "/made";
  EXPECT_THAT(said({"init", "crm", "--dir", folder}, 0), HasSubstr("made example.crm"));
  EXPECT_THAT(readFile(folder + "/connector.json"), HasSubstr("api.crm.example"));
  EXPECT_THAT(said({"invoke", "crm.pull", "--twin", "--dir", folder}, 2), HasSubstr("is not built"));
  EXPECT_THAT(said({"invoke", "crm.pull", "--dir", folder}, 2), HasSubstr("say so with --twin"));
  EXPECT_THAT(said({"invoke", "crm.pull", "--twin", "--dir", host_.folder()}, 2),
              HasSubstr("there is no connector in"));
  EXPECT_THAT(said({"dev", "--once", "--dir", host_.folder()}, 2), HasSubstr("there is no connector in"));
}

TEST_F(CommandLine, AnUnknownOptionsValueIsNotRepeated) {
  EXPECT_THAT(said({"connections", "connect", "caldav", "--vendor", "ven_x", "--password", "open-sesame"}, 2),
              AllOf(HasSubstr("--password"), Not(HasSubstr("open-sesame"))));
}

TEST_F(CommandLine, AFolderWhereAFileIsExpectedIsToldSo) {
  auto const vendor = host_.addVendor("Studio");
  EXPECT_THAT(said({"records", "add", "--vendor", vendor, "--connection", "con_x", host_.folder()}, 2),
              HasSubstr("is a folder, not a file"));
  auto const doctor = host_.ask({"doctor", "--config", host_.folder()}, 1);
  EXPECT_THAT(canonicalJson(doctor), HasSubstr("is a folder, not a file"));
}

TEST_F(CommandLine, AnAddressOfSomethingElseIsToldSo) {
  EXPECT_THAT(said({"--url", "127.0.0.1:7611", "vendors", "ls"}, 2),
              HasSubstr("must begin with http:// or https://"));
  EXPECT_THAT(said({"--url", "http://rosa:open-sesame@127.0.0.1/", "vendors", "ls"}, 2),
              AllOf(HasSubstr("--url"), Not(HasSubstr("open-sesame"))));
}

TEST_F(CommandLine, AnotherServerIsNotTakenForTheDaemon) {
  OneRequestServer const other(
      "HTTP/1.1 404 Not Found\r\nContent-Length: 6\r\nConnection: close\r\n\r\n<html>", "");
  EXPECT_THAT(said({"--url", other.url(), "vendors", "ls"}, 3), HasSubstr("is not garlandd"));
}

TEST_F(CommandLine, TheDoctorSpeaksAsCheckDoes) {
  auto const report = host_.ask({"doctor", "--config", host_.configFile()});
  EXPECT_TRUE(boolOr(report, "/ok", false)) << canonicalJson(report);
  for (auto const& finding : report.at("findings").as_array())
    for (auto const* name : {"check", "ok", "message", "fix", "weak"})
      EXPECT_NE(finding.as_object().if_contains(name), nullptr) << name;
}

// As a daemon is that nobody has set up further: its key lies in its folder, and there is no backup.
TEST_F(CommandLine, TheDoctorWarnsOfAWeakSetUpAndSaysWhatEndsIt) {
  auto const report = host_.ask({"doctor", "--config", host_.configFile()});
  EXPECT_TRUE(boolOr(report, "/ok", false)) << "a weakness is no fault: " << canonicalJson(report);
  std::map<std::string, std::string> fixes; // of the weak ones
  for (auto const& finding : report.at("findings").as_array())
    if (boolOr(finding, "/weak", false)) fixes[textOr(finding, "/check", "")] = textOr(finding, "/fix", "");
  EXPECT_THAT(fixes["backup"], HasSubstr("garland backup FILE"));
  EXPECT_THAT(fixes["place of the master key"], HasSubstr("set [vault] master_key to that"));
  EXPECT_EQ(fixes.count("TLS"), 0U) << "it listens on loopback only";
}

TEST_F(CommandLine, TheDoctorFindsTheDaemonOfTheSettings) {
  // Nothing but the settings says where its folder, key and port are.
  auto const done = runProgram({binFolder() + "/garland", "doctor", "--config", host_.configFile()}, {}, "");
  EXPECT_EQ(done.exit_code, 0) << done.out << done.err;
  EXPECT_THAT(done.out, HasSubstr(host_.url()));
}

TEST_F(CommandLine, WithoutADaemonTheDoctorGivesOneCommandToStartIt) {
  host_.stop();
  auto const done = runProgram({binFolder() + "/garland", "doctor", "--config", host_.configFile()}, {}, "");
  EXPECT_EQ(done.exit_code, 3) << done.out << done.err;
  auto const command = "garlandd --config " + host_.configFile();
  EXPECT_THAT(done.out, HasSubstr(command));
  EXPECT_EQ(done.out.find("start", done.out.find(command)), std::string::npos) << done.out;
}

// As a daemon is that starts: it has its folder, and does not answer yet.
TEST_F(CommandLine, OfADaemonThatStartsTheDoctorSaysOneThing) {
  host_.stop();
  auto const lock =
      ::open((host_.dataFolder() + "/garlandd.lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  ASSERT_EQ(::flock(lock, LOCK_EX | LOCK_NB), 0);
  auto const report = host_.ask({"doctor", "--config", host_.configFile()}, 3);
  ::close(lock);
  std::vector<json::value> told;
  for (auto const& finding : report.at("findings").as_array())
    if (textOr(finding, "/check", "") == "daemon") told.push_back(finding);
  ASSERT_EQ(told.size(), 1U) << canonicalJson(report);
  EXPECT_FALSE(boolOr(told[0], "/ok", true));
  EXPECT_THAT(textOr(told[0], "/message", ""), HasSubstr("a garlandd runs on " + host_.dataFolder()));
  EXPECT_THAT(textOr(told[0], "/fix", ""),
              AllOf(HasSubstr("starting or ending"), Not(HasSubstr("garlandd --config"))));
}

TEST_F(CommandLine, ABlankVendorIsRefused) {
  EXPECT_THAT(said({"vendors", "add", "  "}, 2), HasSubstr("blank"));
}

TEST_F(CommandLine, TheSchemaOfARecordIsPrinted) {
  auto const text = said({"schema", "calendar.event"}, 0);
  EXPECT_TRUE(parseJson(text)) << text;
  EXPECT_THAT(said({"schema"}, 0), HasSubstr("calendar.event"));
  EXPECT_THAT(said({"schema", "calendar.evnt"}, 2), HasSubstr("calendar.event"));
}

TEST_F(CommandLine, WhatAnOperationTakesIsTold) {
  EXPECT_THAT(said({"schema"}, 0), HasSubstr("payments.authorize/1"));
  EXPECT_THAT(said({"schema", "payments.authorize/1"}, 0),
              AllOf(HasSubstr("/amount/currency"), HasSubstr("ISO 4217"), Not(HasSubstr("idempotency_key"))));
  EXPECT_THAT(said({"schema", "messaging.send/1"}, 0),
              AllOf(HasSubstr("list of: text"), HasSubstr("it needs /text or /html")));
  auto const schema = said({"schema", "payments.cancel/1", "--json"}, 0);
  EXPECT_TRUE(parseJson(schema)) << schema;
  EXPECT_THAT(said({"schema", "payments.fly/1"}, 2), HasSubstr("payments.refund/1"));
}

TEST_F(CommandLine, AWrongSettingIsToldBeforeThePasswordIsAskedFor) {
  auto const vendor = host_.addVendor("Studio");
  EXPECT_THAT(said({"connections", "connect", "caldav", "--vendor", vendor, "--set", "adress=x"}, 2),
              AllOf(HasSubstr("no setting \"adress\""), Not(HasSubstr("terminal"))));
  EXPECT_THAT(said({"connections", "connect", "caldav", "--vendor", vendor}, 2),
              HasSubstr("the setting \"url\" is missing"));
}

TEST_F(CommandLine, AMisspeltKindIsToldAsOne) {
  auto const vendor = host_.addVendor("Studio");
  EXPECT_THAT(said({"records", "ls", "--vendor", vendor, "--kind", "crm.projet"}, 2),
              HasSubstr("crm.project"));
}

TEST_F(WithStudio, AnswersToWhatIsDoneAlreadySaySo) {
  addEvents(2);
  auto const connection = connectStudio();
  EXPECT_THAT(host_.run({"connections", "confirm-deletes", connection}).out, HasSubstr("nothing to confirm"));
  host_.ask({"sync", "run", connection});
  EXPECT_THAT(host_.run({"connections", "confirm-deletes", connection}).out, HasSubstr("nothing to confirm"));
  auto const record = textOr(host_.records(vendor_).at(0), "/id", "");
  EXPECT_THAT(host_.run({"changes", "--vendor", vendor_, "--limit", "1"}).out,
              HasSubstr("more with: --after 1"));
  EXPECT_THAT(host_.run({"changes", "--vendor", vendor_, "--limit", "2"}).out,
              AllOf(HasSubstr("SEQUENCE"), Not(HasSubstr("more with"))));
  EXPECT_THAT(host_.run({"records", "show", record, "--vendor", vendor_}).out,
              AllOf(HasSubstr("external_id"), HasSubstr(connection)));
  auto const edit = host_.run({"records", "edit", record, "--vendor", vendor_});
  EXPECT_EQ(edit.exit_code, 2);
  EXPECT_THAT(edit.err, HasSubstr("--set"));
  auto const again = host_.run({"records", "edit", record, "--vendor", vendor_, "--set",
                                "/title=" + textOr(host_.records(vendor_).at(0), "/data/title", "")});
  EXPECT_EQ(again.exit_code, 0) << again.err;
  EXPECT_THAT(again.out, AllOf(HasSubstr("unchanged, still version"), Not(HasSubstr("Garland only"))));
  EXPECT_EQ(host_.run({"records", "rm", record, "--vendor", vendor_}).exit_code, 0);
  EXPECT_THAT(host_.run({"records", "rm", record, "--vendor", vendor_}).out, HasSubstr("deleted already"));
  EXPECT_THAT(host_.run({"records", "ls", "--vendor", vendor_, "--deleted"}).out,
              AllOf(HasSubstr("DELETED"), HasSubstr(" deleted ")));
}

TEST_F(WithStudio, AWrongRecordIsToldInWords) {
  auto const connection = connectStudio();
  auto const add = [&](std::string const& record) {
    auto const done =
        host_.run({"records", "add", "--vendor", vendor_, "--connection", connection, "-"}, record);
    EXPECT_EQ(done.exit_code, 2) << done.out;
    return done.err;
  };
  std::string const good = R"("uid":"u","title":"t","status":"confirmed","busy":true,)";
  EXPECT_THAT(add("{" + good + R"("start":{"date":"soon"}})"), HasSubstr("2026-06-13"));
  EXPECT_THAT(add("{" + good + R"("start":{"date":"2026-06-13"},"titel":"x"})"),
              HasSubstr("unknown member \"titel\""));
}

} // namespace
} // namespace garland::testing
