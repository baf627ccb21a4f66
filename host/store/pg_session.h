// A place in the pool: connects when it is needed, and again after the connection was lost.
#pragma once

#include "host/store/pg_connection.h"

namespace garland::store {

class PgSession {
public:
  // What has to succeed on a new connection before it is used.
  using Admission = std::function<Task<void>(PgConnection*)>;

  PgSession(asio::any_io_executor executor, PgTarget target, PgConnection::Use use,
            std::unique_ptr<PgConnection> connection = nullptr, Admission admission = {})
      : executor_(std::move(executor)), target_(std::move(target)), use_(use),
        admission_(std::move(admission)), connection_(std::move(connection)) {}

  // The connection, made now if there is none that works. It stays the session's.
  Task<PgConnection*> connected();
  // Ends what is under way; nothing connects any more.
  void stop();
  void disconnect() { connection_.reset(); }

private:
  asio::any_io_executor executor_;
  PgTarget target_;
  PgConnection::Use use_;
  Admission admission_;
  std::unique_ptr<PgConnection> connection_;
  bool stopped_ = false;
};

} // namespace garland::store
