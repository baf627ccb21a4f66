#include "host/base/test_carrier.h"
#include "host/store/store_testing.h"

#include <gmock/gmock.h>

namespace garland::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Carried : public ::testing::Test {
protected:
  std::unique_ptr<Store> open() {
    Options options;
    options.url = sqliteUrl(folder);
    options.carrier = carrier;
    return loop.run(Store::open(loop.executor(), options, itemTable())).value();
  }

  TestFolder const folder;
  Loop loop;
  std::shared_ptr<TestCarrier> const carrier = std::make_shared<TestCarrier>();
  std::unique_ptr<Store> const store = open();
};

TEST_F(Carried, WhatAUnitTellsIsToldWhenItIsKeptAndItsOtherRowsStandInTheirPlaces) {
  auto unit = unitOf(notice("first"), Statement("SELECT 7"));
  unit.push_back(notice("second"));
  unit.push_back(Statement("SELECT 8"));
  auto const done = loop.run(store->commit(std::move(unit))).value();
  ASSERT_EQ(done.size(), 4U);
  EXPECT_TRUE(done[0].rows.empty());
  EXPECT_EQ(done[1].rows.at(0).integer(0), 7);
  EXPECT_TRUE(done[2].rows.empty());
  EXPECT_EQ(done[3].rows.at(0).integer(0), 8);
  EXPECT_THAT(carrier->told, ElementsAre("first", "second"));
}

TEST_F(Carried, WhatIsNotKeptIsNotTold) {
  ASSERT_TRUE(loop.run(store->commit(unitOf(insertItem(1, "a")))));
  EXPECT_FALSE(loop.run(store->commit(unitOf(notice("news"), insertItem(1, "again")))));
  EXPECT_THAT(carrier->told, IsEmpty());
}

TEST_F(Carried, AUnitThatOnlyTellsNeedsNoDatabase) {
  auto const done = loop.run(store->commit(unitOf(notice("news")))).value();
  EXPECT_EQ(done.size(), 1U);
  EXPECT_THAT(carrier->told, ElementsAre("news"));
}

TEST_F(Carried, WhatTheCarrierBringsIsHeardUntilTheStoreCloses) {
  std::vector<std::string> heard;
  store->listen([&heard](std::string const& text) { heard.push_back(text); });
  carrier->listener("news");
  EXPECT_THAT(heard, ElementsAre("news"));
  EXPECT_TRUE(loop.run(store->close()));
  EXPECT_TRUE(carrier->closed);
}

} // namespace
} // namespace garland::store
