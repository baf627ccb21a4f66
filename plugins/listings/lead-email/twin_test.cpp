// The mails of each site's twin, read as mails are and taken by its connector.
#include "host/mail/mail.h"
#include "tests/places/places.h"

#include <garland/testing/fake_host.hpp>

#include <gtest/gtest.h>

namespace lead_email {
namespace {

namespace json = boost::json;
using garland::testing::FakeHost;

class LeadTwin : public testing::TestWithParam<char const*> {
protected:
  static std::unique_ptr<FakeHost> host(std::string const& folder) {
    auto const built = garland::inBuild(folder) + "/";
    return std::make_unique<FakeHost>(garland::testing::loadConnector(built + "connector.so"),
                                      garland::testing::readFile(built + "connector.json"));
  }
  void SetUp() override {
    ASSERT_TRUE(twin->open({{"seed", 7}, {"volume", 3}}).ok());
    ASSERT_TRUE(connector->open({{"account", "Barn Studio"}, {"authserv_id", "mx.example.org"}}).ok());
  }
  std::string ask(std::string const& method, std::string const& target, std::string const& body = "") {
    json::object request{{"method", method}, {"target", target}, {"now", "2026-06-01T00:00:00Z"}};
    request["origin"] = "http://127.0.0.1:9";
    request["headers"] = json::array();
    if (!body.empty()) request["body"] = body;
    auto const outcome = twin->run("twin.serve/1", request);
    EXPECT_TRUE(outcome.ok()) << outcome.message;
    twin->clear();
    return std::string(outcome.result.at("body").as_string());
  }
  std::string parse(std::string const& path) {
    connector->clear();
    auto mail = garland::mail::readMail(ask("GET", path));
    EXPECT_TRUE(mail) << path;
    json::object input{
        {"item", {{"id", "itm_1"}, {"source", "mail"}, {"received_at", "2026-06-06T14:30:05Z"}}}};
    input["mail"] = std::move(*mail);
    auto const outcome = connector->run("intake.parse/1", std::move(input));
    EXPECT_TRUE(outcome.ok()) << outcome.message;
    EXPECT_TRUE(connector->emitted("garland.problem").empty()) << path;
    return std::string(outcome.result.at("outcome").as_string());
  }

  std::unique_ptr<FakeHost> twin = host("/twins/garland." + std::string(GetParam()) + "-twin");
  std::unique_ptr<FakeHost> connector = host("/plugins/garland." + std::string(GetParam()));
};

TEST_P(LeadTwin, EveryMailThatWasSentBecomesTheLeadThatItIsAbout) {
  auto const list = json::parse(ask("GET", "/mails"));
  ASSERT_EQ(list.at("mails").as_array().size(), 3U);
  for (auto const& mail : list.at("mails").as_array()) {
    ASSERT_EQ(parse(std::string(mail.at("path").as_string())), "taken");
    auto const leads = connector->emitted("crm.lead");
    ASSERT_EQ(leads.size(), 1U);
    auto const& data = leads[0].at("data");
    auto const& wanted = mail.at("lead");
    EXPECT_EQ(data.at("name"), wanted.at("name"));
    EXPECT_EQ(data.at("email"), wanted.at("email"));
    EXPECT_EQ(data.at("event_date"), wanted.at("date"));
    EXPECT_EQ(data.at("message"), wanted.at("message"));
    EXPECT_EQ(std::to_string(data.at("guest_count").as_int64()),
              std::string(wanted.at("guests").as_string()));
  }
}

TEST_P(LeadTwin, APageHasAtLeastOneMail) {
  EXPECT_EQ(json::parse(ask("GET", "/mails?limit=1")).at("mails").as_array().size(), 1U);
  for (auto const* limit : {"-1", "0"})
    EXPECT_NE(ask("GET", std::string("/mails?limit=") + limit).find("must be at least 1"), std::string::npos)
        << limit;
}

TEST_P(LeadTwin, ANewLeadSaysWhatItWasToldAndANoticeIsNone) {
  auto const mail = json::parse(
      ask("POST", "/_twin/edit", R"({"lead":{"name":"Ada Hill","budget":"$4,500","message":"Hello!"}})"));
  ASSERT_EQ(parse(std::string(mail.at("path").as_string())), "taken");
  auto const data = connector->emitted("crm.lead").at(0).at("data");
  EXPECT_EQ(data.at("name"), "Ada Hill");
  EXPECT_EQ(data.at("budget").at("amount"), 450000);
  auto const notice = json::parse(ask("POST", "/_twin/edit", R"({"notice":true})"));
  EXPECT_NE(parse(std::string(notice.at("path").as_string())), "taken");
  EXPECT_TRUE(connector->emitted("crm.lead").empty());
}

TEST_P(LeadTwin, AnEditThatItDoesNotUnderstandSendsNoMail) {
  auto const mails = [this] { return json::parse(ask("GET", "/_twin/state")).at("twin").at("mails"); };
  auto const before = mails();
  for (auto const* edit : {R"({"notice":false})", R"({"lead":{"nmae":"Ada"}})", R"({"lead":{"guests":80}})",
                           R"({"notice":true,"lead":{}})", R"({"lead":{},"nmae":"Ada"})"})
    EXPECT_NE(ask("POST", "/_twin/edit", edit).find("error"), std::string::npos) << edit;
  EXPECT_EQ(mails(), before);
}

TEST_P(LeadTwin, TheListComesInPagesAndOnlyWhatIsAskedForIsMade) {
  json::array ids;
  std::string after = "0";
  for (std::string last; after != last;) {
    auto const page = json::parse(ask("GET", "/mails?limit=2&after=" + after));
    auto const& mails = page.at("mails").as_array();
    ASSERT_FALSE(mails.empty());
    ASSERT_LE(mails.size(), 2U);
    for (auto const& mail : mails) ids.push_back(mail.at("id"));
    after = ids.back().as_string();
    last = page.at("last").as_string();
  }
  EXPECT_EQ(ids, (json::array{"1", "2", "3"}));
  EXPECT_TRUE(json::parse(ask("GET", "/mails?after=3")).at("mails").as_array().empty());
  EXPECT_TRUE(json::parse(ask("GET", "/mails?after=9223372036854775807")).at("mails").as_array().empty());
}

TEST_P(LeadTwin, AMailThatWasNotSentIsNotThere) {
  for (auto const* file : {"0.eml", "4.eml", "x.eml", "1x.eml", "-1.eml", "99999999999999999999.eml"})
    EXPECT_NE(ask("GET", std::string("/mails/") + file).find("no such mail"), std::string::npos) << file;
  EXPECT_NE(ask("GET", "/mails/3.eml").find("Message-ID: <3@"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Sites, LeadTwin, testing::Values("the-knot", "weddingwire", "zola"));

} // namespace
} // namespace lead_email
