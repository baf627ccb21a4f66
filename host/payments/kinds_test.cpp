#include "host/payments/payments.h"

#include "host/base/schema.h"

#include <gtest/gtest.h>

namespace garland::payments {
namespace {

TEST(PaymentKinds, EachHasASchemaThatCompilesAndCanOnlyBeRead) {
  ASSERT_EQ(kinds().size(), 6U);
  for (auto const& one : kinds()) {
    EXPECT_TRUE(Schema::compile(one.schema)) << one.name;
    EXPECT_NE(find(one.schema, "/properties"), nullptr) << one.name << " has no schema file";
    EXPECT_EQ(textOr(json::value(one.input), "/entity", ""), one.name);
    EXPECT_EQ(one.pull_operation, "payments.pull/1");
    EXPECT_EQ(one.upsert_operation + one.delete_operation, "") << one.name;
  }
}

TEST(PaymentKinds, TheLinesComeAfterWhatTheyBook) {
  EXPECT_EQ(kinds().front().name, "payments.payment");
  EXPECT_EQ(kinds().back().name, "payments.balance_transaction");
}

} // namespace
} // namespace garland::payments
