// A vendor with one studio whose provider tells by itself what has changed, and three projects there.
#pragma once

#include "host/sync/sql.h"
#include "host/sync/testing/fake_notices.h"

#include <chrono>
#include <functional>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

namespace garland::sync::testing {

class WithNotices : public ::testing::Test {
protected:
  House house;
  FakeNotices notices{house};

  void SetUp() override {
    house.run(house.engine->start()).value();
    for (auto const* id : {"1", "2", "3"}) putProject(id, "Project " + std::string(id));
  }
  void putProject(std::string const& id, std::string const& name) {
    notices.projects.put(id, json::object{{"name", name}, {"stage", "lead"}});
  }
  std::multiset<std::string> names() {
    std::multiset<std::string> found;
    for (auto const& record : house.records(notices.vendor)) found.insert(textOr(record.data, "/name", ""));
    return found;
  }
  Task<void> comeAgain(std::optional<Result<bool>>* known) {
    *known = co_await notices.webhooks().accept(again());
    co_return Result<void>();
  }
  Task<void> twoMore(std::string body) {
    CO_TRY_VOID(co_await notices.webhooks().accept(notices.delivery("id 2", body)));
    CO_TRY_VOID(co_await notices.webhooks().accept(notices.delivery("id 3", body)));
    co_return Result<void>();
  }
  NewWebhook again() const { return notices.delivery("bytes x", FakeNotices::about({"1"})); }
  void until(std::function<bool()> const& done) {
    auto const give_up = std::chrono::steady_clock::now() + kPatience;
    while (!done())
      if (std::chrono::steady_clock::now() > give_up) throw std::runtime_error("it does not come");
  }
  void commit(std::string sql) { house.run(write(&house, std::move(sql))).value(); }
  // The next commit is another one, by itself, and is told as lost: what becomes of a commit whose answer
  // is lost, whatever was in it.
  void loseTheAnswerOf(std::vector<std::string> statements) {
    house.cut->before_commit = [this, statements] { return lost(&house, statements); };
  }
  static Task<void> write(House* house, std::string sql) {
    store::Unit unit;
    unit.emplace_back(std::move(sql), Values{});
    CO_TRY_VOID(co_await house->store->commit(std::move(unit)));
    co_return Result<void>();
  }
  static Task<void> lost(House* house, std::vector<std::string> statements) {
    for (auto const& sql : statements) {
      CO_TRY_VOID(co_await write(house, sql));
    }
    Error error(ErrorKind::transient, "the connection to the database was lost");
    error.effect = Effect::unknown;
    co_return error;
  }
  std::string rowOf(std::string const& key, std::string const& id = "1") const {
    return "INSERT INTO webhooks (vendor_id,connection_id,dedupe_key,webhook_id,received,shown,body,bytes,"
           "next_attempt) VALUES ('" +
           notices.vendor + "','" + notices.connection + "','" + key + "','whk_1',0,'{}',CAST('" +
           FakeNotices::about({id}) + "' AS " + (house.store->driver() == "sqlite" ? "BLOB" : "BYTEA") +
           "),1,0)";
  }
  std::string hintOf(std::string const& kind, std::string const& id) const {
    return "INSERT INTO hints (vendor_id,connection_id,kind,external_id,stamp) VALUES ('" + notices.vendor +
           "','" + notices.connection + "','" + kind + "','" + id + "','whk_0/0')";
  }
  // Once no round is under way that began while it was switched on.
  void switchOff() {
    for (int i = 0; i < 50; ++i) house.rows("SELECT 1"); // time enough for one
    house.run(house.engine->disablePlugin(notices.vendor, "test.crm.studio")).value();
  }
  // It waits for a later attempt: its time comes.
  Webhook comesDue(Webhook const& webhook) {
    while (house.clock.sleepers() < 2) house.loop.run_one();
    house.clock.advance(*webhook.next_attempt - house.clock.now());
    return notices.settled(webhook.key);
  }
};

} // namespace garland::sync::testing
