#include "host/store/pg_socket.h"

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstdint>

namespace garland::store {

using Descriptor = asio::posix::stream_descriptor;

// Shared with the handlers, which the loop may run after the socket is gone.
struct PgSocket::State : std::enable_shared_from_this<State> {
  explicit State(asio::any_io_executor executor_in)
      : executor(executor_in), descriptor(executor_in), timer(executor_in) {}

  void wake() {
    if (!waiter) return;
    auto const target = asio::get_associated_executor(waiter, executor);
    asio::dispatch(target, [handler = std::move(waiter)]() mutable { std::move(handler)(); });
  }

  // From outside a handler of the loop, where the coroutine must not be resumed on the spot.
  void wakeLater() {
    if (waiter) asio::post(executor, [self = shared_from_this()] { self->wake(); });
  }

  void arm(Descriptor::wait_type type, bool& armed) {
    if (armed || !descriptor.is_open()) return;
    armed = true;
    descriptor.async_wait(type, [self = shared_from_this(), &armed](boost::system::error_code) {
      armed = false;
      self->wake();
    });
  }

  asio::any_io_executor executor;
  Descriptor descriptor;
  asio::steady_timer timer;
  asio::any_completion_handler<void()> waiter;
  std::uint64_t operation = 0; // tells a late timer from the current one
  bool reading = false;
  bool writing = false;
  bool expired = false;
  bool interrupted = false;
};

// Keeps the coroutine's handler until wake().
struct PgSocket::Park {
  std::shared_ptr<State> state;
  bool for_writing;

  template <class Handler> void operator()(Handler&& handler) const {
    // Swapped, for Boost 1.81's move assignment of this type calls itself without end.
    asio::any_completion_handler<void()> parked(std::forward<Handler>(handler));
    state->waiter.swap(parked);
    if (state->expired || state->interrupted || !state->descriptor.is_open()) return state->wakeLater();
    // Always for reading too: while we wait to send, the server may be waiting for us to read what
    // it has answered already, and would not read on before that.
    state->arm(Descriptor::wait_read, state->reading);
    if (for_writing) state->arm(Descriptor::wait_write, state->writing);
  }
};

PgSocket::PgSocket(asio::any_io_executor executor) : state_(std::make_shared<State>(std::move(executor))) {}

PgSocket::~PgSocket() {
  detach();
  state_->timer.cancel();
}

void PgSocket::attach(int descriptor) {
  if (descriptor >= 0) state_->descriptor.assign(descriptor);
}

void PgSocket::detach() {
  if (state_->descriptor.is_open()) state_->descriptor.release();
}

void PgSocket::begin(std::chrono::milliseconds limit) {
  state_->expired = false;
  auto const operation = ++state_->operation;
  state_->timer.expires_after(limit);
  state_->timer.async_wait([state = state_, operation](boost::system::error_code code) {
    if (code || operation != state->operation) return;
    state->expired = true;
    state->wake();
  });
}

void PgSocket::end() {
  ++state_->operation;
  state_->timer.cancel();
  // An idle connection must not keep the loop busy.
  if (state_->descriptor.is_open() && (state_->reading || state_->writing)) state_->descriptor.cancel();
}

asio::awaitable<void> PgSocket::wait(bool for_writing) {
  return asio::async_initiate<asio::use_awaitable_t<> const, void()>(Park{state_, for_writing},
                                                                     asio::use_awaitable);
}

bool PgSocket::expired() const { return state_->expired; }

bool PgSocket::interrupted() const { return state_->interrupted; }

void PgSocket::interrupt() {
  state_->interrupted = true;
  state_->wakeLater();
}

} // namespace garland::store
