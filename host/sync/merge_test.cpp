#include "host/sync/merge.h"

#include <gtest/gtest.h>

namespace garland::sync {
namespace {

Kind eventLike() {
  Kind kind;
  kind.name = "calendar.event";
  kind.project = [](json::value const& data) -> json::value {
    json::object out;
    for (auto const& member : data.get_object())
      if (member.key() != "etag") out[member.key()] = member.value();
    return out;
  };
  kind.atomic_groups = {{"start", "end"}};
  return kind;
}

Merged mergeOf(json::object base, json::object local, json::object remote, bool local_changed = true) {
  MergeInput input;
  input.base = std::move(base);
  input.local = std::move(local);
  input.remote = std::move(remote);
  input.local_changed = local_changed;
  return merge(eventLike(), input);
}

TEST(Merge, ChangesOfDifferentMembersAreBothKept) {
  auto const merged = mergeOf({{"title", "a"}, {"location", "x"}}, {{"title", "b"}, {"location", "x"}},
                              {{"title", "a"}, {"location", "y"}});
  EXPECT_EQ(merged.data, (json::value{{"title", "b"}, {"location", "y"}}));
  EXPECT_TRUE(merged.differs_from_local);
  EXPECT_TRUE(merged.differs_from_remote);
  EXPECT_TRUE(merged.conflicts.empty());
}

TEST(Merge, TheSameChangeOnBothSidesIsNoConflict) {
  auto const merged = mergeOf({{"title", "a"}}, {{"title", "b"}}, {{"title", "b"}});
  EXPECT_TRUE(merged.conflicts.empty());
  EXPECT_FALSE(merged.differs_from_local);
  EXPECT_FALSE(merged.differs_from_remote);
}

TEST(Merge, AGroupIsTakenWholeEvenIfEachSideChangedAnotherMemberOfIt) {
  auto const merged =
      mergeOf({{"start", 1}, {"end", 2}}, {{"start", 1}, {"end", 3}}, {{"start", 0}, {"end", 2}});
  EXPECT_EQ(merged.data, (json::value{{"start", 0}, {"end", 2}}));
  ASSERT_EQ(merged.conflicts.size(), 1U);
  EXPECT_EQ(merged.conflicts[0].local, (json::object{{"start", 1}, {"end", 3}}));
}

TEST(Merge, AnOrdinaryMemberChangedTwiceTakesTheProvidersValueAndKeepsEvidence) {
  auto const merged = mergeOf({{"title", "a"}}, {{"title", "b"}}, {{"title", "c"}});
  EXPECT_EQ(merged.data, (json::value{{"title", "c"}}));
  ASSERT_EQ(merged.conflicts.size(), 1U);
  EXPECT_EQ(merged.conflicts[0].base, (json::object{{"title", "a"}}));
}

TEST(Merge, AMemberThatOneSideRemovedIsRemoved) {
  auto const merged =
      mergeOf({{"title", "a"}, {"location", "x"}}, {{"title", "a"}, {"location", "x"}}, {{"title", "a"}});
  EXPECT_EQ(merged.data, (json::value{{"title", "a"}}));
  auto const kept_away =
      mergeOf({{"title", "a"}, {"location", "x"}}, {{"title", "a"}}, {{"title", "a"}, {"location", "x"}});
  EXPECT_EQ(kept_away.data, (json::value{{"title", "a"}}));
  EXPECT_TRUE(kept_away.differs_from_remote);
}

TEST(Merge, WithoutAWaitingEditADifferenceIsTheProvidersWayOfWritingAndNoConflict) {
  auto const merged = mergeOf({{"title", "A"}}, {{"title", "a"}}, {{"title", "B"}}, false);
  EXPECT_TRUE(merged.conflicts.empty());
  EXPECT_EQ(merged.data, (json::value{{"title", "B"}}));
}

TEST(Merge, MembersThatNoProjectionKnowsFollowTheProviderAndCountForNothing) {
  auto const merged = mergeOf({{"title", "a"}}, {{"title", "a"}, {"etag", 1}}, {{"title", "a"}, {"etag", 2}});
  EXPECT_EQ(merged.data, (json::value{{"title", "a"}, {"etag", 2}}));
  EXPECT_FALSE(merged.differs_from_local);
}

} // namespace
} // namespace garland::sync
