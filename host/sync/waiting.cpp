#include "host/sync/waiting.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

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

Task<Semaphore::Place> Semaphore::acquire() {
  if (free_ > 0) {
    --free_;
    co_return Place(*this);
  }
  auto const turn = std::make_shared<Event>(executor_);
  waiters_.push_back(turn);
  auto const waited = co_await turn->wait();
  if (!waited) {
    std::erase(waiters_, turn);
    co_return waited.error();
  }
  co_return Place(*this);
}

void Semaphore::release() {
  if (waiters_.empty()) {
    ++free_;
    return;
  }
  auto const next = std::move(waiters_.front());
  waiters_.pop_front();
  next->set();
}

Alarm::Alarm(asio::any_io_executor executor, Clock& clock, Milliseconds span, std::shared_ptr<Event> event)
    : Alarm(std::move(executor), clock, span, [event = std::move(event)] { event->set(); }) {}

Alarm::Alarm(asio::any_io_executor executor, Clock& clock, Milliseconds span, std::function<void()> rings)
    : bell_(std::make_shared<Bell>()) {
  auto over = [rings = std::move(rings), bell = bell_](std::exception_ptr, Result<void>) {
    bell->rang = true;
    if (!bell->put_off) rings();
  };
  asio::co_spawn(executor, clock.sleepFor(span),
                 asio::bind_cancellation_slot(bell_->cancel.slot(), std::move(over)));
}

Alarm::~Alarm() {
  bell_->put_off = true;
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
