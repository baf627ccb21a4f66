// Endpoints and deliveries in memory; reads nothing.
#pragma once

#include "host/base/ids.h"
#include "host/sync/sync.h"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

namespace garland::api::testing {

class FakeWebhooks final : public sync::Webhooks {
public:
  FakeWebhooks(Clock& clock, Random& random) : clock_(clock), random_(random) {}
  using Endpoint = std::shared_ptr<sync::WebhookEndpoint const>;

  Endpoint find(std::string_view plugin, std::string_view name) override {
    for (auto const& [connection, endpoint] : endpoints)
      if (endpoint->plugin_id == plugin && endpoint->name == name) return endpoint;
    return nullptr;
  }
  Endpoint endpointOf(std::string_view connection_id) override {
    auto const found = endpoints.find(connection_id);
    return found == endpoints.end() ? nullptr : found->second;
  }
  Task<sync::WebhookKeys> keysOf(Endpoint endpoint) override {
    ++keys_asked;
    sync::WebhookKeys keys;
    for (auto const& secret : secrets[endpoint->connection_id]) keys.secrets.emplace_back(secret);
    keys.parameters = parameters[endpoint->connection_id];
    if (auto const happens = std::exchange(while_read, nullptr)) happens();
    co_return keys;
  }
  Task<Endpoint> setUp(sync::WebhookSetup setup) override {
    auto& kept = endpoints[setup.connection_id];
    auto next = std::make_shared<sync::WebhookEndpoint>();
    if (kept) *next = *kept;
    if (!kept) {
      next->vendor_id = newId("ven", clock_, random_);
      next->connection_id = setup.connection_id;
      next->plugin_id = plugin_id;
      next->name = newId("whe", clock_, random_);
      next->created = clock_.now();
    }
    ++next->revision;
    if (!setup.name.empty()) next->name = setup.name;
    auto& live = secrets[setup.connection_id];
    if (setup.secret && !setup.rotate) live.clear();
    if (setup.secret) live.insert(live.begin(), std::string(setup.secret->reveal()));
    if (setup.parameters) parameters[setup.connection_id] = *setup.parameters;
    kept = next;
    co_return Endpoint(next);
  }
  Task<bool> accept(sync::NewWebhook webhook) override {
    if (refuse) co_return *refuse;
    bool known = false;
    for (auto const& one : accepted)
      known = known || (one.key == webhook.key && one.connection_id == webhook.connection_id);
    sync::Webhook row;
    row.id = newId("whk", clock_, random_);
    row.vendor_id = webhook.vendor_id;
    row.connection_id = webhook.connection_id;
    row.key = webhook.key;
    row.bytes = static_cast<std::int64_t>(webhook.body.size());
    row.received = clock_.now();
    row.next_attempt = row.received;
    if (!known) all[row.id] = row;
    accepted.push_back(std::move(webhook));
    co_return known;
  }
  Task<sync::Webhook> one(std::string id) override {
    auto const found = all.find(id);
    if (found == all.end()) co_return Error(ErrorKind::notFound, "there is no webhook " + id);
    co_return found->second;
  }
  Task<sync::WebhookContent> contentOf(std::string id) override {
    CO_TRY(webhook, co_await one(id));
    sync::WebhookContent content;
    for (auto const& each : accepted)
      if (each.key == webhook.key) {
        content.shown = parseJson(each.shown).value();
        content.body = each.body;
      }
    co_return content;
  }
  Task<std::vector<sync::Webhook>> list(sync::WebhookQuery query) override {
    std::vector<sync::Webhook> out;
    for (auto const& [id, webhook] : all) {
      bool const wanted = id > query.after_id && (!query.state || webhook.state == *query.state) &&
                          (query.vendor_id.empty() || webhook.vendor_id == query.vendor_id);
      if (wanted && std::ssize(out) < query.limit) out.push_back(webhook);
    }
    co_return out;
  }
  Task<sync::WebhookCounts> counts() override {
    sync::WebhookCounts counts;
    for (auto const& [id, webhook] : all) {
      counts.waiting += webhook.state == sync::WebhookState::waiting ? 1 : 0;
      counts.dead += webhook.state == sync::WebhookState::dead ? 1 : 0;
    }
    co_return counts;
  }
  Task<sync::Webhook> replay(std::string id) override {
    CO_TRY_VOID(co_await one(id));
    all[id].state = sync::WebhookState::waiting;
    co_return all[id];
  }
  Task<std::int64_t> replayRange(sync::WebhookRange range) override {
    last_range = std::move(range);
    co_return std::ssize(all);
  }
  Task<sync::Webhook> drop(std::string id, std::string why) override {
    CO_TRY_VOID(co_await one(id));
    all[id].state = sync::WebhookState::dropped;
    all[id].reason = std::move(why);
    all[id].finished = clock_.now();
    co_return all[id];
  }

  void whenGone(std::function<void(std::string const&)> told) override { gone = std::move(told); }
  // Its connection is gone.
  void forget(std::string const& connection_id) {
    if (endpoints.erase(connection_id) > 0 && gone) gone(connection_id);
  }

  std::string plugin_id = "garland.caldav";
  std::map<std::string, Endpoint, std::less<>> endpoints;
  std::map<std::string, std::vector<std::string>> secrets;
  std::map<std::string, std::map<std::string, std::string, std::less<>>> parameters;
  std::vector<sync::NewWebhook> accepted;
  std::map<std::string, sync::Webhook> all;
  std::optional<Error> refuse;
  sync::WebhookRange last_range;
  int keys_asked = 0;
  std::function<void()> while_read; // once, while keys are on their way
  std::function<void(std::string const&)> gone;

private:
  Clock& clock_;
  Random& random_;
};

} // namespace garland::api::testing
