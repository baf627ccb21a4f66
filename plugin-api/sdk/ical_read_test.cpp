#include <garland/sdk/ical.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace garland::sdk::ical {
namespace {

using calendar::Event;
using calendar::Time;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string calendarOf(std::string const& parts) {
  return "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Test//EN\r\n" + parts + "END:VCALENDAR\r\n";
}
std::string eventWith(std::string const& lines) {
  return calendarOf("BEGIN:VEVENT\r\nUID:u1\r\nDTSTAMP:20260101T000000Z\r\n" + lines + "END:VEVENT\r\n");
}

Event one(std::string const& text) {
  auto const calendar = parseEvents(text);
  EXPECT_THAT(calendar.problems, IsEmpty())
      << (calendar.problems.empty() ? "" : calendar.problems[0].message);
  EXPECT_EQ(calendar.events.size(), 1U);
  return calendar.events.empty() ? Event() : calendar.events.front();
}

std::string problem(std::string const& text) {
  auto const calendar = parseEvents(text);
  EXPECT_THAT(calendar.events, IsEmpty());
  EXPECT_EQ(calendar.problems.size(), 1U);
  return calendar.problems.empty() ? "" : calendar.problems.front().message;
}

std::string refusal(std::string const& text) {
  auto const failure = attempt([&] { parseEvents(text); });
  return failure ? failure->message : "";
}

TEST(IcalRead, EveryMappedMember) {
  auto const event =
      one(eventWith("SUMMARY:Anna \\& Paul\\, church\\; then party\r\nDESCRIPTION:one\\ntwo\\\\three\r\n"
                    "LOCATION:Schloß Bremen\r\nURL:https://example.com/a?b=c\\,d\r\n"
                    "STATUS:TENTATIVE\r\nTRANSP:TRANSPARENT\r\nCATEGORIES:wedding,church\\, old\r\n"
                    "CATEGORIES:wedding\r\nDTSTART:20260613T120000Z\r\nDTEND:20260613T200000Z\r\n"
                    "ORGANIZER;CN=\"Studio: Licht\":MAILTO:studio@example.com\r\n"
                    "ATTENDEE;PARTSTAT=ACCEPTED;CN=Anna:mailto:anna@example.com\r\n"
                    "ATTENDEE;RSVP=TRUE:mailto:paul@example.com\r\n"));
  EXPECT_EQ(event.uid, "u1");
  EXPECT_EQ(event.title, "Anna & Paul, church; then party");
  EXPECT_EQ(event.description, "one\ntwo\\three");
  EXPECT_EQ(event.location, "Schloß Bremen");
  EXPECT_EQ(event.status, calendar::Status::tentative);
  EXPECT_FALSE(event.busy);
  EXPECT_THAT(event.categories, ElementsAre("wedding", "church, old"));
  EXPECT_EQ(event.start, Time::utc("2026-06-13T12:00:00Z"));
  EXPECT_EQ(event.end, Time::utc("2026-06-13T20:00:00Z"));
  ASSERT_TRUE(event.organizer);
  EXPECT_EQ(event.organizer->email, "studio@example.com");
  EXPECT_EQ(event.organizer->name, "Studio: Licht");
  ASSERT_EQ(event.attendees.size(), 2U);
  EXPECT_EQ(event.attendees[0].answer, calendar::Answer::accepted);
  EXPECT_EQ(event.attendees[1].answer, std::nullopt);
}

TEST(IcalRead, NamesInAnyCaseGroupsAndEmptyValues) {
  auto const event =
      one("begin:vcalendar\nversion:2.0\nbegin:vevent\nuid:u1\nsummary:small\nitem1.LOCATION:here\n"
          "dtstart:20260613T120000Z\nDTEND:\nDESCRIPTION:\nend:vevent\nend:vcalendar\n");
  EXPECT_EQ(event.title, "small");
  EXPECT_EQ(event.location, "here");
  EXPECT_EQ(event.end, std::nullopt);
}

TEST(IcalRead, FoldsAlsoInsideACharacterAndMixedLineEnds) {
  auto const event = one("\xEF\xBB\xBF"
                         "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\nUID:u1\r\nDTSTART:20260613T120000Z\r\n"
                         "SUMMARY:Gr\xC3\r\n \xBC\xC3\n\t\x9F"
                         "e und \r\n  mehr\r\n\r\nEND:VEVENT\nEND:VCALENDAR");
  EXPECT_EQ(event.title, "Grüße und  mehr");
  EXPECT_EQ(
      one("BEGIN:VCALENDAR\rBEGIN:VEVENT\rUID:u1\rDTSTART:20260613T120000Z\rEND:VEVENT\rEND:VCALENDAR\r").uid,
      "u1");
}

TEST(IcalRead, TextThatIsNotUtf8IsReadAsLatin1) {
  EXPECT_EQ(one(eventWith("DTSTART:20260613T120000Z\r\nSUMMARY:Gr\xFC\xDF"
                          "e\r\n"))
                .title,
            "Grüße");
}

TEST(IcalRead, EveryFormOfALength) {
  auto const end = [](std::string const& lines) { return one(eventWith(lines)).end; };
  EXPECT_EQ(end("DTSTART:20260613T120000Z\r\nDURATION:PT1H30M\r\n"), Time::utc("2026-06-13T13:30:00Z"));
  EXPECT_EQ(end("DTSTART:20260613T120000\r\nDURATION:P1D\r\n"), Time::local("2026-06-14T12:00:00"));
  EXPECT_EQ(end("DTSTART;VALUE=DATE:20260613\r\nDURATION:P2D\r\n"), Time::date("2026-06-15"));
  EXPECT_EQ(end("DTSTART;VALUE=DATE:20260613\r\nDTEND;VALUE=DATE:20260615\r\n"), Time::date("2026-06-15"));
  EXPECT_EQ(end("DTSTART;VALUE=DATE:20260613\r\n"), std::nullopt);
  EXPECT_EQ(end("DTSTART;VALUE=DATE:20260613\r\nDTEND;VALUE=DATE:20260613\r\n"), std::nullopt);
  EXPECT_EQ(end("DTSTART:20260613T120000Z\r\n"), std::nullopt);
}

TEST(IcalRead, TheRecurrenceInAllItsLines) {
  auto const event =
      one(eventWith("DTSTART;TZID=Europe/Berlin:20260606T140000\r\nRRULE:FREQ=WEEKLY;BYDAY=SA,SU;COUNT=9\r\n"
                    "EXDATE;TZID=Europe/Berlin:20260613T140000,20260620T140000\r\n"
                    "EXDATE:20260627T120000Z\r\nEXDATE:20260704T140000\r\n"
                    "RDATE;VALUE=DATE:20260801\r\nRDATE;VALUE=PERIOD:20260802T100000Z/PT1H\r\n"));
  ASSERT_EQ(event.recurrence.rules.size(), 1U);
  EXPECT_THAT(event.recurrence.rules[0], HasSubstr("FREQ=WEEKLY"));
  EXPECT_THAT(event.recurrence.rules[0], HasSubstr("BYDAY=SA,SU"));
  // A time without TZID beside a start with one means the start's zone.
  EXPECT_THAT(event.recurrence.except, ElementsAre(Time::local("2026-06-13T14:00:00", "Europe/Berlin"),
                                                   Time::local("2026-06-20T14:00:00", "Europe/Berlin"),
                                                   Time::utc("2026-06-27T12:00:00Z"),
                                                   Time::local("2026-07-04T14:00:00", "Europe/Berlin")));
  EXPECT_THAT(event.recurrence.dates,
              ElementsAre(Time::date("2026-08-01"), Time::utc("2026-08-02T10:00:00Z")));
}

// libical keeps 500 values of a line and drops the rest in silence.
TEST(IcalRead, AThousandExceptionsInOneLineAreAllKept) {
  std::string line = "EXDATE:";
  for (int i = 0; i < 1000; ++i) {
    char text[32];
    std::snprintf(text, sizeof text, "%s%04d0101T120000Z", i == 0 ? "" : ",", 2026 + i);
    line += text;
  }
  auto const event = one(eventWith("DTSTART:20260101T120000Z\r\nRRULE:FREQ=YEARLY\r\n" + line + "\r\n"));
  EXPECT_EQ(event.recurrence.except.size(), 1000U);
  EXPECT_EQ(event.recurrence.except.back(), Time::utc("3025-01-01T12:00:00Z"));
}

std::string const series = "BEGIN:VEVENT\r\nUID:u1\r\nSUMMARY:Weekly\r\nLOCATION:Studio\r\nDTSTART;TZID="
                           "Europe/Berlin:20260606T140000\r\n"
                           "DTEND;TZID=Europe/Berlin:20260606T150000\r\nRRULE:FREQ=WEEKLY\r\nEND:VEVENT\r\n";

TEST(IcalRead, OverridesSayOnlyWhatDiffers) {
  auto const event = one(calendarOf(
      "BEGIN:VEVENT\r\nUID:u1\r\nRECURRENCE-ID;TZID=Europe/"
      "Berlin:20260613T140000\r\nSUMMARY:Moved\r\nLOCATION:Studio\r\n"
      "DTSTART;TZID=Europe/Berlin:20260614T090000\r\nDTEND;TZID=Europe/"
      "Berlin:20260614T100000\r\nEND:VEVENT\r\n" +
      series +
      "BEGIN:VEVENT\r\nUID:u1\r\nRECURRENCE-ID:20260620T120000Z\r\nSUMMARY:Weekly\r\nSTATUS:CANCELLED\r\n"
      "DTSTART:20260620T120000Z\r\nEND:VEVENT\r\n"
      "BEGIN:VEVENT\r\nUID:u1\r\nRECURRENCE-ID;TZID=Europe/Berlin:20260627T140000\r\nSUMMARY:Weekly\r\n"
      "DTSTART;TZID=Europe/Berlin:20260627T140000\r\nDTEND;TZID=Europe/"
      "Berlin:20260627T170000\r\nEND:VEVENT\r\n"));
  EXPECT_EQ(event.title, "Weekly");
  ASSERT_EQ(event.overrides.size(), 3U);
  auto const& moved = event.overrides[0];
  EXPECT_EQ(moved.occurrence, Time::local("2026-06-13T14:00:00", "Europe/Berlin"));
  EXPECT_EQ(moved.title, "Moved");
  EXPECT_EQ(moved.location, std::nullopt);
  EXPECT_EQ(moved.start, Time::local("2026-06-14T09:00:00", "Europe/Berlin"));
  EXPECT_EQ(moved.end, std::nullopt); // as long as always
  EXPECT_EQ(event.overrides[1].cancelled, true);
  EXPECT_EQ(event.overrides[2].start, std::nullopt);
  EXPECT_EQ(event.overrides[2].end, Time::local("2026-06-27T17:00:00", "Europe/Berlin"));
}

TEST(IcalRead, AnOverrideWithoutItsMasterIsAnEventOfItsOwn) {
  auto const single =
      one(calendarOf("BEGIN:VEVENT\r\nUID:u1\r\nRECURRENCE-ID:20260613T120000Z\r\nSUMMARY:Invited\r\n"
                     "DTSTART:20260613T130000Z\r\nEND:VEVENT\r\n"));
  EXPECT_EQ(single.title, "Invited");
  EXPECT_EQ(single.start, Time::utc("2026-06-13T13:00:00Z"));
  EXPECT_TRUE(single.recurrence.empty());
  auto const two =
      one(calendarOf("BEGIN:VEVENT\r\nUID:u1\r\nRECURRENCE-ID:20260613T120000Z\r\nSUMMARY:Invited\r\n"
                     "DTSTART:20260613T120000Z\r\nEND:VEVENT\r\n"
                     "BEGIN:VEVENT\r\nUID:u1\r\nRECURRENCE-ID:20260620T120000Z\r\nSUMMARY:Again\r\n"
                     "DTSTART:20260620T140000Z\r\nEND:VEVENT\r\n"));
  EXPECT_THAT(two.recurrence.dates, ElementsAre(Time::utc("2026-06-20T12:00:00Z")));
  ASSERT_EQ(two.overrides.size(), 1U);
  EXPECT_EQ(two.overrides[0].title, "Again");
}

TEST(IcalRead, WhatIsNoEventIsPassedOverInSilence) {
  auto const calendar = parseEvents(calendarOf("BEGIN:VTODO\r\nUID:t\r\nSUMMARY:Buy film\r\nEND:VTODO\r\n"
                                               "BEGIN:VJOURNAL\r\nUID:j\r\nEND:VJOURNAL\r\n"
                                               "BEGIN:X-THING\r\nX-A:b\r\nEND:X-THING\r\n"));
  EXPECT_THAT(calendar.events, IsEmpty());
  EXPECT_THAT(calendar.problems, IsEmpty());
}

TEST(IcalRead, ABadEventAmongGoodOnesIsReportedWithItsLine) {
  auto const calendar =
      parseEvents(calendarOf("BEGIN:VEVENT\r\nUID:good\r\nDTSTART:20260613T120000Z\r\nEND:VEVENT\r\n"
                             "BEGIN:VEVENT\r\nUID:bad\r\nDTSTART:20260613T120000Z\r\n"
                             "RRULE:FREQ=OFTEN\r\nEND:VEVENT\r\n"));
  ASSERT_EQ(calendar.events.size(), 1U);
  EXPECT_EQ(calendar.events[0].uid, "good");
  ASSERT_EQ(calendar.problems.size(), 1U);
  EXPECT_EQ(calendar.problems[0].uid, "bad");
  EXPECT_THAT(calendar.problems[0].message, HasSubstr("line 11: the RRULE cannot be read"));
}

TEST(IcalRead, WhatDecidesTheTimeMustBeReadable) {
  EXPECT_THAT(problem(eventWith("SUMMARY:x\r\n")), HasSubstr("line 4: the event has no DTSTART"));
  EXPECT_THAT(problem(eventWith("DTSTART:yesterday\r\n")), HasSubstr("line 7: the DTSTART cannot be read"));
  EXPECT_THAT(problem(eventWith("DTSTART:20260231T120000Z\r\n")), HasSubstr("not a time that exists"));
  EXPECT_THAT(problem(eventWith("DTSTART:20260613T120000Z\r\nDURATION:long\r\n")),
              HasSubstr("line 8: the DURATION"));
  EXPECT_THAT(problem(eventWith("DTSTART:20260613T120000Z\r\nEXDATE:soon\r\n")),
              HasSubstr("line 8: the EXDATE"));
  EXPECT_THAT(problem(eventWith("DTSTART;TZID=Studio Time:20260613T120000\r\n")),
              HasSubstr("\"Studio Time\""));
  EXPECT_THAT(problem(calendarOf("BEGIN:VEVENT\r\nDTSTART:20260613T120000Z\r\nEND:VEVENT\r\n")),
              HasSubstr("no UID"));
  EXPECT_THAT(problem(eventWith("DTSTART:20260613T120000Z\r\nEXRULE:FREQ=DAILY\r\n")), HasSubstr("EXRULE"));
  EXPECT_THAT(problem(calendarOf(
                  series + "BEGIN:VEVENT\r\nUID:u1\r\nRECURRENCE-ID;RANGE=THISANDFUTURE:20260613T120000Z\r\n"
                           "DTSTART:20260613T120000Z\r\nEND:VEVENT\r\n")),
              HasSubstr("THISANDFUTURE"));
}

TEST(IcalRead, ErrorsBesideTheMatterAreCountedOnly) {
  auto const calendar = parseEvents(eventWith("DTSTART:20260613T120000Z\r\nno colon here\r\n"
                                              "BEGIN:VALARM\r\nTRIGGER:whenever\r\nEND:VALARM\r\n"));
  EXPECT_EQ(calendar.events.size(), 1U);
  EXPECT_THAT(calendar.problems, IsEmpty());
  EXPECT_EQ(calendar.ignored_errors, 2U);
}

TEST(IcalRead, WhatIsNotICalendarIsRefusedWithTheLine) {
  EXPECT_THAT(refusal(""), HasSubstr("BEGIN:VCALENDAR is missing"));
  EXPECT_THAT(refusal("<html>\n"), HasSubstr("line 1"));
  EXPECT_THAT(refusal("BEGIN:VEVENT\r\nEND:VEVENT\r\n"), HasSubstr("begins with VEVENT"));
  EXPECT_THAT(refusal("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:u\r\n"),
              HasSubstr("cut off: END:VEVENT is missing"));
  EXPECT_THAT(refusal("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nEND:VCALENDAR\r\n"),
              HasSubstr("line 3: END:VCALENDAR inside of VEVENT"));
  EXPECT_THAT(refusal("BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\nEND:VCALENDAR\r\n"), HasSubstr("line 3"));
}

TEST(IcalRead, TheNumberOfEventsIsBounded) {
  std::string many;
  auto const add = [&many](int number) {
    many +=
        "BEGIN:VEVENT\r\nUID:u" + std::to_string(number) + "\r\nDTSTART:20260613T120000Z\r\nEND:VEVENT\r\n";
  };
  for (int i = 0; i < 5000; ++i) add(i);
  EXPECT_EQ(parseEvents(calendarOf(many)).events.size(), 5000U);
  add(5000);
  EXPECT_THAT(refusal(calendarOf(many)), HasSubstr("has 5001 events"));
}

TEST(IcalRead, SizeAndDepthAreBounded) {
  std::string deep;
  for (int i = 0; i < 10'000; ++i) deep += "BEGIN:X-A\r\n";
  EXPECT_THAT(refusal("BEGIN:VCALENDAR\r\n" + deep), HasSubstr("nested too deep"));
  EXPECT_THAT(refusal(std::string(5U << 20U, 'x')), HasSubstr("larger than 4 MiB"));
  EXPECT_THAT(refusal(std::string(200'002, '\n') + "x"), HasSubstr("100,000 lines"));
  std::string many = "RRULE:FREQ=YEARLY;BYSETPOS=1";
  for (int i = 0; i < 385; ++i) many += ",1";
  EXPECT_THAT(problem(eventWith("DTSTART:20260613T120000Z\r\n" + many + "\r\n")),
              HasSubstr("the RRULE cannot be read"));
}

} // namespace
} // namespace garland::sdk::ical
