// Takes deliveries in and has them read: for each connection one after another, some of them in one commit
// with what they are about. [loop thread]
#pragma once

#include "host/sync/hint_courier.h"
#include "host/sync/webhook_endpoints.h"
#include "host/sync/webhook_inbox.h"

#include <map>
#include <string>
#include <vector>

namespace garland::sync {

class WebhookRunner final : public Webhooks {
public:
  WebhookRunner(Context& context, Connections& connections, AuditTrail& audit, Runs& runs);

  std::shared_ptr<WebhookEndpoint const> find(std::string_view plugin_id, std::string_view name) override {
    return endpoints_.find(plugin_id, name);
  }
  std::shared_ptr<WebhookEndpoint const> endpointOf(std::string_view connection_id) override {
    return endpoints_.of(connection_id);
  }
  Task<WebhookKeys> keysOf(std::shared_ptr<WebhookEndpoint const> endpoint) override {
    return endpoints_.keysOf(std::move(endpoint));
  }
  Task<std::shared_ptr<WebhookEndpoint const>> setUp(WebhookSetup setup) override {
    return endpoints_.setUp(std::move(setup));
  }
  Task<bool> accept(NewWebhook webhook) override { return inbox_.add(std::move(webhook)); }
  Task<Webhook> one(std::string id) override { return store_.one(std::move(id)); }
  Task<WebhookContent> contentOf(std::string id) override { return store_.contentOf(std::move(id)); }
  Task<std::vector<Webhook>> list(WebhookQuery query) override { return store_.list(std::move(query)); }
  Task<WebhookCounts> counts() override { return store_.counts(); }
  Task<Webhook> replay(std::string id) override;
  Task<std::int64_t> replayRange(WebhookRange range) override;
  Task<Webhook> drop(std::string id, std::string why) override;
  void whenGone(std::function<void(std::string const&)> told) override {
    endpoints_.whenGone(std::move(told));
  }

  Task<void> start();
  // After Context::stopping is set.
  Task<void> stop();
  // Its address may be another one by now; of no connection: each may.
  Task<void> renew(std::string connection_id) { return endpoints_.renew(std::move(connection_id)); }
  // What waits is tried now, since its connector may be there again.
  Task<void> wake();
  void wake(Owner const& owner);
  // A net for what nobody was told of, such as a commit of which nobody knows whether it was made; and what
  // is long done is forgotten. Called often, it does something now and then.
  Task<void> tick();

  // While it lives nothing of this connection is read, and no hint of it is followed.
  class Closing {
  public:
    Closing(WebhookRunner& runner, Owner const& owner)
        : reading_(runner.rounds_, roundName(owner)), following_(runner.courier_.rounds(), roundName(owner)) {
    }

  private:
    Rounds::Hold reading_;
    Rounds::Hold following_;
  };
  // Answers when nothing of it is under way. Under a Closing, or when it is another daemon's.
  Task<void> quiet(Owner owner);
  // The connection is gone, and its rows with it.
  void forget(Owner const& owner);

private:
  struct Parsed {
    std::string event;
    std::vector<Hint> hints;
  };
  Task<std::optional<TimePoint>> round(std::string name);
  Task<std::optional<TimePoint>> cannotOpen(Owner owner, Error error);
  void cameIn(Owner const& owner);
  Task<void> readAll(Owner owner, Session const* session, std::vector<DueWebhook> due);
  bool givesWay(Owner const& owner) const;
  Task<Parsed> parse(Session const* session, DueWebhook const* due);
  Result<Parsed> checked(Session const& session, json::value const& output) const;
  // What became of one delivery, and what it is about.
  struct Read {
    Webhook webhook;
    std::vector<Hint> hints;
  };
  Read settled(Webhook webhook, Result<Parsed> parsed) const;
  Task<void> save(Owner owner, std::vector<Read> all);
  Task<void> saveEach(Owner owner, std::vector<Read> all);
  Task<void> catchUp();
  Task<void> sweep();

  Context& context_;
  Connections& connections_;
  AuditTrail& audit_;
  WebhookStore store_;
  WebhookEndpoints endpoints_;
  HintCourier courier_;
  Rounds rounds_;
  WebhookInbox inbox_;
  // By the round's name: nobody can read it before then, unless somebody wakes it. What comes in meanwhile
  // would ask the database again with each commit.
  std::map<std::string, TimePoint> away_;
  Monotonic next_tick_{};
};

} // namespace garland::sync
