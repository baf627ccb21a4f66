// A session that only listens: what units of other sessions tell with pg_notify comes in here. It connects
// again when it was lost, and says so, because what was told meanwhile is gone.
#pragma once

#include "host/store/pg_connection.h"

#include <boost/asio/steady_timer.hpp>

#include <memory>

namespace garland::store {

// [loop thread] Keeps the loop busy from start() to stop().
class PgListener : public std::enable_shared_from_this<PgListener> {
public:
  PgListener(asio::any_io_executor executor, PgTarget target, Listener heard)
      : executor_(executor), target_(std::move(target)), heard_(std::move(heard)), pause_(executor) {}

  void start();
  // Nothing is told any more.
  void stop();

private:
  static asio::awaitable<void> run(std::shared_ptr<PgListener> self);
  Task<void> listen();

  asio::any_io_executor executor_;
  PgTarget target_;
  Listener heard_;
  asio::steady_timer pause_;
  std::unique_ptr<PgConnection> connection_;
  bool stopped_ = false;
};

} // namespace garland::store
