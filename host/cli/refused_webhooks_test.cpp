#include "host/cli/refused_webhooks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace garland::cli {
namespace {

using ::testing::HasSubstr;

json::value line(std::string_view reason, std::string_view connection, int count, bool taken_since) {
  json::object out{{"system", "garland.payments.stripe"}, {"reason", reason}, {"count", count}};
  out["connection_id"] = nullptr;
  if (!connection.empty()) out["connection_id"] = connection;
  out["taken_since"] = taken_since;
  return out;
}

TEST(RefusedWebhooks, AWrongSecretIsToldWithTheCommandThatTakesTheRightOne) {
  auto const words = refusedWords(line("mismatch", "con_1", 12, false));
  EXPECT_EQ(words.message,
            "12 webhooks of garland.payments.stripe, con_1, were refused within the hour: they are "
            "signed with another secret, or were altered on the way");
  EXPECT_THAT(words.fix, HasSubstr("garland connections webhook con_1 --secret"));
  EXPECT_TRUE(words.nothing_comes);
}

TEST(RefusedWebhooks, ForgeriesBesideGenuineOnesAreNoReasonToChangeTheSecret) {
  auto const words = refusedWords(line("mismatch", "con_1", 1, true));
  EXPECT_THAT(words.message, HasSubstr("1 webhook of garland.payments.stripe, con_1, was refused"));
  EXPECT_THAT(words.message, HasSubstr("genuine ones have come since"));
  EXPECT_FALSE(words.nothing_comes);
}

TEST(RefusedWebhooks, AnAddressThatNobodyHasKeepsNothingFromAnybody) {
  auto const words = refusedWords(line("unknown_endpoint", "", 3, false));
  EXPECT_THAT(words.message, HasSubstr("nobody has the address"));
  EXPECT_THAT(words.fix, HasSubstr("garland connections webhook CONNECTION"));
  EXPECT_FALSE(words.nothing_comes);
}

TEST(RefusedWebhooks, AReasonWithoutAdviceIsToldByItsName) {
  auto const words = refusedWords(line("duplicated", "con_1", 2, false));
  EXPECT_THAT(words.message, HasSubstr("within the hour: duplicated"));
  EXPECT_THAT(words.fix, HasSubstr("log"));
}

} // namespace
} // namespace garland::cli
