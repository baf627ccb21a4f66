// When the deaths of calls are their build's fault.
#include "host/runtime/operation_doubt.h"

#include <gtest/gtest.h>

namespace garland::runtime {
namespace {

TEST(OperationDoubt, ThreeAccountsWhoseCallsDieAndNoneThatIsAnsweredCondemnTheBuild) {
  OperationDoubt doubt;
  EXPECT_FALSE(doubt.died("calendar.pull/1", "con_a"));
  EXPECT_FALSE(doubt.died("calendar.pull/1", "con_b"));
  auto const why = doubt.died("calendar.pull/1", "con_c");
  ASSERT_TRUE(why);
  EXPECT_EQ(*why,
            "3 calls of calendar.pull/1 (3 accounts) ended its worker, each also when it ran alone, and it "
            "has not answered one since it was taken over");
}

TEST(OperationDoubt, OneAccountIsEnoughIfItDiesAgainAndAgain) {
  OperationDoubt doubt;
  EXPECT_FALSE(doubt.died("calendar.pull/1", "con_a"));
  EXPECT_FALSE(doubt.died("calendar.pull/1", "con_a"));
  auto const why = doubt.died("calendar.pull/1", "con_a");
  ASSERT_TRUE(why);
  EXPECT_NE(why->find("(1 account)"), std::string::npos) << *why;
  EXPECT_TRUE(doubt.died("calendar.pull/1", "con_a")) << "as long as nobody has drawn the conclusion";
}

TEST(OperationDoubt, OneAnswerClearsTheOperationForGood) {
  OperationDoubt doubt;
  doubt.died("calendar.pull/1", "con_a");
  doubt.died("calendar.pull/1", "con_a");
  EXPECT_TRUE(doubt.answered("calendar.pull/1"));
  EXPECT_FALSE(doubt.answered("calendar.pull/1"));
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(doubt.died("calendar.pull/1", "con_a"));
}

TEST(OperationDoubt, AnAnswerToAnotherOperationSaysNothing) {
  OperationDoubt doubt;
  doubt.answered("health.check/1");
  doubt.died("calendar.pull/1", "con_a");
  doubt.died("calendar.upsert/1", "con_a");
  EXPECT_FALSE(doubt.died("calendar.pull/1", "con_b")) << "each operation counts for itself";
  EXPECT_TRUE(doubt.died("calendar.pull/1", "con_c"));
}

} // namespace
} // namespace garland::runtime
