#include <garland/sdk/ical.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>

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

// The test scripts' variables: "$now.year.1:", "$now.3:" (a day), "$email1:".
std::string filledIn(std::string const& text) {
  auto const years = std::regex_replace(text, std::regex("\\$now\\.year\\.\\d+:"), "2026");
  auto const days = std::regex_replace(years, std::regex("\\$now\\.-?(\\d)\\d?:"), "2026061$1");
  return std::regex_replace(days, std::regex("\\$([A-Za-z0-9.]+):"), "$1");
}

// Bodies that other software wrote or tests with: whatever they are, each is read or refused, and
// what was read can be written and comes back the same.
TEST(IcalTime, AwkwardBodiesSurviveARoundTrip) {
  std::filesystem::path const specs = GARLAND_SOURCE_DIR "/../shared/providers/specs";
  if (!std::filesystem::exists(specs)) GTEST_SKIP() << "skipped: no provider descriptions";
  std::size_t files = 0;
  std::size_t events = 0;
  std::size_t refused = 0;
  for (auto const& entry : std::filesystem::recursive_directory_iterator(specs)) {
    if (entry.path().extension() != ".ics") continue;
    ++files;
    std::ifstream file(entry.path());
    std::string text(std::istreambuf_iterator<char>(file), {});
    text = filledIn(text);
    Calendar calendar;
    if (attempt([&] { calendar = parseEvents(text); })) {
      ++refused; // as a whole
      continue;
    }
    refused += calendar.problems.size();
    events += calendar.events.size();
    for (auto const& event : calendar.events) {
      EXPECT_EQ(toIcs(event, {{}, text, {}}), text) << entry.path();
      auto changed = event;
      changed.title = "Changed";
      Calendar again;
      auto const failure = attempt([&] { again = parseEvents(toIcs(changed, {{}, text, {}})); });
      ASSERT_FALSE(failure) << entry.path() << ": " << failure->message;
      auto const found = std::find_if(again.events.begin(), again.events.end(),
                                      [&](Event const& one) { return one.uid == event.uid; });
      ASSERT_NE(found, again.events.end()) << entry.path();
      EXPECT_EQ(found->title, changed.title) << entry.path();
      EXPECT_EQ(found->start, event.start) << entry.path();
      EXPECT_EQ(found->recurrence, event.recurrence) << entry.path();
    }
  }
  RecordProperty("files", std::to_string(files));
  RecordProperty("events", std::to_string(events));
  RecordProperty("refused", std::to_string(refused));
  EXPECT_GT(events, files * 9 / 10);
}

} // namespace
} // namespace garland::sdk::ical
