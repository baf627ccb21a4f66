// Where the deliveries of connections come to, and what verifies them. The addresses are held in memory;
// their secrets are sealed in the database, and opened for whoever verifies.
#pragma once

#include "host/sync/connections.h"

#include <functional>
#include <map>
#include <memory>
#include <string>

namespace garland::sync {

class WebhookEndpoints {
public:
  using Shared = std::shared_ptr<WebhookEndpoint const>;
  WebhookEndpoints(Context& context, Connections& connections)
      : context_(context), connections_(connections) {}

  Task<void> load(); // once, before anything else
  Shared find(std::string_view plugin_id, std::string_view name) const;
  Shared of(std::string_view connection_id) const;
  Task<WebhookKeys> keysOf(Shared endpoint);
  Task<Shared> setUp(WebhookSetup setup);
  // What another daemon has changed; of no connection: of all, and those that are gone are forgotten.
  Task<void> renew(std::string connection_id = std::string());
  // The connection is gone.
  void forget(std::string const& connection_id);
  void whenGone(std::function<void(std::string const&)> told) { gone_ = std::move(told); }

private:
  // As it is sealed.
  struct Kept {
    struct One {
      Secret secret;
      std::optional<TimePoint> until;
    };
    std::vector<One> secrets; // the newest first
    std::map<std::string, std::string, std::less<>> parameters;
  };
  Result<Kept> opened(std::string const& sealed, WebhookEndpoint const& endpoint) const;
  Result<std::string> sealedText(Kept const& kept, WebhookEndpoint const& endpoint) const;
  void change(Kept& kept, WebhookSetup& setup) const;
  Task<std::string> sealedOf(Shared endpoint);
  Task<void> save(WebhookEndpoint endpoint, std::string sealed);
  Task<void> reread(std::string connection_id);
  void keep(Shared endpoint);
  bool remove(std::string const& connection_id);

  Context& context_;
  Connections& connections_;
  std::map<std::string, std::map<std::string, Shared, std::less<>>, std::less<>>
      by_name_; // plugin -> name ->
  std::map<std::string, Shared, std::less<>> by_connection_;
  std::function<void(std::string const&)> gone_;
};

} // namespace garland::sync
