// A vendor with one connected bank: what tests of actions begin with.
#pragma once

#include "host/sync/testing/fake_bank.h"
#include "host/sync/waiting.h"

#include <chrono>
#include <functional>
#include <stdexcept>
#include <string>

namespace garland::sync::testing {

class OneBank : public ::testing::Test {
protected:
  void SetUp() override { house.run(house.engine->start()).value(); }
  Actions& actions() { return house.engine->actions(); }

  ActionRequest request(std::string operation, std::string key = "invoice-7", int amount = 1200) {
    ActionRequest request;
    request.connection_id = connection;
    request.operation = std::move(operation);
    request.key = std::move(key);
    request.input = json::object{{"amount", amount}};
    return request;
  }
  std::string accept(std::string const& operation, std::string const& key = "invoice-7") {
    return house.run(actions().accept(request(operation, key))).value().action.id;
  }
  Action get(std::string const& id) { return house.run(actions().one(id)).value(); }
  Action until(std::string const& id, std::function<bool(Action const&)> const& holds) {
    auto const give_up = std::chrono::steady_clock::now() + kPatience;
    for (;;) {
      auto action = get(id);
      if (holds(action)) return action;
      if (std::chrono::steady_clock::now() > give_up)
        throw std::runtime_error("it stays " + std::string(name(action.state)) + ", waiting for " +
                                 action.waits_for);
    }
  }
  // It was tried or looked up, and is to be again.
  Action later(std::string const& id) {
    return until(id,
                 [this](Action const& a) { return a.next_attempt && *a.next_attempt > house.clock.now(); });
  }
  // One action alone: the schedule of syncs sleeps, and the loop that does actions.
  void comesDue(Action const& action) {
    while (house.clock.sleepers() < 2) house.loop.run_one();
    house.clock.advance(*action.next_attempt - house.clock.now());
  }
  static Task<void> reached(Event* here, Event* go) {
    here->set();
    co_return co_await go->wait();
  }
  static Error limited(Milliseconds retry_after) {
    Error error(ErrorKind::rateLimited, "too many requests");
    error.http_status = 429;
    error.retry_after = retry_after;
    return error;
  }

  House house;
  FakeBank bank{house};
  std::string vendor = house.vendor();
  std::string connection = house.connect(vendor, "bank");
};

} // namespace garland::sync::testing
