// What the tests of the host side share: a loop, a CallHost that keeps what it was told, the probe plugin.
#pragma once

#include "host/runtime/runtime.h"
#include "tests/places/places.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <gtest/gtest.h>

#include <signal.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <optional>
#include <sstream>

namespace garland::runtime::testing {

inline std::string const kPlugins = inBuild("/tests/plugins");
inline std::string const kWorker = inBuild("/bin/garland-worker");

inline std::string readFile(std::string const& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

inline void writeFile(std::string const& path, std::string const& text) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
}

inline Schema manifestSchema() {
  auto const text = readFile(inSources("/plugin-api/schemas/manifest.json"));
  return Schema::compile(parseJson(text).value()).value();
}

inline PluginInfo plugin(std::string const& id) {
  auto const catalogue = Catalogue::scan({kPlugins}, manifestSchema());
  auto const* found = catalogue.find(id);
  if (!found) throw std::runtime_error("no test plugin " + id + " in " + kPlugins);
  return *found;
}

// Every worker of this process, whoever started it. Sends the signal and does not wait.
inline int signalWorkers(int signal) {
  int count = 0;
  for (auto const& thread : std::filesystem::directory_iterator("/proc/self/task")) {
    std::istringstream children(readFile(thread.path().string() + "/children"));
    for (pid_t child = 0; children >> child; ++count) ::kill(child, signal);
  }
  return count;
}

// Keeps everything; answers at once unless a hook says otherwise.
class KeepingHost : public CallHost {
public:
  Task<HttpAnswer> http(HttpAsk ask) override {
    ++open_;
    most_open = std::max(most_open, open_);
    asks.push_back(ask);
    auto answer = co_await on_http(std::move(ask));
    --open_;
    co_return answer;
  }
  Task<void> emit(std::string kind, std::string record) override {
    events.push_back(kind + " " + record);
    auto taken = co_await on_emit(std::move(record));
    co_return taken;
  }
  Task<void> checkpoint(std::string cursor) override {
    events.push_back("checkpoint " + cursor);
    auto taken = co_await on_checkpoint(std::move(cursor));
    co_return taken;
  }
  Task<KvEntry> kvGet(std::string key) override {
    auto const found = kv.find(key);
    if (found == kv.end()) co_return Error(ErrorKind::notFound, "no such key");
    co_return found->second;
  }
  Task<void> kvPut(std::string key, Bytes value, std::uint64_t, Milliseconds) override {
    auto& entry = kv[key];
    entry.value = std::move(value);
    ++entry.version;
    co_return Result<void>();
  }
  void log(LogLevel, std::string message, std::string fields) override {
    logs.push_back(message + " " + fields);
  }
  Milliseconds waited() const override { return waits; }
  void restarted() override { ++restarts; }
  void progress(std::uint64_t done, std::uint64_t, std::string what) override {
    progress_done = done;
    if (on_progress) on_progress(what);
  }

  std::function<Task<HttpAnswer>(HttpAsk)> on_http = [](HttpAsk) -> Task<HttpAnswer> {
    HttpAnswer answer;
    answer.status = 200;
    co_return answer;
  };
  std::function<Task<void>(std::string)> on_emit = [](std::string) -> Task<void> {
    co_return Result<void>();
  };
  std::function<Task<void>(std::string)> on_checkpoint = [](std::string) -> Task<void> {
    co_return Result<void>();
  };
  std::function<void(std::string)> on_progress;

  std::vector<HttpAsk> asks;
  std::vector<std::string> events;
  std::vector<std::string> logs;
  std::map<std::string, KvEntry> kv;
  std::uint64_t progress_done = 0;
  Milliseconds waits{0}; // for a provider's limit, in all
  int restarts = 0;
  int most_open = 0;

private:
  int open_ = 0;
};

// A supervisor with its loop. Every test ends with an orderly shutdown.
class Runtime {
public:
  explicit Runtime(SupervisorOptions options = {}, Clock* clock = nullptr)
      : supervisor(Supervisor::create(loop.get_executor(), clock ? *clock : system_clock, random, log,
                                      withWorker(std::move(options)))) {}
  ~Runtime() {
    if (supervisor) run(supervisor->shutdown());
  }

  static SupervisorOptions withWorker(SupervisorOptions options) {
    if (options.worker_path.empty()) options.worker_path = kWorker;
    options.allow_degraded_sandbox =
        options.allow_degraded_sandbox || std::getenv("GARLAND_TEST_DEGRADED") != nullptr;
    return options;
  }

  // Runs the loop until the task has ended.
  template <class T> Result<T> run(Task<T> task) {
    std::optional<Result<T>> out;
    spawn(std::move(task), [&out](Result<T> result) { out.emplace(std::move(result)); });
    loop.restart();
    while (!out) {
      if (loop.run_one() == 0) throw std::runtime_error("the loop ran dry before the task had ended");
    }
    return std::move(*out);
  }
  template <class T, class Then> void spawn(Task<T> task, Then then) {
    asio::co_spawn(loop, std::move(task),
                   [then = std::move(then)](std::exception_ptr bug, Result<T> result) mutable {
                     if (bug) std::rethrow_exception(bug);
                     then(std::move(result));
                   });
  }
  void runUntil(std::function<bool()> const& done) {
    loop.restart();
    while (!done())
      if (loop.run_one() == 0) throw std::runtime_error("the loop ran dry");
  }

  Task<json::value> task(std::string operation, CallHost& on, json::value input = json::object(),
                         Milliseconds deadline = std::chrono::seconds(60)) {
    Call call;
    call.operation = "test." + operation + "/1";
    call.account_id = "con_1";
    call.account = R"({"account_id":"con_1","settings":{},"slots":[]})";
    call.input = json::serialize(input);
    call.deadline = deadline;
    return valueOf(supervisor->call(info, std::move(call), on));
  }
  Result<json::value> call(std::string operation, json::value input = json::object(),
                           Milliseconds deadline = std::chrono::seconds(60)) {
    return run(task(std::move(operation), host, std::move(input), deadline));
  }
  // The result of a call as a value; null if it gave none.
  static Task<json::value> valueOf(Task<std::string> call) {
    CO_TRY(text, co_await std::move(call));
    if (text.empty()) co_return json::value();
    co_return parseJson(text);
  }
  WorkerStatus worker() const { return supervisor->workers().at(0); }

  asio::io_context loop{1};
  SystemClock system_clock;
  SeededRandom random{7};
  Redactor redactor;
  std::vector<std::string> log_lines;
  Log log{system_clock, redactor, LogLevel::debug,
          [this](std::string_view line) { log_lines.emplace_back(line); }};
  PluginInfo info = plugin("host_probe");
  KeepingHost host;
  std::unique_ptr<Supervisor> supervisor; // last: ends first
};

} // namespace garland::runtime::testing
