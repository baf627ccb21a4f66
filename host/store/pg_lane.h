// Work of one kind waiting for the sessions that do it: one session for units, a few for reads.
#pragma once

#include "host/store/pending.h"
#include "host/store/pg_session.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <functional>

namespace garland::store {

// Coroutines run only while there is work, so an idle store does not keep the loop busy. They share
// the lane's ownership: the Store may be destroyed while one is waiting for the server, and cannot
// wait for it on the loop that would have to run it. [loop thread]
template <class Item> class PgLane : public std::enable_shared_from_this<PgLane<Item>> {
public:
  // Takes what it does next off the queue, does it and gives the answers.
  using Serve = std::function<asio::awaitable<void>(PgSession*, std::deque<Item>*)>;

  PgLane(asio::any_io_executor executor, std::vector<std::unique_ptr<PgSession>> sessions, Serve serve)
      : executor_(std::move(executor)), sessions_(std::move(sessions)), serve_(std::move(serve)) {
    for (auto const& session : sessions_) idle_.push_back(session.get());
  }

  void submit(Item item) {
    if (closed_) return item.answer.give(closedError());
    queue_.push_back(std::move(item));
    if (idle_.empty()) return;
    auto* const session = idle_.back();
    idle_.pop_back();
    asio::co_spawn(executor_, work(this->shared_from_this(), session), asio::detached);
  }

  void refuseMore() { closed_ = true; }

  // Takes nothing more; `done` is given when all that was accepted has been answered.
  void close(Answer<void> done) {
    closed_ = true;
    closing_.push_back(std::move(done));
    if (idle_.size() == sessions_.size()) finish();
  }

  // The store goes away: answers what nobody has started on and hurries the rest.
  void stop() {
    closed_ = true;
    for (auto& item : std::exchange(queue_, {})) item.answer.give(closedError());
    for (auto const& session : sessions_) session->stop();
    if (idle_.size() == sessions_.size()) finish();
  }

private:
  static asio::awaitable<void> work(std::shared_ptr<PgLane> self, PgSession* session) {
    while (!self->queue_.empty()) co_await self->serve_(session, &self->queue_);
    self->idle_.push_back(session);
    if (self->closed_ && self->idle_.size() == self->sessions_.size()) self->finish();
  }

  void finish() {
    for (auto const& session : sessions_) session->disconnect();
    for (auto& answer : std::exchange(closing_, {})) answer.give(Result<void>());
  }

  asio::any_io_executor executor_;
  std::vector<std::unique_ptr<PgSession>> sessions_;
  std::vector<PgSession*> idle_;
  Serve serve_;
  std::deque<Item> queue_;
  bool closed_ = false;
  std::vector<Answer<void>> closing_;
};

} // namespace garland::store
