#include "host/base/result.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace garland {
namespace {

Result<int> half(int number) {
  if (number % 2 != 0) return Error(ErrorKind::invalidInput, "odd", "/number");
  return number / 2;
}

Result<int> quarter(int number) {
  TRY(once, half(number));
  TRY(twice, half(once));
  return twice;
}

TEST(Result, TryHandsBackTheFirstErrorUnchanged) {
  EXPECT_EQ(*quarter(8), 2);
  auto const failed = quarter(6);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().field, "/number");
}

TEST(Result, ReadingAValueThatIsNotThereIsABug) { EXPECT_THROW(half(1).value(), std::logic_error); }

TEST(Error, EveryKindHasANameThatReadsBack) {
  for (int number = 1; number <= 14; ++number) {
    auto const kind = static_cast<ErrorKind>(number);
    EXPECT_EQ(errorKindNamed(name(kind)), kind) << number;
  }
  EXPECT_EQ(name(static_cast<ErrorKind>(99)), "provider_bug");
  EXPECT_EQ(errorKindNamed("ok"), std::nullopt);
}

TEST(Error, EmptyMembersAreLeftOutOfJson) {
  auto const plain = toJson(Error(ErrorKind::notFound, "no such run"));
  EXPECT_EQ(plain, (boost::json::value{
                       {"kind", "not_found"}, {"effect", "not_applied"}, {"message", "no such run"}}));
  Error full(ErrorKind::rateLimited, "slow down");
  full.retry_after = std::chrono::milliseconds(1500);
  EXPECT_EQ(toJson(full).at("retry_after_ms"), 1500);
}

} // namespace
} // namespace garland
