// What comes in by itself, with the installed programs: a hook in, its record, its repetition, one that
// nobody understands, kill -9 of the daemon.
#include "tests/end_to_end/host_test_kit.h"
#include "tests/places/places.h"

#include <gmock/gmock.h>

#include <csignal>
#include <filesystem>

namespace garland::testing {
namespace {

using ::testing::HasSubstr;

class IntakeEndToEnd : public ::testing::Test {
protected:
  void SetUp() override {
    install("narrow");
    host_.start();
    vendor_ = textOr(host_.ask({"vendors", "add", "Studio"}), "/id", "");
    ASSERT_EQ(host_.run({"plugins", "enable", "inbox", "--vendor", vendor_}).exit_code, 0);
    connection_ = textOr(host_.ask({"connections", "connect", "inbox", "--vendor", vendor_}), "/id", "");
    hook_ = textOr(host_.ask({"connections", "hook", connection_}), "/url", "");
  }

  // The same connector with two mappings: the wide one also knows quotes.
  void install(std::string const& mapping) {
    auto const built = inBuild("/tests/intake/") + mapping + "/test.inbox";
    auto const there = plugins_ / "test.inbox";
    std::filesystem::create_directories(there);
    for (auto const* file : {"/connector.json", "/connector.so"})
      std::filesystem::copy_file(built + file, there + file,
                                 std::filesystem::copy_options::overwrite_existing);
  }
  json::value call(std::string const& body, std::string const& url = {}) {
    auto const answer = runProgram({"curl", "-sS", "-m", "20", "-H", "Content-Type: application/json", "-H",
                                    "Host: hooks.example.com", "-d", body, url.empty() ? hook_ : url},
                                   {}, "");
    EXPECT_EQ(answer.exit_code, 0) << answer.err;
    auto value = parseJson(answer.out);
    return value ? std::move(*value) : json::value();
  }
  json::value settled(std::string const& id) {
    json::value item;
    EXPECT_TRUE(eventually(
        [&] {
          if (auto parsed = parseJson(host_.run({"intake", "show", id, "--json"}).out))
            item = std::move(*parsed);
          return textOr(item, "/state", "waiting") != "waiting";
        },
        60))
        << canonicalJson(item) << host_.log();
    return item;
  }

  TestFolder plugins_;
  Host host_{"", "[plugins]\ndirs = [\"" + plugins_.path() + "\"]\n"};
  std::string vendor_, connection_, hook_;
};

TEST_F(IntakeEndToEnd, AHookBecomesARecordAndItsRepetitionNothing) {
  std::string const inquiry = R"({"Event":"New Inquiry","id":"i1","Name":"Ada","Email":"ada@example.com"})";
  auto const answer = call(inquiry);
  ASSERT_EQ(textOr(answer, "/status", ""), "received") << canonicalJson(answer);
  auto const id = textOr(answer, "/id", "");
  EXPECT_EQ(textOr(settled(id), "/state", ""), "taken");
  auto const records = host_.records(vendor_, "crm.lead");
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(textOr(records[0], "/data/email", ""), "ada@example.com");
  auto const again = call(inquiry);
  EXPECT_TRUE(boolOr(again, "/known", false));
  EXPECT_EQ(textOr(again, "/id", ""), id);
  EXPECT_EQ(host_.records(vendor_, "crm.lead").size(), 1U);
  EXPECT_EQ(textOr(call(inquiry, host_.url() + "/hooks/" + std::string(52, 'a')), "/status", ""), "");
  EXPECT_EQ(host_.run({"connections", "hook", connection_}).exit_code, 0);
  EXPECT_EQ(host_.log().find(hook_.substr(hook_.rfind('/') + 1)), std::string::npos) << "the URL is a secret";
}

TEST_F(IntakeEndToEnd, TheHintAfterConnectingNamesTheWaysIn) {
  auto const again = host_.run({"connections", "connect", "inbox", "--vendor", vendor_});
  EXPECT_EQ(again.exit_code, 0) << again.err;
  EXPECT_THAT(again.out, HasSubstr("garland connections hook " + connection_));
  EXPECT_THAT(again.out, HasSubstr("no credential to replace"));
  EXPECT_THAT(again.out, ::testing::Not(HasSubstr("sync run")));
  auto const asked = runProgram({"setsid", "-w", binFolder() + "/garland", "--data-dir", host_.dataFolder(),
                                 "connections", "hook", connection_, "--signed", "stripe"},
                                {}, "");
  EXPECT_THAT(asked.err, HasSubstr("--secret-stdin")) << "there is no terminal";
}

TEST_F(IntakeEndToEnd, APausedAccountIsNoFaultForTheDoctorButIsTold) {
  auto const findingOf = [&](json::value const& report) {
    for (auto const& finding : report.at("findings").as_array())
      if (textOr(finding, "/check", "") == "connection " + connection_) return finding;
    return json::value();
  };
  EXPECT_FALSE(boolOr(findingOf(host_.ask({"doctor", "--config", host_.configFile()})), "/weak", true));
  ASSERT_EQ(host_.run({"connections", "pause", connection_}).exit_code, 0);
  auto const finding = findingOf(host_.ask({"doctor", "--config", host_.configFile()}));
  EXPECT_TRUE(boolOr(finding, "/ok", false)) << canonicalJson(finding);
  EXPECT_TRUE(boolOr(finding, "/weak", false));
  EXPECT_THAT(textOr(finding, "/fix", ""), HasSubstr("garland connections resume " + connection_));
  ASSERT_EQ(host_.run({"connections", "revoke", connection_}).exit_code, 0);
  auto const revoked = findingOf(host_.ask({"doctor", "--config", host_.configFile()}, 1));
  EXPECT_FALSE(boolOr(revoked, "/ok", true)) << "resuming would not end that: " << canonicalJson(revoked);
  EXPECT_THAT(textOr(revoked, "/message", ""), HasSubstr("paused here as well"));
}

TEST_F(IntakeEndToEnd, WhatNobodyUnderstandsWaitsUntilTheMappingIsWidened) {
  auto const id =
      textOr(call(R"({"event":"quote requested","id":"i2","email":"bo@example.com"})"), "/id", "");
  auto const item = settled(id);
  EXPECT_EQ(textOr(item, "/state", ""), "review");
  EXPECT_THAT(textOr(item, "/reason", ""), HasSubstr("no rule"));
  EXPECT_EQ(host_.run({"intake", "show", id}).exit_code, 1);
  EXPECT_THAT(host_.run({"intake", "ls", "--state", "review"}).out, HasSubstr(id));
  EXPECT_THAT(host_.run({"doctor"}).out, HasSubstr("garland intake ls --state review"));
  EXPECT_EQ(host_.run({"connections", "disconnect", connection_}).exit_code, 1) << "a lead may be in it";

  install("wide");
  ASSERT_EQ(host_.run({"plugins", "rescan"}).exit_code, 0);
  auto const retried = host_.ask({"intake", "retry", id});
  EXPECT_EQ(textOr(retried, "/state", ""), "taken") << canonicalJson(retried);
  auto const records = host_.records(vendor_, "crm.lead");
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(textOr(records[0], "/data/status", ""), "quoted");

  auto const other = textOr(call(R"({"nobody":"knows"})"), "/id", "");
  settled(other);
  EXPECT_EQ(host_.run({"intake", "dismiss", other, "--why", "a test"}).exit_code, 0);
  EXPECT_EQ(textOr(settled(other), "/state", ""), "dismissed");
}

TEST_F(IntakeEndToEnd, WhatWasAcknowledgedSurvivesKill9AndIsStoredOnce) {
  std::vector<std::string> ids;
  for (int i = 0; i < 20; ++i) {
    auto const body = R"({"event":"new inquiry","name":"Ada","id":"k)" + std::to_string(i) + R"("})";
    ids.push_back(textOr(call(body), "/id", ""));
    ASSERT_FALSE(ids.back().empty());
    if (i % 5 == 4) {
      host_.kill9();
      host_.start();
      hook_ = host_.url() + hook_.substr(hook_.find("/hooks/"));
      EXPECT_TRUE(boolOr(call(body), "/known", false)) << "its sender did not hear, and repeats it";
    }
  }
  for (auto const& id : ids) EXPECT_EQ(textOr(settled(id), "/state", ""), "taken");
  EXPECT_EQ(host_.records(vendor_, "crm.lead").size(), 20U);
  auto const changes = host_.ask({"changes", "--vendor", vendor_});
  EXPECT_EQ(find(changes, "/items")->as_array().size(), 20U);
}

} // namespace
} // namespace garland::testing
