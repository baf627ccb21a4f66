#include "host/store/pg_session.h"

#include "host/store/pg_errors.h"

namespace garland::store {

Task<PgConnection*> PgSession::connected() {
  if (connection_ && !connection_->usable()) connection_.reset();
  if (!connection_ && !stopped_) {
    CO_TRY(opened, co_await PgConnection::open(executor_, target_, use_));
    if (admission_) {
      CO_TRY_VOID(co_await admission_(opened.get()));
    }
    connection_ = std::move(opened);
  }
  if (stopped_) co_return closedConnection(target_.place);
  co_return connection_.get();
}

void PgSession::stop() {
  stopped_ = true;
  if (connection_) connection_->interrupt();
}

} // namespace garland::store
