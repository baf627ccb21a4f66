// A carrier that only remembers what it is told.
#pragma once

#include "host/base/carrier.h"

#include <utility>
#include <vector>

namespace garland {

class TestCarrier final : public Carrier {
public:
  void listen(Listener to) override { listener = std::move(to); }
  void tell(std::string line) override { told.push_back(std::move(line)); }
  Task<void> close() override {
    closed = true;
    co_return Result<void>();
  }
  std::string_view name() const override { return "nats"; }
  bool connected() const override { return is_connected; }

  Listener listener;
  std::vector<std::string> told;
  bool closed = false;
  bool is_connected = true;
};

} // namespace garland
