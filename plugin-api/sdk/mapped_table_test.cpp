// Records as rows that the same mapping reads as the same records.
#include <garland/sdk/mapped_table.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace garland::sdk::intake {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char const* kMapping = R"({
  "mapping": 1, "defaults": {"currency": "USD", "date_order": "mdy", "calling_code": "1"},
  "csv": [
    {"name": "clients", "columns": [["Full Name", "Client"]], "emit": [{"kind": "crm.client", "id": ["/client_id"], "id_of": ["/email"],
      "fields": [{"to": "/kind", "value": "person"}, {"to": "/name", "from": ["/client_name", "/full_name"]},
                 {"to": "/first_name", "from": ["/full_name"], "as": "first_name"},
                 {"to": "/email", "from": ["/email"], "as": "email"},
                 {"to": "/phones/mobile", "from": ["/mobile", "/phone"], "as": "phone", "else": "/custom/phone"}],
      "rest": "/custom"}]},
    {"name": "projects", "columns": ["project"], "when": [{"at": ["/type"], "is": ["job"]}],
     "emit": [{"kind": "crm.project", "id": ["/job_id"],
      "fields": [{"to": "/name", "from": ["/project"], "required": true},
                 {"to": "/stage", "from": ["/stage"], "as": "words", "words": {"Won": "booked", "Signed": "booked"}, "otherwise": "other"},
                 {"to": "/price", "from": ["/price"], "as": "money"}, {"to": "/event_date", "from": ["/date"], "as": "date"},
                 {"to": "/guests", "from": ["/guests"], "as": "integer"}, {"to": "/paid", "from": ["/paid"], "as": "boolean"}]}]}
  ]})";

json::object object(std::string_view text) { return json::parse(text).as_object(); }

class MappedTableTest : public ::testing::Test {
protected:
  // Why the record does not come back; "" if it does.
  std::string loss(std::string_view kind, json::object const& record) {
    std::vector<json::object> const all{record};
    MappedTable const table(mapping, kind, all);
    header = table.header();
    row = table.row(record, "17");
    return table.loss(record, row).value_or("");
  }
  Mapping const mapping{kMapping};
  std::vector<std::string> header, row;
};

TEST_F(MappedTableTest, ARecordBecomesARowThatIsReadAsTheSameRecord) {
  EXPECT_EQ(loss("crm.project",
                 object(R"({"name":"Lake","stage":"booked","price":{"amount":120050,"currency":"EUR"},
                                           "event_date":"2027-06-07","guests":120,"paid":true})")),
            "");
  EXPECT_THAT(header, ElementsAre("job_id", "type", "project", "stage", "price", "date", "guests", "paid"));
  EXPECT_THAT(row, ElementsAre("17", "job", "Lake", "Signed", "1200.50 EUR", "2027-06-07", "120", "true"));
  EXPECT_EQ(loss("crm.project",
                 object(R"({"name":"Lake","stage":"other","price":{"amount":1200,"currency":"JPY"}})")),
            "");
  EXPECT_EQ(loss("crm.project", object(R"({"name":"Lake"})")), "");
}

TEST_F(MappedTableTest, PartsOfANameAndWhatNoFieldTakesHaveTheirColumns) {
  EXPECT_EQ(loss("crm.client", object(R"({"kind":"person","name":"Ada Hill","email":"ada@example.com",
                                          "phones":{"mobile":"+15550100"},"custom":{"how_you_met":"at sea"}})")),
            "/first_name is added");
  EXPECT_EQ(loss("crm.client",
                 object(R"({"kind":"person","name":"Ada Hill","first_name":"Ada","email":"ada@example.com",
                                          "phones":{"mobile":"+15550100"},"custom":{"how_you_met":"at sea"}})")),
            "");
  EXPECT_EQ(loss("crm.client",
                 object(R"({"kind":"person","name":"Ada Hill","first_name":"Ada","email":"ada@example.com",
                                          "custom":{"phone":"ask Bo"}})")),
            "")
      << "what could not be read stands where it stood";
}

TEST_F(MappedTableTest, AWordThatTheMappingDoesNotKnowGoesOutAsItCameIn) {
  Mapping const words(
      R"({"mapping": 1, "csv": [{"name": "projects", "columns": ["project"], "emit": [{"kind": "crm.project",
    "id": ["/job_id"], "rest": "/custom", "fields": [{"to": "/name", "from": ["/project"]},
      {"to": "/stage", "from": ["/stage"], "as": "words", "words": {"Won": "booked"}, "else": "/custom/status_text"},
      {"to": "/stage", "value": "other"}]}]}]})");
  auto const cell = [&](std::string_view text) {
    std::vector<json::object> const all{object(text)};
    MappedTable const table(words, "crm.project", all);
    auto const cells = table.row(all[0], "17");
    EXPECT_EQ(table.loss(all[0], cells).value_or(""), "") << text;
    EXPECT_THAT(table.header(), ElementsAre("job_id", "project", "stage"));
    return cells.at(2);
  };
  EXPECT_EQ(cell(R"({"name":"Lake","stage":"other","custom":{"status_text":"Contract out"}})"),
            "Contract out");
  EXPECT_EQ(cell(R"({"name":"Lake","stage":"other"})"), "");
  EXPECT_EQ(cell(R"({"name":"Lake","stage":"booked"})"), "Won");
}

TEST_F(MappedTableTest, WhatCannotBeTurnedRoundIsTold) {
  EXPECT_EQ(loss("crm.project", object(R"({"name":"Lake","venue":"Barn"})")), "/venue is lost");
  EXPECT_THAT(loss("crm.project", object(R"({"stage":"booked"})")), HasSubstr("/name is missing"));
  EXPECT_THAT(loss("crm.client",
                   object(R"({"kind":"company","name":"Ada","first_name":"Ada","email":"a@example.com"})")),
              HasSubstr("/kind becomes \"person\""));
}

TEST_F(MappedTableTest, AKindThatNoRuleMakesIsRefused) { EXPECT_THROW(loss("crm.lead", {}), Failure); }

} // namespace
} // namespace garland::sdk::intake
