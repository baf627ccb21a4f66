// Webhooks of a studio's CRM behind the connector "test.crm.studio". A body is {"event", "hints": [...]},
// which is what the connector makes of it, unless it is told to fail. No network, no worker.
#pragma once

#include "host/sync/testing/house.h"
#include "host/sync/waiting.h"

#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace garland::sync::testing {

// Tells that somebody has come there, and goes on when it is told to.
inline Task<void> reached(Event* here, Event* go) {
  here->set();
  co_return co_await go->wait();
}

class FakeNotices {
public:
  explicit FakeNotices(House& house);
  ~FakeNotices();
  FakeNotices(FakeNotices const&) = delete;
  FakeNotices& operator=(FakeNotices const&) = delete;

  // Hands in a delivery about these projects; true: it had come before.
  Result<bool> send(std::string key, std::vector<std::string> which);
  Result<bool> sendBody(std::string key, std::string body);
  static std::string about(std::vector<std::string> const& projects, std::string const& kind = "crm.project");
  NewWebhook delivery(std::string key, std::string body) const;

  // The delivery, when nothing more happens to it by itself but at a later time.
  Webhook settled(std::string const& key);
  Webhook get(std::string const& key);
  // When every hint was followed.
  void followed();
  Webhooks& webhooks() { return house_.engine->webhooks(); }

  std::string vendor;
  std::string connection;
  FakeProvider& projects; // what the CRM has

  std::deque<Error> errors;                             // how the next readings end
  std::function<Task<void>(runtime::CallHost*)> during; // each reading
  std::vector<std::string> read;                        // bodies, in their order
  json::value last_input;

private:
  Task<json::value> parse(runtime::Call call, runtime::CallHost* host);

  House& house_;
};

} // namespace garland::sync::testing
