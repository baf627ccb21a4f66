// The connector against what others wrote: rules on which two libraries agree, and calendars of other
// programs' tests. Skips itself where these are missing.
#include "feed_fixture.h"

#include "host/base/provider_specs.h"

#include <boost/json/parse.hpp>

#include <cstdio>
#include <filesystem>

namespace garland::ical_feed {
namespace {

namespace fs = std::filesystem;

fs::path const given = providerSpecs() + "/ical";

// "FREQ=WEEKLY;BYDAY=TU,SU" as {"FREQ=WEEKLY", "BYDAY=SU", "BYDAY=TU"}: neither the order of parts nor that
// of the values in a list says anything.
std::multiset<std::string> partsOf(std::string_view rule) {
  std::multiset<std::string> parts;
  while (!rule.empty()) {
    auto const part = rule.substr(0, rule.find(';'));
    rule.remove_prefix(std::min(rule.size(), part.size() + 1));
    if (part.find(',') == std::string_view::npos) {
      parts.emplace(part);
      continue;
    }
    auto const name = part.substr(0, part.find('=') + 1);
    for (auto values = part.substr(name.size()); !values.empty();) {
      auto const value = values.substr(0, values.find(','));
      values.remove_prefix(std::min(values.size(), value.size() + 1));
      parts.emplace(std::string(name) + std::string(value));
    }
  }
  return parts;
}

class FeedContract : public FeedTest {
protected:
  void SetUp() override {
    if (fs::exists(given)) return;
    std::printf("contracts: ical feed: 0 rules checked; skipped: there is no %s\n", given.c_str());
    ASSERT_FALSE(contractsRequired());
    GTEST_SKIP() << "skipped: no provider descriptions";
  }
};

TEST_F(FeedContract, EveryRuleArrivesAsItIsWritten) {
  auto const vectors = json::parse(testing::readFile(given / "rrule-vectors.json"));
  int checked = 0;
  for (auto const* list : {"cases", "disagreements"}) {
    for (auto const& one : vectors.at(list).as_array()) {
      std::string const rule(one.at("rrule").as_string());
      std::string const start(one.at("dtstart").as_string());
      cursor = nullptr;
      ASSERT_TRUE(pull(feedOf(event("a", ";TZID=America/New_York:" + start, "RRULE:" + rule + "\r\n"))).ok())
          << rule;
      auto const data = dataOf("a");
      ASSERT_TRUE(data.is_object()) << rule;
      auto const& rules = data.at("recurrence").at("rules").as_array();
      ASSERT_EQ(rules.size(), 1U) << rule;
      EXPECT_EQ(partsOf(std::string(rules[0].as_string())), partsOf(rule));
      ++checked;
    }
  }
  EXPECT_GT(checked, 20);
  std::printf("contracts: ical feed: %d rules checked; skipped: nothing\n", checked);
}

TEST_F(FeedContract, CalendarsOfOthersComeInOrAreRefusedWithASentence) {
  int files = 0;
  std::size_t events = 0;
  std::string refused;
  for (auto const& entry : fs::directory_iterator(given / "bsd-2_python-icalendar")) {
    if (entry.path().extension() != ".ics") continue;
    cursor = nullptr;
    auto const outcome = pull(testing::readFile(entry.path()));
    ++files;
    events += came().size();
    if (outcome.ok()) continue;
    EXPECT_FALSE(outcome.message.empty()) << entry.path();
    refused += (refused.empty() ? "" : "; ") + entry.path().filename().string() + ": " + outcome.message;
  }
  EXPECT_GT(files, 10);
  EXPECT_GT(events, 10U);
  std::printf("contracts: ical feed: %d calendars, %zu events checked; skipped: nothing\n", files, events);
  std::printf("ical feed: refused with a sentence: %s\n", refused.empty() ? "none" : refused.c_str());
}

} // namespace
} // namespace garland::ical_feed
