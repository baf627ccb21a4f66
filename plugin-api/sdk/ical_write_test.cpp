#include <garland/sdk/ical.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace garland::sdk::ical {
namespace {

using calendar::Event;
using calendar::Override;
using calendar::Time;
using ::testing::HasSubstr;
using ::testing::Not;

std::string const berlin =
    "BEGIN:VTIMEZONE\r\nTZID:Europe/Berlin\r\nBEGIN:STANDARD\r\nDTSTART:20000101T000000\r\n"
    "TZOFFSETFROM:+0100\r\nTZOFFSETTO:+0100\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n";
TimePoint const now = *parseRfc3339("2026-05-01T10:00:00Z");

WriteOptions over(std::string existing) { return {{{"Europe/Berlin", berlin}}, std::move(existing), now}; }

Event readBack(std::string const& text) {
  auto const calendar = parseEvents(text);
  EXPECT_EQ(calendar.events.size(), 1U) << text;
  return calendar.events.empty() ? Event() : calendar.events.front();
}

Event wedding() {
  Event event;
  event.uid = "a@example.com";
  event.title = "Anna & Paul; church, party\nand a \\ backslash";
  event.description = std::string(80, 'x') + " Grüße " + std::string(80, 'y');
  event.location = "Bremen";
  event.url = "https://example.com/?a=1;b=2,3";
  event.status = calendar::Status::tentative;
  event.busy = false;
  event.start = Time::local("2026-06-06T14:00:00", "Europe/Berlin");
  event.end = Time::local("2026-06-06T16:00:00", "Europe/Berlin");
  event.recurrence.rules = {"FREQ=WEEKLY;COUNT=10;BYDAY=SA"};
  event.recurrence.dates = {Time::utc("2026-08-01T10:00:00Z")};
  event.recurrence.except = {Time::local("2026-06-20T14:00:00", "Europe/Berlin")};
  Override moved;
  moved.occurrence = Time::local("2026-06-13T14:00:00", "Europe/Berlin");
  moved.start = Time::local("2026-06-14T09:00:00", "Europe/Berlin");
  moved.title = "Moved";
  Override cancelled;
  cancelled.occurrence = Time::local("2026-06-27T14:00:00", "Europe/Berlin");
  cancelled.cancelled = true;
  event.overrides = {moved, cancelled};
  event.organizer = {"studio@example.com", "Studio \"Licht\": Bremen"};
  event.attendees = {{"anna@example.com", "Anna", calendar::Answer::accepted}, {"paul@example.com", {}, {}}};
  event.categories = {"wedding", "old, church"};
  return event;
}

TEST(IcalWrite, ANulIsRefusedAndNotLeftOut) {
  std::string const nul("be\0fore", 7);
  auto const refused = [](Event const& event, std::string const& field) {
    auto const failure = attempt([&] { toIcs(event, over("")); });
    ASSERT_TRUE(failure) << field;
    EXPECT_EQ(failure->kind, Kind::invalidInput) << field;
    EXPECT_EQ(failure->field, field);
  };
  auto event = wedding();
  event.title = nul;
  refused(event, "/data/title");
  event = wedding();
  event.categories = {"a", nul};
  refused(event, "/data/categories/1");
  event = wedding();
  event.overrides[0].location = nul;
  refused(event, "/data/overrides/0/location");
}

TEST(IcalWrite, ANewEventComesBackAsItWas) {
  auto const text = toIcs(wedding(), over(""));
  auto expected = wedding();
  expected.organizer->name = "Studio 'Licht': Bremen"; // a quote cannot be written
  EXPECT_EQ(json::serialize(readBack(text).toJson()), json::serialize(expected.toJson())) << text;
  EXPECT_THAT(text, HasSubstr("BEGIN:VTIMEZONE\r\nTZID:Europe/Berlin"));
  EXPECT_THAT(text, HasSubstr("DTSTAMP:20260501T100000Z"));
}

TEST(IcalWrite, EveryFormOfATimeComesBack) {
  for (auto const& [start, end] :
       {std::pair{Time::date("2026-06-13"), Time::date("2026-06-15")},
        std::pair{Time::local("2026-06-13T14:00:00"), Time::local("2026-06-13T15:00:00")},
        std::pair{Time::utc("2026-06-13T12:00:00Z"), Time::utc("2026-06-13T13:00:00Z")}}) {
    Event event;
    event.uid = "u";
    event.start = start;
    event.end = end;
    event.recurrence.rules = {"FREQ=DAILY"};
    event.recurrence.except = {start};
    event.overrides = {Override{start, true, {}, {}, {}, {}, {}, {}, {}}};
    EXPECT_EQ(json::serialize(readBack(toIcs(event, over(""))).toJson()), json::serialize(event.toJson()));
  }
}

TEST(IcalWrite, LinesAreFoldedAndEndInCrLf) {
  auto const text = toIcs(wedding(), over(""));
  std::size_t begin = 0;
  while (begin < text.size()) {
    auto const end = text.find("\r\n", begin);
    ASSERT_NE(end, std::string::npos);
    EXPECT_LE(end - begin, 75U);
    EXPECT_EQ(text.substr(begin, end - begin).find('\n'), std::string::npos);
    begin = end + 2;
  }
}

std::string const stored =
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Other//EN\r\nX-WR-CALNAME:Mine\r\n" + berlin +
    "BEGIN:VEVENT\r\nUID:u1\r\nDTSTAMP:20260101T000000Z\r\nSEQUENCE:4\r\nSUMMARY;LANGUAGE=de:Alt\r\n"
    "DTSTART;TZID=Europe/Berlin:20260606T140000\r\nDURATION:PT2H\r\nRRULE:FREQ=WEEKLY\r\nCOLOR:red\r\n"
    "X-STUDIO;X-P=\"a:b\":keep \r\n me\r\nUNKNOWN-PROP:keep\r\n"
    "ATTENDEE;RSVP=TRUE;X-A=1;PARTSTAT=NEEDS-ACTION:mailto:anna@example.com\r\n"
    "ATTENDEE;CN=Paul;X-B=2:mailto:paul@example.com\r\n"
    "BEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-PT15M\r\nDESCRIPTION:Alarm\r\nEND:VALARM\r\nEND:VEVENT\r\n"
    "BEGIN:VEVENT\r\nUID:u1\r\nRECURRENCE-ID;TZID=Europe/Berlin:20260613T140000\r\nSUMMARY:One\r\nX-OWN:1\r\n"
    "DTSTART;TZID=Europe/Berlin:20260613T150000\r\nDTEND;TZID=Europe/Berlin:20260613T170000\r\nEND:VEVENT\r\n"
    "BEGIN:VTODO\r\nUID:t\r\nEND:VTODO\r\nBEGIN:X-PART\r\nX-C:d\r\nEND:X-PART\r\nEND:VCALENDAR\r\n";

TEST(IcalWrite, NothingToChangeChangesNothing) { EXPECT_EQ(toIcs(readBack(stored), over(stored)), stored); }

TEST(IcalWrite, WhatIsNotMappedSurvivesByteForByte) {
  auto event = readBack(stored);
  event.title = "Neu";
  auto const text = toIcs(event, over(stored));
  auto const rest = [](std::string from) {
    for (std::string const name :
         {"SUMMARY;LANGUAGE=de:Alt\r\n", "SUMMARY:Neu\r\n", "DTSTAMP:20260101T000000Z\r\n",
          "DTSTAMP:20260501T100000Z\r\n", "LAST-MODIFIED:20260501T100000Z\r\n"})
      if (auto const at = from.find(name); at != std::string::npos) from.erase(at, name.size());
    return from;
  };
  EXPECT_EQ(rest(text), rest(stored));
  EXPECT_EQ(readBack(text).title, "Neu");
}

TEST(IcalWrite, EachChangeTouchesItsOwnLinesOnly) {
  auto const base = readBack(stored);
  auto event = base;
  event.start = Time::local("2026-06-06T15:00:00", "Europe/Berlin");
  event.end = Time::local("2026-06-06T18:00:00", "Europe/Berlin");
  auto text = toIcs(event, over(stored));
  EXPECT_THAT(text, Not(HasSubstr("DURATION")));
  EXPECT_THAT(text, HasSubstr("SEQUENCE:5"));
  EXPECT_EQ(readBack(text).start, event.start);
  EXPECT_EQ(readBack(text).end, event.end);

  event = base;
  event.attendees[0].answer = calendar::Answer::accepted;
  text = toIcs(event, over(stored));
  EXPECT_THAT(text, HasSubstr("X-A=1"));
  EXPECT_THAT(text, HasSubstr("ATTENDEE;CN=Paul;X-B=2:mailto:paul@example.com"));
  EXPECT_EQ(readBack(text).attendees[1].answer, calendar::Answer::accepted); // moved behind Paul
  EXPECT_EQ(readBack(text).attendees.size(), 2U);

  event = base;
  event.attendees.pop_back();
  text = toIcs(event, over(stored));
  EXPECT_THAT(text, Not(HasSubstr("Paul")));
  EXPECT_THAT(text, HasSubstr("anna@example.com"));
}

TEST(IcalWrite, OverridesAreChangedAddedAndTakenOut) {
  auto const base = readBack(stored);
  ASSERT_EQ(base.overrides.size(), 1U);
  auto event = base;
  event.overrides[0].title = "Two";
  auto text = toIcs(event, over(stored));
  EXPECT_THAT(text, HasSubstr("X-OWN:1"));
  EXPECT_EQ(readBack(text).overrides, event.overrides);

  event = base;
  Override added;
  added.occurrence = Time::local("2026-06-20T14:00:00", "Europe/Berlin");
  added.cancelled = true;
  event.overrides.push_back(added);
  text = toIcs(event, over(stored));
  EXPECT_EQ(readBack(text).overrides, event.overrides);

  event = base;
  event.overrides.clear();
  text = toIcs(event, over(stored));
  EXPECT_THAT(text, Not(HasSubstr("X-OWN:1")));
  EXPECT_THAT(text, HasSubstr("BEGIN:VTODO"));
  EXPECT_TRUE(readBack(text).overrides.empty());
}

TEST(IcalWrite, AZoneKeepsTheNameThatTheTextGivesIt) {
  auto text = stored;
  for (auto at = text.find("Europe/Berlin"); at != std::string::npos; at = text.find("Europe/Berlin"))
    text.replace(at, 13, "W. Europe Standard Time");
  auto event = readBack(text);
  EXPECT_EQ(event.start.zone, "Europe/Berlin");
  event.start.text = "2026-06-06T16:00:00";
  auto const written = toIcs(event, over(text));
  EXPECT_THAT(written, HasSubstr("DTSTART;TZID=W. Europe Standard Time:20260606T160000"));
  EXPECT_THAT(written, Not(HasSubstr("TZID:Europe/Berlin")));
}

TEST(IcalWrite, AnOccurrenceWithoutMasterCanBeRenamed) {
  std::string const invited =
      "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:u1\r\nRECURRENCE-ID:20260613T120000Z\r\n"
      "SUMMARY:Invited\r\nDTSTART:20260613T120000Z\r\nEND:VEVENT\r\n"
      "BEGIN:VEVENT\r\nUID:u1\r\nRECURRENCE-ID:20260620T120000Z\r\n"
      "SUMMARY:Again\r\nDTSTART:20260620T120000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
  auto event = readBack(invited);
  event.title = "Renamed";
  auto const text = toIcs(event, over(invited));
  EXPECT_EQ(readBack(text), event);
  EXPECT_THAT(text, Not(HasSubstr("RDATE")));
}

TEST(IcalWrite, WhatCannotBeWrittenIsRefusedWithItsField) {
  auto const field = [](Event const& event, WriteOptions const& options) {
    auto const failure = attempt([&] { toIcs(event, options); });
    return failure ? failure->field : "written";
  };
  auto event = wedding();
  event.recurrence.rules = {"FREQ=WEEKLY", "FREQ=OFTEN"};
  EXPECT_EQ(field(event, over("")), "/data/recurrence/rules/1");
  EXPECT_EQ(field(wedding(), {{}, "", now}), "/zones");
  EXPECT_EQ(field(wedding(), {{{"Europe/Berlin", "BEGIN:VEVENT\r\nEND:VEVENT\r\n"}}, "", now}), "/zones");
  EXPECT_EQ(field(wedding(), over(stored)), "/data/uid");
}

TEST(IcalWrite, AYearThatCannotBeWrittenIsRefused) {
  Event event;
  event.uid = "u";
  event.start = Time::date("3001-01-01");
  auto const failure = attempt([&] { toIcs(event, over("")); });
  ASSERT_TRUE(failure);
  EXPECT_THAT(failure->message, HasSubstr("up to 3000"));
}

// No text of an event can end its line and begin one of its own.
TEST(IcalWrite, ALineBreakInAValueStaysInside) {
  std::string const evil = "x\r\nATTENDEE:mailto:evil@example.com\r\nEND:VEVENT\r\n";
  Event event;
  event.uid = event.title = event.description = event.location = event.url = evil;
  event.start = Time::utc("2026-06-13T12:00:00Z");
  event.categories = {evil};
  event.organizer = {evil, evil};
  event.attendees = {{evil, evil, {}}};
  auto const text = toIcs(event, over(""));
  EXPECT_EQ(text.find("\r\nATTENDEE:mailto:evil"), std::string::npos) << text;
  EXPECT_EQ(readBack(text).attendees.size(), 1U);
}

} // namespace
} // namespace garland::sdk::ical
