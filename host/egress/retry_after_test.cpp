#include "host/egress/retry_after.h"

#include <gtest/gtest.h>

namespace garland::egress {
namespace {

using namespace std::chrono_literals;

TimePoint noon() { return std::chrono::sys_days(std::chrono::year(2026) / 6 / 13) + 12h; }

TEST(RetryAfter, InSecondsIsTakenAsItStands) {
  EXPECT_EQ(retryAfter("0", "", noon()), 0ms);
  EXPECT_EQ(retryAfter("120", "", noon()), 120s);
  EXPECT_EQ(retryAfter("00120", "", noon()), 120s);
}

TEST(RetryAfter, AsADateCountsFromTheServersClock) {
  EXPECT_EQ(retryAfter("Sat, 13 Jun 2026 12:05:00 GMT", "", noon()), 5min);
  EXPECT_EQ(retryAfter("Sat, 13 Jun 2026 12:05:00 GMT", "Sat, 13 Jun 2026 12:04:00 GMT", noon()), 1min);
  EXPECT_EQ(retryAfter("Saturday, 13-Jun-26 12:05:00 GMT", "", noon()), 5min);
  EXPECT_EQ(retryAfter("Sat Jun 13 12:05:00 2026", "no date", noon()), 5min);
}

TEST(RetryAfter, InThePastIsNow) { EXPECT_EQ(retryAfter("Sat, 13 Jun 2026 11:00:00 GMT", "", noon()), 0ms); }

TEST(RetryAfter, IsNeverLongerThanAMonth) {
  constexpr Milliseconds kMonth = std::chrono::days(30);
  EXPECT_EQ(retryAfter("99999999999", "", noon()), kMonth);
  EXPECT_EQ(retryAfter("99999999999999999999999999", "", noon()), kMonth);
  EXPECT_EQ(retryAfter("9223372036854775807", "", noon()), kMonth);
  EXPECT_EQ(retryAfter("Sat, 13 Jun 2099 12:05:00 GMT", "", noon()), kMonth);
}

TEST(RetryAfter, ThatSaysNothingIsNothing) {
  for (auto const* text : {"", "soon", "-5", "1.5", "12 s"})
    EXPECT_FALSE(retryAfter(text, "", noon())) << text;
}

} // namespace
} // namespace garland::egress
