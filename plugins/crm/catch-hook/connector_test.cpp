// Every provider's mapping, in the object that is shipped, against what its senders send (fixtures/).
#include <garland/testing/fake_host.hpp>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

namespace garland::testing {
namespace {

std::string const kFolder = GARLAND_SOURCE_DIR "/plugins/crm/catch-hook/";

class CatchHook : public ::testing::TestWithParam<std::string> {
protected:
  std::string built() const { return GARLAND_BINARY_DIR "/plugins/garland." + GetParam() + "/"; }
  FakeHost host{loadConnector(built() + "connector.so"), readFile(built() + "connector.json")};

  json::value parse(json::object const& item) {
    auto const* source = item.contains("hook") ? "hook" : "csv";
    json::object input;
    input["item"] =
        json::object{{"id", "itm_1"}, {"source", source}, {"received_at", "2026-01-01T00:00:00Z"}};
    input[source] = item.at(source);
    host.clear();
    auto const outcome = host.run("intake.parse/1", std::move(input));
    EXPECT_TRUE(outcome.ok()) << outcome.message;
    return outcome.result;
  }
};

TEST_P(CatchHook, ItsMappingConformsToTheSchema) {
  auto const mapping = json::parse(readFile(kFolder + GetParam() + "/mapping.json"));
  EXPECT_EQ(schemaProblems("mapping.json", mapping), std::vector<std::string>());
}

TEST_P(CatchHook, WhatItsSendersSendBecomesTheseRecords) {
  auto const all = json::parse(readFile(kFolder + "fixtures/" + GetParam() + ".json"));
  for (auto const& item : all.as_array()) {
    auto const& fixture = item.as_object();
    SCOPED_TRACE(json::serialize(fixture.at("what")));
    EXPECT_EQ(parse(fixture).at("outcome"), fixture.at("outcome"));
    json::array records;
    for (auto const& emitted : host.emitted()) {
      if (emitted.kind == "garland.problem") ADD_FAILURE() << json::serialize(emitted.record);
      json::object record{{"kind", emitted.kind}, {"id", emitted.record.at("id")}};
      record["data"] = emitted.record.at("data");
      // What is partial is a record only together with what came before.
      if (!fixture.contains("partial"))
        EXPECT_EQ(schemaProblems("record." + emitted.kind + ".json", record["data"]),
                  std::vector<std::string>());
      records.push_back(std::move(record));
    }
    EXPECT_EQ(json::value(records), fixture.at("records")) << json::serialize(records) << "\n"
                                                           << json::serialize(fixture.at("records"));
  }
}

TEST_P(CatchHook, ContactsAreKnownByAnEmailColumnHoweverItIsCalled) {
  for (auto const* column : {"Email", "Email Address", "E-mail", "Contact Email"}) {
    json::object file{{"file", "contacts.csv"}, {"first_row", 2}};
    file["header"] = json::array{"Full Name", column, "Phone Number"};
    json::array rows;
    rows.emplace_back(json::array{"Ada Hill", "ada@example.com", ""});
    file["rows"] = std::move(rows);
    EXPECT_EQ(parse({{"csv", std::move(file)}}).at("outcome"), "taken") << column;
    ASSERT_EQ(host.emitted("crm.client").size(), 1U) << column;
    EXPECT_EQ(host.emitted("crm.client")[0].at("data").at("email"), "ada@example.com");
  }
  json::object other{{"file", "colours.csv"}, {"first_row", 2}};
  other["header"] = json::array{"Colour"};
  other["rows"] = json::array();
  std::string const reason(parse({{"csv", std::move(other)}}).at("reason").as_string());
  for (auto const* wanted : {"email or email_address", "(contacts)", "(projects)", "(payments)"})
    EXPECT_NE(reason.find(wanted), std::string::npos) << reason;
}

TEST_P(CatchHook, AnythingElseIsUnknownAndNeverAnError) {
  for (auto const* body :
       {R"({})", R"({"event":"Something New","email":"ada@example.com"})", R"({"event":{"deep":1}})", R"([])",
        R"("text")", R"([[1]])", R"({"event":["new lead","x"]})"}) {
    json::object hook{{"content_type", "application/json"}, {"query", json::object()}};
    hook["json"] = json::parse(body);
    auto const outcome = parse({{"hook", std::move(hook)}});
    EXPECT_NE(outcome.at("outcome"), "taken") << body;
    EXPECT_TRUE(host.emitted().empty()) << body;
  }
}

INSTANTIATE_TEST_SUITE_P(Providers, CatchHook,
                         ::testing::Values("honeybook", "seventeen-hats", "dubsado", "studio-ninja"));

} // namespace
} // namespace garland::testing
