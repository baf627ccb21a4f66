// How coroutines of this room wait for each other: a one-time event, a semaphore that is first come first
// served, an alarm, and a nursery that owns what was spawned. [loop thread]
#pragma once

#include "host/base/clock.h"
#include "host/base/task.h"

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/steady_timer.hpp>

#include <deque>
#include <functional>
#include <memory>
#include <utility>

namespace garland::sync {

// Set once; everybody who waits, now or later, goes on.
class Event {
public:
  explicit Event(asio::any_io_executor const& executor);
  void set();
  bool isSet() const { return set_; }
  // `cancelled` if the waiting coroutine is cancelled first.
  Task<void> wait();

private:
  asio::steady_timer timer_; // never expires by itself; set() cancels it, which wakes the waiters
  bool set_ = false;
};

class Semaphore {
public:
  Semaphore(asio::any_io_executor executor, std::size_t places)
      : executor_(std::move(executor)), free_(places) {}

  // Gives its place back when it dies.
  class Place {
  public:
    Place() = default;
    explicit Place(Semaphore& owner) : owner_(&owner) {}
    Place(Place&& other) noexcept : owner_(std::exchange(other.owner_, nullptr)) {}
    Place& operator=(Place&& other) noexcept;
    Place(Place const&) = delete;
    Place& operator=(Place const&) = delete;
    ~Place() { reset(); }
    void reset();

  private:
    Semaphore* owner_ = nullptr;
  };

  Task<Place> acquire();

private:
  void release();

  asio::any_io_executor executor_;
  std::size_t free_;
  std::deque<std::shared_ptr<Event>> waiters_;
};

// Sets an event after a while, unless it is put off before; or calls what is to be called then.
class Alarm {
public:
  Alarm(asio::any_io_executor executor, Clock& clock, Milliseconds span, std::shared_ptr<Event> event);
  Alarm(asio::any_io_executor executor, Clock& clock, Milliseconds span, std::function<void()> rings);
  ~Alarm();
  Alarm(Alarm const&) = delete;
  Alarm& operator=(Alarm const&) = delete;

private:
  struct Bell {
    asio::cancellation_signal cancel;
    bool rang = false;
    bool put_off = false;
  };
  std::shared_ptr<Bell> bell_;
};

// Owns spawned tasks: drained() answers when the last of them has ended.
class Nursery {
public:
  explicit Nursery(asio::any_io_executor executor) : executor_(std::move(executor)) {}
  // An error or exception of the task goes to nobody: a task tells its own story.
  void spawn(Task<void> task);
  Task<void> drained();

private:
  asio::any_io_executor executor_;
  std::size_t running_ = 0;
  std::shared_ptr<Event> empty_;
};

} // namespace garland::sync
