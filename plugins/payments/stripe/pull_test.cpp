// What comes in: everything once, then what the log of events says, read again as it is now.
#include "twin_fixture.h"

namespace garland::stripe {
namespace {

using ::testing::HasSubstr;

class StripePull : public StripeTwin {
protected:
  std::size_t emitted(std::string const& name) { return connector.emitted("payments." + name).size(); }
  // Path and query of the last pull's requests.
  std::vector<std::string> asked() {
    std::vector<std::string> targets;
    for (auto const& request : connector.requests()) targets.push_back(request.url.substr(origin.size()));
    return targets;
  }
};

TEST_F(StripePull, EverythingOnceAndThenWhatChanged) {
  begin(250);
  ASSERT_TRUE(pull("payment").ok());
  EXPECT_EQ(records["payment"].size(), 250U);
  EXPECT_EQ(connector.requests().size(), 4U); // the newest event, three pages
  ASSERT_TRUE(pull("payment").ok());
  EXPECT_EQ(emitted("payment"), 0U);
  EXPECT_EQ(connector.requests().size(), 1U);

  // Two events of one payment, one of another: each is read once, as it is now.
  auto const first = idOf(authorize("a"));
  ASSERT_TRUE(act("capture", {{"idempotency_key", "c"}, {"payment", first}}).ok());
  auto const second = idOf(authorize("b"));
  edit({{"id", second}, {"cancel", true}});
  ASSERT_TRUE(pull("payment").ok());
  EXPECT_EQ(emitted("payment"), 2U);
  EXPECT_EQ(records["payment"].at(first).at("status"), "captured");
  EXPECT_EQ(records["payment"].at(second).at("status"), "cancelled");
  EXPECT_EQ(connector.requests().size(), 3U);
}

TEST_F(StripePull, ManyEventsAreReadPageByPage) {
  begin();
  ASSERT_TRUE(pull("payment").ok());
  for (int i = 0; i < 120; ++i) {
    wait(std::chrono::milliseconds(50));
    ASSERT_TRUE(authorize("k" + std::to_string(i)).ok());
  }
  wait(std::chrono::minutes(1));
  // The log was empty at first, and now it is longer than a page: everything is read.
  ASSERT_TRUE(pull("payment").ok());
  EXPECT_EQ(records["payment"].size(), 120U);
  for (int i = 0; i < 60; ++i) {
    wait(std::chrono::milliseconds(50));
    ASSERT_TRUE(authorize("l" + std::to_string(i)).ok());
  }
  wait(std::chrono::minutes(1));
  records.clear();
  ASSERT_TRUE(pull("payment").ok());
  EXPECT_EQ(records["payment"].size(), 60U);
  EXPECT_EQ(connector.checkpoints().size(), 2U);
}

TEST_F(StripePull, ALogThatIsEmptyIsAskedByTime) {
  begin();
  ASSERT_TRUE(pull("dispute").ok());
  wait(std::chrono::hours(1));
  ASSERT_TRUE(pull("dispute").ok());
  ASSERT_EQ(asked().size(), 1U);
  EXPECT_THAT(asked().front(), HasSubstr("created%5Bgte%5D="));
  auto const id = idOf(authorize("k"));
  ASSERT_TRUE(act("capture", {{"idempotency_key", "c"}, {"payment", id}}).ok());
  edit({{"id", id}, {"dispute", "fraudulent"}});
  ASSERT_TRUE(pull("dispute").ok());
  EXPECT_EQ(records["dispute"].size(), 1U);
}

TEST_F(StripePull, AfterAMonthWithoutAPullEverythingIsReadAgain) {
  begin(3);
  ASSERT_TRUE(pull("payment").ok());
  wait(std::chrono::hours(31 * 24));
  ASSERT_TRUE(pull("payment").ok());
  EXPECT_EQ(emitted("payment"), 3U);
  EXPECT_THAT(connector.emitted("garland.listing"), ::testing::Not(::testing::IsEmpty()));
}

TEST_F(StripePull, NewLinesOfTheBalanceComeByTime) {
  begin(150);
  wait(std::chrono::hours(1));
  ASSERT_TRUE(pull("balance_transaction").ok());
  EXPECT_EQ(records["balance_transaction"].size(), 150U);
  wait(std::chrono::hours(1));
  auto const id = idOf(authorize("k"));
  ASSERT_TRUE(act("capture", {{"idempotency_key", "c"}, {"payment", id}}).ok());
  ASSERT_TRUE(pull("balance_transaction").ok());
  EXPECT_EQ(emitted("balance_transaction"), 1U);
  EXPECT_EQ(connector.requests().size(), 1U);
}

TEST_F(StripePull, RefundsTransfersAndPayoutsFollowTheirEvents) {
  begin(2);
  for (auto const* entity : {"refund", "transfer", "payout"}) ASSERT_TRUE(pull(entity).ok());
  wait(std::chrono::hours(8 * 24));
  auto const id = idOf(authorize("k"));
  ASSERT_TRUE(act("capture", {{"idempotency_key", "c"}, {"payment", id}}).ok());
  ASSERT_TRUE(act("refund", {{"idempotency_key", "r"}, {"payment", id}, {"reason", "duplicate"}}).ok());
  ASSERT_TRUE(
      act("transfer", {{"idempotency_key", "t"}, {"amount", eur(100)}, {"destination", "acct_dj"}}).ok());
  edit({{"payout", "eur"}});
  for (auto const* entity : {"refund", "transfer", "payout"}) {
    ASSERT_TRUE(pull(entity).ok()) << entity;
    EXPECT_EQ(records[entity].size(), 1U) << entity;
  }
  EXPECT_EQ(records["refund"].begin()->second.at("reason"), "duplicate");
  EXPECT_EQ(records["payout"].begin()->second.at("status"), "paid");
}

} // namespace
} // namespace garland::stripe
