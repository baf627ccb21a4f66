// Who gives way to whom, without a byte on a wire: the connections' sockets are not open.
#include "host/api/listener.h"

#include <boost/asio/io_context.hpp>

#include <gtest/gtest.h>

#include <deque>

namespace garland::api {
namespace {

using State = Place::State;

class PlacesTest : public ::testing::Test {
protected:
  Connection& newcomer() {
    return *all_.emplace_back(std::make_unique<Connection>(Wire(asio::ip::tcp::socket(loop_))));
  }
  static void speak(Places& places, Connection& connection) {
    places.wake(connection);
    connection.heard = true;
  }
  // One that has had its first answer.
  Connection& acquaintance(Places& places) {
    auto& connection = newcomer();
    places.enter(connection);
    speak(places, connection);
    places.rest(connection);
    return connection;
  }

  asio::io_context loop_{1};
  VirtualClock clock_{TimePoint(Milliseconds(0))};
  SeededRandom random_{7};

private:
  std::deque<std::unique_ptr<Connection>> all_;
};

TEST_F(PlacesTest, WhoHasRestedLongestBetweenTwoRequestsGivesWay) {
  Places places(2, 1, clock_, random_);
  auto& first = acquaintance(places);
  auto& second = acquaintance(places);
  speak(places, first);
  places.rest(first); // it has asked again
  EXPECT_EQ(places.enter(newcomer()), &second);
  EXPECT_EQ(second.place.state, State::given);
  EXPECT_EQ(places.enter(newcomer()), &first);
}

TEST_F(PlacesTest, WhoSaysNothingForASecondGivesWayBeforeWhoHasAsked) {
  Places places(3, 1, clock_, random_);
  auto& known = acquaintance(places);
  auto& silent = newcomer();
  places.enter(silent);
  clock_.advance(Places::kGreetingTime);
  auto& young = newcomer();
  places.enter(young);
  EXPECT_EQ(places.enter(newcomer()), &silent);
  EXPECT_EQ(places.enter(newcomer()), &known) << "the others have only just come";
  EXPECT_EQ(young.place.state, State::held);
}

TEST_F(PlacesTest, WhoHasARequestUnderWayNeverGivesWay) {
  Places places(2, 1, clock_, random_);
  auto& asking = acquaintance(places);
  places.wake(asking);
  auto& silent = newcomer();
  places.enter(silent);
  clock_.advance(Places::kGreetingTime);
  auto& next = newcomer();
  EXPECT_EQ(places.enter(next), &silent);
  speak(places, next);
  clock_.advance(Places::kGreetingTime);
  auto& too_many = newcomer();
  EXPECT_EQ(places.enter(too_many), nullptr);
  EXPECT_EQ(too_many.place.state, State::turnedAway);
  EXPECT_FALSE(places.admits());
  places.leave(asking);
  EXPECT_TRUE(places.admits());
  EXPECT_EQ(places.enter(newcomer()), nullptr) << "a place is free";
}

TEST_F(PlacesTest, HoweverManyHaveJustComeANewcomerGetsAPlace) {
  Places places(4, 0, clock_, random_);
  for (int i = 0; i < 100; ++i) {
    auto& coming = newcomer();
    ASSERT_TRUE(places.admits());
    places.enter(coming);
    ASSERT_EQ(coming.place.state, State::held);
  }
}

// One comes each millisecond, for ten seconds, and needs 100 of them until it has said what it wants and
// goes: six times more than there are places for, which could serve 1600.
TEST_F(PlacesTest, InABurstThatDoesNotEndHalfOfThePlacesServeOneAfterAnother) {
  constexpr std::size_t kPlaces = 16;
  constexpr std::size_t kGreeting = 100;
  Places places(kPlaces, 0, clock_, random_);
  std::deque<Connection*> greeted;
  std::size_t served = 0;
  for (int i = 0; i < 10'000; ++i) {
    clock_.advance(Milliseconds(1));
    auto& coming = newcomer();
    places.enter(coming);
    greeted.push_back(&coming);
    if (greeted.size() <= kGreeting) continue;
    auto& done = *greeted.front();
    greeted.pop_front();
    if (done.place.state != State::held) continue;
    places.leave(done);
    ++served;
  }
  EXPECT_GT(served, 700U);
}

} // namespace
} // namespace garland::api
