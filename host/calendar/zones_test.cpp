#include "host/calendar/zones.h"

#include <libical/ical.h>

#include <gtest/gtest.h>

namespace garland::calendar {
namespace {

using namespace std::chrono;

Zone zone(std::string_view name) {
  auto found = ZoneBook().find(name, "/start/zone");
  EXPECT_TRUE(found) << name;
  return found ? *found : Zone();
}

local_seconds local(int y, unsigned m, unsigned d, int hour, int minute) {
  return local_days(year(y) / month(m) / day(d)) + hours(hour) + minutes(minute);
}

sys_seconds utc(int y, unsigned m, unsigned d, int hour, int minute) {
  return sys_seconds(local(y, m, d, hour, minute).time_since_epoch());
}

TEST(Zones, AnOrdinaryTimeHasTheOffsetOfItsSeason) {
  EXPECT_EQ(zone("Europe/Berlin").toUtc(local(2026, 6, 13, 14, 0)), utc(2026, 6, 13, 12, 0));
  EXPECT_EQ(zone("Europe/Berlin").toUtc(local(2026, 12, 5, 14, 0)), utc(2026, 12, 5, 13, 0));
  EXPECT_EQ(zone("America/New_York").toUtc(local(2026, 6, 13, 14, 0)), utc(2026, 6, 13, 18, 0));
  EXPECT_EQ(zone("Asia/Kathmandu").toUtc(local(2026, 6, 13, 14, 0)), utc(2026, 6, 13, 8, 15));
  EXPECT_EQ(zone("Australia/Sydney").toUtc(local(2026, 12, 5, 14, 0)), utc(2026, 12, 5, 3, 0));
  EXPECT_EQ(zone("UTC").toUtc(local(2026, 6, 13, 14, 0)), utc(2026, 6, 13, 14, 0));
}

TEST(Zones, ATimeThatIsSkippedTakesTheOffsetBeforeTheChange) {
  EXPECT_EQ(zone("Europe/Berlin").toUtc(local(2026, 3, 29, 2, 30)), utc(2026, 3, 29, 1, 30));
  EXPECT_EQ(zone("America/New_York").toUtc(local(2026, 3, 8, 2, 30)), utc(2026, 3, 8, 7, 30));
  EXPECT_EQ(zone("Australia/Lord_Howe").toUtc(local(2026, 10, 4, 2, 15)), utc(2026, 10, 3, 15, 45));
}

TEST(Zones, ATimeThatHappensTwiceIsTheFirstOfTheTwo) {
  EXPECT_EQ(zone("Europe/Berlin").toUtc(local(2026, 10, 25, 2, 30)), utc(2026, 10, 25, 0, 30));
  EXPECT_EQ(zone("America/New_York").toUtc(local(2026, 11, 1, 1, 30)), utc(2026, 11, 1, 5, 30));
  EXPECT_EQ(zone("Australia/Lord_Howe").toUtc(local(2026, 4, 5, 1, 45)), utc(2026, 4, 4, 14, 45));
}

TEST(Zones, AZoneWithNegativeDaylightTimeIsReadRight) {
  // Dublin's winter time is its "daylight" time, one hour behind the standard; Casablanca's is Ramadan.
  EXPECT_EQ(zone("Europe/Dublin").toUtc(local(2026, 6, 13, 14, 0)), utc(2026, 6, 13, 13, 0));
  EXPECT_EQ(zone("Europe/Dublin").toUtc(local(2026, 12, 5, 14, 0)), utc(2026, 12, 5, 14, 0));
  EXPECT_EQ(zone("Europe/Dublin").toUtc(local(2026, 10, 25, 1, 30)), utc(2026, 10, 25, 0, 30));
  EXPECT_EQ(zone("Africa/Casablanca").toUtc(local(2026, 6, 13, 14, 0)), utc(2026, 6, 13, 13, 0));
  EXPECT_EQ(zone("Africa/Casablanca").toUtc(local(2026, 3, 1, 14, 0)), utc(2026, 3, 1, 14, 0));
}

TEST(Zones, TheRulesOfTodayGoOnAfterTheYear2037) {
  EXPECT_EQ(zone("Europe/Berlin").toUtc(local(2051, 6, 13, 14, 0)), utc(2051, 6, 13, 12, 0));
  EXPECT_EQ(zone("Europe/Berlin").toUtc(local(2051, 12, 2, 14, 0)), utc(2051, 12, 2, 13, 0));
  EXPECT_EQ(zone("Europe/Berlin").toUtc(local(2048, 2, 29, 14, 0)), utc(2048, 2, 29, 13, 0));
  // The last Sunday of March 2051 is the 26th.
  EXPECT_EQ(zone("Europe/Berlin").toUtc(local(2051, 3, 26, 1, 59)), utc(2051, 3, 26, 0, 59));
  EXPECT_EQ(zone("Europe/Berlin").toUtc(local(2051, 3, 26, 3, 0)), utc(2051, 3, 26, 1, 0));
}

TEST(Zones, AnUnknownNameIsRefusedWithItsPlace) {
  for (auto const* name : {"Nowhere/City", "", "../../etc/passwd", "/Europe/Berlin", "Europe/Ber lin"}) {
    auto const found = ZoneBook().find(name, "/start/zone");
    ASSERT_FALSE(found) << name;
    EXPECT_EQ(found.error().kind, ErrorKind::invalidInput);
    EXPECT_EQ(found.error().field, "/start/zone");
  }
}

json::value eventWithZone(std::string_view text) {
  json::object event;
  event["zone_definitions"] = json::object{{"Studio Time", text}};
  return event;
}

TEST(Zones, AZoneThatTheEventDefinesIsUsed) {
  auto const book = ZoneBook::of(eventWithZone("BEGIN:VTIMEZONE\r\nTZID:Studio Time\r\n"
                                               "BEGIN:STANDARD\r\nDTSTART:20000101T000000\r\n"
                                               "TZOFFSETFROM:+0130\r\nTZOFFSETTO:+0130\r\nEND:STANDARD\r\n"
                                               "END:VTIMEZONE\r\n"));
  ASSERT_TRUE(book) << book.error().message;
  auto const found = book->find("Studio Time", "/start/zone");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->toUtc(local(2026, 6, 13, 14, 0)), utc(2026, 6, 13, 12, 30));
}

TEST(Zones, ADefinitionThatCannotServeIsRefused) {
  std::string const finer =
      "BEGIN:VTIMEZONE\r\nTZID:X\r\nBEGIN:STANDARD\r\nDTSTART:20000101T000000\r\n"
      "TZOFFSETFROM:+0100\r\nTZOFFSETTO:+0100\r\nRRULE:FREQ=SECONDLY\r\nEND:STANDARD\r\n"
      "END:VTIMEZONE\r\n";
  std::string const without_start =
      "BEGIN:VTIMEZONE\r\nTZID:X\r\nBEGIN:STANDARD\r\nTZOFFSETTO:+0100\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n";
  for (std::string const& text :
       {std::string("nonsense"), std::string("BEGIN:VTIMEZONE\r\nTZID:X\r\nEND:VTIMEZONE\r\n"), without_start,
        finer, std::string(100'000, 'x'), std::string("BEGIN:VEVENT\r\nUID:1\r\nEND:VEVENT\r\n")}) {
    auto const book = ZoneBook::of(eventWithZone(text));
    ASSERT_FALSE(book) << text.substr(0, 60);
    EXPECT_EQ(book.error().field, "/zone_definitions/Studio Time");
  }
}

// What is written to a provider must mean the same as what it was made from.
TEST(Zones, AComponentForAProviderGivesTheSameOffsets) {
  for (std::string const name : {"Europe/Berlin", "America/New_York", "Europe/Dublin", "Africa/Casablanca",
                                 "Australia/Lord_Howe", "America/Sao_Paulo", "Asia/Kolkata", "US/Eastern"}) {
    auto text = vtimezone(name, 2025);
    ASSERT_TRUE(text) << name;
    EXPECT_NE(text->find("TZID:" + name + "\r\n"), std::string::npos) << *text;
    auto const event = json::value{{"zone_definitions", {{name, *text}}}};
    auto const book = ZoneBook::of(event);
    ASSERT_TRUE(book) << book.error().message;
    auto const copy = book->find(name, "");
    ASSERT_TRUE(copy);
    for (auto when = utc(2025, 1, 1, 0, 30); when < utc(2035, 1, 1, 0, 0); when += hours(7))
      ASSERT_EQ(copy->offsetAt(when), zone(name).offsetAt(when))
          << name << " " << when.time_since_epoch().count();
  }
}

TEST(Zones, AComponentForAProviderIsShort) {
  auto const text = vtimezone("Europe/Berlin", 2025);
  ASSERT_TRUE(text);
  EXPECT_LT(text->size(), 1000U) << *text;
}

TEST(Zones, UtcNeedsNoComponent) {
  EXPECT_FALSE(vtimezone("UTC", 2025));
  EXPECT_FALSE(vtimezone("Nowhere/City", 2025));
}

} // namespace
} // namespace garland::calendar
