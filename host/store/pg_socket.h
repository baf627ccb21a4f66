// Waiting for libpq's socket on the loop: readable, or writable, or too late, whichever comes first.
// libpq owns and closes the descriptor; this class only watches it.
#pragma once

#include "host/store/store.h"

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <memory>

namespace garland::store {

class PgSocket {
public:
  explicit PgSocket(asio::any_io_executor executor);
  ~PgSocket();
  PgSocket(PgSocket const&) = delete;
  PgSocket& operator=(PgSocket const&) = delete;

  // Detach before libpq may close the descriptor, attach again when it has (perhaps another) one.
  void attach(int descriptor);
  void detach();

  // begin() and end() frame one operation; in between, wait() returns when the socket may be ready.
  // It wakes for no reason at times; the caller looks again.
  void begin(std::chrono::milliseconds limit);
  void end();
  asio::awaitable<void> wait(bool for_writing);

  // The time limit has passed, or interrupt() was called: stop waiting.
  bool expired() const;
  bool interrupted() const;
  // Ends a wait for good; nothing more can be awaited here.
  void interrupt();

private:
  struct State;
  struct Park;
  std::shared_ptr<State> state_;
};

} // namespace garland::store
