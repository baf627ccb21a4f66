// Which migrations are to be applied is decided without a database.
#include "host/store/migrations.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace garland::store {
namespace {

using testing::HasSubstr;

Migration migration(std::int64_t version) {
  return Migration{version, "m" + std::to_string(version), "sql of " + std::to_string(version)};
}

AppliedMigration applied(std::int64_t version) {
  return AppliedMigration{version, checksum("sql of " + std::to_string(version))};
}

TEST(Migrations, TheChecksumIsFnv1a) {
  EXPECT_EQ(checksum(""), "cbf29ce484222325");
  EXPECT_EQ(checksum("a"), "af63dc4c8601ec8c");
  EXPECT_EQ(checksum("foobar"), "85944171f73967e8");
}

TEST(Migrations, ThoseOfAllRoomsAreSortedAndTheAppliedOnesLeftOut) {
  auto const missing = plan({migration(20), migration(3), migration(1)}, {applied(1)});
  ASSERT_TRUE(missing) << missing.error().message;
  ASSERT_EQ(missing->size(), 2U);
  EXPECT_EQ(missing->at(0).version, 3);
  EXPECT_EQ(missing->at(1).version, 20);
}

TEST(Migrations, AVersionGivenTwiceOrNotPositiveIsRefused) {
  EXPECT_THAT(plan({migration(1), migration(1)}, {}).error().message, HasSubstr("has the version of"));
  EXPECT_THAT(plan({migration(0)}, {}).error().message, HasSubstr("positive version"));
}

TEST(Migrations, AMigrationCannotBeSlippedInBeforeOneThatIsApplied) {
  auto const refused = plan({migration(1), migration(2), migration(3)}, {applied(1), applied(3)});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::invalidInput);
  EXPECT_THAT(refused.error().message, HasSubstr("migration 2 (m2) comes before migration 3"));
}

TEST(Migrations, OneThatWeDoNotKnowMeansANewerGarland) {
  auto const refused = plan({migration(1)}, {applied(1), applied(9)});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::unsupported);
  EXPECT_THAT(refused.error().message, HasSubstr("newer Garland (migration 9)"));
}

AppliedMigration appliedCompatible(std::int64_t version, std::int64_t from) {
  auto row = applied(version);
  row.compatible_from = from;
  return row;
}

TEST(Migrations, OneThatWeDoNotKnowIsNoObstacleIfItIsCompatibleWithUs) {
  auto const missing = plan({migration(1), migration(2)}, {applied(1), applied(2), appliedCompatible(9, 2)});
  ASSERT_TRUE(missing) << missing.error().message;
  EXPECT_TRUE(missing->empty());
}

TEST(Migrations, OfThoseThatWeDoNotKnowEachHasToBeCompatibleWithUs) {
  auto const refused = plan({migration(1)}, {applied(1), appliedCompatible(2, 1), appliedCompatible(3, 2)});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("newer Garland (migration 3)"));
}

TEST(Migrations, OneThatWeDoNotKnowBetweenThoseThatWeKnowIsRefusedWhateverItSays) {
  auto const refused = plan({migration(1), migration(3)}, {applied(1), appliedCompatible(2, 1), applied(3)});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::unsupported);
}

TEST(Migrations, NoneIsCompatibleFromALaterVersionThanItsOwn) {
  auto odd = migration(2);
  odd.compatible_from = 3;
  EXPECT_THAT(plan({odd}, {}).error().message, HasSubstr("migration 2 (m2) must be compatible from"));
}

TEST(Migrations, OneThatSaysNothingIsCompatibleFromItsOwnVersion) {
  auto later = migration(7);
  EXPECT_EQ(compatibleFrom(later), 7);
  later.compatible_from = 5;
  EXPECT_EQ(compatibleFrom(later), 5);
  EXPECT_EQ(newestOf({migration(4), later, migration(2)}), 7);
}

TEST(Migrations, AChangedTextIsRefusedByName) {
  auto edited = migration(2);
  edited.sql += " edited";
  auto const refused = plan({migration(1), edited}, {applied(1), applied(2)});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::unsupported);
  EXPECT_THAT(refused.error().message, HasSubstr("migration 2 (m2)"));
}

} // namespace
} // namespace garland::store
