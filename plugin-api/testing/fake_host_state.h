// What FakeHost keeps, and the calls that it hands to a plugin. Private to garland_testing.
#pragma once

#include <garland/testing/fake_host.hpp>

#include <boost/json/parse.hpp>

#include <deque>
#include <list>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

// The host's side of a call. It outlives its operation, so that late use is seen and not undefined.
struct garland_call {
  garland_call(std::string operation_in) : operation(std::move(operation_in)) {}

  // Copies a text into the arena.
  std::string const& keep(std::string text) { return arena.emplace_back(std::move(text)); }
  // Frees the arena, so that a sanitizer sees spans that were kept too long.
  void end() {
    alive = false;
    arena.clear();
    headers.clear();
    blocks.clear();
  }

  std::string operation;
  bool alive = true;
  std::thread::id thread = std::this_thread::get_id();
  garland_status failed_with = GARLAND_OK;
  garland::testing::Outcome outcome;
  std::deque<std::string> arena;
  std::deque<std::vector<garland_header>> headers;
  struct Block {
    explicit Block(std::size_t bytes_in, std::size_t align_in);
    ~Block();
    Block(Block const&) = delete;
    Block& operator=(Block const&) = delete;
    std::size_t align;
    void* memory;
  };
  std::list<Block> blocks;
};

namespace garland::testing {

// schemaProblems() of a record that need not say everything.
std::vector<std::string> partialProblems(std::string_view schema, json::value const& value);

struct FakeHost::State {
  struct Expected {
    std::string method;
    std::string url;
    HttpReply reply;
  };
  struct Stored {
    std::string value;
    std::uint64_t version = 0;
    Milliseconds until{0}; // 0: for ever
  };

  garland_call& begin(std::string operation);
  void blame(std::string what) { misuse.push_back(std::move(what)); }
  // Counts a host call; false, with the misuse noted, if the handle may not be used now.
  bool usable(garland_call* call, char const* function, bool suspends);
  // The same for log, which any thread may call. Under log_mutex.
  bool loggable(garland_call const& call);
  bool cancelled() const { return cancel_at && host_calls > *cancel_at; }
  std::optional<json::value> parse(garland_json span, std::string const& what);
  // The status for the next emit or checkpoint.
  garland_status takeOutput();
  void checkEmitted(std::string const& operation, std::string const& kind, json::value const& record);
  void checkResult(std::string const& operation, json::value const& result);
  HttpReply answer(HttpRequest const& request);
  bool hostAllowed(HttpRequest const& request) const;
  bool slotKnown(std::string const& slot) const;

  json::value manifest;
  json::object settings;
  HttpServer server;
  std::deque<Expected> script;

  std::vector<std::unique_ptr<garland_call>> calls;
  std::vector<Emitted> emitted;
  std::vector<json::value> checkpoints;
  std::vector<HttpRequest> requests;
  std::vector<LogLine> logs;
  std::vector<std::string> misuse;
  std::mutex log_mutex; // for `logs`, and for blame of what was logged
  std::map<std::string, Stored> kv;
  std::size_t durable = 0;
  std::pair<std::uint64_t, std::uint64_t> progress{};
  Milliseconds elapsed{0}; // of the virtual clock
  Milliseconds slept{0};
  Milliseconds deadline{0}; // of the running call, on the virtual clock

  std::size_t host_calls = 0;
  std::optional<std::size_t> cancel_at;
  std::size_t outputs_left = static_cast<std::size_t>(-1);
  garland_status output_refusal = GARLAND_OK;
};

// The functions that a plugin sees, over this state.
garland_host hostTable(FakeHost::State& state);

} // namespace garland::testing
