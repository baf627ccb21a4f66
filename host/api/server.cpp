// Puts the parts together: routes, their document, the router that answers, the listener.
#include "host/api/api.h"

#include "host/api/audit_watch.h"
#include "host/api/listener.h"
#include "host/api/openapi.h"
#include "host/api/own_names.h"
#include "host/api/ownership.h"
#include "host/api/permissions.h"
#include "host/api/problem.h"
#include "host/api/router.h"
#include "host/api/routes.h"
#include "host/api/sign_in.h"

namespace garland::api {

namespace {

// Answers by the router; counts and logs what was answered.
class RouterAnswerer final : public Answerer {
public:
  RouterAnswerer(Routes& routes, Router& router, Options const& options)
      : clock_(routes.dependencies().clock), log_(routes.dependencies().log),
        metrics_(routes.dependencies().metrics), routes_(routes), router_(router),
        watch_(routes.dependencies().audit) {
    guard_.api_key_hash = options.api_key_hash;
    guard_.address = options.address;
    guard_.origin = routes.dependencies().own_origin;
  }
  void listensBy(Listener const& listener) {
    listener_ = &listener;
    guard_.port = listener.port();
  }

  asio::awaitable<Outgoing> answer(Request* request, std::function<bool()> stays_open) override {
    auto const start = clock_.monotonic();
    std::string const method = request->method;
    std::string const id = request->id;
    auto match = router_.match(*request);
    std::string_view const route = match.pattern();
    Guard guard;
    if (!match.isForStrangers()) guard = guardFor(*request, guard_, listener_->identity().get());
    auto dispatching = router_.dispatch(std::move(match), request, std::move(guard));
    Response response = co_await std::move(dispatching);
    auto const took = std::chrono::duration_cast<Milliseconds>(clock_.monotonic() - start);
    metrics_.requestEnded(method, route, response.status, took);
    if (log_.writes(LogLevel::debug))
      log_.debug("request", json::object{{"request_id", id},
                                         {"method", method},
                                         {"route", route},
                                         {"status", response.status},
                                         {"took_ms", took.count()}});
    response.headers.emplace_back("x-request-id", id);
    keepToTls(response);
    if (response.stream) {
      Outgoing stream;
      stream.take_over = routes_.streams().begin(std::move(response));
      co_return stream;
    }
    co_return Outgoing(encode(response, stays_open(), method == "HEAD"));
  }

  std::string refusal(HttpFault fault, std::string request_id) override {
    ErrorKind kind = ErrorKind::invalidInput;
    if (fault.status == 413 || fault.status == 431) kind = ErrorKind::hostLimit;
    if (fault.status == 503 || fault.status == 408) kind = ErrorKind::transient;
    Error error(kind, std::move(fault.message));
    if (fault.status == 503) error.retry_after = Milliseconds(1000);
    metrics_.requestEnded("", "", fault.status, Milliseconds(0));
    auto response = problem(error, request_id, fault.status);
    keepToTls(response);
    return encode(response, false, false);
  }

  void turnedAway(std::string const& peer) override { watch_.turnedAway(placeOf(peer)); }

private:
  // Whoever came by TLS once does not come in the clear for a year.
  void keepToTls(Response& response) const {
    if (listener_->identity()) response.headers.emplace_back("strict-transport-security", "max-age=31536000");
  }

  Clock& clock_;
  Log const& log_;
  Metrics& metrics_;
  Routes& routes_;
  Router& router_;
  AuditWatch watch_;
  Listener const* listener_ = nullptr; // outlives every request
  Guard guard_;
};

// Everybody who stands at the door.
struct Door {
  explicit Door(Dependencies const& with)
      : watch(with.audit), sign_in(with.clock, with.keys, &watch, with.sessions, with.oidc.public_url),
        ownership(with.engine, with.notifier) {}
  AuditWatch watch;
  SignIn sign_in;
  Ownership ownership;
};

class HttpServer final : public Server {
public:
  HttpServer(std::unique_ptr<Routes> routes, std::unique_ptr<Door> door, Router router, std::string address)
      : routes_(std::move(routes)), door_(std::move(door)),
        router_(std::make_unique<Router>(std::move(router))), address_(std::move(address)) {}
  ~HttpServer() override {
    if (listener_) refuse();
  }

  Result<void> listen(Options options) {
    auto const& with = routes_->dependencies();
    Surroundings surroundings{with.executor, with.clock, with.random, with.log};
    auto answerer = std::make_shared<RouterAnswerer>(*routes_, *router_, options);
    auto listener = std::make_shared<Listener>(surroundings, std::move(options), answerer);
    TRY_VOID(listener->listen());
    answerer->listensBy(*listener);
    listener_ = std::move(listener);
    routes_->listensOn([watched = listener_.get()] { return watched->port(); });
    routes_->countConnections([watched = listener_.get()] { return watched->open(); });
    listener_->run();
    return {};
  }

  unsigned short port() const override { return listener_->port(); }
  std::string address() const override { return address_; }
  std::string url() const override {
    return routes_->dependencies().own_origin + ":" + std::to_string(port());
  }
  Result<void> renewCertificate() override { return listener_->renewCertificate(); }
  void refuse() override {
    routes_->streams().stop();
    listener_->refuse();
  }

  Task<void> stop() override {
    refuse();
    auto draining = listener_->drain();
    bool const all_out = co_await std::move(draining);
    if (all_out) co_return Result<void>();
    co_return Error(ErrorKind::transient,
                    "some answers were not finished within the drain time and were cut off");
  }

private:
  std::unique_ptr<Routes> routes_;
  std::unique_ptr<Door> door_;
  std::unique_ptr<Router> router_;
  std::string address_;
  std::shared_ptr<Listener> listener_;
};

} // namespace

Task<std::unique_ptr<Server>> Server::start(Dependencies dependencies, Options options) {
  auto const version = dependencies.version;
  auto const record_schemas = dependencies.record_schemas;
  Log const& log = dependencies.log;
  CO_TRY(origin, ownOrigin(options));
  dependencies.own_origin = std::move(origin);
  auto routes = std::make_unique<Routes>(std::move(dependencies), options.wait_limit, options.streams);
  auto table = routes->table();
  CO_TRY(document, openApiDocument(table, version, record_schemas));
  json::object components;
  components["components"] = document.at("components");
  auto matrix = roleMatrix(table);
  auto door = std::make_unique<Door>(routes->dependencies());
  Doorkeepers const keepers{door->sign_in, door->ownership, &door->watch};
  CO_TRY(router, Router::create(std::move(table), components, log, keepers));
  routes->serveDocument(json::serialize(document));
  routes->serveRoles(std::move(matrix));
  auto server =
      std::make_unique<HttpServer>(std::move(routes), std::move(door), std::move(router), options.address);
  CO_TRY_VOID(server->listen(std::move(options)));
  co_return std::unique_ptr<Server>(std::move(server));
}

} // namespace garland::api
