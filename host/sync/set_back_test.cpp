// The time of day is set back by a day: what waits does not wait a day longer.
#include "host/sync/set_back.h"

#include "host/sync/testing/doors.h"
#include "host/sync/testing/fake_notices.h"

namespace garland::sync {
namespace {

using namespace std::chrono_literals;
using testing::FakeNotices;
using testing::House;

constexpr Milliseconds kDay = 24h;

// Rows of each table that has such times, and no engine at work.
class SetBackRows : public ::testing::Test {
protected:
  House house;
  std::string const vendor = house.vendor();
  std::string const connection = house.connect(vendor, "p");
  std::unique_ptr<Context> context = Context::make(testing::doorsOf(house)).value();
  SetBack set_back{*context};
  TimePoint const before = house.clock.now();

  bool lookADayEarlier() {
    house.clock.set(before - kDay);
    return house.run(set_back.tick()).value();
  }
  std::string owner() const { return "'" + vendor + "','" + connection + "'"; }
  static std::string ms(TimePoint when) { return std::to_string(toMillis(when)); }
  std::string none() const {
    return house.store->driver() == "sqlite" ? "CAST('' AS BLOB)" : "CAST('' AS BYTEA)";
  }
  void webhook(std::string const& id, TimePoint received, int attempts, TimePoint next) {
    house.write(
        "INSERT INTO webhooks (vendor_id,connection_id,dedupe_key,webhook_id,received,shown,body,bytes,"
        "attempts,next_attempt) VALUES (" +
        owner() + ",'" + id + "','" + id + "'," + ms(received) + ",'{}'," + none() + ",1," +
        std::to_string(attempts) + "," + ms(next) + ")");
  }
  void item(std::string const& id, TimePoint received, int attempts, TimePoint next) {
    house.write("INSERT INTO inbox (vendor_id,connection_id,item_id,source,dedupe_key,content_key,summary,"
                "content,raw,bytes,received,state,reason,attempts,records,revision,next_attempt,finished) "
                "VALUES (" +
                owner() + ",'" + id + "','hook','" + id + "','','','{}'," + none() + ",0," + ms(received) +
                ",'waiting',''," + std::to_string(attempts) + ",0,0," + ms(next) + ",NULL)");
  }
  void action(std::string const& id, std::string const& state, std::string const& sent, TimePoint next) {
    house.write(
        "INSERT INTO actions (vendor_id,connection_id,action_id,operation,idempotency_key,provider_key,"
        "input,state,known_by,output,error,attempts,lookups,lookup_problem,revision,next_attempt,created,"
        "first_sent,last_sent,finished) VALUES (" +
        owner() + ",'" + id + "','test.charge/1','" + id + "','" + id + "','{}','" + state +
        "','','null','',0,0,'',0," + ms(next) + "," + ms(before) + "," + sent + "," + sent + ",NULL)");
  }
  void signIn(TimePoint begun, TimePoint until, TimePoint next_try, TimePoint due) {
    house.write(
        "INSERT INTO oauth_grants (vendor_id,connection_id,slot,sealed,lineage,expires,due,state,cause,"
        "by_whom,since,failures,next_try,attempt,attempt_node,attempt_begun,attempt_until,doubt,"
        "doubt_by,epoch) VALUES (" +
        owner() + ",'account','','',NULL," + ms(due) + ",'retrying','',''," + ms(begun) + ",1," +
        ms(next_try) + ",'tok_1',''," + ms(begun) + "," + ms(until) + ",'','',1)");
  }
  TimePoint at(std::string const& column, std::string const& table, std::string const& which = "1=1") {
    return fromMillis(house.rows("SELECT " + column + " FROM " + table + " WHERE " + which).at(0).integer(0));
  }
};

TEST_F(SetBackRows, WhatWasNeverReadIsDueAtOnce) {
  webhook("w", before, 0, before);
  webhook("replayed", before - 2 * kDay, 0, before);
  item("i", before, 0, before);
  action("a", "waiting", "NULL", before);
  EXPECT_TRUE(lookADayEarlier());
  auto const now = house.clock.now();
  EXPECT_EQ(at("next_attempt", "webhooks", "webhook_id='w'"), now);
  EXPECT_EQ(at("next_attempt", "webhooks", "webhook_id='replayed'"), now);
  EXPECT_EQ(at("next_attempt", "inbox"), now);
  EXPECT_EQ(at("next_attempt", "actions"), now);
  EXPECT_NE(house.log_text.find("the time of day was set back"), std::string::npos);
}

TEST_F(SetBackRows, APauseIsAsLongAsItWasAndBeginsNow) {
  webhook("w", before, 1, before + 5s);
  item("i", before, 3, before + 20s);
  action("a", "unknown", ms(before), before + 5min);
  house.write("UPDATE connections SET last_success=" + ms(before) + ", next_due=" + ms(before + 15min));
  EXPECT_TRUE(lookADayEarlier());
  auto const now = house.clock.now();
  EXPECT_EQ(at("next_attempt", "webhooks"), now + 5s);
  EXPECT_EQ(at("next_attempt", "inbox"), now + 20s);
  EXPECT_EQ(at("next_attempt", "actions"), now + 5min);
  EXPECT_EQ(at("next_due", "connections"), now + 15min);
}

TEST_F(SetBackRows, ASignInIsRenewedAfterAsLongAPauseAsItHad) {
  signIn(before, before + 45s, before + 10s, before + 48min);
  EXPECT_TRUE(lookADayEarlier());
  auto const now = house.clock.now();
  EXPECT_EQ(at("attempt_until", "oauth_grants"), now + 45s) << "no other is begun before";
  EXPECT_EQ(at("next_try", "oauth_grants"), now + 10s);
  EXPECT_EQ(at("due", "oauth_grants"), now + 48min);
  house.clock.advance(1min);
  EXPECT_FALSE(house.run(set_back.tick()).value());
}

// By the moment of its sending an action is looked for at its provider, and its key is known to live.
TEST_F(SetBackRows, WhatIsSaidOfThePastStaysAndNothingIsBroughtForwardTwice) {
  action("a", "unknown", ms(before), before + 5min);
  house.write("UPDATE connections SET last_success=" + ms(before) + ", next_due=" + ms(before + 15min));
  EXPECT_TRUE(lookADayEarlier());
  EXPECT_EQ(at("last_sent", "actions"), before);
  EXPECT_EQ(at("created", "actions"), before);
  auto const due = at("next_attempt", "actions");
  house.clock.advance(1min);
  EXPECT_FALSE(house.run(set_back.tick()).value());
  EXPECT_EQ(at("next_attempt", "actions"), due);
}

TEST_F(SetBackRows, WhatWaitsByTheTimeThatItIsStaysAndSoDoesWhatWaitsForNothing) {
  auto const now = before - kDay;
  webhook("w", now - 1h, 2, now + 30min);
  item("i", now + 30s, 0, now + 30s); // the clocks of daemons are apart by that
  action("a", "waiting", ms(now - 1min), now + 23h);
  action("ended", "done", ms(before), before);
  house.write("UPDATE actions SET next_attempt=NULL WHERE action_id='ended'");
  house.write("UPDATE connections SET last_success=" + ms(now) + ", next_due=" + ms(now + 15min));
  EXPECT_FALSE(lookADayEarlier());
  EXPECT_EQ(at("next_attempt", "webhooks"), now + 30min);
  EXPECT_EQ(at("next_attempt", "inbox"), now + 30s);
  EXPECT_EQ(at("next_attempt", "actions", "action_id='a'"), now + 23h);
  EXPECT_EQ(house.rows("SELECT 1 FROM actions WHERE next_attempt IS NULL").size(), 1U);
}

TEST_F(SetBackRows, ItLooksOnceAMinute) {
  EXPECT_FALSE(house.run(set_back.tick()).value());
  webhook("w", before, 0, before);
  EXPECT_FALSE(lookADayEarlier());
  house.clock.advance(1min);
  EXPECT_TRUE(house.run(set_back.tick()).value());
}

TEST(SetBack, ADeliveryThatIsToBeReadAgainIsReadAfterItsPause) {
  House house;
  FakeNotices notices(house);
  house.run(house.engine->start()).value();
  notices.projects.put("1", json::object{{"name", "Project 1"}, {"stage", "lead"}});
  Error busy(ErrorKind::transient, "busy");
  busy.retry_after = Milliseconds(10s);
  notices.errors.push_back(busy);
  ASSERT_TRUE(notices.send("id 1", {"1"}));
  auto const waiting = notices.settled("id 1");
  ASSERT_EQ(waiting.attempts, 1);
  auto const sleepers = [&](std::size_t count) {
    while (house.clock.sleepers() < count) house.loop.run_one();
  };
  sleepers(2); // the schedule, and who reads deliveries
  house.clock.set(house.clock.now() - kDay);
  house.clock.advance(1min);
  auto const give_up = std::chrono::steady_clock::now() + testing::kPatience;
  while (notices.get("id 1").next_attempt == waiting.next_attempt)
    ASSERT_LT(std::chrono::steady_clock::now(), give_up) << "it is not brought forward";
  sleepers(2);
  house.clock.advance(15s + 1s);
  EXPECT_EQ(notices.settled("id 1").state, WebhookState::done);
}

} // namespace
} // namespace garland::sync
