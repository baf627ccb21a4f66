// Bytes from a socket, through the parser and the router with all its checks, to an encoded answer.
#include "host/api/http_codec.h"
#include "host/api/openapi.h"
#include "host/api/ownership.h"
#include "host/api/routes.h"
#include "host/api/sign_in.h"
#include "host/api/testing/fake_engine.h"

#include "host/access/access.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <cstdlib>

using namespace garland;
using namespace garland::api;

namespace {

struct World {
  World() {
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
    auto table = routes->table();
    auto const document = openApiDocument(table, "0", {}).value();
    json::object components;
    components["components"] = document.at("components");
    Doorkeepers const keepers{sign_in, ownership};
    router = std::make_unique<Router>(Router::create(std::move(table), components, log, keepers).value());
  }

  std::string const key = "gk_" + std::string(43, 'A');
  asio::io_context loop{1};
  VirtualClock clock{TimePoint(Milliseconds(0))};
  SeededRandom random{1};
  Redactor redactor;
  Log log{clock, redactor, LogLevel::error, [](std::string_view) {}};
  testing::FakeEngine engine{loop.get_executor(), clock, random};
  testing::FakeSupervisor supervisor;
  runtime::Catalogue catalogue;
  std::unique_ptr<Metrics> metrics = Metrics::create("0", "sqlite");
  Guard guard;
  SignIn sign_in{clock, nullptr, nullptr};
  Ownership ownership{engine, nullptr};
  std::unique_ptr<Routes> routes;
  std::unique_ptr<Router> router;
};

void answer(World& world, Request request) {
  bool answered = false;
  bool const head = request.method == "HEAD";
  auto match = world.router->match(request);
  asio::co_spawn(world.loop, world.router->dispatch(std::move(match), std::move(request), world.guard),
                 [&](std::exception_ptr failed, Response response) {
                   if (failed || response.status < 200 || response.status > 599) std::abort();
                   if (encode(response, true, head).empty()) std::abort();
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
