#include "host/crm/crm.h"

#include "host/base/schema.h"

#include <gtest/gtest.h>

namespace garland::crm {
namespace {

sync::Kind kind(std::string_view name) {
  for (auto& one : kinds())
    if (one.name == name) return one;
  return {};
}

TEST(CrmKinds, EachHasASchemaThatCompilesAndNamesItselfToTheConnector) {
  ASSERT_EQ(kinds().size(), 8U);
  for (auto const& one : kinds()) {
    EXPECT_TRUE(Schema::compile(one.schema)) << one.name;
    EXPECT_NE(find(one.schema, "/properties"), nullptr) << one.name << " has no schema file";
    EXPECT_EQ(textOr(json::value(one.input), "/entity", ""), one.name);
  }
}

TEST(CrmKinds, ClientsComeBeforeTheProjectsThatPointToThem) {
  EXPECT_EQ(kinds().at(0).name, "crm.client");
  EXPECT_EQ(kinds().at(1).name, "crm.project");
}

TEST(CrmKinds, AProjectIsAWeddingAndWhatNamesAProjectBelongsToIt) {
  EXPECT_TRUE(kind("crm.project").is_wedding);
  EXPECT_EQ(kind("crm.project").day_member, "/event_date");
  EXPECT_EQ(kind("crm.event").wedding_member, "/project");
  EXPECT_EQ(kind("crm.client").wedding_member, "");
  EXPECT_FALSE(kind("crm.event").is_wedding);
}

TEST(CrmKinds, ADayThatDoesNotExistIsRefusedByItsMember) {
  auto const check = kind("crm.project").check;
  auto const wedding = [](char const* day) {
    return json::value{{"name", "Ada & Bo"}, {"stage", "lead"}, {"event_date", day}};
  };
  EXPECT_TRUE(check(wedding("2028-02-29")));
  EXPECT_TRUE(check(json::value{{"name", "Ada & Bo"}, {"stage", "lead"}}));
  for (auto const* day : {"2026-02-30", "2026-02-29", "2026-06-31"}) {
    auto const refused = check(wedding(day));
    ASSERT_FALSE(refused) << day;
    EXPECT_EQ(refused.error().kind, ErrorKind::invalidInput);
    EXPECT_EQ(refused.error().field, "/event_date");
    EXPECT_EQ(refused.error().message, std::string("crm.project: /event_date: there is no day ") + day);
  }
}

TEST(CrmKinds, OnlyMappedMembersThatSaySomethingCount) {
  auto const project = kind("crm.project").project;
  json::value const plain{{"name", "Ada & Bo"}, {"stage", "lead"}};
  json::value const wordy{{"name", "Ada & Bo"},
                          {"stage", "lead"},
                          {"notes", ""},
                          {"custom", json::object{{"a", ""}}},
                          {"unknown", 1}};
  EXPECT_EQ(project(plain), project(wordy));
  json::value const booked{{"name", "Ada & Bo"}, {"stage", "booked"}};
  EXPECT_NE(project(plain), project(booked));
}

} // namespace
} // namespace garland::crm
