// iCalendar of the SDK against what other programs wrote or test with. Skips itself where that is missing.
#include <garland/sdk/ical.hpp>

#include "host/base/provider_specs.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>

namespace garland::sdk::ical {
namespace {

using calendar::Event;

// The test scripts' variables: "$now.year.1:", "$now.3:" (a day), "$email1:".
std::string filledIn(std::string const& text) {
  auto const years = std::regex_replace(text, std::regex("\\$now\\.year\\.\\d+:"), "2026");
  auto const days = std::regex_replace(years, std::regex("\\$now\\.-?(\\d)\\d?:"), "2026061$1");
  return std::regex_replace(days, std::regex("\\$([A-Za-z0-9.]+):"), "$1");
}

// Bodies that other software wrote or tests with: whatever they are, each is read or refused, and
// what was read can be written and comes back the same.
TEST(IcalContract, AwkwardBodiesSurviveARoundTrip) {
  std::filesystem::path const specs = providerSpecs();
  if (!std::filesystem::exists(specs)) {
    std::printf("contracts: ical of the SDK: 0 files checked; skipped: there is no %s\n", specs.c_str());
    ASSERT_FALSE(contractsRequired());
    GTEST_SKIP() << "skipped: no provider descriptions";
  }
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
  std::printf("contracts: ical of the SDK: %zu files, %zu events checked (%zu refused); skipped: nothing\n",
              files, events, refused);
  ASSERT_GT(files, 0U) << specs;
  EXPECT_GT(events, files * 9 / 10);
}

} // namespace
} // namespace garland::sdk::ical
