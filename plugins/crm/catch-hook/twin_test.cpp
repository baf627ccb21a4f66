// What the twin of each provider sends, read by its connector: connector and twin in one process, no network.
#include "tests/places/places.h"

#include <garland/testing/fake_host.hpp>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

#include <memory>

namespace garland::testing {
namespace {

class CatchHookTwin : public ::testing::TestWithParam<std::string> {
protected:
  static std::unique_ptr<FakeHost> host(std::string const& folder) {
    auto const built = inBuild(folder) + "/";
    return std::make_unique<FakeHost>(loadConnector(built + "connector.so"),
                                      readFile(built + "connector.json"));
  }
  void SetUp() override {
    twin = host("/twins/garland." + GetParam() + "-twin");
    ASSERT_TRUE(twin->open({{"seed", 7}, {"volume", 3}}).ok());
    ask("POST", "/hooks", {{"url", "http://127.0.0.1:7/hooks/token"}});
  }
  std::string ask(std::string const& method, std::string const& target, json::object const& body = {}) {
    auto const answer = answerTo(method, target, body);
    EXPECT_LT(answer.at("status").as_int64(), 300) << json::serialize(answer);
    return std::string(answer.at("body").as_string());
  }
  json::object answerTo(std::string const& method, std::string const& target, json::object const& body) {
    json::object request{{"method", method}, {"target", target}, {"now", "2026-06-01T00:00:00Z"}};
    request["origin"] = "http://127.0.0.1:9";
    request["headers"] = json::array();
    if (!body.empty()) request["body"] = json::serialize(body);
    auto const outcome = twin->run("twin.serve/1", request);
    EXPECT_TRUE(outcome.ok()) << outcome.message;
    auto const answer = outcome.result.as_object();
    if (auto const* told = answer.if_contains("webhooks"))
      for (auto const& notice : told->as_array()) notices.emplace_back(notice.at("body").as_string());
    twin->clear();
    return answer;
  }
  // What happens there, and the outcome of what it sends.
  std::string happens(json::object const& change) {
    notices.clear();
    happened = json::parse(ask("POST", "/_twin/edit", change));
    if (notices.size() != 1) return "not sent once";
    json::object hook{{"content_type", "application/json"}, {"query", json::object()}};
    hook["json"] = json::parse(notices[0]);
    return parse("hook", std::move(hook));
  }
  std::string parse(std::string const& source, json::object content) {
    connector->clear();
    json::object input;
    input["item"] =
        json::object{{"id", "itm_1"}, {"source", source}, {"received_at", "2026-01-01T00:00:00Z"}};
    input[source] = std::move(content);
    auto const outcome = connector->run("intake.parse/1", std::move(input));
    EXPECT_TRUE(outcome.ok()) << outcome.message;
    EXPECT_TRUE(connector->emitted("garland.problem").empty()) << json::serialize(happened);
    return outcome.ok() ? std::string(outcome.result.at("outcome").as_string()) : "";
  }
  json::value only(std::string const& kind) {
    auto const all = connector->emitted(kind);
    EXPECT_EQ(all.size(), 1U) << kind;
    return all.empty() ? json::value(json::object{{"id", ""}, {"data", json::object()}}) : all[0];
  }

  std::unique_ptr<FakeHost> twin;
  std::unique_ptr<FakeHost> connector = host("/plugins/garland." + GetParam());
  std::vector<std::string> notices;
  json::value happened;
};

TEST_P(CatchHookTwin, AnInquiryThatIsBookedAndPaidArrivesAsWhatItIs) {
  EXPECT_EQ(happens({{"event", "inquiry"}}), "taken");
  auto const lead = only("crm.lead");
  EXPECT_EQ(lead.at("data").at("name"), happened.at("client_name"));
  EXPECT_EQ(lead.at("data").at("email"), happened.at("client_email"));
  EXPECT_EQ(lead.at("data").at("status"), "new");
  EXPECT_EQ(lead.at("data").at("event_date"), happened.at("event_date"));
  auto const id = lead.at("id");
  EXPECT_EQ(happens({{"event", "booked"}, {"id", id}}), "taken");
  EXPECT_EQ(only("crm.lead").at("id"), id) << "the same lead";
  EXPECT_EQ(only("crm.lead").at("data").at("status"), "booked");
  EXPECT_EQ(only("crm.project").at("id"), id);
  EXPECT_EQ(happens({{"event", "payment"}, {"id", id}, {"amount", "1250.50"}}), "taken");
  EXPECT_EQ(only("crm.payment").at("data").at("amount").at("amount"), 125050);
  EXPECT_EQ(happens({{"event", "stage"}, {"id", id}, {"stage", "Archived"}}), "taken");
  EXPECT_EQ(only("crm.lead").at("id"), id);
}

TEST_P(CatchHookTwin, ARepetitionIsTheSameBytesAndTheSameRecord) {
  happens({{"event", "inquiry"}});
  auto const first = notices.at(0);
  auto const id = only("crm.lead").at("id");
  EXPECT_EQ(happens({{"repeat", true}}), "taken");
  EXPECT_EQ(notices.at(0), first);
  EXPECT_EQ(only("crm.lead").at("id"), id);
}

TEST_P(CatchHookTwin, AnEditThatItDoesNotUnderstandIsRefusedAndNothingIsSent) {
  happens({{"event", "inquiry"}});
  auto const id = only("crm.lead").at("id");
  notices.clear();
  for (auto const& change :
       {json::object{{"event", "inquiry"}, {"client_name", "Ada"}},
        json::object{{"event", "inquiry"}, {"id", id}},
        json::object{{"event", "booked"}, {"id", id}, {"amount", "1.00"}},
        json::object{{"event", "payment"}, {"id", id}, {"amount", 100}}, json::object{{"repeat", false}},
        json::object{{"repeat", true}, {"event", "inquiry"}}})
    EXPECT_EQ(answerTo("POST", "/_twin/edit", change).at("status"), 400) << json::serialize(change);
  EXPECT_TRUE(notices.empty());
}

TEST_P(CatchHookTwin, WhatWasThereBeforeComesByTheExportedFile) {
  json::array header, rows;
  std::string text = ask("GET", "/export.csv");
  while (!text.empty()) {
    auto const line = text.substr(0, text.find("\r\n"));
    text.erase(0, line.size() + 2);
    json::array cells;
    for (std::size_t at = 0; at <= line.size();) {
      auto const end = std::min(line.find(',', at), line.size());
      cells.emplace_back(line.substr(at, end - at));
      at = end + 1;
    }
    (header.empty() ? header : rows.emplace_back(json::array()).as_array()) = std::move(cells);
  }
  EXPECT_EQ(parse("csv", {{"file", "export.csv"}, {"header", header}, {"rows", rows}, {"first_row", 2}}),
            "taken");
  EXPECT_EQ(connector->emitted("crm.client").size(), 3U);
}

TEST_P(CatchHookTwin, TheSameSeedSendsTheSame) {
  happens({{"event", "inquiry"}});
  auto const first = notices.at(0);
  SetUp();
  happens({{"event", "inquiry"}});
  EXPECT_EQ(notices.at(0), first);
}

INSTANTIATE_TEST_SUITE_P(Providers, CatchHookTwin,
                         ::testing::Values("honeybook", "seventeen-hats", "dubsado", "studio-ninja"));

} // namespace
} // namespace garland::testing
