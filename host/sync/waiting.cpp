#include "host/sync/waiting.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <exception>

namespace garland::sync {

Event::Event(asio::any_io_executor const& executor)
    : timer_(executor, asio::steady_timer::time_point::max()) {}

void Event::set() {
  set_ = true;
  timer_.cancel();
}

Task<void> Event::wait() {
  if (!set_) co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
  if (!set_) co_return Error(ErrorKind::cancelled, "the wait was cancelled");
  co_return Result<void>();
}

Semaphore::Place& Semaphore::Place::operator=(Place&& other) noexcept {
  reset();
  owner_ = std::exchange(other.owner_, nullptr);
  return *this;
}

void Semaphore::Place::reset() {
  if (owner_ != nullptr) std::exchange(owner_, nullptr)->release();
}

Task<Semaphore::Place> Semaphore::acquire() { return acquire(std::make_shared<Event>(executor_)); }

Task<Semaphore::Place> Semaphore::acquire(std::shared_ptr<Event> turn) {
  if (free_ > 0) {
    --free_;
    co_return Place(*this);
  }
  waiters_.push_back(turn);
  auto const waited = co_await turn->wait();
  bool const called_off = std::erase(waiters_, turn) > 0;
  if (!waited) co_return waited.error();
  if (called_off) co_return Error(ErrorKind::cancelled, "the wait was called off");
  co_return Place(*this);
}

void Semaphore::release() {
  if (waiters_.empty()) {
    ++free_;
    return;
  }
  auto const next = waiters_.front();
  waiters_.pop_front();
  next->set();
}

Alarm::Alarm(asio::any_io_executor executor, Clock& clock, Milliseconds span, std::shared_ptr<Event> event)
    : bell_(std::make_shared<Bell>()) {
  auto rings = [event = std::move(event), bell = bell_](std::exception_ptr, Result<void>) {
    bell->rang = true;
    event->set();
  };
  asio::co_spawn(executor, clock.sleepFor(span),
                 asio::bind_cancellation_slot(bell_->cancel.slot(), std::move(rings)));
}

Alarm::~Alarm() {
  if (!bell_->rang) bell_->cancel.emit(asio::cancellation_type::terminal);
}

void Nursery::spawn(Task<void> task) {
  if (running_++ == 0) empty_ = std::make_shared<Event>(executor_);
  asio::co_spawn(executor_, std::move(task), [this](std::exception_ptr, Result<void>) {
    if (--running_ == 0) empty_->set();
  });
}

Task<void> Nursery::drained() {
  while (running_ > 0) {
    auto const empty = empty_;
    CO_TRY_VOID(co_await empty->wait());
  }
  co_return Result<void>();
}

} // namespace garland::sync
