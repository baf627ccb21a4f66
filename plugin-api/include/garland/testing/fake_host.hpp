// FakeHost: runs a connector in the test's own process, without worker, sandbox or network.
//
//   FakeHost host(&garland_entry_v1, readFile("connector.json"));
//   host.serve([](HttpRequest const& request) -> HttpReply { return HttpResponse{.body = "{}"}; });
//   host.open({{"url", "https://cal.example.com/"}});
//   auto outcome = host.run("calendar.pull/1", {{"cursor", nullptr}, {"calendars", json::array()}});
//
// It stands on a virtual clock, records everything, checks what the plugin emits and returns by the
// schemas, and checks how the plugin uses the host: a call handle used after the operation returned or
// on another thread, JSON that does not parse, a suspending call made inside a catch handler. Such
// misuse makes run() throw std::logic_error, unless tolerateMisuse() was called.
//
// One FakeHost at a time for one plugin, since a plugin keeps one host. Not thread-safe.
#pragma once

#include <garland/plugin.h>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace garland::testing {

namespace json = boost::json;
using Milliseconds = std::chrono::milliseconds;
using HeaderList = std::vector<std::pair<std::string, std::string>>;

struct HttpRequest {
  std::string method;
  std::string url;
  HeaderList headers;
  std::string body;
  std::string credential_slot; // empty: anonymous
  std::string idempotency_key;
  Milliseconds timeout{0};
  std::uint64_t max_body = 0;

  // The first header of that name, compared without case; empty if there is none.
  std::string header(std::string_view name) const;
};

struct HttpResponse {
  int status = 200;
  HeaderList headers = {};
  std::string body = {};
  std::optional<Milliseconds> retry_after = {};
};

// No answer: what host->http returns, and whether the request may have arrived.
struct HttpFailure {
  garland_status kind = GARLAND_E_TRANSIENT;
  garland_effect effect = GARLAND_EFFECT_NOT_APPLIED;
  std::string message = "the connection was refused";
};

using HttpReply = std::variant<HttpResponse, HttpFailure>;
// Stands for the provider; may well ask a real server.
using HttpServer = std::function<HttpReply(HttpRequest const&)>;

struct Emitted {
  std::string kind;
  json::value record;
};

struct LogLine {
  garland_log_level level = GARLAND_LOG_INFO;
  std::string message;
  json::value fields;
};

// How an operation ended.
struct Outcome {
  garland_status status = GARLAND_OK;
  json::value result; // null if it set none
  // What it told by host->fail; empty and zero if it told nothing.
  garland_effect effect = GARLAND_EFFECT_UNKNOWN;
  int http_status = 0;
  std::optional<Milliseconds> retry_after;
  std::string provider_code;
  std::string message;
  std::string user_message;
  json::value detail;

  bool ok() const { return status == GARLAND_OK; }
};

class FakeHost {
public:
  // Enters the plugin and compares what it says with its manifest (the text of connector.json):
  // schema, id, version, every operation found. std::runtime_error says what differs.
  FakeHost(garland_entry_v1_fn entry, std::string_view manifest);
  ~FakeHost(); // closes the instance and shuts the plugin down
  FakeHost(FakeHost const&) = delete;
  FakeHost& operator=(FakeHost const&) = delete;

  // ---- the provider
  // Answers requests that no scripted reply is left for. Without it they fail as unreachable.
  void serve(HttpServer server);
  // The next request has to be this one and gets this reply; anything else is misuse.
  void expect(std::string method, std::string url, HttpReply reply);

  // ---- running
  // Opens the account, closing the one before. `slots` absent: all of the manifest's.
  Outcome open(json::object settings = {}, std::optional<std::vector<std::string>> slots = {});
  // Runs one operation of the open account (opened without settings if it is not).
  Outcome run(std::string_view operation, json::value input = json::object());

  // ---- conditions
  void advance(Milliseconds span);
  // From the given number of host calls on, the running and later operations are cancelled.
  void cancelAfter(std::size_t host_calls);
  // Every emit or checkpoint after the first `good` ones answers `status`.
  void refuseOutputAfter(std::size_t good, garland_status status);
  void tolerateMisuse() { tolerate_misuse_ = true; }

  // ---- what happened since construction or clear()
  std::vector<Emitted> const& emitted() const;
  std::vector<json::value> emitted(std::string_view kind) const;
  std::vector<json::value> const& checkpoints() const;
  // How many of emitted() were followed by a checkpoint.
  std::size_t durable() const;
  std::vector<HttpRequest> const& requests() const;
  std::vector<LogLine> const& logs() const;
  std::vector<std::string> const& misuse() const;
  // Last values given to progress.
  std::pair<std::uint64_t, std::uint64_t> progress() const;
  std::map<std::string, std::string> stored() const;
  Milliseconds slept() const;
  void clear();

  garland_plugin const& plugin() const { return plugin_; }

  struct State;

private:
  Outcome finish(garland_call& call, garland_status status);
  void close();

  std::unique_ptr<State> state_;
  garland_host host_{};
  garland_plugin plugin_{};
  garland_instance* instance_ = nullptr;
  bool tolerate_misuse_ = false;
};

// What does not conform to one of the schemas of plugin-api, "POINTER: MESSAGE" each; empty if all is
// well. std::invalid_argument if there is no schema of that file name.
std::vector<std::string> schemaProblems(std::string_view schema, json::value const& value);

// The entry of a built connector.so; it stays loaded. std::runtime_error if it cannot be.
garland_entry_v1_fn loadConnector(std::string const& path);

// A file's bytes; std::runtime_error if it cannot be read.
std::string readFile(std::string const& path);

} // namespace garland::testing
