// Calls through the supervisor: everything that a call of the engine passes, and no plugin work.
#include "host/runtime/runtime.h"
#include "tests/bench/call_peers.h"
#include "tests/places/places.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <fstream>
#include <iterator>
#include <optional>

namespace garland::bench {
namespace {

using namespace garland::runtime;

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
  auto const* found = catalogue.find("host_probe");
  if (!found) throw std::runtime_error("the probe plugin is not built");
  return *found;
}

class WorkerPeer final : public Peer {
public:
  WorkerPeer() { start(); }
  ~WorkerPeer() override { stop(); }

  void call(std::size_t bytes, int in_flight, Times& times) override {
    auto const input = echoInput(bytes);
    for (int i = 0; i < in_flight; ++i) spawn(echoUntil(input, times));
    wait();
  }
  void start() override {
    SupervisorOptions options;
    options.worker_path = inBuild("/bin/garland-worker");
    options.allow_degraded_sandbox = true;
    supervisor_ = Supervisor::create(loop_.get_executor(), clock_, random_, log_, std::move(options));
    spawn(echo(echoInput(16)));
    wait();
  }
  void stop() override {
    if (!supervisor_) return;
    spawn(supervisor_->shutdown());
    wait();
    supervisor_.reset();
  }
  pid_t partner() const override { return supervisor_->workers().at(0).pid; }

private:
  Task<void> echoUntil(std::string const& input, Times& times) {
    while (times.goOn() && !failure_) {
      auto const begun = times.begin();
      CO_TRY_VOID(co_await echo(input));
      times.ended(begun);
    }
    co_return Result<void>();
  }
  // The copy of the input is the caller's part of a call, as filling a request is with other peers.
  Task<void> echo(std::string input) {
    Call call;
    call.operation = "test.echo/1";
    call.account_id = "con_1";
    call.account = account_;
    call.input = std::move(input);
    CO_TRY_VOID(co_await supervisor_->call(plugin_, std::move(call), host_));
    co_return Result<void>();
  }
  void spawn(Task<void> task) {
    ++running_;
    asio::co_spawn(loop_, std::move(task), [this](std::exception_ptr const& bug, Result<void> const& result) {
      if (bug) std::rethrow_exception(bug);
      if (!result && !failure_) failure_ = result.error().message;
      --running_;
    });
  }
  void wait() {
    loop_.restart();
    while (running_ > 0) loop_.run_one();
    if (auto const failed = std::exchange(failure_, std::nullopt)) throw std::runtime_error(*failed);
  }

  asio::io_context loop_{1};
  SystemClock clock_;
  SystemRandom random_;
  Redactor redactor_;
  Log log_{clock_, redactor_, LogLevel::error, stderrSink()};
  NoHost host_;
  PluginInfo plugin_ = probe();
  std::string account_ = R"({"account_id":"con_1","settings":{},"slots":[]})";
  int running_ = 0;
  std::optional<std::string> failure_;
  std::unique_ptr<Supervisor> supervisor_;
};

} // namespace

std::unique_ptr<Peer> workerPeer() { return std::make_unique<WorkerPeer>(); }

} // namespace garland::bench
