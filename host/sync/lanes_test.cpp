#include "host/sync/lanes.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <exception>
#include <string>
#include <vector>

namespace garland::sync {
namespace {

using Traffic = Lanes::Traffic;

class LanesTest : public ::testing::Test {
protected:
  void enter(std::string const& what, Traffic traffic, std::string const& connection = "con_1") {
    asio::co_spawn(loop, lanes->enter(connection, traffic, what),
                   [this, what](std::exception_ptr, Result<Lanes::Place> place) {
                     ASSERT_TRUE(place);
                     entered.push_back(what);
                     places.push_back(std::move(*place));
                   });
    poll();
  }
  // Whoever came first gives its turn back.
  void leave() {
    places.erase(places.begin());
    poll();
  }
  void poll() {
    loop.restart();
    loop.poll();
  }

  asio::io_context loop{1};
  std::shared_ptr<Lanes> lanes = std::make_shared<Lanes>(loop.get_executor());
  std::vector<std::string> entered;
  std::vector<Lanes::Place> places;
};

TEST_F(LanesTest, AnActionGoesBeforeTheNextPieceOfASync) {
  enter("pull", Traffic::bulk);
  enter("next pull", Traffic::bulk);
  EXPECT_FALSE(lanes->actionWaits("con_1"));
  enter("action", Traffic::action);
  EXPECT_EQ(entered, std::vector<std::string>{"pull"});
  EXPECT_TRUE(lanes->actionWaits("con_1"));
  EXPECT_EQ(lanes->holder("con_1"), "pull");
  leave();
  EXPECT_EQ(lanes->holder("con_1"), "action");
  EXPECT_FALSE(lanes->actionWaits("con_1"));
  leave();
  EXPECT_EQ(entered, (std::vector<std::string>{"pull", "action", "next pull"}));
  leave();
  EXPECT_EQ(lanes->holder("con_1"), "");
}

TEST_F(LanesTest, ActionsWithoutEndDoNotKeepASyncWaitingForEver) {
  enter("action", Traffic::action);
  enter("pull", Traffic::bulk);
  for (int i = 0; i < 2 * Lanes::kInARow; ++i) enter("action", Traffic::action);
  int before = 0;
  for (; lanes->holder("con_1") != "pull"; ++before) {
    ASSERT_LE(before, Lanes::kInARow + 1);
    leave();
  }
  EXPECT_EQ(before, Lanes::kInARow + 1) << "with the one that was there first";
  leave();
  EXPECT_EQ(lanes->holder("con_1"), "action");
}

TEST_F(LanesTest, ConnectionsDoNotWaitForEachOther) {
  enter("pull", Traffic::bulk, "con_1");
  enter("other pull", Traffic::bulk, "con_2");
  EXPECT_EQ(entered.size(), 2U);
}

TEST_F(LanesTest, AProvidersLimitIsKnownUntilItIsOver) {
  TimePoint const now{Milliseconds(1000)};
  EXPECT_FALSE(lanes->limitedUntil("con_1", now));
  lanes->limited("con_1", now, now + Milliseconds(500));
  EXPECT_EQ(lanes->limitedUntil("con_1", now), now + Milliseconds(500));
  EXPECT_FALSE(lanes->limitedUntil("con_2", now));
  EXPECT_FALSE(lanes->limitedUntil("con_1", now + Milliseconds(500)));
}

TEST_F(LanesTest, APlaceMayOutliveTheLanes) {
  enter("pull", Traffic::bulk);
  lanes.reset();
  places.clear();
}

} // namespace
} // namespace garland::sync
