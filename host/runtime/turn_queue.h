// Lets calls into a worker in the order in which they came: so many at a time, and so many bytes of input, so
// that neither a crowd nor its luggage is taken for a worker that does not read. Knows nothing of workers.
#pragma once

#include "host/runtime/latch.h"

#include <boost/asio/this_coro.hpp>

#include <cstddef>
#include <list>
#include <memory>
#include <utility>

namespace garland::runtime {

// [loop thread]
class TurnQueue {
public:
  TurnQueue(boost::asio::any_io_executor executor, std::size_t max_bytes)
      : executor_(std::move(executor)), max_bytes_(max_bytes) {}
  TurnQueue(TurnQueue const&) = delete;
  TurnQueue& operator=(TurnQueue const&) = delete;

  void setMaxCalls(std::size_t max_calls) { max_calls_ = max_calls; }
  std::size_t waiting() const { return waiting_.size(); }

  // True: the turn is taken, and leave() must follow.
  bool tryEnter(std::size_t bytes) {
    if (closed_ || !waiting_.empty() || !fits(bytes)) return false;
    take(bytes);
    return true;
  }
  // Waits for the turn. False if the waiting coroutine was cancelled, or the queue has closed.
  boost::asio::awaitable<bool> enter(std::size_t bytes) {
    if (closed_) co_return false;
    auto const turn = std::make_shared<Turn>(executor_, bytes);
    waiting_.push_back(turn);
    admit();
    co_await turn->called.wait();
    auto const state = co_await boost::asio::this_coro::cancellation_state;
    bool const cancelled = state.cancelled() != boost::asio::cancellation_type::none;
    if (turn->taken && !cancelled) co_return true;
    if (turn->taken) {
      leave(bytes);
    } else {
      std::erase(waiting_, turn);
      admit();
    }
    co_return false;
  }
  void leave(std::size_t bytes) {
    --calls_;
    bytes_ -= bytes;
    admit();
  }
  // Nobody enters any more; who waits is told so.
  void close() {
    closed_ = true;
    for (auto const& turn : std::exchange(waiting_, {})) turn->called.set();
  }

private:
  struct Turn {
    Turn(boost::asio::any_io_executor const& executor, std::size_t size) : called(executor), bytes(size) {}
    Latch called;
    std::size_t bytes;
    bool taken = false;
  };

  // One call alone always fits: its own size has a limit elsewhere.
  bool fits(std::size_t bytes) const {
    return calls_ == 0 || (calls_ < max_calls_ && bytes_ + bytes <= max_bytes_);
  }
  void take(std::size_t bytes) {
    ++calls_;
    bytes_ += bytes;
  }
  void admit() {
    while (!waiting_.empty() && fits(waiting_.front()->bytes)) {
      auto const turn = waiting_.front();
      waiting_.pop_front();
      take(turn->bytes);
      turn->taken = true;
      turn->called.set();
    }
  }

  boost::asio::any_io_executor executor_;
  std::size_t max_bytes_;
  std::size_t max_calls_ = 1;
  std::list<std::shared_ptr<Turn>> waiting_;
  std::size_t calls_ = 0;
  std::size_t bytes_ = 0;
  bool closed_ = false;
};

} // namespace garland::runtime
