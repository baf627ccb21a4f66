#include "host/base/schema.h"

#include <garland/schemas.hpp>
#include <garland/sdk/calendar.hpp>
#include <garland/testing/fake_host.hpp>

#include <gmock/gmock.h>

namespace garland::sdk::calendar {
namespace {

// Every member of the contract once.
constexpr auto full = R"({
  "uid": "1@x", "title": "Hochzeit Müller", "description": "a\nb", "location": "Scheune", "url": "https://x.example/1",
  "status": "tentative", "busy": false,
  "start": {"local": "2026-06-13T14:00:00", "zone": "Europe/Berlin"},
  "end": {"local": "2026-06-13T23:00:00", "zone": "Studio Time"},
  "recurrence": {"rules": ["FREQ=WEEKLY;BYDAY=SA"], "dates": [{"utc": "2026-06-14T12:00:00Z"}],
                 "except": [{"local": "2026-06-20T14:00:00"}, {"date": "2026-06-27"}]},
  "overrides": [{"occurrence": {"utc": "2026-07-04T12:00:00Z"}, "cancelled": true},
                {"occurrence": {"date": "2026-07-11"}, "title": "", "description": "d", "location": "l",
                 "start": {"date": "2026-07-12"}, "end": {"date": "2026-07-13"}, "status": "confirmed", "busy": true}],
  "organizer": {"email": "anna@x.example", "name": "Anna"},
  "attendees": [{"email": "b@x.example", "answer": "needs_action"}, {"email": "c@x.example", "name": "C"}],
  "categories": ["wedding"],
  "zone_definitions": {"Studio Time": "BEGIN:VTIMEZONE\r\nEND:VTIMEZONE\r\n"}
})";

constexpr auto least =
    R"({"uid":"2","title":"","status":"confirmed","busy":true,"start":{"date":"2026-06-13"}})";

Schema schemaNamed(char const* name) {
  return Schema::compile(garland::parseJson(schemaText(name)).value()).value();
}

std::string refusal(json::value const& event) {
  auto const failure = attempt([&] { Event::fromJson(event); });
  return failure ? failure->message : "taken";
}

TEST(CalendarEvent, EveryMemberGoesThereAndBackAndConforms) {
  auto const schema = schemaNamed("record.calendar.event.json");
  for (auto const* text : {full, least}) {
    auto const document = parse(text);
    auto const again = Event::fromJson(document).toJson();
    EXPECT_EQ(again, document) << json::serialize(again);
    EXPECT_TRUE(schema.check(again).empty()) << schema.check(again).front().pointer;
  }
}

TEST(CalendarEvent, TheSchemaRefusesWhatTheContractForbids) {
  auto const schema = schemaNamed("record.calendar.event.json");
  auto const refused = [&](char const* member, json::value value) {
    auto event = parse(least).get_object();
    event[member] = std::move(value);
    return !schema.check(event).empty();
  };
  EXPECT_FALSE(refused("title", "x"));
  EXPECT_TRUE(refused("description", nullptr));
  EXPECT_TRUE(refused("colour", "red"));
  EXPECT_TRUE(refused("status", "gone"));
  EXPECT_TRUE(refused("start", {{"date", "2026-13-01"}}));
  EXPECT_TRUE(refused("start", {{"date", "2026-06-13"}, {"utc", "2026-06-13T12:00:00Z"}}));
  EXPECT_TRUE(refused("start", {{"utc", "2026-06-13T12:00:00Z"}, {"zone", "Europe/Berlin"}}));
  EXPECT_TRUE(refused("start", {{"utc", "2026-06-13T12:00:00+02:00"}}));
  EXPECT_TRUE(refused("start", json::object()));
  EXPECT_TRUE(refused("zone_definitions", {{"X", "END:VTIMEZONE"}}));
}

TEST(CalendarEvent, AMistakeIsToldByItsPlace) {
  auto event = parse(full).get_object();
  event["start"] = {{"date", "2026-06-13"}, {"zone", "Europe/Berlin"}};
  EXPECT_EQ(refusal(event), "/start/zone: goes only with local");
  event["start"] = json::object();
  EXPECT_EQ(refusal(event), "/start: must have exactly one of date, local, utc");
  event.erase("start");
  EXPECT_EQ(refusal(event), "/start: is missing");
  event = parse(full).get_object();
  event["recurrence"].as_object()["except"].as_array()[1] = 5;
  EXPECT_EQ(refusal(event), "/recurrence/except/1: must be an object");
  event = parse(full).get_object();
  event["attendees"].as_array()[0].as_object()["answer"] = "maybe";
  EXPECT_EQ(refusal(event),
            "/attendees/0/answer: must be one of accepted, declined, tentative, needs_action");
}

} // namespace

// A connector that keeps one event in memory.
class Notebook final : public CalendarConnector {
public:
  HealthReport check(Account&, Call&) override { return {"anna"}; }
  Discovery discover(Account&, Call&) override {
    return {"anna", {{"home", "Home", {}, "Europe/Berlin", true}}};
  }
  void pull(Account&, PullRequest const& request, Feed& feed) override {
    std::vector<std::string> ids;
    for (int i = 0; i < 1200; ++i) ids.push_back("e" + std::to_string(i));
    if (request.wants("home")) feed.put("e1", "v1", "home", Event::fromJson(parse(full)));
    feed.gone("e2", "home");
    feed.problem("e3", Failure(Kind::providerBug, ""));
    feed.listing("home", ids);
    feed.listing("other", {});
    feed.checkpoint(request.cursor);
  }
  StoredEvent upsert(Account&, UpsertRequest const& request, Call&) override {
    return {request.id.value_or("new-" + request.key), "v2", request.scope.value_or("home"), request.data};
  }
};

} // namespace garland::sdk::calendar

#define GARLAND_CONNECTOR_ID "test.notebook"
#define GARLAND_CONNECTOR_VERSION "1.0.0"
GARLAND_CONNECTOR(garland::sdk::calendar::Notebook)

namespace garland::sdk::calendar {
namespace {

class Notes : public ::testing::Test {
protected:
  garland::testing::FakeHost host{&garland_entry_v1, R"({
    "manifest": 1, "id": "test.notebook", "name": "N", "version": "1.0.0", "category": "calendar", "summary": "A test.",
    "operations": ["health.check/1", "calendar.discover/1", "calendar.pull/1", "calendar.upsert/1", "calendar.delete/1"],
    "auth": [], "hosts": []})"};
};

TEST_F(Notes, APullBringsRecordsThatConform) {
  auto const outcome = host.run("calendar.pull/1", {{"cursor", {{"n", 1}}}, {"calendars", {"home"}}});
  EXPECT_TRUE(outcome.ok()) << outcome.message;
  EXPECT_EQ(host.emitted("calendar.event").size(), 2U);
  EXPECT_EQ(host.emitted("garland.problem").size(), 1U);
  auto const listings = host.emitted("garland.listing");
  ASSERT_EQ(listings.size(), 4U);
  EXPECT_EQ(listings[0].at("last"), json::value(false));
  EXPECT_EQ(listings[2].at("last"), json::value(true));
  EXPECT_EQ(listings[2].at("ids").as_array().size(), 200U);
  EXPECT_EQ(listings[3].at("ids").as_array().size(), 0U);
  EXPECT_EQ(host.checkpoints().back(), json::value({{"n", 1}}));
}

TEST_F(Notes, AnUpsertGivesBackTheEvent) {
  auto const outcome = host.run("calendar.upsert/1", {{"key", "k"},
                                                      {"id", nullptr},
                                                      {"version", nullptr},
                                                      {"scope", nullptr},
                                                      {"data", parse(full)},
                                                      {"zones", json::object()}});
  EXPECT_TRUE(outcome.ok()) << outcome.message;
  EXPECT_EQ(outcome.result.at("id"), json::value("new-k"));
  EXPECT_EQ(outcome.result.at("data"), parse(full));
}

TEST_F(Notes, ABadEventInTheInputIsRefusedWithItsField) {
  auto data = parse(full).get_object();
  data["busy"] = "yes";
  auto const outcome = host.run("calendar.upsert/1", {{"key", "k"}, {"data", data}});
  EXPECT_EQ(outcome.status, GARLAND_E_INVALID_INPUT);
  EXPECT_EQ(outcome.detail, json::value({{"field", "/data/busy"}}));
}

TEST_F(Notes, WhatACalendarCannotDoIsUnsupported) {
  EXPECT_EQ(host.run("calendar.delete/1", {{"key", "k"}, {"id", "e1"}}).status, GARLAND_E_UNSUPPORTED);
}

TEST(CalendarReader, OffersNothingThatWrites) {
  std::vector<std::string_view> ids;
  for (auto const& entry : CalendarReader::operations()) ids.push_back(entry.id);
  EXPECT_EQ(ids, (std::vector<std::string_view>{"health.check/1", "calendar.discover/1", "calendar.pull/1"}));
}

TEST_F(Notes, DiscoveryAndHealthConform) {
  EXPECT_TRUE(host.run("calendar.discover/1").ok());
  EXPECT_EQ(host.run("health.check/1").result, json::value({{"account", "anna"}}));
}

} // namespace
} // namespace garland::sdk::calendar
