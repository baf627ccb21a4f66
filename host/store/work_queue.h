// Hands work from the loop to the threads of the SQLite driver.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <utility>

namespace garland::store {

// [any thread]
template <class Item> class WorkQueue {
public:
  // False after close(); the item is then untouched.
  bool push(Item& item) {
    {
      std::lock_guard const lock(mutex_);
      if (closed_) return false;
      items_.push_back(std::move(item));
    }
    ready_.notify_one();
    return true;
  }

  // Waits for work and returns what `some` takes off the queue; `none` when it is closed and empty.
  template <class Take, class Taken> Taken take(Take some, Taken none) {
    std::unique_lock lock(mutex_);
    ready_.wait(lock, [this] { return closed_ || !items_.empty(); });
    if (items_.empty()) return none;
    return some(items_);
  }

  // The same, but `none` if there is nothing now.
  template <class Take, class Taken> Taken takeNow(Take some, Taken none) {
    std::lock_guard const lock(mutex_);
    if (items_.empty()) return none;
    return some(items_);
  }

  bool isClosed() {
    std::lock_guard const lock(mutex_);
    return closed_;
  }

  // Nothing more comes in; what is in is still handed out.
  void close() {
    {
      std::lock_guard const lock(mutex_);
      closed_ = true;
    }
    ready_.notify_all();
  }

  // Closes, and takes back what nobody has started on.
  std::deque<Item> abandon() {
    close();
    std::lock_guard const lock(mutex_);
    return std::exchange(items_, {});
  }

private:
  std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<Item> items_;
  bool closed_ = false;
};

} // namespace garland::store
