// Very many calls through the supervisor while somebody keeps killing its worker: every call must end once,
// every change must reach the provider once, and the process must not grow. Prints one JSON object.
//
//   garland_soak [--calls N] [--in-flight N] [--kill-every CALLS] [--seed N]
//
// The driver repeats what failed as transient, after a look at the provider if the effect is unknown, as the
// engine does. Exit codes: 0 all held, 1 something was lost, done twice or grew, 2 wrong usage.
//
// The clock is a virtual one that jumps ahead after every kill: for the rules about restarts the deaths lie
// eleven minutes apart, so that none of them rests the plugin. Deadlines of calls use the system's clock.
#include "host/runtime/runtime.h"
#include "tests/places/places.h"
#include "tests/soak/process_figures.h"
#include "tests/soak/provider.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <map>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

namespace garland::soak {
namespace {

using namespace garland::runtime;

struct Options {
  std::size_t calls = 1'000'000;
  std::size_t in_flight = 64;
  std::size_t kill_every = 5'000;
  std::uint64_t seed = 7;
};

constexpr std::size_t kLegs = 20;  // at the end of each nothing runs and the process is measured
constexpr std::size_t kWarm = 4;   // legs until the pools and caches have their size
constexpr std::size_t kChange = 4; // every fourth call changes something at the provider
constexpr int kMostAttempts = 50;  // a call that fails so often is lost
constexpr int kMostStarts = 5;     // of a worker, until there is none to be had
constexpr std::chrono::minutes kBetweenDeaths{11};

// How far the process may have grown from the end of the warm-up to the end; a sanitizer keeps freed memory.
[[maybe_unused]] constexpr std::size_t kMoreResident = 4U << 20U;
[[maybe_unused]] constexpr std::size_t kMoreHeap = 128U << 10U;

struct Counts {
  std::uint64_t completed = 0;
  std::uint64_t found_done = 0; // failed, but the provider had the change
  std::uint64_t transient = 0;  // attempts
  std::uint64_t denied = 0;     // failed as not applied, but the provider had the change
  std::uint64_t kills = 0;
  std::uint64_t mixed_up = 0;                 // the answer of another call
  std::map<std::string, std::uint64_t> other; // failures that are not transient
};

PluginInfo probe() {
  std::ifstream in(inSources("/plugin-api/schemas/manifest.json"));
  std::string const text{std::istreambuf_iterator<char>(in), {}};
  auto const schema = Schema::compile(parseJson(text).value()).value();
  auto const catalogue = Catalogue::scan({inBuild("/tests/plugins")}, schema);
  auto const* found = catalogue.find("host_probe");
  if (!found) throw std::runtime_error("the probe plugin is not built");
  return *found;
}

class Soak {
public:
  explicit Soak(Options options) : options_(options), provider_(options.calls), dice_(options.seed) {
    SupervisorOptions workers;
    workers.worker_path = inBuild("/bin/garland-worker");
    workers.allow_degraded_sandbox = true;
    supervisor_ = Supervisor::create(loop_.get_executor(), clock_, random_, log_, std::move(workers));
    nextKill();
  }

  void run() {
    spawn(ping()); // says why if no worker starts at all
    wait();
    for (std::size_t leg = 1; leg <= kLegs; ++leg) {
      leg_end_ = options_.calls * leg / kLegs;
      for (std::size_t i = 0; i < options_.in_flight; ++i) spawn(callUntilLegEnds());
      wait();
      // One more call, so that a worker stands whenever the process is measured.
      spawn(ping());
      wait();
      figures_.push_back(measureSelf());
      auto const& now = figures_.back();
      std::fprintf(stderr,
                   "%9zu calls, %5llu kills: %6.2f MiB resident, %7.1f KiB of heap, %zu descriptors\n",
                   leg_end_, static_cast<unsigned long long>(counts_.kills),
                   static_cast<double>(now.resident) / 1048576.0, static_cast<double>(now.heap) / 1024.0,
                   now.descriptors);
    }
    spawn(supervisor_->shutdown());
    wait();
  }
  json::object report(double seconds) const;
  bool held() const { return problems().empty(); }

private:
  Task<void> callUntilLegEnds();
  Task<void> finish(std::size_t number);
  Task<void> ping();
  Task<json::value> attempt(std::string operation, json::value input);
  bool isAnswer(std::size_t number, json::value const& answer) const;
  void killSometimes();
  void nextKill() { until_kill_ = 1 + dice_() % (2 * options_.kill_every); }

  void spawn(Task<void> task);
  void wait();

  std::uint64_t lost() const;
  std::uint64_t twice() const;
  std::vector<std::string> problems() const;

  Options options_;
  asio::io_context loop_{1};
  VirtualClock clock_{TimePoint{Milliseconds{1'000'000'000'000}}};
  SeededRandom random_{7};
  Redactor redactor_;
  Log log_{clock_, redactor_, LogLevel::error, [](std::string_view) {}}; // every kill is a warning
  Provider provider_;
  PluginInfo plugin_ = probe();
  std::string account_ = R"({"account_id":"con_1","settings":{},"slots":[]})";

  std::mt19937_64 dice_;
  std::size_t next_ = 0; // number of the call that begins next
  std::size_t leg_end_ = 0;
  std::uint64_t until_kill_ = 0; // calls
  Counts counts_;
  std::vector<ProcessFigures> figures_; // at the end of each leg
  int running_ = 0;
  std::unique_ptr<Supervisor> supervisor_;
};

// ---------------------------------------------------------------- calls

Task<void> Soak::callUntilLegEnds() {
  while (next_ < leg_end_) {
    auto const number = next_++;
    CO_TRY_VOID(co_await finish(number));
    killSometimes();
  }
  co_return Result<void>();
}

Task<void> Soak::finish(std::size_t number) {
  bool const changes = number % kChange == 0;
  json::value const input{{"n", number}, {"count", 1}, {"write", 1}};
  std::string const operation = changes ? "test.http/1" : "test.echo/1";
  for (int i = 0; i < kMostAttempts; ++i) {
    auto const answer = co_await attempt(operation, input);
    if (answer) {
      ++(isAnswer(number, *answer) ? counts_.completed : counts_.mixed_up);
      break;
    }
    if (answer.error().kind != ErrorKind::transient) {
      ++counts_.other[answer.error().message];
      break;
    }
    ++counts_.transient;
    bool const applied = provider_.applied(number) > 0;
    if (applied && answer.error().effect == Effect::notApplied) ++counts_.denied;
    if (applied && answer.error().effect == Effect::unknown) {
      ++counts_.found_done;
      break;
    }
    if (answer.error().retry_after) clock_.advance(*answer.error().retry_after);
  }
  co_return Result<void>();
}

Task<void> Soak::ping() {
  json::value const input{{"n", -1}};
  Error why;
  for (int i = 0; i < kMostStarts; ++i) {
    auto const answer = co_await attempt("test.echo/1", input);
    if (answer) co_return Result<void>();
    why = answer.error();
    clock_.advance(kBetweenDeaths);
  }
  co_return why;
}

Task<json::value> Soak::attempt(std::string operation, json::value input) {
  Call call;
  call.operation = std::move(operation);
  call.account_id = "con_1";
  call.account = account_;
  call.input = json::serialize(input);
  call.deadline = std::chrono::seconds(60);
  CO_TRY(answer, co_await supervisor_->call(plugin_, std::move(call), provider_));
  co_return parseJson(answer);
}

bool Soak::isAnswer(std::size_t number, json::value const& answer) const {
  return integerOr(answer, "/n", -1) == static_cast<std::int64_t>(number);
}

void Soak::killSometimes() {
  if (until_kill_ > 0) --until_kill_;
  if (until_kill_ > 0) return;
  // A call that runs alone is left alone: it may be under suspicion already.
  for (auto const& worker : supervisor_->workers()) {
    if (worker.pid <= 0 || worker.in_flight < 2) continue;
    ::kill(worker.pid, SIGKILL);
    ++counts_.kills;
    clock_.advance(kBetweenDeaths);
    return nextKill();
  }
}

void Soak::spawn(Task<void> task) {
  ++running_;
  asio::co_spawn(loop_, std::move(task), [this](std::exception_ptr const& bug, Result<void> const& result) {
    if (bug) std::rethrow_exception(bug);
    if (!result) throw std::runtime_error(result.error().message);
    --running_;
  });
}

void Soak::wait() {
  loop_.restart();
  while (running_ > 0)
    if (loop_.run_one() == 0) throw std::runtime_error("the loop ran dry while calls were in flight");
}

// ---------------------------------------------------------------- verdict

std::uint64_t Soak::lost() const {
  auto missing = options_.calls - counts_.completed - counts_.found_done;
  for (std::size_t i = 0; i < options_.calls; i += kChange) missing += provider_.applied(i) == 0 ? 1 : 0;
  return missing;
}

std::uint64_t Soak::twice() const {
  std::uint64_t more = 0;
  for (std::size_t i = 0; i < options_.calls; ++i) more += provider_.applied(i) > 1 ? 1 : 0;
  return more;
}

std::vector<std::string> Soak::problems() const {
  std::vector<std::string> out;
  auto const need = [&out](bool held, char const* problem) {
    if (!held) out.emplace_back(problem);
  };
  auto const& warm = figures_.at(kWarm - 1);
  auto const& end = figures_.back();
  need(lost() == 0, "calls or changes were lost");
  need(twice() == 0, "changes were made twice");
  need(counts_.denied == 0, "an error said that nothing was changed when something was");
  need(counts_.mixed_up == 0, "a call got the answer of another");
  need(counts_.other.empty(), "calls failed for another reason than the death of their worker");
  need(provider_.strangers() == 0, "the provider was asked for what no call asks");
  need(counts_.kills > 0, "no worker was killed: more calls, or a smaller --kill-every");
  need(end.descriptors <= warm.descriptors, "descriptors were left open");
  need(end.threads <= warm.threads, "threads were left running");
#ifndef GARLAND_SANITIZER_BUILD // which keeps freed memory
  need(end.heap <= warm.heap + kMoreHeap, "the heap grew by more than 128 KiB after the warm-up");
  need(end.resident <= warm.resident + kMoreResident, "memory grew by more than 4 MiB after the warm-up");
#endif
  return out;
}

json::object figures(ProcessFigures const& process) {
  return {{"resident_bytes", process.resident},
          {"heap_bytes", process.heap},
          {"descriptors", process.descriptors},
          {"threads", process.threads}};
}

json::object Soak::report(double seconds) const {
  json::array legs;
  for (auto const& each : figures_) legs.push_back(figures(each));
  json::object other;
  for (auto const& [message, count] : counts_.other) other[message] = count;
  json::array found;
  for (auto const& problem : problems()) found.emplace_back(problem);
  return {{"calls", options_.calls},
          {"in_flight", options_.in_flight},
          {"seed", options_.seed},
          {"seconds", seconds},
          {"kills", counts_.kills},
          {"completed", counts_.completed},
          {"found_done_after_a_death", counts_.found_done},
          {"failed_transient_and_repeated", counts_.transient},
          {"failed_otherwise", other},
          {"lost", lost()},
          {"done_twice", twice()},
          {"denied", counts_.denied},
          {"mixed_up", counts_.mixed_up},
          {"after_warm_up", figures(figures_.at(kWarm - 1))},
          {"at_the_end", figures(figures_.back())},
          {"rule", "from the warm-up (a fifth of the calls) to the end: descriptors and threads do not grow, "
                   "heap in use by at most 128 KiB, resident memory by at most 4 MiB"},
          {"problems", found},
          {"held", found.empty()},
          {"legs", legs}};
}

// ---------------------------------------------------------------- command line

template <class Number> bool read(char const* text, Number& out) {
  auto const* const end = text + std::char_traits<char>::length(text);
  auto const parsed = std::from_chars(text, end, out);
  return parsed.ec == std::errc() && parsed.ptr == end;
}

bool parse(int argc, char** argv, Options& out) {
  for (int i = 1; i < argc; i += 2) {
    std::string_view const name = argv[i];
    if (i + 1 == argc) return false;
    bool const known = (name == "--calls" && read(argv[i + 1], out.calls)) ||
                       (name == "--in-flight" && read(argv[i + 1], out.in_flight)) ||
                       (name == "--kill-every" && read(argv[i + 1], out.kill_every)) ||
                       (name == "--seed" && read(argv[i + 1], out.seed));
    if (!known) return false;
  }
  return out.calls >= 1000 && out.in_flight >= 2 && out.kill_every > 0;
}

int soak(Options options) {
  Soak soak(options);
  auto const begun = std::chrono::steady_clock::now();
  soak.run();
  std::chrono::duration<double> const took = std::chrono::steady_clock::now() - begun;
  std::puts(json::serialize(soak.report(took.count())).c_str());
  return soak.held() ? 0 : 1;
}

} // namespace
} // namespace garland::soak

int main(int argc, char** argv) {
  garland::soak::Options options;
  if (!garland::soak::parse(argc, argv, options)) {
    std::fprintf(
        stderr, "usage: garland_soak [--calls N>=1000] [--in-flight N>=2] [--kill-every CALLS] [--seed N]\n");
    return 2;
  }
  try {
    return garland::soak::soak(options);
  } catch (std::exception const& problem) {
    std::fprintf(stderr, "garland_soak: %s\n", problem.what());
    return 1;
  }
}
