// Health, metrics, the document itself, and what the sandbox of this machine is worth.
#include "host/api/routes.h"
#include "host/api/shapes.h"
#include "host/base/bundled.h"

#include <algorithm>

namespace garland::api {

namespace {

constexpr std::chrono::hours kRenewalTime{14 * 24}; // a certification that ends sooner is a trouble

} // namespace

Handler Routes::bind(Method method) {
  return [this, method](Request request) { return (this->*method)(std::move(request)); };
}

std::function<void(Route, Routes::Method)> Routes::adder(std::vector<Route>& table) {
  return [this, &table](Route route, Method method) {
    route.handler = bind(method);
    table.push_back(std::move(route));
  };
}

std::vector<Route> Routes::table() {
  std::vector<Route> routes;
  addSystemRoutes(routes);
  addVendorRoutes(routes);
  addConnectionRoutes(routes);
  addAuthorizeRoutes(routes);
  addSyncRoutes(routes);
  addActionRoutes(routes);
  addIntakeRoutes(routes);
  addMailboxRoutes(routes);
  addWebhookRoutes(routes);
  addEndpointRoutes(routes);
  addImportRoutes(routes);
  addStreamRoutes(routes);
  addVaultRoutes(routes);
  addBackupRoutes(routes);
  addAuditRoutes(routes);
  addKeyRoutes(routes);
  addSignInRoutes(routes);
  addPrivacyRoutes(routes);
  addRecordRoutes(routes);
  return routes;
}

void Routes::addSystemRoutes(std::vector<Route>& table) {
  Route health{"GET", "/health", "getHealth", "Whether the daemon works, and how well it is protected."};
  health.answer = "Health";
  health.handler = bind(&Routes::health);
  health.open = true;
  table.push_back(health);

  Route metrics{"GET", "/metrics", "getMetrics", "Counters for Prometheus, in its text format."};
  metrics.handler = bind(&Routes::metrics);
  metrics.answer_type = "text/plain";
  table.push_back(metrics);

  Route document{"GET", "/openapi.json", "getDocument", "This document."};
  document.answer = "Document";
  document.handler = bind(&Routes::document);
  document.open = true;
  table.push_back(document);

  Route sandbox{"GET", "/api/integrations/sandbox", "getSandbox",
                "The sandbox tier of this machine, and the workers that run in it."};
  sandbox.answer = "Sandbox";
  sandbox.handler = bind(&Routes::sandbox);
  table.push_back(sandbox);

  Route nodes{"GET", "/api/integrations/nodes", "listNodes",
              "The daemons that share the database, or did of late; none if this one is alone on it."};
  nodes.answer = "NodeList";
  nodes.handler = bind(&Routes::listNodes);
  table.push_back(nodes);
}

std::vector<std::string> Routes::troubledPlugins() const {
  auto const workers = with_.supervisor.workers();
  std::vector<std::string> out;
  for (auto const& plugin : with_.catalogue.plugins()) {
    PluginView const view{plugin, with_.supervisor.standing(plugin), workers};
    auto const state = view.state();
    if (state == "quarantined" || state == "half open") out.push_back(plugin.manifest.id + " is " + state);
    auto const& expires = view.standing.provenance.expires;
    if (view.standing.runs && expires && *expires - with_.clock.now() < kRenewalTime)
      out.push_back(plugin.manifest.id + " is certified until " + rfc3339(*expires).substr(0, 10) + " only");
  }
  return out;
}

std::vector<std::string> Routes::uncertifiedPlugins() const {
  auto const workers = with_.supervisor.workers();
  std::vector<std::string> out;
  for (auto const& plugin : with_.catalogue.plugins()) {
    PluginView const view{plugin, with_.supervisor.standing(plugin), workers};
    bool const certified = view.standing.provenance.kind == runtime::Provenance::Kind::certified;
    if (view.standing.runs && !certified) out.push_back(plugin.manifest.id + ": " + view.certified());
  }
  // A stranger's stands before the many that came with Garland.
  std::ranges::sort(out, {}, [](auto const& line) { return std::pair(isBundled(line), line); });
  return out;
}

// Open to whoever reaches the daemon, so it names no reasons, paths or vendors.
Task<Response> Routes::health(Request) {
  CO_TRY(items, co_await with_.engine.intake().counts(std::string()));
  CO_TRY(webhooks, co_await with_.engine.webhooks().counts());
  notify::Counts endpoints;
  if (with_.notifier != nullptr) {
    CO_TRY(counts, co_await with_.notifier->counts());
    endpoints = counts;
  }
  auto const troubles = troubledPlugins();
  bool const degraded = with_.sandbox.tier == runtime::SandboxTier::d || !troubles.empty();
  json::object body;
  body["status"] = degraded ? "degraded" : "ok";
  body["troubles"] = json::array(troubles.begin(), troubles.end());
  auto const uncertified = uncertifiedPlugins();
  body["uncertified"] = json::array(uncertified.begin(), uncertified.end());
  body["version"] = with_.version;
  body["database"] = with_.database_driver;
  body["sandbox_tier"] = runtime::name(with_.sandbox.tier);
  body["sandbox_covers"] = runtime::coverage(with_.sandbox.tier);
  body["intake"] = json::object{{"waiting", items.waiting}, {"review", items.review}};
  body["webhooks"] = json::object{
      {"waiting", webhooks.waiting}, {"dead", webhooks.dead}, {"refused", webhook_door_.refusals().count()}};
  body["endpoints"] = json::object{{"waiting", endpoints.waiting}, {"disabled", endpoints.disabled}};
  co_return Response(200, body);
}

// Not open: by the outcomes of webhooks a stranger would tell whether an endpoint is there.
Task<Response> Routes::metrics(Request) {
  Gauges gauges;
  gauges.workers = with_.supervisor.workers();
  gauges.open_connections = open_connections_ ? open_connections_() : 0;
  gauges.streams = stream_door_.figures();
  gauges.load = with_.engine.load();
  if (with_.carrier != nullptr) gauges.carrier_connected = with_.carrier->connected();
  Response response(200);
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  response.body = with_.metrics.render(gauges);
  co_return response;
}

Task<Response> Routes::document(Request) {
  Response response(200);
  response.content_type = "application/json";
  response.body = document_;
  co_return response;
}

Task<Response> Routes::sandbox(Request) {
  auto const workers = with_.supervisor.workers();
  json::object list = listOf(workers);
  json::object body;
  body["sandbox"] = runtime::toJson(with_.sandbox);
  body["workers"] = std::move(list["items"]);
  co_return Response(200, body);
}

Task<Response> Routes::listNodes(Request) {
  CO_TRY(nodes, co_await with_.engine.nodes());
  auto body = listOf(nodes);
  if (with_.carrier != nullptr)
    body["carrier"] =
        json::object{{"name", with_.carrier->name()}, {"connected", with_.carrier->connected()}};
  co_return Response(200, body);
}

} // namespace garland::api
