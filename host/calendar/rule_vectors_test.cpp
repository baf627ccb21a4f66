// The rules of RFC 5545 and others, against vectors on which two independent libraries agree.
#include "host/calendar/rule.h"

#include "host/base/provider_specs.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <set>

namespace garland::calendar {
namespace {

using namespace std::chrono;

std::string const vectors_file = providerSpecs() + "/ical/rrule-vectors.json";

local_seconds parse(std::string_view text) {
  auto const at = [text](std::size_t from, std::size_t length) {
    return std::stoi(std::string(text.substr(from, length)));
  };
  return local_days(year(at(0, 4)) / month(static_cast<unsigned>(at(4, 2))) /
                    day(static_cast<unsigned>(at(6, 2)))) +
         hours(at(9, 2)) + minutes(at(11, 2)) + seconds(at(13, 2));
}

std::string text(local_seconds time) {
  auto const date = year_month_day(floor<days>(time));
  auto const clock = hh_mm_ss(time - floor<days>(time));
  std::array<char, 32> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%04d%02u%02uT%02d%02d%02d", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  return buffer.data();
}

std::vector<std::string> expand(json::value const& vector, std::size_t most, local_seconds through) {
  auto const rule = textOr(vector, "/rrule", "");
  EventTime const start{EventTime::Form::floating, parse(textOr(vector, "/dtstart", "")), {}};
  RuleRun const run{rule, "/rrule", start, through,
                    [](sys_seconds when) { return local_seconds(when.time_since_epoch()); }};
  std::size_t steps = 100'000;
  std::vector<std::string> found;
  auto const ran = runRule(run, steps, [&](local_seconds time) {
    if (found.size() < most) found.push_back(text(time));
  });
  EXPECT_TRUE(ran) << rule << ": " << ran.error().message;
  return found;
}

std::vector<std::string> strings(json::value const& list) {
  std::vector<std::string> result;
  for (auto const& one : list.as_array()) result.emplace_back(one.as_string());
  return result;
}

json::value loadVectors() {
  std::ifstream file(vectors_file);
  if (!file) return nullptr;
  return json::parse(std::string(std::istreambuf_iterator<char>(file), {}));
}

TEST(RuleVectors, EveryCaseThatTwoLibrariesAgreeOn) {
  auto const vectors = loadVectors();
  if (vectors.is_null()) {
    std::printf("contracts: recurrence rules: 0 expansions checked; skipped: there is no %s\n",
                vectors_file.c_str());
    ASSERT_FALSE(contractsRequired());
    GTEST_SKIP();
  }
  auto const& cases = vectors.at("cases").as_array();
  EXPECT_GT(cases.size(), 10U);
  for (auto const& one : cases) {
    auto const expected = strings(one.at("instances"));
    bool const complete = boolOr(one, "/complete", false);
    auto const through = parse(expected.back()) + (complete ? years(40) : years(0));
    EXPECT_EQ(expand(one, expected.size() + 5, through), expected) << one;
  }
  std::printf("contracts: recurrence rules: %zu expansions checked; skipped: nothing\n", cases.size());
}

// libical 3.0.16 gets these wrong; a test fails when it no longer does, so that the line goes.
std::set<std::string> const wrong_in_libical{
    // The week of the start may begin in the year before: it yields a Wednesday for BYDAY=TU.
    "FREQ=YEARLY;BYWEEKNO=1;BYDAY=TU;COUNT=4",
    // In a year of 52 weeks week 53 is skipped, not taken to be the next year's first.
    "FREQ=YEARLY;BYWEEKNO=53;BYDAY=MO;COUNT=3"};

// Where the two libraries disagree, the one that follows RFC 5545 is right.
TEST(RuleVectors, EveryDisputedCaseAsTheStandardHasIt) {
  auto const vectors = loadVectors();
  if (vectors.is_null()) {
    ASSERT_FALSE(contractsRequired());
    GTEST_SKIP();
  }
  std::size_t checked = 0;
  std::size_t wrong = 0;
  for (auto const& one : vectors.at("disagreements").as_array()) {
    auto const expected = strings(one.at("dateutil"));
    auto const found = expand(one, expected.size(), parse(expected.back()));
    if (!wrong_in_libical.contains(textOr(one, "/rrule", ""))) {
      EXPECT_EQ(found, expected) << one;
      ++checked;
    } else {
      EXPECT_NE(found, expected) << one;
      ++wrong;
    }
  }
  std::printf("contracts: recurrence rules: %zu expansions checked; skipped: %zu that libical gets wrong\n",
              checked, wrong);
}

struct OwnCase {
  char const* start;
  char const* rule;
  std::vector<std::string> instances;
};

TEST(RuleVectors, TheRulesThatWeddingCalendarsUse) {
  for (auto const& one : std::vector<OwnCase>{
           {"20260606T140000",
            "FREQ=WEEKLY;BYDAY=SA;COUNT=3",
            {"20260606T140000", "20260613T140000", "20260620T140000"}},
           {"20260102T180000",
            "FREQ=MONTHLY;BYDAY=1FR;COUNT=3",
            {"20260102T180000", "20260206T180000", "20260306T180000"}},
           {"20260130T180000",
            "FREQ=MONTHLY;BYDAY=-1FR;COUNT=3",
            {"20260130T180000", "20260227T180000", "20260327T180000"}},
           {"20260131T180000",
            "FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=3",
            {"20260131T180000", "20260228T180000", "20260331T180000"}},
           {"20260601T090000",
            "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,MO;WKST=SU;COUNT=4",
            {"20260601T090000", "20260602T090000", "20260615T090000", "20260616T090000"}},
           {"20260501T090000",
            "FREQ=YEARLY;BYMONTH=5,9;BYDAY=SA;BYSETPOS=1,-1;COUNT=4",
            {"20260502T090000", "20260926T090000", "20270501T090000", "20270925T090000"}},
           {"20240229T120000", "FREQ=YEARLY;COUNT=2", {"20240229T120000", "20280229T120000"}}}) {
    json::value const vector{{"dtstart", one.start}, {"rrule", one.rule}};
    EXPECT_EQ(expand(vector, 100, parse(one.start) + years(40)), one.instances) << one.rule;
  }
}

} // namespace
} // namespace garland::calendar
