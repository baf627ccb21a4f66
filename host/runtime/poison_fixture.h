// What the tests of calls whose worker dies under them share: a provider that counts what was written, and a
// runtime with the plugin that dies as it is told to.
#pragma once

#include "host/runtime/host_test_kit.h"

#include <csignal>
#include <thread>

namespace garland::runtime::testing {

using namespace std::chrono_literals;

using Kind = SupervisorEvent::Kind;

// Answers every request after a random number of turns of the loop, and counts the writes.
class Provider : public KeepingHost {
public:
  Provider(asio::io_context& loop, std::uint64_t seed) : loop_(loop), random_(seed) {
    on_http = [this](HttpAsk ask) { return answer(std::move(ask)); };
  }

  std::map<std::string, int> writes; // by URL
  std::function<void(HttpAsk const&)> on_ask;

private:
  Task<HttpAnswer> answer(HttpAsk ask) {
    if (on_ask) on_ask(ask);
    for (auto turns = random_.next() % 4; turns > 0; --turns) {
      asio::steady_timer turn(loop_, 0ms);
      co_await turn.async_wait(asio::use_awaitable);
    }
    if (ask.method == "POST") ++writes[ask.url];
    HttpAnswer answer;
    answer.status = 200;
    co_return answer;
  }

  asio::io_context& loop_;
  SeededRandom random_;
};

// Is told so late that its call is to be run again that no time is left for it.
class LateProvider : public Provider {
public:
  using Provider::Provider;
  void restarted() override {
    Provider::restarted();
    while (std::chrono::steady_clock::now() < until) std::this_thread::yield();
  }
  std::chrono::steady_clock::time_point until;
};

class Poison : public ::testing::Test {
protected:
  explicit Poison(Clock* clock = nullptr) : runtime(options(), clock) {
    runtime.info = plugin("poison_probe");
  }

  static SupervisorOptions options() {
    SupervisorOptions options;
    options.drain = 10ms;
    revoked = false;
    options.admits = [](Provenance const&) {
      return revoked ? Result<void>(Error(ErrorKind::forbidden, "it charged twice")) : Result<void>();
    };
    return options;
  }
  // Starts it; its end comes into `ended`.
  void start(std::string operation, json::value input, CallHost& host) {
    auto const place = ended.size();
    ended.emplace_back();
    runtime.spawn(runtime.task(std::move(operation), host, std::move(input)),
                  [this, place](Result<json::value> result) {
                    EXPECT_FALSE(ended[place]) << "answered twice";
                    ended[place] = std::move(result);
                  });
  }
  void waitForAll() {
    runtime.runUntil(
        [this] { return std::ranges::all_of(ended, [](auto const& one) { return one.has_value(); }); });
  }
  // How often a plugin has printed this.
  int printed(std::string_view word) const {
    return static_cast<int>(std::ranges::count_if(runtime.log_lines, [&](std::string const& line) {
      return line.find("printed a line") != line.npos && line.find(word) != line.npos;
    }));
  }
  int logged(std::string_view words) const {
    return static_cast<int>(std::ranges::count_if(
        runtime.log_lines, [&](std::string const& line) { return line.find(words) != line.npos; }));
  }
  // Kills its worker each time that `hold` holds it.
  void holdAndKill(int times) {
    start("hold", json::value{{"ms", 1000}}, provider);
    for (int kill = 1; kill <= times; ++kill) {
      runtime.runUntil([&] { return printed("holds") == kill || ended.back(); });
      signalWorkers(SIGKILL);
    }
    waitForAll();
  }
  // Suspected because its worker was broken before, the call runs well when alone; then its worker lingers.
  void lingerAlone() {
    start("taint", json::value{{"bad", 1}}, provider);
    waitForAll();
    start("linger", json::object(), provider);
    runtime.runUntil([&] { return printed("lingers") == 1; });
  }
  int count(Kind kind) const {
    auto const events = runtime.supervisor->events();
    return static_cast<int>(std::ranges::count(events, kind, &SupervisorEvent::kind));
  }

  static inline bool revoked = false; // nothing may run any more
  Runtime runtime;
  Provider provider{runtime.loop, 1};
  std::vector<std::optional<Result<json::value>>> ended;
};

class PoisonOnVirtualTime : public Poison {
protected:
  PoisonOnVirtualTime() : Poison(&clock_) {}
  // A call that ends its worker; a pause before it passes at once.
  void dieOf(int n) {
    start("work", json::value{{"n", n}, {"die", 1}, {"at", 0}}, provider);
    runtime.runUntil([&] {
      auto const workers = runtime.supervisor->workers();
      if (!workers.empty() && workers[0].state == "backing off") clock_.advance(100ms);
      return ended.back().has_value();
    });
  }
  static inline VirtualClock clock_{TimePoint{}};
};

inline json::value workOf(int n, int die = 0, int at = 0) {
  return json::value{{"n", n}, {"die", die}, {"at", at}};
}

} // namespace garland::runtime::testing
