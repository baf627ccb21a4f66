// The door for webhooks: requests of providers to /api/integrations/webhook/SYSTEM/ENDPOINT. Whose is it, is
// it genuine, did it come before; then it is durable, and only then answered. No API key: the signature is
// the key. Nobody is told which endpoints there are: a name that nobody has is judged with a secret that
// nobody has.
#pragma once

#include "host/api/api.h"
#include "host/api/hooks.h"
#include "host/api/http.h"
#include "host/api/provider_fetch.h"
#include "host/api/refused_webhooks.h"
#include "host/webhooks/webhooks.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace garland::api {

// [loop thread]
class WebhookDoor {
public:
  explicit WebhookDoor(Dependencies const& with);
  ~WebhookDoor();
  WebhookDoor(WebhookDoor const&) = delete;
  WebhookDoor& operator=(WebhookDoor const&) = delete;

  Task<Response> take(Request request, unsigned short port);
  std::string urlOf(sync::WebhookEndpoint const& endpoint, unsigned short port) const;
  RefusedWebhooks& refusals() { return refusals_; }

private:
  // What verifies the requests of one endpoint, open in memory.
  struct Ring {
    std::int64_t revision = 0;
    std::optional<TimePoint> until; // then it is read again
    webhooks::Keys keys;
  };
  // How a connector's deliveries are judged, read once from its manifest.
  struct Way {
    explicit Way(webhooks::Scheme scheme_in) : scheme(std::move(scheme_in)) {}
    webhooks::Scheme scheme;
    std::string digest;               // of the build that it was read from
    std::shared_ptr<Ring const> ring; // nobody's: secrets and parameters that fit nothing
    json::value endpoint;             // where the endpoint's name stands; null: in the address
    json::value delivery_id;          // where the delivery's id stands; null: nowhere
    std::vector<std::string> headers; // that the connector may see
    std::vector<std::string> query;
  };
  // One request on its way in.
  struct Visit {
    std::string system; // the connector's id; "none" if there is no such
    std::shared_ptr<Way const> way;
    std::shared_ptr<sync::WebhookEndpoint const> endpoint; // null: nobody's
    std::shared_ptr<Ring const> ring;
    std::string certificate_url;            // "": the scheme uses none, or it was refused before
    ProviderFetch::Certificate certificate; // what was found there
    webhooks::Request sent;
    std::string packed; // the body as it came, once what is in it is the body of `sent`
    std::string request_id;
    std::vector<std::pair<std::string, std::string>> query;
  };
  using Shared = std::shared_ptr<Visit>;

  void forget(std::string const& connection_id);
  std::shared_ptr<Way const> wayOf(runtime::PluginInfo const* plugin);
  std::shared_ptr<Way> newWay(webhooks::Scheme scheme);
  std::shared_ptr<Ring const> knownRing(Visit const& visit) const;
  Task<std::shared_ptr<Ring const>> openRing(std::shared_ptr<sync::WebhookEndpoint const> endpoint);
  Shared visitOf(Request& request, unsigned short port);
  Task<void> certify(Shared visit);
  void trust(Visit const& visit);
  Task<void> follow(Shared visit, webhooks::Response* answer);
  Task<void> confirm(Shared visit, std::string url);
  std::optional<Response> unpack(Visit& visit);
  sync::NewWebhook toKeep(Visit& visit, std::string once_key) const;
  Result<Response> keptAs(Visit const& visit, Result<bool> const& known);
  Error unreadable(Visit const& visit, Error const& why);
  Error later(Visit const& visit, std::string_view outcome, std::string const& sentence);
  void countRefused(Visit const& visit, std::string_view reason);
  Error refused(Visit const& visit, std::string_view reason, std::string const& sentence);
  std::string keyFor(Visit const& visit, std::string once_key) const;

  Dependencies const& with_;
  std::shared_ptr<Way const> nobodys_way_;
  std::map<std::string, std::shared_ptr<Way const>, std::less<>> ways_;   // by the connector's id
  std::map<std::string, std::shared_ptr<Ring const>, std::less<>> rings_; // by connection
  ProviderFetch provider_;
  RefusedWebhooks refusals_;
  HookRate told_; // how often the log tells of what was refused, by system
};

} // namespace garland::api
