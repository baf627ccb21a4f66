// An audit chain in memory: keeps what it is told and binds nothing.
#pragma once

#include "host/audit/audit.h"

#include <string>
#include <vector>

namespace garland::api::testing {

class FakeBook final : public audit::Book {
public:
  store::Statement row(audit::Event event) override {
    told.push_back(std::move(event));
    return store::Statement("SELECT 1");
  }
  void note(audit::Event event) override { told.push_back(std::move(event)); }
  Task<void> write(audit::Event event) override {
    if (fails) co_return Error(ErrorKind::hostLimit, "the disk is full");
    told.push_back(std::move(event));
    co_return Result<void>();
  }
  std::string pseudonym(std::string_view) const override { return "psn_" + std::string(32, '0'); }
  Result<std::string> sign(std::string_view, std::string_view) const override { return std::string(64, 's'); }
  Task<void> seal() override {
    last = audit::Mark{last.number + 1, std::string(64, 'a')};
    co_return Result<void>();
  }
  audit::State state() const override {
    return audit::State{"ed25519:" + std::string(64, 'b'), "aud_1", last};
  }
  // The row after the one that is named, as long as there are some.
  Task<std::vector<audit::Row>> rows(std::string after_chain, std::int64_t after_number, int limit) override {
    std::vector<audit::Row> out;
    for (auto number = after_chain.empty() ? 0 : after_number + 1; number < count; ++number) {
      if (out.size() == static_cast<std::size_t>(limit)) break;
      out.push_back(audit::Row{"aud_1", number, R"({"act":"begin"})", std::string(32, 'h')});
    }
    co_return out;
  }
  Task<std::vector<audit::Checkpoint>> checkpoints(std::int64_t after, int limit) override {
    std::vector<audit::Checkpoint> out;
    for (auto number = after + 1; number <= last.number; ++number) {
      if (out.size() == static_cast<std::size_t>(limit)) break;
      out.push_back(audit::Checkpoint{number, "{}", std::string(64, 's')});
    }
    co_return out;
  }
  void start() override {}
  Task<void> stop() override { co_return Result<void>(); }

  std::vector<audit::Event> told;
  audit::Mark last;
  std::int64_t count = 3;
  bool fails = false;
};

} // namespace garland::api::testing
