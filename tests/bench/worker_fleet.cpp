// What many workers cost: starts one for each of N vendors (isolation "vendor"), lets each answer a call, and
// prints how long that took and what an idle worker weighs. Ends them all. Prints one line of JSON.
//
// Usage: garland_worker_fleet [WORKERS]     500 if left out
#include "host/runtime/runtime.h"
#include "tests/places/places.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

namespace garland::runtime {
namespace {

using Steady = std::chrono::steady_clock;

constexpr int kStartsAtOnce = 8; // more would measure the queue for the processors
constexpr auto kBound = std::chrono::minutes(5);

double milliseconds(Steady::duration span) { return std::chrono::duration<double, std::milli>(span).count(); }

double quantile(std::vector<double> values, double part) {
  if (values.empty()) return 0;
  auto const at =
      std::min(values.size() - 1, static_cast<std::size_t>(part * static_cast<double>(values.size())));
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(at), values.end());
  return values[at];
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
  std::ifstream in(inSources("/plugin-api/schemas/manifest.json"));
  std::string const text{std::istreambuf_iterator<char>(in), {}};
  auto const schema = Schema::compile(parseJson(text).value()).value();
  auto const catalogue = Catalogue::scan({inBuild("/tests/plugins")}, schema);
  auto const* const found = catalogue.find("host_probe");
  if (!found) throw std::runtime_error("the probe plugin is not built");
  return *found;
}

// Memory of one process, KiB.
struct Memory {
  double pss = 0;     // its share of what it has mapped
  double own = 0;     // pages that nobody else has mapped
  bool known = false; // a worker shows it to root only: it is not dumpable
};

Memory memoryOf(int pid) {
  Memory out;
  std::ifstream rollup("/proc/" + std::to_string(pid) + "/smaps_rollup");
  for (std::string word; rollup >> word;) {
    if (word == "Pss:" && rollup >> out.pss) out.known = true;
    double value = 0;
    if ((word == "Private_Clean:" || word == "Private_Dirty:") && rollup >> value) out.own += value;
  }
  return out;
}

// MiB in use on this machine, the kernel's own included.
double machineMiB() {
  std::ifstream info("/proc/meminfo");
  double total = 0;
  double available = 0;
  for (std::string word; info >> word;) {
    if (word == "MemTotal:") info >> total;
    if (word == "MemAvailable:") info >> available;
  }
  return (total - available) / 1024;
}

class Fleet {
public:
  Fleet() {
    SupervisorOptions options;
    options.worker_path = inBuild("/bin/garland-worker");
    options.allow_degraded_sandbox = true;
    options.isolation = Isolation::vendor;
    supervisor_ = Supervisor::create(loop_.get_executor(), clock_, random_, log_, std::move(options));
  }

  // One call for each vendor; their times, start of the worker included or not.
  std::vector<double> callAll(int vendors) {
    std::vector<double> took;
    int next = 0;
    int running = 0;
    auto const begin = [&](auto&& again) -> void {
      if (next == vendors) return;
      auto const began = Steady::now();
      ++running;
      asio::co_spawn(loop_, supervisor_->call(plugin_, callOf(next++), host_),
                     [&, again, began](std::exception_ptr const& bug, Result<std::string> const& result) {
                       if (bug) std::rethrow_exception(bug);
                       if (!result) throw std::runtime_error(result.error().message);
                       took.push_back(milliseconds(Steady::now() - began));
                       --running;
                       again(again);
                     });
    };
    for (int i = 0; i < kStartsAtOnce; ++i) begin(begin);
    auto const end = Steady::now() + kBound;
    loop_.restart();
    while (running > 0) {
      if (Steady::now() > end) throw std::runtime_error("the workers did not answer in five minutes");
      loop_.run_one();
    }
    return took;
  }
  std::vector<WorkerStatus> workers() const { return supervisor_->workers(); }
  void shutdown() {
    bool ended = false;
    asio::co_spawn(loop_, supervisor_->shutdown(),
                   [&](std::exception_ptr const&, Result<void> const&) { ended = true; });
    loop_.restart();
    while (!ended) loop_.run_one();
  }

private:
  static Call callOf(int vendor) {
    Call call;
    call.operation = "test.echo/1";
    call.vendor_id = "ven_" + std::to_string(vendor);
    call.account_id = "con_" + std::to_string(vendor);
    call.account = R"({"account_id":")" + call.account_id + R"(","settings":{},"slots":[]})";
    call.input = "{}";
    return call;
  }

  asio::io_context loop_{1};
  SystemClock clock_;
  SystemRandom random_;
  Redactor redactor_;
  Log log_{clock_, redactor_, LogLevel::warn, stderrSink()};
  NoHost host_;
  PluginInfo plugin_ = probe();
  std::unique_ptr<Supervisor> supervisor_; // last: ends first
};

void raiseDescriptorLimit() {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
}

void measure(int vendors) {
  Fleet fleet;
  auto const machine_before = machineMiB();
  auto const host_before = memoryOf(::getpid());
  auto const begin = Steady::now();
  auto const starts = fleet.callAll(vendors);
  auto const all_up = milliseconds(Steady::now() - begin);
  auto const machine_after = machineMiB();
  auto const again = fleet.callAll(vendors);

  std::vector<double> pss;
  std::vector<double> own;
  auto const workers = fleet.workers();
  for (auto const& worker : workers)
    if (auto const memory = memoryOf(worker.pid); memory.known) {
      pss.push_back(memory.pss);
      own.push_back(memory.own);
    }
  auto const host_after = memoryOf(::getpid());
  auto const ending = Steady::now();
  fleet.shutdown();
  json::object const out{
      {"workers", workers.size()},
      {"all_answered_ms", all_up},
      {"start_to_first_answer_p50_ms", quantile(starts, 0.5)},
      {"start_to_first_answer_p99_ms", quantile(starts, 0.99)},
      {"next_call_p50_ms", quantile(again, 0.5)},
      {"worker_pss_p50_kib", quantile(pss, 0.5)},
      {"worker_private_p50_kib", quantile(own, 0.5)},
      {"worker_private_max_kib", quantile(own, 1.0)},
      {"machine_per_worker_kib", (machine_after - machine_before) * 1024 / std::max(1, vendors)},
      {"host_per_worker_kib", (host_after.own - host_before.own) / std::max(1, vendors)},
      {"all_ended_ms", milliseconds(Steady::now() - ending)}};
  std::puts(json::serialize(out).c_str());
}

} // namespace
} // namespace garland::runtime

int main(int argc, char** argv) {
  int const workers = argc > 1 ? std::clamp(std::atoi(argv[1]), 1, 5000) : 500;
  try {
    garland::runtime::raiseDescriptorLimit();
    garland::runtime::measure(workers);
  } catch (std::exception const& problem) {
    std::fprintf(stderr, "garland_worker_fleet: %s\n", problem.what());
    return 1;
  }
}
