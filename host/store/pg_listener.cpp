#include "host/store/pg_listener.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

namespace garland::store {
namespace {

using namespace std::chrono_literals;

constexpr auto kBetweenTries = 1s;
constexpr auto kLookAfter = 30s; // a session that nobody speaks on may be dead without a word
constexpr auto kLimit = 10s;

} // namespace

void PgListener::start() { asio::co_spawn(executor_, run(shared_from_this()), asio::detached); }

void PgListener::stop() {
  stopped_ = true;
  pause_.cancel();
  if (connection_) connection_->interrupt();
}

asio::awaitable<void> PgListener::run(std::shared_ptr<PgListener> self) {
  while (!self->stopped_) {
    auto const ended = co_await self->listen(); // however it ended, it begins anew
    self->connection_.reset();
    if (self->stopped_) break;
    self->pause_.expires_after(kBetweenTries);
    co_await self->pause_.async_wait(asio::as_tuple(asio::use_awaitable));
  }
}

// Until the session is lost.
Task<void> PgListener::listen() {
  CO_TRY(opened, co_await PgConnection::open(executor_, target_, PgConnection::Use::read));
  connection_ = std::move(opened);
  if (stopped_) co_return Result<void>();
  std::string const command = "LISTEN " + std::string(kNoticeChannel);
  CO_TRY_VOID(co_await connection_->script(command, kLimit));
  if (!stopped_) heard_(std::string());
  while (!stopped_ && connection_->usable()) {
    auto const told = co_await connection_->notices(kLookAfter);
    for (auto const& text : told)
      if (!stopped_) heard_(text);
    if (!told.empty() || stopped_) continue;
    std::string const question = "SELECT 1";
    CO_TRY_VOID(co_await connection_->script(question, kLimit));
  }
  co_return Result<void>();
}

} // namespace garland::store
