#include "host/audit/notes.h"

#include <gtest/gtest.h>

namespace garland::audit {
namespace {

Event refusal(std::string act) {
  Event event;
  event.kind = Kind::refusal;
  event.act = std::move(act);
  return event;
}

std::int64_t timesOf(Event const& event) { return integerOr(event.facts, "/times", 1); }

TEST(Notes, EqualOnesAreOneWithTheirNumber) {
  Notes notes;
  notes.add(refusal("a"));
  notes.add(refusal("b"));
  notes.add(refusal("a"));
  auto const taken = notes.take();
  ASSERT_EQ(taken.size(), 2U);
  EXPECT_EQ(taken[0].act, "a");
  EXPECT_EQ(timesOf(taken[0]), 2);
  EXPECT_EQ(timesOf(taken[1]), 1);
  EXPECT_TRUE(notes.take().empty());
}

TEST(Notes, ManyDifferentOnesOfAMomentAreAllKept) {
  Notes notes;
  for (int i = 0; i < 5000; ++i) notes.add(refusal(std::to_string(i)));
  auto const taken = notes.take();
  ASSERT_EQ(taken.size(), 5000U);
  EXPECT_EQ(taken.back().act, "4999");
}

TEST(Notes, WhatMemoryCannotHoldWhileNothingIsWrittenIsCounted) {
  Notes notes;
  for (int i = 0; i < 100'000; ++i) notes.add(refusal(std::to_string(i)));
  auto waiting = notes.take();
  for (int i = 0; i < 3; ++i) notes.add(refusal("late"));
  notes.putBack(std::move(waiting));
  auto const taken = notes.take();
  ASSERT_EQ(taken.size(), 100'001U);
  EXPECT_EQ(taken.back().kind, Kind::count);
  EXPECT_EQ(timesOf(taken.back()), 3);
}

TEST(Notes, WhatIsPutBackComesFirst) {
  Notes notes;
  notes.add(refusal("a"));
  auto taken = notes.take();
  notes.add(refusal("b"));
  notes.putBack(std::move(taken));
  taken = notes.take();
  ASSERT_EQ(taken.size(), 2U);
  EXPECT_EQ(taken[0].act, "a");
  EXPECT_EQ(taken[1].act, "b");
}

} // namespace
} // namespace garland::audit
