// Keys in a real database, which is opened when the first of them is asked for.
#pragma once

#include "host/access/access.h"
#include "host/api/testing/kept_store.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <memory>
#include <string>
#include <utility>

namespace garland::api::testing {

class KeptKeys final : public access::Keys {
public:
  KeptKeys(asio::any_io_executor executor, Clock& clock, Random& random, Log const& log)
      : store_(executor), clock_(clock), random_(random), log_(log),
        let_go_(executor, asio::steady_timer::time_point::max()) {}

  Task<access::Admission> admit(std::string hash) override {
    ++asked;
    if (holds) co_await let_go_.async_wait(asio::as_tuple(asio::use_awaitable));
    if (refuse) co_return *refuse;
    CO_TRY_VOID(co_await open());
    co_return co_await keys_->admit(std::move(hash));
  }
  Task<access::Issued> add(access::NewKey wish) override {
    CO_TRY_VOID(co_await open());
    co_return co_await keys_->add(std::move(wish));
  }
  Task<std::vector<access::Key>> list(access::KeyQuery query) override {
    CO_TRY_VOID(co_await open());
    co_return co_await keys_->list(std::move(query));
  }
  Task<std::vector<access::Key>> some(std::vector<std::string> ids) override {
    CO_TRY_VOID(co_await open());
    co_return co_await keys_->some(std::move(ids));
  }
  Task<access::Issued> rotate(std::string id, Milliseconds overlap) override {
    CO_TRY_VOID(co_await open());
    co_return co_await keys_->rotate(std::move(id), overlap);
  }
  Task<access::Key> revoke(std::string id) override {
    CO_TRY_VOID(co_await open());
    co_return co_await keys_->revoke(std::move(id));
  }
  // As another daemon may do it.
  Task<void> change(std::string sql) {
    CO_TRY(store, co_await store_.open());
    store::Unit unit;
    unit.emplace_back(std::move(sql));
    CO_TRY_VOID(co_await store->commit(std::move(unit)));
    co_return Result<void>();
  }
  Task<void> close() { return store_.close(); }

  void letGo() {
    holds = false;
    let_go_.cancel();
  }

  int asked = 0;      // how often a key was looked up
  bool holds = false; // nobody is told before letGo()
  std::optional<Error> refuse;

private:
  Task<void> open() {
    if (keys_) co_return Result<void>();
    CO_TRY(store, co_await store_.open());
    keys_ = access::Keys::create(access::KeyDependencies{clock_, random_, log_, *store});
    co_return Result<void>();
  }

  KeptStore store_;
  Clock& clock_;
  Random& random_;
  Log const& log_;
  asio::steady_timer let_go_;
  std::unique_ptr<access::Keys> keys_;
};

} // namespace garland::api::testing
