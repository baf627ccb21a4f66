#include "host/sync/weddings.h"

#include "host/sync/testing/doors.h"
#include "host/sync/writes.h"

namespace garland::sync {
namespace {

// A project of a vendor that is stored, changed and deleted; today is 1 January 2026.
class WeddingsTest : public ::testing::Test {
protected:
  std::unique_ptr<Context> context() { return Context::make(testing::doorsOf(house)).value(); }
  std::string add(std::string const& day) {
    auto const with = context();
    Writes writes(*with, vendor, "local");
    auto id = writes.insertRecord("crm.project", "", project(day));
    house.run(commitWrites(with.get(), std::move(writes))).value();
    return id;
  }
  void change(std::string const& id, std::string const& day, std::int64_t version, bool deleted = false) {
    auto const with = context();
    Writes writes(*with, vendor, "local");
    RecordWrite write;
    write.id = id;
    write.kind = "crm.project";
    write.data = project(day);
    write.old_version = version;
    write.deleted = deleted;
    write.action = deleted ? "deleted" : "updated";
    writes.updateRecord(write);
    house.run(commitWrites(with.get(), std::move(writes))).value();
  }
  static json::object project(std::string const& day) {
    return json::object{{"name", "Ada and Ben"}, {"stage", "booked"}, {"event_date", day}};
  }
  Priority now(Priority priority) {
    auto const with = context();
    Weddings weddings(*with);
    house.run(weddings.tick()).value();
    return with->amongAll(vendor, priority);
  }

  testing::House house;
  std::string vendor = house.vendor();
};

TEST_F(WeddingsTest, OnTheDayOfAWeddingItsVendorGoesFirstButNotWithAFirstSync) {
  EXPECT_EQ(now(Priority::normal), Priority::normal);
  add("2026-01-01");
  EXPECT_EQ(now(Priority::normal), Priority::weddingDay);
  EXPECT_EQ(now(Priority::interactive), Priority::weddingDay);
  EXPECT_EQ(now(Priority::bulk), Priority::bulk);
}

TEST_F(WeddingsTest, ItIsTodayWhereverThatIs) {
  add("2026-01-03");
  EXPECT_EQ(now(Priority::normal), Priority::normal);
  house.clock.advance(std::chrono::hours(34));
  EXPECT_EQ(now(Priority::normal), Priority::weddingDay) << "it has begun in the far east";
  house.clock.advance(std::chrono::hours(49));
  EXPECT_EQ(now(Priority::normal), Priority::weddingDay) << "it has not ended in the far west";
  house.clock.advance(std::chrono::hours(1));
  EXPECT_EQ(now(Priority::normal), Priority::normal);
}

TEST_F(WeddingsTest, ItIsLookedUpAgainThoughTheTimeOfDayWasSetBack) {
  auto const with = context();
  Weddings weddings(*with);
  house.run(weddings.tick()).value();
  house.clock.set(house.clock.now() - std::chrono::days(30));
  add("2025-12-02");
  house.clock.advance(std::chrono::minutes(15));
  house.run(weddings.tick()).value();
  EXPECT_EQ(with->amongAll(vendor, Priority::normal), Priority::weddingDay);
}

TEST_F(WeddingsTest, AWeddingThatIsPutOffOrDeletedCountsNoMore) {
  auto const id = add("2026-01-01");
  change(id, "2026-08-08", 1);
  EXPECT_EQ(now(Priority::normal), Priority::normal);
  change(id, "2026-01-01", 2);
  EXPECT_EQ(now(Priority::normal), Priority::weddingDay);
  change(id, "2026-01-01", 3, true);
  EXPECT_EQ(now(Priority::normal), Priority::normal);
}

} // namespace
} // namespace garland::sync
