#include "host/calendar/calendar.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace garland::calendar {
namespace {

using ::testing::HasSubstr;

json::value const wedding = json::parse(R"({
  "uid":"a@example.com","title":"Anna & Paul","status":"confirmed","busy":true,
  "start":{"local":"2026-06-13T14:00:00","zone":"Europe/Berlin"},
  "end":{"local":"2026-06-13T22:00:00","zone":"Europe/Berlin"},
  "recurrence":{"rules":["FREQ=YEARLY"],"dates":[{"utc":"2026-08-01T10:00:00Z"}],
                "except":[{"local":"2027-06-13T14:00:00","zone":"America/New_York"}]},
  "attendees":[{"email":"Anna@Example.com","answer":"accepted"},{"email":"paul@example.com","name":"Paul"}],
  "categories":["wedding","church"]})");

// Sets a member that may not be there yet; its parent is.
void put(json::value& event, std::string const& pointer, json::value member) {
  auto const slash = pointer.rfind('/');
  auto& parent = event.at_pointer(pointer.substr(0, slash));
  auto const name = pointer.substr(slash + 1);
  if (parent.is_array())
    parent.get_array().at(std::stoul(name)) = std::move(member);
  else
    parent.as_object()[name] = std::move(member);
}

json::value with(std::string const& pointer, json::value member) {
  json::value changed = wedding;
  put(changed, pointer, std::move(member));
  return changed;
}

Error refusal(json::value const& event) {
  auto const checked = eventKind().check(event);
  EXPECT_FALSE(checked) << json::serialize(event);
  return checked ? Error() : checked.error();
}

TEST(EventKind, NamesTheOperationsOfTheContract) {
  auto const kind = eventKind();
  EXPECT_EQ(kind.name, "calendar.event");
  EXPECT_EQ(kind.pull_operation, "calendar.pull/1");
  EXPECT_EQ(kind.upsert_operation, "calendar.upsert/1");
  EXPECT_EQ(kind.delete_operation, "calendar.delete/1");
}

TEST(EventKind, ItsSchemaTakesAnEventAndRefusesAnUnknownMember) {
  auto const schema = Schema::compile(eventKind().schema);
  ASSERT_TRUE(schema) << schema.error().message;
  EXPECT_TRUE(schema->check(wedding).empty());
  EXPECT_FALSE(schema->check(with("/mood", "festive")).empty());
}

TEST(EventKind, AGoodEventPassesTheCheck) {
  auto const checked = eventKind().check(wedding);
  EXPECT_TRUE(checked) << checked.error().message;
}

TEST(EventKind, AnEndBeforeTheStartIsRefusedAtItsPlace) {
  auto const error = refusal(with("/end", json::parse(R"({"utc":"2026-06-13T11:59:59Z"})")));
  EXPECT_EQ(error.kind, ErrorKind::invalidInput);
  EXPECT_EQ(error.field, "/end");
  EXPECT_THAT(error.message, HasSubstr("before"));
  EXPECT_EQ(refusal(with("/end", json::parse(R"({"date":"2026-06-14"})"))).field, "/end");
  // The same instant in another zone is an event without length, not an error.
  EXPECT_TRUE(eventKind().check(with("/end", json::parse(R"({"utc":"2026-06-13T12:00:00Z"})"))));
}

TEST(EventKind, AnUnknownZoneIsRefusedWhereverItStands) {
  auto const time = json::parse(R"({"local":"2026-06-13T23:00:00","zone":"Nowhere/City"})");
  EXPECT_EQ(refusal(with("/start", time)).field, "/start/zone");
  EXPECT_EQ(refusal(with("/recurrence/except/0", time)).field, "/recurrence/except/0/zone");
  EXPECT_EQ(refusal(with("/recurrence/dates/0", time)).field, "/recurrence/dates/0/zone");
  auto const overrides = json::value(json::array{json::object{{"occurrence", time}}});
  EXPECT_EQ(refusal(with("/overrides", overrides)).field, "/overrides/0/occurrence/zone");
}

TEST(EventKind, ARuleThatCannotBeReadIsRefused) {
  std::string many = "FREQ=YEARLY;BYSETPOS=1";
  for (int i = 0; i < 400; ++i) many += ",1";
  for (std::string const& rule :
       {std::string("FREQ=OFTEN"), std::string("BYDAY=SA"), std::string("FREQ=WEEKLY;BYDAY=XX"),
        std::string("FREQ=DAILY;COUNT=0"), std::string("FREQ=DAILY;COUNT=2;UNTIL=20260101"),
        std::string("nonsense"), many})
    EXPECT_EQ(refusal(with("/recurrence/rules/0", json::value(rule))).field, "/recurrence/rules/0") << rule;
}

TEST(EventKind, AnOverrideThatEndsBeforeItStartsIsRefused) {
  auto const overrides = json::parse(R"([{"occurrence":{"utc":"2026-06-13T12:00:00Z"},
                                          "start":{"utc":"2026-06-13T13:00:00Z"},"end":{"utc":"2026-06-13T12:30:00Z"}}])");
  EXPECT_EQ(refusal(with("/overrides", overrides)).field, "/overrides/0/end");
}

TEST(EventKind, TheProjectionForgetsOrderSpaceAndDefaults) {
  auto const project = eventKind().project;
  auto const same = json::parse(R"({
    "busy":true,"status":"confirmed","title":"  Anna & Paul\n","uid":"a@example.com","description":"","overrides":[],
    "end":{"zone":"Europe/Berlin","local":"2026-06-13T22:00:00"},
    "start":{"zone":"Europe/Berlin","local":"2026-06-13T14:00:00"},
    "recurrence":{"except":[{"local":"2027-06-13T14:00:00","zone":"America/New_York"}],
                  "dates":[{"utc":"2026-08-01T10:00:00Z"}],"rules":["FREQ=YEARLY"]},
    "categories":["church","wedding","church"],"location":null,"etag":"unmapped",
    "attendees":[{"name":"Paul","email":"PAUL@example.com","answer":"needs_action"},
                 {"answer":"accepted","email":"anna@example.com"}]})");
  EXPECT_EQ(canonicalJson(project(wedding)), canonicalJson(project(same)));
}

TEST(EventKind, TheProjectionSeesEveryMappedChange) {
  auto const project = eventKind().project;
  auto const base = canonicalJson(project(wedding));
  for (auto const& changed :
       {with("/title", "Anna und Paul"), with("/busy", false), with("/status", "tentative"),
        with("/description", "x"), with("/start/local", "2026-06-13T14:30:00"),
        with("/recurrence/rules/0", "FREQ=YEARLY;COUNT=2"), with("/location", "Bremen"),
        with("/url", "https://example.com"), with("/categories/0", "party"),
        with("/attendees/0/answer", "declined"),
        with("/organizer", json::parse(R"({"email":"o@example.com"})")),
        with("/overrides",
             json::parse(R"([{"occurrence":{"utc":"2027-06-13T12:00:00Z"},"cancelled":true}])"))})
    EXPECT_NE(canonicalJson(project(changed)), base) << json::serialize(changed);
}

TEST(EventKind, ThePushCarriesEveryIanaZoneThatIsUsed) {
  auto const context = eventKind().push_context(wedding);
  auto const& zones = context.at("zones").as_object();
  EXPECT_EQ(zones.size(), 2U);
  EXPECT_THAT(std::string(zones.at("Europe/Berlin").as_string()), HasSubstr("TZID:Europe/Berlin"));
  EXPECT_THAT(std::string(zones.at("America/New_York").as_string()), HasSubstr("BEGIN:VTIMEZONE"));
}

TEST(EventKind, AZoneThatTheEventDefinesIsNotLookedUp) {
  auto const studio = "BEGIN:VTIMEZONE\r\nTZID:Studio\r\nBEGIN:STANDARD\r\nDTSTART:20000101T000000\r\n"
                      "TZOFFSETFROM:+0130\r\nTZOFFSETTO:+0130\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n";
  auto changed = with("/start/zone", "Studio");
  put(changed, "/zone_definitions", json::object{{"Studio", studio}});
  EXPECT_TRUE(eventKind().check(changed)) << eventKind().check(changed).error().message;
  EXPECT_FALSE(eventKind().push_context(changed).at("zones").as_object().contains("Studio"));
}

TEST(EventKind, WhenAnEventTakesPlaceChangesAsOne) {
  auto const groups = eventKind().atomic_groups;
  ASSERT_EQ(groups.size(), 1U);
  EXPECT_THAT(groups.front(), ::testing::IsSupersetOf({"start", "end", "recurrence"}));
}

} // namespace
} // namespace garland::calendar
