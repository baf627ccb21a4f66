#include <garland/sdk/ical.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace garland::sdk::ical {
namespace {

using calendar::Event;
using calendar::Time;
using ::testing::HasSubstr;

Event withStart(std::string const& zones, std::string const& start) {
  auto const calendar = parseEvents("BEGIN:VCALENDAR\r\n" + zones + "BEGIN:VEVENT\r\nUID:u1\r\n" + start +
                                    "\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n");
  EXPECT_EQ(calendar.events.size(), 1U) << (calendar.problems.empty() ? start : calendar.problems[0].message);
  return calendar.events.empty() ? Event() : calendar.events.front();
}

std::string zone(std::string const& tzid, std::string const& more = "") {
  return "BEGIN:VTIMEZONE\r\nTZID:" + tzid + "\r\n" + more +
         "BEGIN:STANDARD\r\nDTSTART:20000101T000000\r\nTZOFFSETFROM:+0130\r\nTZOFFSETTO:+0130\r\nEND:"
         "STANDARD\r\n"
         "END:VTIMEZONE\r\n";
}

TEST(IcalTime, TheFourForms) {
  EXPECT_EQ(withStart("", "DTSTART;VALUE=DATE:20260613").start, Time::date("2026-06-13"));
  EXPECT_EQ(withStart("", "DTSTART:20260613").start, Time::date("2026-06-13"));
  EXPECT_EQ(withStart("", "DTSTART:20260613T120000Z").start, Time::utc("2026-06-13T12:00:00Z"));
  EXPECT_EQ(withStart("", "DTSTART:20260613T140000").start, Time::local("2026-06-13T14:00:00"));
  EXPECT_EQ(withStart("", "DTSTART;TZID=Europe/Berlin:20260613T140000").start,
            Time::local("2026-06-13T14:00:00", "Europe/Berlin"));
  // UTC wins over a TZID beside it.
  EXPECT_EQ(withStart("", "DTSTART;TZID=Europe/Berlin:20260613T140000Z").start,
            Time::utc("2026-06-13T14:00:00Z"));
}

TEST(IcalTime, AZoneIsKnownByItsNameItsPathOrItsOutlookName) {
  EXPECT_EQ(ianaZone("Europe/Berlin"), "Europe/Berlin");
  EXPECT_EQ(ianaZone("europe/berlin"), "Europe/Berlin");
  EXPECT_EQ(ianaZone("\"Europe/Berlin\""), "Europe/Berlin");
  EXPECT_EQ(ianaZone("/freeassociation.sourceforge.net/Tzfile/Europe/Berlin"), "Europe/Berlin");
  EXPECT_EQ(ianaZone("/example.org/2025a/America/Indiana/Knox"), "America/Indiana/Knox");
  EXPECT_EQ(ianaZone("W. Europe Standard Time"), "Europe/Berlin");
  EXPECT_EQ(ianaZone("Eastern Standard Time"), "America/New_York");
  EXPECT_EQ(ianaZone("US/Eastern"), "US/Eastern");
  EXPECT_EQ(ianaZone("Studio Time"), "");
  EXPECT_EQ(ianaZone("example.org/GMT"), "");
  EXPECT_EQ(ianaZone(""), "");
}

TEST(IcalTime, TheLocationOfADefinitionNamesTheZone) {
  auto const event = withStart(zone("Studio Time", "X-LIC-LOCATION:Europe/Berlin\r\n"),
                               "DTSTART;TZID=Studio Time:20260613T140000");
  EXPECT_EQ(event.start, Time::local("2026-06-13T14:00:00", "Europe/Berlin"));
  EXPECT_TRUE(event.zone_definitions.empty());
}

TEST(IcalTime, AZoneThatOnlyTheTextKnowsIsTakenAlong) {
  auto const event =
      withStart(zone("Studio Time") + zone("Unused"), "DTSTART;TZID=Studio Time:20260613T140000");
  EXPECT_EQ(event.start, Time::local("2026-06-13T14:00:00", "Studio Time"));
  ASSERT_EQ(event.zone_definitions.size(), 1U);
  EXPECT_THAT(event.zone_definitions.at("Studio Time"), HasSubstr("TZOFFSETTO:+0130"));
}

} // namespace
} // namespace garland::sdk::ical
