#include <garland/sdk/time.hpp>

#include <gtest/gtest.h>

namespace garland::sdk {
namespace {

std::string again(std::string_view text) {
  auto const when = parseRfc3339(text);
  return when ? rfc3339(*when) : "refused";
}

TEST(Rfc3339, InstantsAreReadInAnyOffset) {
  EXPECT_EQ(again("2026-06-13T12:00:00Z"), "2026-06-13T12:00:00Z");
  EXPECT_EQ(again("2026-06-13t14:00:00+02:00"), "2026-06-13T12:00:00Z");
  EXPECT_EQ(again("2026-01-01 00:30:00-05:30"), "2026-01-01T06:00:00Z");
  EXPECT_EQ(again("2024-02-29T23:59:60z"), "2024-03-01T00:00:00Z");
  EXPECT_EQ(again("1969-12-31T23:59:59.999Z"), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(again("0001-01-01T00:00:00Z"), "0001-01-01T00:00:00Z");
}

TEST(Rfc3339, FractionsAreCutToMilliseconds) {
  EXPECT_EQ(again("2026-06-13T12:00:00.5Z"), "2026-06-13T12:00:00.500Z");
  EXPECT_EQ(again("2026-06-13T12:00:00.0019999999999999Z"), "2026-06-13T12:00:00.001Z");
}

TEST(Rfc3339, TheWayOfDatabasesIsReadToo) {
  EXPECT_EQ(again("2026-06-13 14:00:00.674981+02"), "2026-06-13T12:00:00.674Z");
  EXPECT_EQ(again("2026-06-13 12:00:00+00"), "2026-06-13T12:00:00Z");
  EXPECT_EQ(again("2026-06-13 12:00:00+02:"), "refused");
  EXPECT_EQ(again("2026-06-13 12:00:00+0200"), "refused");
}

TEST(Rfc3339, WhatIsNoInstantIsRefused) {
  for (auto const* bad :
       {"", "2026-06-13", "2026-02-30T12:00:00Z", "2026-13-01T12:00:00Z", "2026-06-13T24:00:00Z",
        "2026-06-13T12:00:00", "2026-06-13T12:00:00+2", "2026-06-13T12:00:00.Z", "2026-6-13T12:00:00Z",
        "2026-06-13T12:00:00Zx", "-026-06-13T12:00:00Z", "2026-06-13T12:00:0"})
    EXPECT_EQ(again(bad), "refused") << bad;
}

} // namespace
} // namespace garland::sdk
