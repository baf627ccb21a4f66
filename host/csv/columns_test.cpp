// Records as rows and back, for every kind that is exported.
#include "host/csv/columns.h"

#include <garland/schemas.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace garland::csv {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

json::value schemaOf(std::string const& kind) {
  return parseJson(schemaText("record." + kind + ".json")).value();
}
std::vector<std::string> namesOf(std::vector<Column> const& columns) {
  std::vector<std::string> names;
  for (auto const& column : columns) names.push_back(column.name);
  return names;
}

// What a file that was written and read again holds.
std::vector<json::value> thereAndBack(std::string const& kind, std::vector<json::value> const& records) {
  auto const schema = schemaOf(kind);
  auto const columns = columnsOf(schema, records);
  Writer writer;
  writer.add(namesOf(columns));
  for (auto const& record : records) writer.add(cellsOf(record, columns));
  auto const table = read(writer.take()).value();
  auto const again = columnsOf(schema, table.header).value();
  std::vector<json::value> out;
  for (auto const& row : table.rows) out.push_back(recordOf(row.cells, again).value());
  return out;
}

TEST(Columns, AreTheSchemasValuesInItsOrder) {
  auto const columns =
      columnsOf(schemaOf("crm.client"),
                std::vector<json::value>{parseJson(R"({"custom":{"shoe size":"41"}})").value()});
  auto const names = namesOf(columns);
  ASSERT_GT(names.size(), 10U);
  EXPECT_EQ(names[0], "kind");
  EXPECT_THAT(names, Contains("phones.mobile"));
  EXPECT_THAT(names, Contains("custom.shoe size"));
  auto const project = namesOf(columnsOf(schemaOf("crm.project"), std::vector<json::value>()));
  EXPECT_THAT(project, Contains("revenue.amount"));
}

TEST(Columns, EveryKindGoesThereAndBack) {
  struct Case {
    char const* kind;
    char const* record;
  };
  for (auto const& one :
       {Case{"crm.client", R"({"kind":"person","name":"=Anna","phones":{"mobile":"+4930123","home":"030123"},
               "custom":{"a.b":"1","=c":"two\nlines"}})"},
        Case{"crm.project", R"({"name":"Wedding, June","stage":"booked","closed":false,"guest_count":120,
               "revenue":{"amount":-12050,"currency":"EUR"},"notes":"'quoted"})"},
        Case{"calendar.event", R"({"uid":"a@b","title":"","status":"confirmed","busy":true,
               "start":{"local":"2026-06-13T14:00:00","zone":"Europe/Berlin"},"end":{"utc":"2026-06-13T18:00:00Z"},
               "recurrence":{"rules":["FREQ=WEEKLY;BYDAY=SA"],"except":[{"date":"2026-06-20"}]},
               "attendees":[{"email":"a@example.com","answer":"accepted"}],"categories":["x","y"]})"}}) {
    auto const record = parseJson(one.record).value();
    auto const back = thereAndBack(one.kind, {record});
    ASSERT_EQ(back.size(), 1U) << one.kind;
    EXPECT_EQ(back[0], record) << one.kind;
  }
}

TEST(Columns, AnEmptyCellIsAMemberThatIsNotThere) {
  auto const columns = columnsOf(schemaOf("crm.project"), Cells{"name", "stage", "guest_count"}).value();
  EXPECT_EQ(recordOf({"A", "lead", ""}, columns).value(),
            parseJson(R"({"name":"A","stage":"lead"})").value());
}

TEST(Columns, WhatDoesNotFitIsToldByItsColumn) {
  auto const schema = schemaOf("crm.project");
  auto const unknown = columnsOf(schema, Cells{"name", "shoe size"});
  ASSERT_FALSE(unknown);
  EXPECT_THAT(unknown.error().message, HasSubstr("\"shoe size\""));
  auto const columns = columnsOf(schema, Cells{"closed", "guest_count"}).value();
  for (auto const& [cells, told] :
       {std::pair{Cells{"yes", "1"}, "column \"closed\" must hold true or false"},
        std::pair{Cells{"true", "12 or so"}, "column \"guest_count\" must hold a whole number"}}) {
    auto const bad = recordOf(cells, columns);
    ASSERT_FALSE(bad);
    EXPECT_EQ(bad.error().message, told);
  }
}

} // namespace
} // namespace garland::csv
