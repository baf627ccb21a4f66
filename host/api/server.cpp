// Puts the parts together: routes, their document, the router, the listener.
#include "host/api/api.h"

#include "host/api/listener.h"
#include "host/api/openapi.h"
#include "host/api/routes.h"

namespace garland::api {

namespace {

class LoopbackServer final : public Server {
public:
  LoopbackServer(std::unique_ptr<Routes> routes, Router router, std::string address)
      : routes_(std::move(routes)), router_(std::make_unique<Router>(std::move(router))),
        address_(std::move(address)) {}
  ~LoopbackServer() override {
    if (listener_) listener_->refuse();
  }

  Result<void> listen(Options options) {
    auto const& with = routes_->dependencies();
    Surroundings surroundings{with.executor, with.clock, with.random, with.log, with.metrics, *router_};
    auto listener = std::make_shared<Listener>(surroundings, std::move(options));
    TRY_VOID(listener->listen());
    listener_ = std::move(listener);
    routes_->countConnections([watched = listener_.get()] { return watched->open(); });
    listener_->run();
    return {};
  }

  unsigned short port() const override { return listener_->port(); }
  std::string address() const override { return address_; }
  void refuse() override { listener_->refuse(); }

  Task<void> stop() override {
    auto draining = listener_->drain();
    bool const all_out = co_await std::move(draining);
    if (all_out) co_return Result<void>();
    co_return Error(ErrorKind::transient,
                    "some answers were not finished within the drain time and were cut off");
  }

private:
  std::unique_ptr<Routes> routes_;
  std::unique_ptr<Router> router_;
  std::string address_;
  std::shared_ptr<Listener> listener_;
};

} // namespace

Task<std::unique_ptr<Server>> Server::start(Dependencies dependencies, Options options) {
  auto const version = dependencies.version;
  auto const record_schemas = dependencies.record_schemas;
  Log const& log = dependencies.log;
  auto routes = std::make_unique<Routes>(std::move(dependencies), options.wait_limit);
  auto table = routes->table();
  CO_TRY(document, openApiDocument(table, version, record_schemas));
  json::object components;
  components["components"] = document.at("components");
  CO_TRY(router, Router::create(std::move(table), components, log));
  routes->serveDocument(json::serialize(document));
  auto server = std::make_unique<LoopbackServer>(std::move(routes), std::move(router), options.address);
  CO_TRY_VOID(server->listen(std::move(options)));
  co_return std::unique_ptr<Server>(std::move(server));
}

} // namespace garland::api
