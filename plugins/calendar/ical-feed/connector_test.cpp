// The feed connector on its own: what comes in, what is left alone, and what a bad text must not do.
#include "ends.h"
#include "feed_fixture.h"
#include "tests/places/places.h"

#include <garland/sdk/ical.hpp>

namespace garland::ical_feed {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Ids = std::set<std::string>;

std::string const june = ";VALUE=DATE:20260613";
std::string const july = ";TZID=Europe/Berlin:20260711T140000";

TEST_F(FeedTest, TheAddressIsAskedForByItsSlotAndNeverSeen) {
  ASSERT_TRUE(pull(feedOf(event("a", june))).ok());
  ASSERT_EQ(host.requests().size(), 1U);
  EXPECT_EQ(host.requests()[0].url, "slot:feed");
  EXPECT_EQ(host.requests()[0].credential_slot, "feed");
}

TEST_F(FeedTest, TheAccountBearsTheNameThatTheVendorGave) {
  text = feedOf(event("a", june), "X-WR-CALNAME:All\\, of them\r\n");
  auto const health = host.run("health.check/1");
  ASSERT_TRUE(health.ok()) << health.message;
  EXPECT_EQ(health.result.at("account"), "Bookings");
  auto const found = host.run("calendar.discover/1").result.at("calendars").at(0);
  EXPECT_EQ(found.at("name"), "All, of them");
  EXPECT_EQ(found.at("writable"), false);
}

TEST_F(FeedTest, EventsComeInWithTheirZonesAndTheListSaysWhichExist) {
  ASSERT_TRUE(pull(feedOf(event("a", june) + event("b", july))).ok());
  EXPECT_EQ(came(), (Ids{"a", "b"}));
  EXPECT_EQ(listed(), (Ids{"a", "b"}));
  EXPECT_EQ(dataOf("b").at("start").at("zone"), "Europe/Berlin");
}

TEST_F(FeedTest, ASeriesHasItsExceptionsInOneRecord) {
  ASSERT_TRUE(
      pull(feedOf(event("s", july,
                        "RRULE:FREQ=WEEKLY;COUNT=4\r\nEXDATE;TZID=Europe/Berlin:20260718T140000\r\n") +
                  event("s", ";TZID=Europe/Berlin:20260726T150000",
                        "RECURRENCE-ID;TZID=Europe/Berlin:20260725T140000\r\n")))
          .ok());
  EXPECT_EQ(came(), Ids{"s"});
  EXPECT_EQ(dataOf("s").at("recurrence").at("except").as_array().size(), 1U);
  EXPECT_EQ(dataOf("s").at("overrides").at(0).at("start").at("local"), "2026-07-26T15:00:00");
}

TEST_F(FeedTest, OfTwoVersionsTheNewerCountsBySequenceThenByModification) {
  auto const version = [](char const* title, char const* lines) {
    return "BEGIN:VEVENT\r\nUID:a\r\nDTSTART;VALUE=DATE:20260613\r\nSUMMARY:" + std::string(title) + "\r\n" +
           lines + "END:VEVENT\r\n";
  };
  auto const both = [&](std::string const& first, std::string const& second) {
    cursor = nullptr;
    EXPECT_TRUE(pull(feedOf(first + second)).ok());
    return dataOf("a").at("title");
  };
  auto const older =
      version("older", "SEQUENCE:2\r\nLAST-MODIFIED:20260301T000000Z\r\nDTSTAMP:20260401T000000Z\r\n");
  auto const sequence =
      version("newer", "SEQUENCE:10\r\nLAST-MODIFIED:20260101T000000Z\r\nDTSTAMP:20260101T000000Z\r\n");
  auto const modified =
      version("newer", "SEQUENCE:2\r\nLAST-MODIFIED:20260302T000000Z\r\nDTSTAMP:20260101T000000Z\r\n");
  auto const stamped =
      version("newer", "SEQUENCE:2\r\nLAST-MODIFIED:20260301T000000Z\r\nDTSTAMP:20260402T000000Z\r\n");
  for (auto const& newer : {sequence, modified, stamped}) {
    EXPECT_EQ(both(older, newer), "newer");
    EXPECT_EQ(both(newer, older), "newer");
  }
}

TEST_F(FeedTest, AnIdThatSeveralEventsBearIsToldAndNothingOfItIsDeleted) {
  ASSERT_TRUE(pull(feedOf(event("a", june) + event("b", june))).ok());
  ASSERT_TRUE(pull(feedOf(event("a", june) + event("a", ";VALUE=DATE:20260620") + event("b", june))).ok());
  EXPECT_THAT(problems(), ElementsAre(HasSubstr("stands for several events")));
  EXPECT_EQ(listed(), (Ids{"a", "b"}));
}

TEST_F(FeedTest, WhatVanishesBeforeItIsOverIsNotListedAndWhatIsOverStays) {
  auto const past = event("past", ";VALUE=DATE:20251201");
  auto const series = event("series", ":20251001T100000Z", "RRULE:FREQ=WEEKLY;UNTIL=20251120T000000Z\r\n");
  auto const endless = event("endless", ":20251001T100000Z", "RRULE:FREQ=WEEKLY\r\n");
  ASSERT_TRUE(pull(feedOf(past + series + endless + event("a", june) + event("b", july))).ok());
  ASSERT_TRUE(pull(feedOf(event("b", july))).ok());
  EXPECT_EQ(listed(), (Ids{"b", "past", "series"}));
  ASSERT_TRUE(pull(feedOf(event("b", july) + event("c", june))).ok());
  EXPECT_EQ(listed(), (Ids{"b", "c", "past", "series"}));
}

TEST_F(FeedTest, AnEventThatEndedSinceTheLastPullIsOver) {
  ASSERT_TRUE(pull(feedOf(event("a", ";VALUE=DATE:20260103") + event("b", june))).ok());
  host.advance(std::chrono::hours(24 * 7));
  ASSERT_TRUE(pull(feedOf(event("b", june))).ok());
  EXPECT_EQ(listed(), (Ids{"a", "b"}));
}

TEST_F(FeedTest, AFeedThatNamesItsPastAnewEachTimeDoesNotGrowWhatIsKept) {
  auto const pastOf = [&](int download) {
    std::string out;
    for (int i = 0; i < 4'000; ++i)
      out += event("d" + std::to_string(download) + "-" + std::to_string(i), ";VALUE=DATE:20251201");
    return out;
  };
  for (int download = 0; download < 4; ++download) {
    auto const outcome =
        pull(feedOf(event("newest", ";VALUE=DATE:20251220") + pastOf(download) + event("b", july)));
    ASSERT_TRUE(outcome.ok()) << outcome.message;
  }
  ASSERT_TRUE(pull(feedOf(event("b", july))).ok());
  ASSERT_TRUE(listed());
  EXPECT_EQ(listed()->size(), 10'001U);
  EXPECT_TRUE(listed()->contains("newest")) << "the oldest go first";
}

// The fake host begins at midnight UTC; feeds that list only what is ahead drop an event as it ends.
TEST_F(FeedTest, WhatIsDroppedTheEveningItEndsOrTheNextMorningIsOverAndStays) {
  auto const timed = event("timed", ":20260103T140000Z", "DTEND:20260103T210000Z\r\n");
  auto const behind = event("behind", ";TZID=Pacific/Auckland:20260104T080000",
                            "DTEND;TZID=Pacific/Auckland:20260104T100000\r\n");
  auto const all_day = event("all_day", ";VALUE=DATE:20260103", "DTEND;VALUE=DATE:20260104\r\n");
  auto const ahead = event("ahead", ";VALUE=DATE:20260106") + event("b", june);
  ASSERT_TRUE(pull(feedOf(timed + behind + all_day + ahead)).ok());
  host.advance(std::chrono::hours(2 * 24 + 22)); // the 3rd, in the evening
  ASSERT_TRUE(pull(feedOf(all_day + ahead)).ok());
  EXPECT_EQ(listed(), (Ids{"ahead", "all_day", "b", "behind", "timed"}));
  host.advance(std::chrono::hours(10)); // the next morning
  ASSERT_TRUE(pull(feedOf(event("b", june))).ok());
  EXPECT_EQ(listed(), (Ids{"all_day", "b", "behind", "timed"})) << "two days ahead, it was called off";
}

TEST_F(FeedTest, AnUnchangedFeedIsNotReadAgain) {
  tag = "\"1\"";
  ASSERT_TRUE(pull(feedOf(event("a", june))).ok());
  ASSERT_TRUE(pull().ok());
  EXPECT_EQ(host.requests()[0].header("If-None-Match"), "\"1\"");
  EXPECT_TRUE(came().empty());
  EXPECT_FALSE(listed());
  tag = "\"2\"";
  ASSERT_TRUE(pull().ok());
  EXPECT_EQ(came(), Ids{"a"});
}

TEST_F(FeedTest, APublisherIsLeftAloneForAsLongAsItAsks) {
  tag = "\"1\"";
  auto const quiet = [this](char const* lines) {
    auto const outcome = pull(feedOf(event("a", june), lines));
    EXPECT_TRUE(outcome.ok()) << outcome.message;
    auto const* const seconds = outcome.result.as_object().if_contains("quiet_seconds");
    return seconds == nullptr ? 0 : seconds->as_int64();
  };
  EXPECT_EQ(quiet("REFRESH-INTERVAL;VALUE=DURATION:PT12H\r\n"), 12 * 3600);
  EXPECT_EQ(quiet(""), 12 * 3600) << "an answer of 304 says nothing new";
  tag = "\"2\"";
  EXPECT_EQ(quiet("X-PUBLISHED-TTL:PT30M\r\nREFRESH-INTERVAL;VALUE=DURATION:PT1H\r\n"), 3600);
  tag = "\"3\"";
  EXPECT_EQ(quiet("X-PUBLISHED-TTL:P5W\r\n"), 7 * 24 * 3600) << "at most a week";
  tag = "\"4\"";
  EXPECT_EQ(quiet("X-PUBLISHED-TTL:whenever\r\nREFRESH-INTERVAL;VALUE=DURATION:-PT5H\r\n"), 0);
}

TEST_F(FeedTest, FeedsAsProvidersWriteThemComeIn) {
  auto const file = [this](char const* name) {
    cursor = nullptr;
    auto const path = inSources("/plugins/calendar/ical-feed/fixtures/") + name;
    EXPECT_TRUE(pull(testing::readFile(path)).ok()) << name;
    EXPECT_THAT(problems(), ElementsAre()) << name;
  };
  file("rental_site.ics");
  EXPECT_EQ(came().size(), 2U);
  EXPECT_EQ(dataOf("1418fb94e984-8d2c1a@rental.example").at("end").at("date"), "2026-07-13");
  file("studio_crm.ics");
  auto const job = dataOf("job-20981-shoot@studio-crm.example");
  EXPECT_EQ(job.at("start").at("zone"), "Australia/Sydney");
  EXPECT_EQ(job.at("title"), "Wedding: Priya & Tom");
  EXPECT_EQ(job.at("location"), "The Old Mill, 4 River Lane; Yarra Glen VIC");
  EXPECT_EQ(dataOf("hold-4471@studio-crm.example").at("status"), "tentative");
  EXPECT_EQ(dataOf("hold-4471@studio-crm.example").at("busy"), false);
  file("office.ics");
  auto const meeting = dataOf("040000008200E00074C5B7101A82E008");
  EXPECT_EQ(meeting.at("recurrence").at("except").as_array().size(), 1U);
  EXPECT_EQ(meeting.at("overrides").at(0).at("start").at("local"), "2026-09-18T14:00:00");
}

struct Bad {
  char const* what;
  std::string text;
  char const* told;
};

void PrintTo(Bad const& bad, std::ostream* out) { *out << bad.what; }

class BadFeed : public FeedTest, public ::testing::WithParamInterface<Bad> {};

TEST_P(BadFeed, IsAnErrorAndDeletesNothing) {
  ASSERT_TRUE(pull(feedOf(event("a", june) + event("b", july))).ok());
  auto const before = cursor;
  auto const outcome = pull(GetParam().text);
  EXPECT_EQ(outcome.status, GARLAND_E_PROVIDER_BUG) << outcome.message;
  EXPECT_THAT(outcome.message, HasSubstr(GetParam().told));
  EXPECT_FALSE(listed());
  EXPECT_TRUE(came().empty());
  EXPECT_EQ(cursor.at("ends"), before.at("ends"));
}

INSTANTIATE_TEST_SUITE_P(
    Texts, BadFeed,
    ::testing::Values(Bad{"nothing", "", "is not iCalendar"},
                      Bad{"html", "\n <!DOCTYPE html><html><body>Please sign in</body></html>", "web page"},
                      Bad{"text", "Too many requests", "is not iCalendar"},
                      Bad{"cut", feedOf(event("a", june)).substr(0, 120), "cut off"},
                      Bad{"no_end", "BEGIN:VCALENDAR\r\n" + event("a", june), "cut off: END:VCALENDAR"},
                      Bad{"empty", feedOf(""), "has no events, although it had 2"}),
    [](auto const& one) { return one.param.what; });

TEST_F(FeedTest, AFeedThatStaysEmptyForADayIsBelieved) {
  ASSERT_TRUE(pull(feedOf(event("a", june))).ok());
  EXPECT_FALSE(pull(feedOf("")).ok());
  host.advance(std::chrono::hours(23));
  EXPECT_FALSE(pull().ok());
  EXPECT_FALSE(listed());
  host.advance(std::chrono::hours(1));
  ASSERT_TRUE(pull().ok());
  EXPECT_EQ(listed(), Ids{});
}

TEST_F(FeedTest, EventsInBetweenStartTheDayAnew) {
  ASSERT_TRUE(pull(feedOf(event("a", june))).ok());
  EXPECT_FALSE(pull(feedOf("")).ok());
  ASSERT_TRUE(pull(feedOf(event("a", june))).ok());
  host.advance(std::chrono::hours(25));
  EXPECT_FALSE(pull(feedOf("")).ok());
}

TEST_F(FeedTest, SoDoesAnAnswerThatNothingHasChanged) {
  tag = "\"1\"";
  auto const full = feedOf(event("a", june));
  ASSERT_TRUE(pull(full).ok());
  tag = "\"2\"";
  EXPECT_FALSE(pull(feedOf("")).ok());
  tag = "\"1\"";
  ASSERT_TRUE(pull(full).ok());
  EXPECT_FALSE(listed()) << "it was a 304";
  host.advance(std::chrono::hours(24 * 7));
  tag = "\"3\"";
  EXPECT_FALSE(pull(feedOf("")).ok());
  EXPECT_FALSE(listed());
}

TEST_F(FeedTest, AFeedWithNothingAheadMayBecomeEmpty) {
  ASSERT_TRUE(pull(feedOf(event("a", ";VALUE=DATE:20251201"))).ok());
  ASSERT_TRUE(pull(feedOf("")).ok());
  EXPECT_EQ(listed(), Ids{"a"});
}

TEST_F(FeedTest, AnAddressThatIsNotInUseAnyMoreIsToldAsThat) {
  for (auto const& [code, kind] : {std::pair{410, GARLAND_E_AUTH_REVOKED},
                                   {401, GARLAND_E_AUTH_REVOKED},
                                   {404, GARLAND_E_NOT_FOUND},
                                   {500, GARLAND_E_TRANSIENT}}) {
    status = code;
    auto const outcome = pull();
    EXPECT_EQ(outcome.status, kind) << code;
    EXPECT_THAT(outcome.message, HasSubstr("status " + std::to_string(code)));
  }
}

TEST_F(FeedTest, OneEventThatCannotBeReadLeavesTheOthers) {
  ASSERT_TRUE(pull(feedOf(event("a", june) + event("b", july))).ok());
  ASSERT_TRUE(pull(feedOf(event("a", ":when we like") + event("b", july))).ok());
  EXPECT_EQ(came(), Ids{"b"});
  EXPECT_EQ(problems().size(), 1U);
  EXPECT_EQ(listed(), (Ids{"a", "b"}));
}

TEST(IcalFeed, AnEventIsOverAfterItsLastOccurrence) {
  auto const day = [](char const* start, char const* lines) -> std::string {
    auto const calendar = sdk::ical::parseEvents(feedOf(event("a", start, lines)));
    auto const last = calendar.events.empty() ? std::nullopt : lastDayOf(calendar.events[0]);
    if (!last) return "never";
    std::chrono::year_month_day const date(*last);
    return std::to_string(static_cast<int>(date.year())) + "-" +
           std::to_string(static_cast<unsigned>(date.month())) + "-" +
           std::to_string(static_cast<unsigned>(date.day()));
  };
  EXPECT_EQ(day(":20260613T140000Z", ""), "2026-6-13");
  EXPECT_EQ(day(":20260613T140000Z", "DTEND:20260614T020000Z\r\n"), "2026-6-14");
  EXPECT_EQ(day(";VALUE=DATE:20260613", "RRULE:FREQ=YEARLY\r\n"), "never");
  EXPECT_EQ(day(";VALUE=DATE:20260613", "RRULE:FREQ=DAILY;UNTIL=20260701\r\n"), "2026-7-1");
  EXPECT_EQ(day(";VALUE=DATE:20260613", "RRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=3\r\n"), "2026-7-25");
  EXPECT_EQ(day(":20260613T200000Z", "DTEND:20260614T020000Z\r\nRRULE:FREQ=DAILY;COUNT=2\r\n"), "2026-6-16");
  EXPECT_EQ(day(";VALUE=DATE:20260613", "RDATE;VALUE=DATE:20260901\r\n"), "2026-9-1");
}

} // namespace
} // namespace garland::ical_feed
