// Something that happens once and that any number of coroutines of one loop may wait for.
#pragma once

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <list>

namespace garland::runtime {

// [loop thread]
class Latch {
public:
  explicit Latch(boost::asio::any_io_executor executor) : executor_(std::move(executor)) {}
  Latch(Latch const&) = delete;
  Latch& operator=(Latch const&) = delete;

  bool isSet() const { return set_; }
  // Who waits goes on in a later turn of the loop.
  void set() {
    set_ = true;
    while (!waiters_.empty()) boost::asio::post(executor_, take(waiters_.begin()));
  }
  // Who waits goes on before this returns: saves a turn, but the caller must be ready for anything.
  void setNow() {
    set_ = true;
    while (!waiters_.empty()) take(waiters_.begin())();
  }
  // Returns when it is set; before that only if the waiting coroutine is cancelled.
  boost::asio::awaitable<void> wait() {
    auto const enqueue = [this](auto handler) {
      if (set_)
        boost::asio::post(executor_, std::move(handler));
      else
        add(std::move(handler));
    };
    return boost::asio::async_initiate<boost::asio::use_awaitable_t<> const, void()>(
        enqueue, boost::asio::use_awaitable);
  }

private:
  using Handler = boost::asio::any_completion_handler<void()>;
  struct Waiter {
    boost::asio::cancellation_slot slot;
    Handler handler;
  };
  using Place = std::list<Waiter>::iterator;

  template <class Given> void add(Given handler) {
    auto const slot = boost::asio::get_associated_cancellation_slot(handler);
    auto const place = waiters_.insert(waiters_.end(), Waiter{slot, Handler(std::move(handler))});
    if (!slot.is_connected()) return;
    place->slot.assign([this, place](boost::asio::cancellation_type) { giveUp(place); });
  }
  // Apart from the slot's closure, which take() destroys.
  void giveUp(Place place) {
    auto handler = take(place);
    boost::asio::post(executor_, std::move(handler));
  }
  Handler take(Place place) {
    auto waiter = std::move(*place);
    waiters_.erase(place);
    if (waiter.slot.is_connected()) waiter.slot.clear();
    return std::move(waiter.handler);
  }

  boost::asio::any_io_executor executor_;
  std::list<Waiter> waiters_;
  bool set_ = false;
};

} // namespace garland::runtime
