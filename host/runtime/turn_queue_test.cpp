#include "host/runtime/turn_queue.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace garland::runtime {
namespace {

namespace asio = boost::asio;
using testing::ElementsAre;

class Turns : public testing::Test {
protected:
  asio::awaitable<void> come(std::string name, std::size_t bytes) {
    co_await asio::this_coro::throw_if_cancelled(false);
    bool const entered = co_await queue_.enter(bytes);
    seen_.push_back(name + (entered ? " in" : " out"));
  }
  void arrive(std::string name, std::size_t bytes) {
    asio::co_spawn(loop_, come(std::move(name), bytes), asio::detached);
    settle();
  }
  void settle() {
    loop_.restart();
    loop_.poll();
  }

  void TearDown() override { // a coroutine that waits holds the turn that holds it
    queue_.close();
    settle();
  }

  asio::io_context loop_;
  TurnQueue queue_{loop_.get_executor(), 100};
  std::vector<std::string> seen_;
};

TEST_F(Turns, AreTakenInTheOrderOfArrivalEvenBySomebodyWhoComesJustAsOneIsFree) {
  queue_.setMaxCalls(1);
  arrive("first", 1);
  arrive("second", 1);
  queue_.leave(1);
  EXPECT_FALSE(queue_.tryEnter(1)) << "the turn is the second's, though it does not run yet";
  arrive("third", 1);
  EXPECT_THAT(seen_, ElementsAre("first in", "second in"));
  queue_.leave(1);
  settle();
  EXPECT_THAT(seen_, ElementsAre("first in", "second in", "third in"));
}

TEST_F(Turns, AreHeldBackByTheBytesUnderWayButOneAloneAlwaysFits) {
  queue_.setMaxCalls(10);
  arrive("huge", 500);
  arrive("small", 1);
  EXPECT_THAT(seen_, ElementsAre("huge in"));
  queue_.leave(500);
  settle();
  arrive("half", 99);
  arrive("more", 1);
  EXPECT_THAT(seen_, ElementsAre("huge in", "small in", "half in"));
}

TEST_F(Turns, OfSomebodyWhoIsCancelledGoToTheNext) {
  queue_.setMaxCalls(1);
  arrive("first", 1);
  asio::cancellation_signal stop;
  asio::co_spawn(loop_, come("second", 1), asio::bind_cancellation_slot(stop.slot(), asio::detached));
  settle();
  arrive("third", 1);
  // The cancellation arrives in the next turn of the loop: then the second is called but does not run yet.
  stop.emit(asio::cancellation_type::all);
  queue_.leave(1);
  settle();
  EXPECT_THAT(seen_, ElementsAre("first in", "second out", "third in"));
}

TEST_F(Turns, EndWhenTheQueueCloses) {
  queue_.setMaxCalls(1);
  arrive("first", 1);
  arrive("second", 1);
  queue_.close();
  settle();
  arrive("third", 1);
  EXPECT_THAT(seen_, ElementsAre("first in", "second out", "third out"));
  EXPECT_FALSE(queue_.tryEnter(1));
}

} // namespace
} // namespace garland::runtime
