#include "host/runtime/plugin_slot.h"

#include "garland/plugin.h"
#include "host/runtime/tainted.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <exception>

namespace garland::runtime {
namespace {

using namespace std::chrono_literals;

constexpr auto kFarewell = 1s; // a worker may take that long to end after it was asked to
constexpr std::uint8_t kTierD = 3;

Error stoppingError() {
  Error error(ErrorKind::transient, "the host is stopping; repeat the call after it has started again");
  error.provider_code = "stopping";
  return error;
}

Error cancelledError() {
  return Error(ErrorKind::cancelled, "the call was cancelled before its worker was ready");
}

} // namespace

PluginSlot::PluginSlot(asio::any_io_executor const& executor, Clock& clock, Random& random, Log const& log,
                       SupervisorOptions options, Spawner& spawner, PluginInfo plugin)
    : executor_(executor), clock_(clock), log_(log), options_(std::move(options)), spawner_(spawner),
      plugin_(std::move(plugin)), backoff_(options_.restart_base, options_.restart_cap, random) {}

PluginSlot::~PluginSlot() {
  if (worker_) worker_->abandon();
}

Task<std::shared_ptr<WorkerLink>> PluginSlot::acquire(Milliseconds patience) {
  auto const self = shared_from_this();
  while (true) {
    if (stopping_) co_return stoppingError();
    if (refusal_) co_return *refusal_;
    if (auto worker = ready()) co_return worker;
    if (auto const last = worker_; last && last->isEnding()) {
      co_await last->gone().wait();
      if (!last->isGone()) co_return cancelledError();
      continue;
    }
    auto const now = clock_.monotonic();
    if (!starting_ && backoff_.waits(now)) {
      auto const pause = std::chrono::ceil<Milliseconds>(backoff_.notBefore() - now);
      if (pause > patience) {
        Error error(ErrorKind::transient, "the worker of " + plugin_.manifest.id + " " + last_exit_ +
                                              " and rests before it is started again");
        error.provider_code = "worker_backing_off";
        error.retry_after = pause;
        co_return error;
      }
      CO_TRY_VOID(co_await clock_.sleepFor(pause));
      continue;
    }
    if (!starting_) {
      starting_ = std::make_shared<Start>(executor_);
      asio::co_spawn(executor_, runStart(self, starting_), asio::detached);
    }
    auto const start = starting_;
    co_await start->finished.wait();
    if (!start->finished.isSet()) co_return cancelledError();
    if (start->error) co_return *start->error;
  }
}

asio::awaitable<void> PluginSlot::runStart(Self self, std::shared_ptr<Start> start) {
  auto started = co_await self->startWorker();
  if (!started) start->error = std::move(started).error();
  self->starting_.reset();
  start->finished.set();
}

Task<void> PluginSlot::startWorker() {
  SpawnRequest request;
  request.worker_path = options_.worker_path;
  request.arguments = arguments();
  request.plugin = plugin_;
  request.image = image_;
  auto spawned = co_await spawner_.start(std::move(request));
  if (stopping_) co_return stoppingError();
  if (!spawned && spawned.error().kind == ErrorKind::invalidInput)
    co_return refuse(std::move(spawned).error());
  if (!spawned) {
    backoff_.died(clock_.monotonic());
    last_exit_ = "could not be started: " + spawned.error().message;
    co_return std::move(spawned).error();
  }
  ++starts_;
  image_ = spawned->image;
  CO_TRY_VOID(link(std::move(*spawned)));
  auto const worker = worker_;
  co_await worker->greeted().wait();
  auto const& hello = worker->hello();
  if (!hello) {
    auto error = hello.error();
    if (error.kind != ErrorKind::transient)
      error = refuse(std::move(error).within(plugin_.manifest.id + " cannot be loaded"));
    co_return error;
  }
  auto objection = objectionTo(*worker->sandbox()); // no hello is taken without it
  if (!objection) objection = objectionTo(*hello);
  if (objection) {
    worker->kill("the host refused it");
    co_return refuse(std::move(*objection));
  }
  if (worker->isGone() || worker_ != worker)
    co_return Error(ErrorKind::transient, "the worker of " + plugin_.manifest.id + " " + last_exit_);
  ready_ = worker;
  co_return Result<void>();
}

Result<void> PluginSlot::link(Spawned spawned) {
  try {
    worker_ = std::make_shared<WorkerLink>(executor_, log_, plugin_.manifest.id, std::move(spawned));
  } catch (std::exception const& problem) { // Asio could not watch a descriptor
    return Error(ErrorKind::transient, std::string("the worker could not be connected: ") + problem.what());
  }
  worker_->start(options_.handshake, [weak = weak_from_this()](std::string const& how) {
    if (auto const self = weak.lock()) self->onEnded(how);
  });
  return {};
}

std::optional<Error> PluginSlot::objectionTo(wire::Hello const& hello) const {
  auto const& manifest = plugin_.manifest;
  if (hello.version != wire::kVersion)
    return Error(ErrorKind::unsupported,
                 "garland-worker and garlandd are of different builds; install both from one");
  if (hello.abi_major != GARLAND_ABI_MAJOR)
    return Error(ErrorKind::pluginBug, manifest.id + " speaks ABI major " + std::to_string(hello.abi_major) +
                                           ", this host " + std::to_string(GARLAND_ABI_MAJOR));
  if (hello.plugin_id != manifest.id)
    return Error(ErrorKind::pluginBug, "the plugin of " + manifest.id + " calls itself \"" +
                                           cleanText(hello.plugin_id, 100) +
                                           "\"; its id must be that of its connector.json");
  if (hello.plugin_version != manifest.version)
    return Error(ErrorKind::pluginBug, manifest.id + " says it is version \"" +
                                           cleanText(hello.plugin_version, 100) +
                                           "\" but its connector.json says " + manifest.version);
  return std::nullopt;
}

std::optional<Error> PluginSlot::objectionTo(wire::Closed const& sandbox) const {
  if (sandbox.tier >= kTierD && !options_.allow_degraded_sandbox)
    return Error(
        ErrorKind::unsupported,
        "this machine offers only sandbox tier D, so no plugin is run; see `garland sandbox status`, or set "
        "[sandbox] allow_degraded to accept it");
  if (sandbox.tier > static_cast<std::uint8_t>(options_.expected_tier))
    return Error(ErrorKind::unsupported,
                 "the worker of " + plugin_.manifest.id +
                     " reached a worse sandbox tier than this machine "
                     "offers; see `garland sandbox status`, and restart garlandd if the machine has changed");
  return std::nullopt;
}

Error PluginSlot::refuse(Error error) {
  if (error.kind == ErrorKind::invalidInput) error.kind = ErrorKind::pluginBug;
  error.effect = Effect::notApplied;
  error.provider_code = "plugin_refused";
  refusal_ = error;
  log_.error("a plugin is refused", {{"plugin", plugin_.manifest.id}, {"reason", error.message}});
  return error;
}

void PluginSlot::onEnded(std::string const& how) {
  ready_.reset();
  worker_.reset();
  last_exit_ = how;
  if (stop_timer_) stop_timer_->cancel();
  if (stopping_ || refusal_) return;
  backoff_.died(clock_.monotonic());
  log_.warn("a worker ended", {{"plugin", plugin_.manifest.id}, {"how", how}});
}

std::vector<std::string> PluginSlot::arguments() const {
  std::vector<std::string> out{"--address-space=" + std::to_string(options_.address_space)};
  if (options_.allow_degraded_sandbox) out.emplace_back("--allow-degraded-sandbox");
  return out;
}

WorkerStatus PluginSlot::status() const {
  WorkerStatus out;
  out.plugin_id = plugin_.manifest.id;
  out.restarts = starts_ > 0 ? starts_ - 1 : 0;
  out.last_exit = last_exit_;
  if (worker_) {
    out.pid = worker_->pid();
    out.in_flight = worker_->inFlight();
  }
  if (stopping_ || refusal_)
    out.state = "stopped";
  else if (worker_)
    out.state = out.in_flight > 0 ? "running" : "idle";
  else
    out.state = backoff_.waits(clock_.monotonic()) ? "backing off" : "stopped";
  return out;
}

void PluginSlot::refuseCalls() { stopping_ = true; }

void PluginSlot::askToEnd() {
  stopping_ = true;
  if (!worker_) return;
  worker_->stop();
  stop_timer_.emplace(executor_, kFarewell);
  stop_timer_->async_wait([worker = worker_](auto const& failed) {
    if (!failed) worker->kill("it did not end when the host stopped");
  });
}

Task<void> PluginSlot::ended() {
  auto const self = shared_from_this();
  if (auto const start = starting_) co_await start->finished.wait();
  auto const worker = worker_;
  if (worker && !stop_timer_) askToEnd(); // it was being started until now
  if (worker) co_await worker->gone().wait();
  co_return Result<void>();
}

} // namespace garland::runtime
