// A real database of the room `access`, which is opened when something of it is asked for first.
#pragma once

#include "host/access/access.h"
#include "host/base/test_folder.h"

#include <memory>
#include <utility>

namespace garland::api::testing {

class KeptStore {
public:
  explicit KeptStore(asio::any_io_executor executor) : executor_(std::move(executor)) {}

  // The same each time, and alive as long as this is.
  Task<store::Store*> open() {
    if (!store_) {
      store::Options options;
      options.url = "sqlite:" + (folder_ / "access.db");
      CO_TRY(opened, co_await store::Store::open(executor_, options, access::migrations()));
      store_ = std::move(opened);
    }
    co_return store_.get();
  }
  Task<void> close() {
    if (!store_) co_return Result<void>();
    CO_TRY_VOID(co_await store_->close());
    co_return Result<void>();
  }

private:
  TestFolder folder_;
  asio::any_io_executor executor_;
  std::unique_ptr<store::Store> store_;
};

} // namespace garland::api::testing
