#include "host/sync/run_places.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <exception>
#include <map>
#include <string>
#include <vector>

namespace garland::sync {
namespace {

using namespace std::chrono_literals;
using Names = std::vector<std::string>;

class RunPlacesTest : public ::testing::Test {
protected:
  // "caldav 1" is of the connector "caldav".
  void enter(std::string const& name, Priority priority = Priority::normal) {
    auto connector = name.substr(0, name.find(' '));
    asio::co_spawn(loop, places.enter(name, std::move(connector), priority),
                   [this, name](std::exception_ptr, Result<RunPlaces::Place> place) {
                     if (place) {
                       began.push_back(name);
                       held.emplace(name, std::move(*place));
                     } else {
                       refused.push_back(name);
                     }
                   });
    poll();
  }
  void leave(std::string const& name) {
    held.erase(name);
    poll();
  }
  void look(Monotonic now) {
    places.look(now);
    poll();
  }
  void poll() {
    loop.restart();
    loop.poll();
  }
  // Nobody may wait any more when the places go.
  void TearDown() override {
    for (;;) {
      held.clear();
      poll();
      if (held.empty()) return;
    }
  }

  asio::io_context loop{1};
  RunPlaces places{loop.get_executor(), RunsAtOnce{3, 2, 3}};
  std::map<std::string, RunPlaces::Place> held;
  Names began;
  Names refused;
};

TEST_F(RunPlacesTest, SoManyAreAtWorkAndTheNextBeginsWhenOneHasEnded) {
  for (auto const* name : {"a 1", "b 1", "c 1", "d 1"}) enter(name);
  EXPECT_EQ(began, (Names{"a 1", "b 1", "c 1"}));
  EXPECT_EQ(places.waiting(), 1U);
  leave("b 1");
  EXPECT_EQ(began.back(), "d 1");
  EXPECT_EQ(places.waiting(), 0U);
}

TEST_F(RunPlacesTest, AConnectorThatHasItsShareLetsOthersGoFirst) {
  for (auto const* name : {"a 1", "a 2", "a 3", "b 1"}) enter(name);
  EXPECT_EQ(began, (Names{"a 1", "a 2", "b 1"}));
  leave("b 1");
  EXPECT_EQ(began.size(), 3U) << "the place that is free is not for this connector";
  leave("a 1");
  EXPECT_EQ(began.back(), "a 3");
}

TEST_F(RunPlacesTest, TheHighestPriorityGoesFirstAndWhoWaitsMayBeHastened) {
  for (auto const* name : {"a 1", "b 1", "c 1"}) enter(name);
  enter("d 1", Priority::bulk);
  enter("e 1", Priority::normal);
  enter("f 1", Priority::weddingDay);
  places.hasten("d 1", Priority::interactive);
  for (auto const* name : {"a 1", "b 1", "c 1"}) leave(name);
  EXPECT_EQ(Names(began.begin() + 3, began.end()), (Names{"f 1", "d 1", "e 1"}));
}

TEST_F(RunPlacesTest, WhoOnlyWaitsForItsProviderLendsItsPlaceAfterASecond) {
  for (auto const* name : {"a 1", "b 1", "c 1", "d 1"}) enter(name);
  RunPlaces::Rest rest(places, "b 1", 10s);
  look(10'999ms);
  EXPECT_EQ(began.size(), 3U);
  look(11s);
  EXPECT_EQ(began.back(), "d 1");
}

TEST_F(RunPlacesTest, WhoLentItsPlaceGoesOnAtOnceAndNobodyElseBeginsForTheOneTooMany) {
  for (auto const* name : {"a 1", "b 1", "c 1", "d 1"}) enter(name);
  RunPlaces::Rest rest(places, "b 1", 10s);
  look(11s);
  ASSERT_EQ(began.size(), 4U);
  rest.end();
  enter("e 1");
  leave("a 1");
  EXPECT_EQ(began.size(), 4U) << "three are at work";
  leave("c 1");
  EXPECT_EQ(began.back(), "e 1");
}

TEST_F(RunPlacesTest, OfOneConnectorThereAreNeverMoreThanItsWorkerTakes) {
  for (auto const* name : {"a 1", "a 2", "a 3", "a 4"}) enter(name);
  RunPlaces::Rest first(places, "a 1", 0s), second(places, "a 2", 0s);
  look(1s);
  EXPECT_EQ(began, (Names{"a 1", "a 2", "a 3"}));
  RunPlaces::Rest third(places, "a 3", 1s);
  look(2s);
  EXPECT_EQ(began.size(), 3U);
  leave("a 1");
  EXPECT_EQ(began.back(), "a 4");
}

TEST_F(RunPlacesTest, WhoHasEndedWhileItsPlaceWasLentFreesNoSecondOne) {
  for (auto const* name : {"a 1", "b 1", "c 1", "d 1", "e 1"}) enter(name);
  {
    RunPlaces::Rest rest(places, "b 1", 0s);
    look(1s);
    ASSERT_EQ(began.back(), "d 1");
    leave("b 1");
  }
  EXPECT_EQ(began.size(), 4U);
  EXPECT_EQ(places.waiting(), 1U);
}

TEST_F(RunPlacesTest, WhoeverIsCalledOffGoesWithoutAPlace) {
  for (auto const* name : {"a 1", "b 1", "c 1", "d 1", "e 1"}) enter(name);
  places.callOff("d 1");
  poll();
  EXPECT_EQ(refused, Names{"d 1"});
  EXPECT_EQ(places.waiting(), 1U);
  leave("a 1");
  EXPECT_EQ(began.back(), "e 1");
}

} // namespace
} // namespace garland::sync
