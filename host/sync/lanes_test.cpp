#include "host/sync/lanes.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <exception>
#include <string>
#include <vector>

namespace garland::sync {
namespace {

class LanesTest : public ::testing::Test {
protected:
  void enter(std::string const& what, Priority priority, std::string const& connection = "con_1") {
    asio::co_spawn(loop, lanes->enter(connection, priority, what),
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
  enter("pull", Priority::bulk);
  enter("next pull", Priority::bulk);
  EXPECT_FALSE(lanes->somebodyWaits("con_1"));
  enter("action", Priority::interactive);
  EXPECT_EQ(entered, std::vector<std::string>{"pull"});
  EXPECT_TRUE(lanes->somebodyWaits("con_1"));
  EXPECT_EQ(lanes->holder("con_1"), "pull");
  leave();
  EXPECT_EQ(lanes->holder("con_1"), "action");
  EXPECT_FALSE(lanes->somebodyWaits("con_1"));
  leave();
  EXPECT_EQ(entered, (std::vector<std::string>{"pull", "action", "next pull"}));
  leave();
  EXPECT_EQ(lanes->holder("con_1"), "");
}

TEST_F(LanesTest, ActionsWithoutEndDoNotKeepASyncWaitingForEver) {
  constexpr auto kInARow = patienceOf(Priority::bulk);
  enter("action", Priority::interactive);
  enter("pull", Priority::bulk);
  for (std::size_t i = 0; i < 2 * kInARow; ++i) enter("action", Priority::interactive);
  std::size_t before = 0;
  for (; lanes->holder("con_1") != "pull"; ++before) {
    ASSERT_LE(before, kInARow + 1);
    leave();
  }
  EXPECT_EQ(before, kInARow + 1) << "with the one that was there first";
  leave();
  EXPECT_EQ(lanes->holder("con_1"), "action");
}

TEST_F(LanesTest, AWebhookGoesBeforeTheNextPageOfAFirstSyncAndAnActionBeforeBoth) {
  enter("pull", Priority::bulk);
  enter("next pull", Priority::bulk);
  enter("webhook", Priority::normal);
  EXPECT_FALSE(lanes->somebodyWaits("con_1")) << "a pull is not cut for a webhook";
  enter("action", Priority::interactive);
  for (int i = 0; i < 3; ++i) leave();
  EXPECT_EQ(entered, (std::vector<std::string>{"pull", "action", "webhook", "next pull"}));
}

TEST_F(LanesTest, OnlyAConnectionThatIsBusyHasALane) {
  for (int i = 0; i < 3; ++i) enter("pull", Priority::bulk, "con_" + std::to_string(i));
  enter("action", Priority::interactive, "con_0");
  EXPECT_EQ(lanes->busy(), 3U);
  EXPECT_EQ(lanes->waiting(), 1U);
  EXPECT_EQ(lanes->priority("con_0"), Priority::bulk);
  for (int i = 0; i < 4; ++i) leave();
  EXPECT_EQ(lanes->busy(), 0U);
  EXPECT_EQ(lanes->waiting(), 0U);
}

TEST_F(LanesTest, ConnectionsDoNotWaitForEachOther) {
  enter("pull", Priority::bulk, "con_1");
  enter("other pull", Priority::bulk, "con_2");
  EXPECT_EQ(entered.size(), 2U);
}

TEST_F(LanesTest, APlaceMayOutliveTheLanes) {
  enter("pull", Priority::bulk);
  lanes.reset();
  places.clear();
}

} // namespace
} // namespace garland::sync
