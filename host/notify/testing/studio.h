// A vendor with an engine, a database and a notifier, on a virtual clock; what is sent ends in a list.
#pragma once

#include "host/notify/notify.h"
#include "host/sync/testing/house.h"
#include "host/webhooks/webhooks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace garland::notify::testing {

using namespace std::chrono_literals;

// Knows when nothing is under way, and can be cut off at a chosen commit, as by the end of the process.
class WatchedStore final : public store::Store {
public:
  explicit WatchedStore(store::Store& real) : real_(real) {}
  Task<store::Rows> read(store::Statement statement) override {
    if (dead) co_return gone();
    ++under_way;
    auto rows = co_await real_.read(std::move(statement));
    --under_way;
    co_return rows;
  }
  Task<std::vector<store::Rows>> commit(store::Unit unit) override {
    if (dead) co_return gone();
    if (auto const meanwhile = std::exchange(before_commit, nullptr)) {
      auto doing = meanwhile();
      auto const changed = co_await std::move(doing);
      EXPECT_TRUE(changed);
    }
    bool const last = ++commits == cut_at;
    dead = last;
    if (last && !applied_first) co_return gone();
    ++under_way;
    auto done = co_await real_.commit(std::move(unit));
    --under_way;
    if (last) co_return gone();
    co_return done;
  }
  Task<void> close() override { co_return Result<void>(); }
  std::string_view driver() const override { return real_.driver(); }

  std::function<Task<Endpoint>()> before_commit; // somebody is quicker than the next commit; once
  int under_way = 0;
  int commits = 0;
  int cut_at = 0; // 0: never
  bool applied_first = false;
  bool dead = false;

private:
  static Error gone() { return {ErrorKind::cancelled, "the store is gone"}; }
  store::Store& real_;
};

struct Studio {
  Studio() {
    store::Unit unit;
    for (auto const& migration : migrations()) {
      std::string_view rest = migration.sql;
      for (auto end = rest.find(";\n"); !rest.empty(); end = rest.find(";\n")) {
        unit.emplace_back(std::string(rest.substr(0, end)));
        rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 2);
      }
    }
    house.run(house.store->commit(std::move(unit))).value();
    vendor = house.vendor();
    house.egress.answer = [this](egress::Request const& request) { return answer(request); };
    open();
  }
  ~Studio() { close(); }

  void open() {
    store = std::make_unique<WatchedStore>(*house.store);
    Dependencies with{house.loop.get_executor(),
                      house.clock,
                      house.random,
                      house.log,
                      *store,
                      *house.vault,
                      *house.book,
                      *client,
                      *house.engine,
                      {"calendar.event", "crm.client"}};
    with.limits = limits;
    with.on_outcome = [this](std::string_view outcome) { outcomes.emplace_back(outcome); };
    notifier = Notifier::create(std::move(with));
    house.engine->onChange(this, [this](std::string const& id) { notifier->changed(id); });
    house.run(notifier->start()).value();
    settle();
  }
  void deafen() { house.engine->onChange(this, nullptr); }
  void close() {
    deafen();
    if (notifier) house.run(notifier->stop()).value();
    notifier.reset();
  }
  // The daemon is killed and started again.
  void restart() {
    store->dead = true;
    close();
    settle();
    open();
  }

  bool isBusy() const { return store->under_way > 0 || house.cut->under_way > 0; }
  // Until nothing goes on by itself at this moment.
  void settle() {
    auto const end = std::chrono::steady_clock::now() + 30s;
    do {
      house.loop.restart();
      if (house.loop.poll() == 0 && isBusy()) house.loop.run_one_for(100ms);
      ASSERT_LT(std::chrono::steady_clock::now(), end) << "it never comes to rest";
    } while (house.loop.poll() > 0 || isBusy());
  }
  void wait(Milliseconds span, Milliseconds step = 2s) {
    for (auto left = span; left > 0ms; left -= step) {
      house.clock.advance(std::min(step, left));
      settle();
    }
  }

  std::string addEvent(std::string const& uid) {
    auto adding = house.engine->addRecord(vendor, "calendar.event", sync::testing::event(uid, "Wedding"), "");
    auto const id = house.run(std::move(adding)).value().id;
    settle();
    return id;
  }
  void editEvent(std::string const& record, std::string const& uid, std::string const& title) {
    auto editing = house.engine->putRecord(vendor, record, sync::testing::event(uid, title), 0);
    house.run(std::move(editing)).value();
    settle();
  }
  WithSecret addEndpoint(NewEndpoint endpoint = {}) {
    endpoint.vendor_id = vendor;
    if (endpoint.url.empty()) endpoint.url = "https://studio.example/hooks?key=sesame";
    auto made = house.run(notifier->add(std::move(endpoint))).value();
    settle();
    return made;
  }
  Endpoint endpoint(std::string const& id) { return house.run(notifier->one(id)).value(); }
  std::vector<Delivery> deliveries(std::string const& id) {
    DeliveryQuery query;
    query.endpoint_id = id;
    return house.run(notifier->deliveries(query)).value();
  }

  // Of each request, in order.
  std::vector<egress::Request> const& sent() const { return house.egress.requests; }
  static std::string header(egress::Request const& request, std::string_view name) {
    for (auto const& each : request.headers)
      if (each.name == name) return each.value;
    return {};
  }
  static std::int64_t sequenceOf(egress::Request const& request) {
    return integerOr(parseJson(request.body).value(), "/data/sequence", 0);
  }
  std::vector<std::int64_t> sequences() const {
    std::vector<std::int64_t> all;
    for (auto const& request : sent()) all.push_back(sequenceOf(request));
    return all;
  }
  bool verifies(egress::Request const& request, Secret const& secret) const {
    webhooks::Request received;
    for (auto const& each : request.headers) received.headers.emplace_back(each.name, each.value);
    received.body = request.body;
    webhooks::Keys keys;
    keys.secrets.push_back(secret.clone());
    return webhooks::verify(webhooks::Scheme::named("standard-webhooks").value(), received, keys, house.clock)
        .accepted();
  }

  static egress::Response status(int code) {
    egress::Response response;
    response.status = code;
    return response;
  }

  sync::testing::House house;
  std::string vendor;
  Limits limits;
  egress::Client* client = &house.egress;
  std::vector<std::string> outcomes;
  std::function<Result<egress::Response>(egress::Request const&)> answer = [](egress::Request const&) {
    return status(204);
  };
  std::unique_ptr<WatchedStore> store;
  std::unique_ptr<Notifier> notifier;
};

} // namespace garland::notify::testing
