// What a call into a sandboxed worker costs, against the least that two processes can do: a byte there
// and a byte back through pipes, measured in the same run. Prints one line of JSON; ratios are what to read.
//
// Usage: garland_call_bench [--pin] [CALLS]     --pin keeps both processes on one processor
#include "host/runtime/runtime.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

namespace garland::runtime {
namespace {

using Clock = std::chrono::steady_clock;

double microseconds(Clock::duration span) { return std::chrono::duration<double, std::micro>(span).count(); }

double median(std::vector<double> values) {
  auto const middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// The other side of the pipes: sends every byte back until there are no more.
[[noreturn]] void sendBack(int in, int out) {
  char byte = 0;
  while (::read(in, &byte, 1) == 1)
    if (::write(out, &byte, 1) != 1) break;
  ::_exit(0);
}

// Median microseconds of a byte through a pipe to another process and back.
double pingPong(int rounds) {
  std::array<int, 2> there{};
  std::array<int, 2> back{};
  if (::pipe(there.data()) != 0 || ::pipe(back.data()) != 0) throw std::runtime_error("pipe failed");
  auto const child = ::fork();
  if (child == 0) {
    ::close(there[1]);
    sendBack(there[0], back[1]);
  }
  std::vector<double> took;
  char byte = 0;
  for (int i = 0; i < rounds; ++i) {
    auto const begin = Clock::now();
    if (::write(there[1], &byte, 1) != 1 || ::read(back[0], &byte, 1) != 1)
      throw std::runtime_error("ping-pong broke");
    took.push_back(microseconds(Clock::now() - begin));
  }
  for (int const fd : {there[0], there[1], back[0], back[1]}) ::close(fd);
  ::waitpid(child, nullptr, 0);
  return median(std::move(took));
}

// An echo asks nothing of the host.
class NoHost final : public CallHost {
public:
  Task<HttpAnswer> http(HttpAsk) override { co_return unexpected(); }
  Task<void> emit(std::string, std::string) override { co_return unexpected(); }
  Task<void> checkpoint(std::string) override { co_return unexpected(); }
  Task<KvEntry> kvGet(std::string) override { co_return unexpected(); }
  Task<void> kvPut(std::string, Bytes, std::uint64_t, Milliseconds) override { co_return unexpected(); }
  void log(LogLevel, std::string, std::string) override {}
  void progress(std::uint64_t, std::uint64_t, std::string) override {}

private:
  static Error unexpected() { return Error(ErrorKind::unsupported, "an echo asks nothing"); }
};

PluginInfo probe() {
  std::ifstream in(GARLAND_SOURCE_DIR "/plugin-api/schemas/manifest.json");
  std::string const text{std::istreambuf_iterator<char>(in), {}};
  auto const schema = Schema::compile(parseJson(text).value()).value();
  auto const catalogue = Catalogue::scan({GARLAND_TEST_PLUGINS}, schema);
  auto const* found = catalogue.find("host_probe");
  if (!found) throw std::runtime_error("the probe plugin is not built");
  return *found;
}

class Bench {
public:
  Bench() {
    SupervisorOptions options;
    options.worker_path = GARLAND_WORKER;
    options.allow_degraded_sandbox = true;
    supervisor_ = Supervisor::create(loop_.get_executor(), clock_, random_, log_, std::move(options));
    input_ = json::value{{"text", std::string(256, 'x')}};
  }

  // `rounds` echo calls one after the other; their times, if wanted.
  Task<void> calls(int rounds, std::vector<double>* took) {
    for (int i = 0; i < rounds; ++i) {
      Call call;
      call.operation = "test.echo/1";
      call.account_id = "con_1";
      call.account = account_;
      call.input = input_;
      auto const begin = Clock::now();
      CO_TRY_VOID(co_await supervisor_->call(plugin_, std::move(call), host_));
      if (took) took->push_back(microseconds(Clock::now() - begin));
    }
    co_return Result<void>();
  }
  void run(int tasks, int rounds, std::vector<double>* took = nullptr) {
    for (int i = 0; i < tasks; ++i) spawn(calls(rounds, took));
    wait();
  }
  void shutdown() {
    spawn(supervisor_->shutdown());
    wait();
  }

private:
  void spawn(Task<void> task) {
    ++running_;
    asio::co_spawn(loop_, std::move(task), [this](std::exception_ptr const& bug, Result<void> const& result) {
      if (bug) std::rethrow_exception(bug);
      if (!result) throw std::runtime_error(result.error().message);
      --running_;
    });
  }
  void wait() {
    loop_.restart();
    while (running_ > 0) loop_.run_one();
  }

  asio::io_context loop_{1};
  SystemClock clock_;
  SystemRandom random_;
  Redactor redactor_;
  Log log_{clock_, redactor_, LogLevel::warn, stderrSink()};
  NoHost host_;
  PluginInfo plugin_ = probe();
  json::value input_;
  json::value account_{{"account_id", "con_1"}, {"settings", json::object()}, {"slots", json::array()}};
  int running_ = 0;
  std::unique_ptr<Supervisor> supervisor_;
};

void pinToOneProcessor() {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(0, &one);
  ::sched_setaffinity(0, sizeof(one), &one);
}

void measure(int rounds, bool pinned) {
  auto const floor = pingPong(rounds);
  Bench bench;
  bench.run(1, 1000); // starts the worker, warms both up
  std::vector<double> took;
  bench.run(1, rounds, &took);
  auto const call = median(std::move(took));
  auto const begin = Clock::now();
  bench.run(64, rounds / 16);
  auto const span = microseconds(Clock::now() - begin);
  bench.shutdown();
  auto const per_second = 64.0 * (rounds / 16) / span * 1e6;
  json::object const out{{"pinned", pinned},
                         {"calls", rounds},
                         {"ping_pong_us", floor},
                         {"echo_256_us", call},
                         {"echo_to_ping_pong", call / floor},
                         {"echo_64_in_flight_per_second", per_second},
                         {"echo_64_to_ping_pong_rate", per_second * floor / 1e6}};
  std::puts(json::serialize(out).c_str());
}

} // namespace
} // namespace garland::runtime

int main(int argc, char** argv) {
  int rounds = 20'000;
  bool pinned = false;
  for (int i = 1; i < argc; ++i) {
    if (std::string_view(argv[i]) == "--pin")
      pinned = true;
    else
      rounds = std::max(1000, std::atoi(argv[i]));
  }
  try {
    if (pinned) garland::runtime::pinToOneProcessor();
    garland::runtime::measure(rounds, pinned);
  } catch (std::exception const& problem) {
    std::fprintf(stderr, "garland_call_bench: %s\n", problem.what());
    return 1;
  }
}
