// What the HTTP interface tells the audit chain, and how the chain is read.
#include "host/api/testing/harness.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace garland::api {
namespace {

using testing::Harness;

std::vector<audit::Event> told(Harness& house) {
  return house.onLoop([&] { return house.book.told; });
}

std::vector<std::string> acts(Harness& house, audit::Kind kind) {
  std::vector<std::string> out;
  for (auto const& event : told(house))
    if (event.kind == kind) out.push_back(event.act);
  return out;
}

constexpr auto kVendors = "/api/integrations/vendors";

TEST(AuditWatch, AChangeIsToldBeforeItBeginsAndAReadingIsNot) {
  Harness house;
  house.ask("GET", kVendors);
  EXPECT_THAT(acts(house, audit::Kind::change), ::testing::IsEmpty());
  house.ask("POST", kVendors, R"({"name":"Rosa"})");
  EXPECT_THAT(acts(house, audit::Kind::change), ::testing::ElementsAre("asked:addVendor"));
  house.onLoop([&] { house.book.fails = true; });
  EXPECT_EQ(house.ask("POST", kVendors, R"({"name":"Ada"})").status, 507);
  house.onLoop([&] { house.book.fails = false; });
  EXPECT_EQ(house.ask("GET", kVendors).json().at("items").as_array().size(), 1U) << "nothing happens untold";
}

TEST(AuditWatch, IdsOfAChangeAreToldAndWhatWasTypedIsNot) {
  Harness house;
  auto const vendor =
      std::string(house.ask("POST", kVendors, R"({"name":"Rosa"})").json().at("id").as_string());
  house.ask("PUT", std::string(kVendors) + "/" + vendor + "/plugins/rosa@studio.example");
  auto const events = told(house);
  ASSERT_GE(events.size(), 2U);
  auto const asked = std::ranges::find(events, "asked:enablePlugin", &audit::Event::act);
  ASSERT_NE(asked, events.end());
  EXPECT_EQ(std::string(asked->facts.at("vendor").as_string()), vendor);
  for (auto const& event : events)
    EXPECT_EQ(json::serialize(event.facts).find("rosa@"), std::string::npos) << event.act;
}

TEST(AuditWatch, WhoIsNotLetInIsToldWithTheStatus) {
  Harness house;
  auto client = house.client();
  client.send("GET " + std::string(kVendors) + " HTTP/1.1\r\nHost: " + house.host() + "\r\n\r\n");
  EXPECT_EQ(client.read().status, 401);
  auto const events = told(house);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].kind, audit::Kind::refusal);
  EXPECT_EQ(events[0].act, "listVendors");
  EXPECT_EQ(events[0].facts.at("status"), 401);
}

TEST(AuditWatch, ACallerIsLetInOnceForAsLongAsItComesAgain) {
  Harness house;
  for (int i = 0; i < 3; ++i) {
    house.ask("GET", kVendors);
    house.advance(std::chrono::minutes(9));
  }
  EXPECT_THAT(acts(house, audit::Kind::signIn), ::testing::ElementsAre("api_key"));
  house.advance(std::chrono::minutes(10));
  house.ask("GET", kVendors);
  EXPECT_THAT(acts(house, audit::Kind::signIn), ::testing::SizeIs(2));
}

TEST(AuditWatch, AChangeThatWasRefusedIsToldAgain) {
  Harness house;
  house.ask("PUT", std::string(kVendors) + "/ven_0000000000000000000000000A/plugins/caldav");
  EXPECT_THAT(acts(house, audit::Kind::refusal), ::testing::ElementsAre("enablePlugin"));
}

TEST(AuditRoutes, RowsComeInPagesThatLeadOn) {
  Harness house;
  auto const first = house.ask("GET", "/api/integrations/audit/rows?limit=2").json();
  EXPECT_EQ(first.at("items").as_array().size(), 2U);
  EXPECT_EQ(first.at("next_after"), "aud_1/1");
  auto const last = house.ask("GET", "/api/integrations/audit/rows?limit=2&after=aud_1/1").json();
  EXPECT_EQ(last.at("items").as_array().size(), 1U);
  EXPECT_TRUE(last.at("next_after").is_null());
  EXPECT_EQ(house.ask("GET", "/api/integrations/audit/rows?after=aud_1").status, 400);
  EXPECT_EQ(house.ask("GET", "/api/integrations/audit/rows?after=aud_1/x").status, 400);
}

} // namespace
} // namespace garland::api
