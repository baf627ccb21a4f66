// The change feed as others follow it: how far it goes, who is told that it has grown, whose wedding it is.
#include "host/sync/testing/house.h"

#include <gtest/gtest.h>

namespace garland::sync {
namespace {

using testing::event;
using testing::House;

struct Feed : ::testing::Test {
  FeedSpan span() {
    auto const spans = house.run(house.engine->feedSpans({vendor, "ven_nobody"})).value();
    EXPECT_EQ(spans.size(), 1U) << "of vendors that exist";
    return spans.at(0);
  }

  void forget(std::string const& which) {
    store::Unit unit;
    unit.emplace_back("DELETE FROM changes WHERE " + which);
    ASSERT_TRUE(house.run(house.store->commit(std::move(unit))));
  }

  House house;
  std::string vendor = house.vendor();
};

TEST_F(Feed, AnEmptyOneBeginsAfterItsEnd) {
  EXPECT_EQ(span().first, 1);
  EXPECT_EQ(span().last, 0);
}

TEST_F(Feed, ItsSpanFollowsWhatIsAddedAndWhatIsNoLongerKept) {
  auto const connection = house.connect(vendor, "p");
  for (int i = 0; i < 5; ++i)
    house.provider("p").put("/cal/" + std::to_string(i), event(std::to_string(i), "T"));
  house.sync(connection);
  EXPECT_EQ(span().first, 1);
  EXPECT_EQ(span().last, 5);
  forget("sequence<=3");
  EXPECT_EQ(span().first, 4);
  forget("sequence<=5");
  EXPECT_EQ(span().first, 6) << "the numbers go on, although no change is kept";
  EXPECT_EQ(span().last, 5);
}

TEST_F(Feed, WhoeverListensIsToldOfEachVendorOnceItsChangeCanBeRead) {
  std::vector<std::string> told;
  std::size_t others = 0;
  house.engine->onChange(&told, [&](std::string const& id) { told.push_back(id); });
  house.engine->onChange(&others, [&](std::string const&) { ++others; });
  auto const connection = house.connect(vendor, "p");
  house.sync(connection);
  EXPECT_TRUE(told.empty()) << "a sync that brings nothing";
  house.provider("p").put("/cal/a", event("a", "Wedding"));
  house.sync(connection);
  EXPECT_EQ(told, std::vector<std::string>{vendor});
  auto const record = house.recordOf(vendor, "a");
  auto data = record.data;
  data.as_object()["title"] = "Wedding at the lake";
  house.run(house.engine->putRecord(vendor, record.id, data, 0)).value();
  EXPECT_EQ(told.size(), 2U);
  EXPECT_EQ(span().last, 2);
  house.engine->onChange(&told, {});
  house.run(house.engine->deleteRecord(vendor, record.id, 0)).value();
  EXPECT_EQ(told.size(), 2U) << "it listens no more";
  EXPECT_EQ(others, 3U);
}

TEST_F(Feed, AChangeNamesTheWeddingThatItsRecordBelongsTo) {
  auto& projects = house.provider("p/crm.project");
  auto& clients = house.provider("p/crm.client");
  projects.emitted_kind = "crm.project";
  clients.emitted_kind = "crm.client";
  projects.put("77", json::object{{"name", "Ada and Bo"}, {"stage", "lead"}});
  clients.put("1", json::object{{"kind", "person"}, {"name", "Ada"}, {"company", "77"}});
  clients.put("2", json::object{{"kind", "person"}, {"name", "Cy"}, {"company", "78"}});
  clients.put("3", json::object{{"kind", "person"}, {"name", "Di"}});
  house.sync(house.connect(vendor, "p", "test.crm.studio"));
  std::string wedding;
  for (auto const& record : house.records(vendor))
    if (record.kind == "crm.project") wedding = record.id;
  ASSERT_FALSE(wedding.empty());
  std::map<std::string, std::string> weddings;
  for (auto const& change : house.run(house.engine->changes(vendor, 0, 100)).value())
    weddings[textOr(house.run(house.engine->record(vendor, change.record_id)).value().data, "/name", "")] =
        change.wedding;
  EXPECT_EQ(weddings["Ada and Bo"], wedding) << "a wedding is about itself";
  EXPECT_EQ(weddings["Ada"], wedding);
  EXPECT_EQ(weddings["Cy"], "") << "a project that is not here";
  EXPECT_EQ(weddings["Di"], "");
  // As by an older build, whose kinds were others.
  store::Unit unit;
  unit.emplace_back("UPDATE records SET kind='crm.guest' WHERE kind='crm.client'");
  ASSERT_TRUE(house.run(house.store->commit(std::move(unit))));
  for (auto const& change : house.run(house.engine->changes(vendor, 0, 100)).value())
    if (change.kind == "crm.client") EXPECT_EQ(change.wedding, "");
}

} // namespace
} // namespace garland::sync
