// Bytes from a socket, through the parser and the router with all its checks, to an encoded answer. Webhooks
// go through the door as well: those without a signature get one that holds, which no input can make by
// itself.
#include "host/api/http_codec.h"
#include "host/api/openapi.h"
#include "host/api/ownership.h"
#include "host/api/routes.h"
#include "host/api/sign_in.h"
#include "host/api/testing/fake_engine.h"
#include "host/api/testing/signature_lines.h"
#include "host/api/testing/some_plugin.h"

#include "host/access/access.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <cstdlib>

using namespace garland;
using namespace garland::api;

namespace {

constexpr std::string_view kHooks = "/api/integrations/webhook/";
constexpr char const* kSecret = "s3cret";

std::vector<runtime::PluginInfo> aPluginWithWebhooks() {
  std::vector<runtime::PluginInfo> plugins;
  plugins.push_back(testing::somePlugin("garland.caldav", ""));
  return plugins;
}

struct World {
  World() {
    auto endpoint = std::make_shared<sync::WebhookEndpoint>();
    endpoint->vendor_id = "ven_1";
    endpoint->connection_id = "con_1";
    endpoint->plugin_id = "garland.caldav";
    endpoint->name = "acct_1";
    engine.fake_webhooks.endpoints["con_1"] = std::move(endpoint);
    engine.fake_webhooks.secrets["con_1"] = {kSecret};
    guard.api_key_hash = access::hashOf(key);
    guard.address = "127.0.0.1";
    guard.port = 7480;
    routes = std::make_unique<Routes>(Dependencies{loop.get_executor(),
                                                   clock,
                                                   random,
                                                   log,
                                                   engine,
                                                   supervisor,
                                                   catalogue,
                                                   *metrics,
                                                   {},
                                                   "0",
                                                   "sqlite",
                                                   {}},
                                      Milliseconds(1));
    routes->listensOn([] { return 7480; });
    auto table = routes->table();
    auto const document = openApiDocument(table, "0", {}).value();
    json::object components;
    components["components"] = document.at("components");
    Doorkeepers const keepers{sign_in, ownership};
    router = std::make_unique<Router>(Router::create(std::move(table), components, log, keepers).value());
  }

  std::string const key = "gk_" + std::string(43, 'A');
  asio::io_context loop{1};
  VirtualClock clock{TimePoint(Milliseconds(1'780'000'000'000))};
  SeededRandom random{1};
  Redactor redactor;
  Log log{clock, redactor, LogLevel::error, [](std::string_view) {}};
  testing::FakeEngine engine{loop.get_executor(), clock, random};
  testing::FakeSupervisor supervisor;
  runtime::Catalogue catalogue{aPluginWithWebhooks()};
  std::unique_ptr<Metrics> metrics = Metrics::create("0", "sqlite");
  Guard guard;
  SignIn sign_in{clock, nullptr, nullptr};
  Ownership ownership{engine, nullptr};
  std::unique_ptr<Routes> routes;
  std::unique_ptr<Router> router;
};

// Whether it did: then alone may the delivery be kept.
bool signWebhook(World const& world, Request& request) {
  if (!request.target.starts_with(kHooks)) return false;
  for (auto const* name : {"x-signature", "x-time"})
    if (request.header(name) != nullptr) return false;
  auto [time, signature] = testing::timeAndSignature(kSecret, request.body, world.clock.now());
  request.headers.emplace_back("x-time", std::move(time));
  request.headers.emplace_back("x-signature", std::move(signature));
  return true;
}

// A 2xx to a delivery says that it is kept, and what is kept is genuine and can be told from any other.
void judgeWebhook(World& world, std::string const& method, bool is_signed, Response const& response) {
  auto& kept = world.engine.fake_webhooks.accepted;
  if (!kept.empty() && !is_signed) std::abort();
  if (!kept.empty() && (kept.back().key.size() < 4 || kept.back().connection_id != "con_1")) std::abort();
  if (kept.empty() && method == "POST" && response.status / 100 == 2) std::abort();
  if (!kept.empty() && response.status != 200) std::abort();
  kept.clear();
  world.engine.fake_webhooks.all.clear();
}

void answer(World& world, Request request) {
  bool answered = false;
  bool const is_signed = signWebhook(world, request);
  bool const to_hooks = request.target.starts_with(kHooks);
  std::string const method = request.method;
  bool const head = request.method == "HEAD";
  auto match = world.router->match(request);
  asio::co_spawn(world.loop, world.router->dispatch(std::move(match), &request, world.guard),
                 [&](std::exception_ptr failed, Response response) {
                   if (failed || response.status < 200 || response.status > 599) std::abort();
                   if (encode(response, true, head).empty()) std::abort();
                   if (to_hooks) judgeWebhook(world, method, is_signed, response);
                   answered = true;
                 });
  world.loop.restart();
  world.loop.run();
  if (!answered) std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  static World world;
  std::string bytes(reinterpret_cast<char const*>(data), size);
  // Requests that know the host and the key get further.
  if (auto const at = bytes.find("\r\n"); size % 2 == 0 && at != std::string::npos)
    bytes.insert(at, "\r\nHost: localhost:7480\r\nX-Api-Key: " + world.key);
  for (int requests = 0; !bytes.empty() && requests < 4; ++requests) {
    RequestReader reader(CodecLimits(2048, 8192));
    if (reader.feed(bytes) || !reader.done()) return 0;
    Request request;
    request.id = "req";
    if (!reader.take(request)) answer(world, std::move(request));
  }
  return 0;
}
