#include "host/sync/repeats.h"

#include <gtest/gtest.h>

namespace garland::sync {
namespace {

using namespace std::chrono_literals;

TEST(RepeatsTest, TheFirstIsToldAtOnceAndTheRestOnceAMinuteWithHowOftenItWas) {
  Repeats repeats;
  EXPECT_EQ(repeats.count("gone", 100s, 3), 3U);
  EXPECT_EQ(repeats.count("gone", 101s, 5), std::nullopt);
  EXPECT_EQ(repeats.count("gone", 159s), std::nullopt);
  EXPECT_EQ(repeats.count("gone", 160s), 7U);
  EXPECT_EQ(repeats.count("gone", 161s), std::nullopt);
  EXPECT_EQ(repeats.count("gone", 500s), 2U);
}

TEST(RepeatsTest, AnotherTroubleIsToldAtOnceAsWell) {
  Repeats repeats;
  EXPECT_EQ(repeats.count("gone", 100s), 1U);
  EXPECT_EQ(repeats.count("full", 101s), 1U);
  EXPECT_EQ(repeats.count("gone", 102s), std::nullopt);
  EXPECT_EQ(repeats.count("full", 103s), std::nullopt);
}

TEST(RepeatsTest, AfterAQuietMinuteItIsNews) {
  Repeats repeats;
  EXPECT_EQ(repeats.count("gone", 100s), 1U);
  EXPECT_EQ(repeats.count("gone", 160s), 1U);
}

} // namespace
} // namespace garland::sync
