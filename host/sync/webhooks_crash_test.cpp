// The engine is thrown away at every commit of a delivery in turn. Whatever the moment, what was acknowledged
// is read, and its record is here once.
#include "host/sync/testing/fake_notices.h"

namespace garland::sync {
namespace {

using testing::FakeNotices;
using testing::House;

struct Story {
  bool cut = false; // the moment was reached
  WebhookState state = WebhookState::waiting;
  std::size_t deliveries = 0;
  std::size_t records = 0;
  std::size_t changes = 0;
};

Story play(int k, bool applied_first) {
  House house;
  FakeNotices notices(house);
  notices.projects.put("1", json::object{{"name", "Wedding"}, {"stage", "lead"}});
  house.run(house.engine->start()).value();
  if (k > 0) house.cut->cut_at = house.cut->commits + k;
  house.cut->applied_first = applied_first;
  auto const first = notices.send("id 1", {"1"});
  auto const give_up = std::chrono::steady_clock::now() + testing::kPatience;
  while (first && k > 0 && !house.cut->dead && std::chrono::steady_clock::now() < give_up) {
    bool const read = house.rows("SELECT 1 FROM webhooks WHERE state='waiting'").empty();
    if (read && house.rows("SELECT 1 FROM hints").empty()) break;
  }
  Story story;
  story.cut = house.cut->dead;
  if (k > 0) house.restart();
  if (first) EXPECT_EQ(house.rows("SELECT 1 FROM webhooks").size(), 1U) << "acknowledged, so it is there";
  notices.send("id 1", {"1"}).value();
  story.state = notices.settled("id 1").state;
  notices.followed();
  story.deliveries = house.rows("SELECT 1 FROM webhooks").size();
  story.records = house.records(notices.vendor).size();
  story.changes = house.run(house.engine->changes(notices.vendor, 0, 100)).value().size();
  return story;
}

TEST(WebhooksCrash, AtAnyMomentADeliveryIsReadAndItsRecordIsHereOnce) {
  int points = 0;
  for (int k = 0;; ++k) {
    bool reached = k == 0;
    for (bool const applied_first : {false, true}) {
      auto const story = play(k, applied_first);
      reached = reached || story.cut;
      auto const where = "cut at commit " + std::to_string(k) + (applied_first ? ", after" : ", before") +
                         " it became durable";
      EXPECT_EQ(story.state, WebhookState::done) << where;
      EXPECT_EQ(story.deliveries, 1U) << where;
      EXPECT_EQ(story.records, 1U) << where;
      EXPECT_EQ(story.changes, 1U) << where;
    }
    if (!reached || ::testing::Test::HasFailure()) break;
    if (k > 0) ++points;
  }
  EXPECT_GE(points, 5) << "taken in, read, the run's row, the record, the run's end, the hint gone";
}

} // namespace
} // namespace garland::sync
