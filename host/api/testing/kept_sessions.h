// Sessions in a real database, which is opened when the first of them is asked for.
#pragma once

#include "host/access/access.h"
#include "host/api/testing/kept_store.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace garland::api::testing {

class KeptSessions final : public access::Sessions {
public:
  KeptSessions(asio::any_io_executor executor, Clock& clock, Random& random, Log const& log)
      : store_(std::move(executor)), clock_(clock), random_(random), log_(log) {}

  Task<void> begin(std::string hash) override {
    CO_TRY_VOID(co_await open());
    co_return co_await sessions_->begin(std::move(hash));
  }
  Task<bool> take(std::string hash) override {
    CO_TRY_VOID(co_await open());
    co_return co_await sessions_->take(std::move(hash));
  }
  Task<access::OpenedSession> open(access::NewSession wish) override {
    CO_TRY_VOID(co_await open());
    co_return co_await sessions_->open(std::move(wish));
  }
  Task<access::SessionAdmission> admit(std::string hash) override {
    CO_TRY_VOID(co_await open());
    co_return co_await sessions_->admit(std::move(hash));
  }
  Task<std::vector<access::SessionAdmission>> some(std::vector<std::string> ids) override {
    CO_TRY_VOID(co_await open());
    co_return co_await sessions_->some(std::move(ids));
  }
  Task<std::vector<access::Session>> list(std::string after_id, int limit) override {
    CO_TRY_VOID(co_await open());
    co_return co_await sessions_->list(std::move(after_id), limit);
  }
  Task<access::Session> end(std::string id) override {
    CO_TRY_VOID(co_await open());
    co_return co_await sessions_->end(std::move(id));
  }
  access::SessionTimes times() const override { return {}; }
  Task<void> close() { return store_.close(); }

private:
  Task<void> open() {
    if (sessions_) co_return Result<void>();
    CO_TRY(store, co_await store_.open());
    sessions_ = access::Sessions::create(access::SessionDependencies{clock_, random_, log_, *store});
    co_return Result<void>();
  }

  KeptStore store_;
  Clock& clock_;
  Random& random_;
  Log const& log_;
  std::unique_ptr<access::Sessions> sessions_;
};

} // namespace garland::api::testing
