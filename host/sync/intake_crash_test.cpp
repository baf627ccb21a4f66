// The engine is thrown away at every commit of an item in turn. Whatever the moment, what was acknowledged is
// stored once, and what was not is there after its sender repeats it.
#include "host/sync/testing/fake_form.h"

namespace garland::sync {
namespace {

using testing::FakeForm;
using testing::House;

json::value wedding() {
  return {{"client", {{"id", "c1"}, {"kind", "person"}, {"name", "Ada"}}},
          {"project", {{"id", "p1"}, {"name", "Wedding"}, {"stage", "lead"}}}};
}

struct Story {
  bool cut = false; // the moment was reached
  IntakeState state = IntakeState::waiting;
  std::size_t items = 0;
  std::size_t records = 0;
  std::size_t changes = 0;
  bool whole = true; // never one record without the other
};

Story play(int k, bool applied_first) {
  House house;
  FakeForm form(house);
  house.run(house.engine->start()).value();
  if (k > 0) house.cut->cut_at = house.cut->commits + k;
  house.cut->applied_first = applied_first;
  auto const first = form.send(wedding());
  auto const give_up = std::chrono::steady_clock::now() + testing::kPatience;
  while (first && k > 0 && !house.cut->dead && std::chrono::steady_clock::now() < give_up)
    if (!house.rows("SELECT 1 FROM inbox WHERE state='taken'").empty()) break;
  Story story;
  story.cut = house.cut->dead;
  if (k > 0) {
    auto const count = house.rows("SELECT 1 FROM records").size();
    story.whole = count == 0 || count == 2;
    house.restart();
  }
  if (first) EXPECT_EQ(house.rows("SELECT 1 FROM inbox").size(), 1U) << "acknowledged, so it is there";
  auto const again = form.send(wedding()).value();
  story.state = form.settled(again.id).state;
  story.items = house.rows("SELECT 1 FROM inbox").size();
  story.records = house.records(form.vendor).size();
  story.changes = house.run(house.engine->changes(form.vendor, 0, 100)).value().size();
  return story;
}

TEST(IntakeCrash, AtAnyMomentAnItemIsStoredOnce) {
  int points = 0;
  for (int k = 0;; ++k) {
    bool reached = k == 0;
    for (bool const applied_first : {false, true}) {
      auto const story = play(k, applied_first);
      reached = reached || story.cut;
      auto const where = "cut at commit " + std::to_string(k) + (applied_first ? ", after" : ", before") +
                         " it became durable";
      EXPECT_EQ(story.state, IntakeState::taken) << where;
      EXPECT_EQ(story.items, 1U) << where;
      EXPECT_EQ(story.records, 2U) << where;
      EXPECT_EQ(story.changes, 2U) << where;
      EXPECT_TRUE(story.whole) << where;
    }
    if (!reached) break;
    if (k > 0) ++points;
  }
  EXPECT_EQ(points, 2) << "it was taken in, and its records stored with its mark";
}

Task<void> away() { co_return Error(ErrorKind::transient, "the database is away"); }

TEST(IntakeCrash, AStoreThatIsAwayForAMomentCostsAnotherReadingAndNothingElse) {
  House house;
  FakeForm form(house);
  house.run(house.engine->start()).value();
  bool first = true;
  form.during = [&] {
    if (std::exchange(first, false)) house.cut->before_commit = away;
    return testing::nothing();
  };
  auto const id = form.send(wedding()).value().id;
  while (house.clock.sleepers() < 2) house.loop.run_one();
  house.clock.advance(Milliseconds(5'000));
  EXPECT_EQ(form.settled(id).state, IntakeState::taken);
  EXPECT_EQ(form.read.size(), 2U);
  EXPECT_EQ(house.records(form.vendor).size(), 2U);
}

} // namespace
} // namespace garland::sync
