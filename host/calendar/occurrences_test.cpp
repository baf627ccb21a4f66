#include "host/calendar/calendar.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace garland::calendar {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TimePoint at(std::string_view text) {
  auto const time = parseRfc3339(text);
  EXPECT_TRUE(time) << text;
  return time ? *time : TimePoint();
}

json::value event(std::string_view members) {
  return json::parse(R"({"uid":"u","title":"Shooting","status":"confirmed","busy":true,)" +
                     std::string(members) + "}");
}

// The starts between two instants, as text.
std::vector<std::string> starts(json::value const& of, std::string_view from, std::string_view until,
                                std::string_view home = "Europe/Berlin") {
  auto const found = occurrences(of, at(from), at(until), home, 1000);
  EXPECT_TRUE(found) << found.error().message;
  std::vector<std::string> result;
  if (!found) return result;
  for (auto const& one : *found) result.push_back(rfc3339(one.start).substr(0, 16));
  return result;
}

constexpr auto whole_2026 = std::pair{"2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"};

TEST(Occurrences, ASingleEventTakesPlaceOnce) {
  auto const one = event(R"("start":{"local":"2026-06-13T14:00:00","zone":"Europe/Berlin"},
                            "end":{"local":"2026-06-13T22:00:00","zone":"Europe/Berlin"})");
  auto const found = occurrences(one, at("2026-06-01T00:00:00Z"), at("2026-07-01T00:00:00Z"), "UTC", 10);
  ASSERT_TRUE(found);
  ASSERT_EQ(found->size(), 1U);
  EXPECT_EQ(found->front().start, at("2026-06-13T12:00:00Z"));
  EXPECT_EQ(found->front().end, at("2026-06-13T20:00:00Z"));
  EXPECT_EQ(found->front().title, "Shooting");
  EXPECT_FALSE(found->front().all_day);
}

TEST(Occurrences, TheWindowIsHalfOpenAndCountsWhatOverlaps) {
  auto const one = event(R"("start":{"utc":"2026-06-13T12:00:00Z"},"end":{"utc":"2026-06-13T14:00:00Z"})");
  EXPECT_THAT(starts(one, "2026-06-13T13:59:59Z", "2026-06-13T15:00:00Z"), ElementsAre("2026-06-13T12:00"));
  EXPECT_THAT(starts(one, "2026-06-13T14:00:00Z", "2026-06-13T15:00:00Z"), IsEmpty());
  EXPECT_THAT(starts(one, "2026-06-13T11:00:00Z", "2026-06-13T12:00:00Z"), IsEmpty());
  auto const moment = event(R"("start":{"utc":"2026-06-13T12:00:00Z"})");
  EXPECT_THAT(starts(moment, "2026-06-13T12:00:00Z", "2026-06-13T12:00:01Z"),
              ElementsAre("2026-06-13T12:00"));
  EXPECT_THAT(starts(moment, "2026-06-13T11:00:00Z", "2026-06-13T12:00:00Z"), IsEmpty());
}

// A weekly appointment at one clock time, across the clock change of each zone.
struct Change {
  char const* zone;
  char const* first;
  std::vector<std::string> utc;
};

TEST(Occurrences, AWeeklyEventKeepsItsClockTimeAcrossAClockChange) {
  for (auto const& change :
       std::vector<Change>{{"Europe/Berlin",
                            "2026-03-22T10:00:00",
                            {"2026-03-22T09:00", "2026-03-29T08:00", "2026-04-05T08:00"}},
                           {"Europe/Berlin",
                            "2026-10-18T10:00:00",
                            {"2026-10-18T08:00", "2026-10-25T09:00", "2026-11-01T09:00"}},
                           {"America/New_York",
                            "2026-03-01T10:00:00",
                            {"2026-03-01T15:00", "2026-03-08T14:00", "2026-03-15T14:00"}},
                           {"America/New_York",
                            "2026-10-25T10:00:00",
                            {"2026-10-25T14:00", "2026-11-01T15:00", "2026-11-08T15:00"}},
                           {"Australia/Lord_Howe",
                            "2026-09-27T10:00:00",
                            {"2026-09-26T23:30", "2026-10-03T23:00", "2026-10-10T23:00"}},
                           {"Asia/Kolkata",
                            "2026-03-22T10:00:00",
                            {"2026-03-22T04:30", "2026-03-29T04:30", "2026-04-05T04:30"}},
                           // 02:30 does not exist on 29 March and is read as 03:30 summer time.
                           {"Europe/Berlin",
                            "2026-03-22T02:30:00",
                            {"2026-03-22T01:30", "2026-03-29T01:30", "2026-04-05T00:30"}},
                           // 02:30 exists twice on 25 October; the first one counts.
                           {"Europe/Berlin",
                            "2026-10-18T02:30:00",
                            {"2026-10-18T00:30", "2026-10-25T00:30", "2026-11-01T01:30"}},
                           {"America/New_York",
                            "2026-03-01T02:30:00",
                            {"2026-03-01T07:30", "2026-03-08T07:30", "2026-03-15T06:30"}}}) {
    auto const weekly = event(R"("start":{"local":")" + std::string(change.first) + R"(","zone":")" +
                              change.zone + R"("},"recurrence":{"rules":["FREQ=WEEKLY;COUNT=3"]})");
    EXPECT_EQ(starts(weekly, whole_2026.first, whole_2026.second), change.utc)
        << change.zone << " " << change.first;
  }
}

TEST(Occurrences, ALengthIsExactAcrossAClockChange) {
  // A party from 22:00 to 06:00 lasts eight hours by the clock, seven in fact on the night of the change.
  auto const party = event(R"("start":{"local":"2026-03-21T22:00:00","zone":"Europe/Berlin"},
                              "end":{"local":"2026-03-22T06:00:00","zone":"Europe/Berlin"},
                              "recurrence":{"rules":["FREQ=WEEKLY;COUNT=2"]})");
  auto const found = occurrences(party, at("2026-03-01T00:00:00Z"), at("2026-04-01T00:00:00Z"), "UTC", 10);
  ASSERT_TRUE(found);
  ASSERT_EQ(found->size(), 2U);
  EXPECT_EQ(found->at(1).end - found->at(1).start, std::chrono::hours(8));
}

TEST(Occurrences, AnAllDayEventIsReadInTheHomeZone) {
  auto const day = event(R"("start":{"date":"2026-03-28"},"end":{"date":"2026-03-30"})");
  auto const found =
      occurrences(day, at("2026-03-01T00:00:00Z"), at("2026-04-01T00:00:00Z"), "Europe/Berlin", 10);
  ASSERT_TRUE(found);
  ASSERT_EQ(found->size(), 1U);
  EXPECT_TRUE(found->front().all_day);
  EXPECT_EQ(found->front().start, at("2026-03-27T23:00:00Z"));
  EXPECT_EQ(found->front().end, at("2026-03-29T22:00:00Z")); // one hour short: the clocks change in it
}

TEST(Occurrences, AnAllDayEventWithoutEndLastsADay) {
  auto const day = event(R"("start":{"date":"2026-06-13"},"recurrence":{"rules":["FREQ=YEARLY;COUNT=2"]})");
  auto const found =
      occurrences(day, at("2026-01-01T00:00:00Z"), at("2028-01-01T00:00:00Z"), "America/New_York", 10);
  ASSERT_TRUE(found);
  ASSERT_EQ(found->size(), 2U);
  EXPECT_EQ(found->at(1).start, at("2027-06-13T04:00:00Z"));
  EXPECT_EQ(found->at(1).end, at("2027-06-14T04:00:00Z"));
}

TEST(Occurrences, AFloatingEventIsReadInTheHomeZone) {
  auto const floating = event(R"("start":{"local":"2026-06-13T14:00:00"})");
  EXPECT_THAT(starts(floating, whole_2026.first, whole_2026.second, "Europe/Berlin"),
              ElementsAre("2026-06-13T12:00"));
  EXPECT_THAT(starts(floating, whole_2026.first, whole_2026.second, "America/New_York"),
              ElementsAre("2026-06-13T18:00"));
}

TEST(Occurrences, DatesAreAddedAndExceptionsTakenOut) {
  auto const series = event(R"("start":{"local":"2026-06-06T14:00:00","zone":"Europe/Berlin"},
    "recurrence":{"rules":["FREQ=WEEKLY;COUNT=4"],
      "dates":[{"local":"2026-06-17T14:00:00","zone":"Europe/Berlin"},{"utc":"2026-06-18T10:00:00Z"}],
      "except":[{"local":"2026-06-13T14:00:00","zone":"Europe/Berlin"},{"utc":"2026-06-20T12:00:00Z"},
                {"local":"2026-06-06T14:30:00","zone":"Europe/Berlin"}]})");
  EXPECT_THAT(starts(series, whole_2026.first, whole_2026.second),
              ElementsAre("2026-06-06T12:00", "2026-06-17T12:00", "2026-06-18T10:00", "2026-06-27T12:00"));
}

TEST(Occurrences, AnExceptionThatIsADateTakesOutThatDay) {
  auto const series = event(R"("start":{"local":"2026-06-06T23:30:00","zone":"Europe/Berlin"},
    "recurrence":{"rules":["FREQ=DAILY;COUNT=3"],"except":[{"date":"2026-06-07"}]})");
  EXPECT_THAT(starts(series, whole_2026.first, whole_2026.second),
              ElementsAre("2026-06-06T21:30", "2026-06-08T21:30"));
}

TEST(Occurrences, ARuleEndsWithItsUntilInclusive) {
  auto const utc_until = event(R"("start":{"local":"2026-06-06T14:00:00","zone":"Europe/Berlin"},
    "recurrence":{"rules":["FREQ=WEEKLY;UNTIL=20260620T120000Z"]})");
  EXPECT_EQ(starts(utc_until, whole_2026.first, whole_2026.second).size(), 3U);
  auto const just_before = event(R"("start":{"local":"2026-06-06T14:00:00","zone":"Europe/Berlin"},
    "recurrence":{"rules":["FREQ=WEEKLY;UNTIL=20260620T115959Z"]})");
  EXPECT_EQ(starts(just_before, whole_2026.first, whole_2026.second).size(), 2U);
  auto const date_until = event(R"("start":{"local":"2026-06-06T14:00:00","zone":"Europe/Berlin"},
    "recurrence":{"rules":["FREQ=WEEKLY;UNTIL=20260620"]})");
  EXPECT_EQ(starts(date_until, whole_2026.first, whole_2026.second).size(), 3U);
  auto const all_day =
      event(R"("start":{"date":"2026-06-06"},"recurrence":{"rules":["FREQ=WEEKLY;UNTIL=20260620T000000Z"]})");
  EXPECT_EQ(starts(all_day, whole_2026.first, whole_2026.second).size(), 3U);
}

TEST(Occurrences, SeveralRulesAreOneSet) {
  auto const series = event(R"("start":{"utc":"2026-06-01T10:00:00Z"},
    "recurrence":{"rules":["FREQ=WEEKLY;COUNT=3","FREQ=DAILY;INTERVAL=7;COUNT=4"]})");
  EXPECT_EQ(starts(series, whole_2026.first, whole_2026.second).size(), 4U);
}

json::value weeklyWith(std::string_view overrides) {
  return event(R"("start":{"local":"2026-06-06T14:00:00","zone":"Europe/Berlin"},
    "end":{"local":"2026-06-06T16:00:00","zone":"Europe/Berlin"},
    "recurrence":{"rules":["FREQ=WEEKLY;COUNT=3"]},"overrides":[)" +
               std::string(overrides) + "]");
}

TEST(Occurrences, AnOverrideMovesItsOccurrenceOnly) {
  auto const moved = weeklyWith(R"({"occurrence":{"local":"2026-06-13T14:00:00","zone":"Europe/Berlin"},
    "start":{"local":"2026-06-14T09:00:00","zone":"Europe/Berlin"}})");
  auto const found = occurrences(moved, at(whole_2026.first), at(whole_2026.second), "UTC", 10);
  ASSERT_TRUE(found);
  ASSERT_EQ(found->size(), 3U);
  EXPECT_EQ(found->at(1).start, at("2026-06-14T07:00:00Z"));
  EXPECT_EQ(found->at(1).end, at("2026-06-14T09:00:00Z")); // keeps the length of the series
}

TEST(Occurrences, AnOverrideMovesAnOccurrenceIntoTheWindowOrOutOfIt) {
  auto const moved = weeklyWith(R"({"occurrence":{"local":"2026-06-20T14:00:00","zone":"Europe/Berlin"},
    "start":{"local":"2026-06-10T09:00:00","zone":"Europe/Berlin"}})");
  EXPECT_THAT(starts(moved, "2026-06-08T00:00:00Z", "2026-06-12T00:00:00Z"), ElementsAre("2026-06-10T07:00"));
  EXPECT_THAT(starts(moved, "2026-06-15T00:00:00Z", "2026-06-30T00:00:00Z"), IsEmpty());
}

TEST(Occurrences, AnOverrideCancelsItsOccurrence) {
  auto const by_flag = weeklyWith(R"({"occurrence":{"utc":"2026-06-13T12:00:00Z"},"cancelled":true})");
  auto const by_status = weeklyWith(R"({"occurrence":{"utc":"2026-06-13T12:00:00Z"},"status":"cancelled"})");
  for (auto const& series : {by_flag, by_status})
    EXPECT_THAT(starts(series, whole_2026.first, whole_2026.second),
                ElementsAre("2026-06-06T12:00", "2026-06-20T12:00"));
}

TEST(Occurrences, AnOverrideRenamesItsOccurrence) {
  auto const renamed = weeklyWith(
      R"({"occurrence":{"local":"2026-06-13T14:00:00","zone":"Europe/Berlin"},"title":"Anna & Paul"})");
  auto const found = occurrences(renamed, at(whole_2026.first), at(whole_2026.second), "UTC", 10);
  ASSERT_TRUE(found);
  ASSERT_EQ(found->size(), 3U);
  EXPECT_EQ(found->at(0).title, "Shooting");
  EXPECT_EQ(found->at(1).title, "Anna & Paul");
}

TEST(Occurrences, AnOverrideTurnsAnOccurrenceIntoAWholeDay) {
  auto const all_day = weeklyWith(R"({"occurrence":{"local":"2026-06-13T14:00:00","zone":"Europe/Berlin"},
    "start":{"date":"2026-06-13"}})");
  auto const found =
      occurrences(all_day, at("2026-06-12T00:00:00Z"), at("2026-06-15T00:00:00Z"), "Europe/Berlin", 10);
  ASSERT_TRUE(found);
  ASSERT_EQ(found->size(), 1U);
  EXPECT_TRUE(found->front().all_day);
  EXPECT_EQ(found->front().end, at("2026-06-13T22:00:00Z"));
}

TEST(Occurrences, ACancelledEventDoesNotTakePlace) {
  auto const cancelled = json::parse(
      R"({"uid":"u","title":"","status":"cancelled","busy":true,"start":{"utc":"2026-06-13T12:00:00Z"}})");
  EXPECT_THAT(starts(cancelled, whole_2026.first, whole_2026.second), IsEmpty());
}

TEST(Occurrences, TheLimitCutsInOrder) {
  auto const daily = event(R"("start":{"utc":"2026-06-01T10:00:00Z"},"recurrence":{"rules":["FREQ=DAILY"]})");
  auto const found = occurrences(daily, at(whole_2026.first), at(whole_2026.second), "UTC", 2);
  ASSERT_TRUE(found);
  ASSERT_EQ(found->size(), 2U);
  EXPECT_EQ(found->at(1).start, at("2026-06-02T10:00:00Z"));
}

TEST(Occurrences, ARuleThatNeedsTooManyStepsIsStopped) {
  for (std::string const rule :
       {"FREQ=SECONDLY", "FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30", "FREQ=MINUTELY;BYDAY=SA"}) {
    auto const busy =
        event(R"("start":{"utc":"2026-01-01T10:00:00Z"},"recurrence":{"rules":[")" + rule + R"("]})");
    auto const found = occurrences(busy, at(whole_2026.first), at(whole_2026.second), "UTC", 10);
    ASSERT_FALSE(found) << rule;
    EXPECT_EQ(found.error().kind, ErrorKind::hostLimit);
    EXPECT_EQ(found.error().field, "/recurrence/rules/0");
  }
  auto const few =
      event(R"("start":{"utc":"2026-01-01T10:00:00Z"},"recurrence":{"rules":["FREQ=SECONDLY;COUNT=5"]})");
  EXPECT_EQ(starts(few, whole_2026.first, whole_2026.second).size(), 5U);
}

TEST(Occurrences, ARuleThatNeverComesTrueLeavesTheStartAlone) {
  for (std::string const rule :
       {"FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "FREQ=MONTHLY;BYMONTH=4;BYMONTHDAY=31"}) {
    auto const never =
        event(R"("start":{"utc":"2026-01-01T10:00:00Z"},"recurrence":{"rules":[")" + rule + R"("]})");
    EXPECT_THAT(starts(never, whole_2026.first, whole_2026.second), ElementsAre("2026-01-01T10:00")) << rule;
  }
}

TEST(Occurrences, ARuleThatTheLibraryGetsWrongIsNotAnswered) {
  for (std::string const rule :
       {"FREQ=WEEKLY;BYDAY=MO,WE,FR;BYSETPOS=1", "FREQ=DAILY;BYHOUR=9,10;BYSETPOS=-1"}) {
    auto const odd =
        event(R"("start":{"utc":"2026-01-01T10:00:00Z"},"recurrence":{"rules":[")" + rule + R"("]})");
    auto const found = occurrences(odd, at(whole_2026.first), at(whole_2026.second), "UTC", 10);
    ASSERT_FALSE(found) << rule;
    EXPECT_EQ(found.error().kind, ErrorKind::unsupported);
    EXPECT_EQ(found.error().field, "/recurrence/rules/0");
  }
}

TEST(Occurrences, WhatCannotBeReadIsAnsweredWithItsPlace) {
  struct Case {
    char const* members;
    char const* field;
  };
  for (auto const& one : std::vector<Case>{
           {R"("start":{"local":"2026-06-13T14:00:00","zone":"Nowhere/City"})", "/start/zone"},
           {R"("start":{"local":"yesterday"})", "/start/local"},
           {R"("start":{"date":"2026-02-30"})", "/start/date"},
           {R"("start":{"utc":"2026-06-13T14:00:00"})", "/start/utc"},
           {R"("start":{})", "/start"},
           {R"("start":{"date":"2026-06-13"},"end":{"utc":"2026-06-13T14:00:00Z"})", "/end"},
           {R"("start":{"utc":"2026-06-13T14:00:00Z"},"recurrence":{"rules":["FREQ=OFTEN"]})",
            "/recurrence/rules/0"},
           {R"("start":{"utc":"2026-06-13T14:00:00Z"},"recurrence":{"dates":[{"date":"x"}]})",
            "/recurrence/dates/0/date"},
           {R"("start":{"utc":"2026-06-13T14:00:00Z"},"overrides":[{"occurrence":{"date":"x"}}])",
            "/overrides/0/occurrence/date"}}) {
    auto const found =
        occurrences(event(one.members), at(whole_2026.first), at(whole_2026.second), "UTC", 10);
    ASSERT_FALSE(found) << one.members;
    EXPECT_EQ(found.error().kind, ErrorKind::invalidInput);
    EXPECT_EQ(found.error().field, one.field);
    EXPECT_THAT(found.error().message, HasSubstr(one.field));
  }
}

} // namespace
} // namespace garland::calendar
