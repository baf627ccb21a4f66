// A store whose units tell by a carrier, as soon as they are durable, instead of in the database.
#pragma once

#include "host/store/store.h"

namespace garland::store {

class CarriedStore final : public Store {
public:
  CarriedStore(std::unique_ptr<Store> real, std::shared_ptr<Carrier> carrier)
      : real_(std::move(real)), carrier_(std::move(carrier)) {}

  Task<Rows> read(Statement statement) override { return real_->read(std::move(statement)); }
  Task<std::vector<Rows>> commit(Unit unit) override { return commitThenTell(this, std::move(unit)); }
  Task<void> close() override { return closeBoth(this); }
  std::string_view driver() const override { return real_->driver(); }
  Task<void> copyTo(std::string file) override { return real_->copyTo(std::move(file)); }
  // A daemon that was not given the carrier yet tells in the database.
  void listen(Listener listener) override {
    real_->listen(listener);
    carrier_->listen(std::move(listener));
  }

private:
  static Task<std::vector<Rows>> commitThenTell(CarriedStore* self, Unit unit);
  static Task<void> closeBoth(CarriedStore* self);

  std::unique_ptr<Store> real_;
  std::shared_ptr<Carrier> carrier_;
};

} // namespace garland::store
