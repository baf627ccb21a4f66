#include "host/runtime/plugin_slot.h"

#include "garland/plugin.h"
#include "host/runtime/tainted.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <exception>

namespace garland::runtime {
namespace {

using namespace std::chrono_literals;

constexpr auto kCrashOfLate = 10min; // as long as RestartPolicy remembers
constexpr auto kFarewell = 1s;       // a worker may take that long to end after it was asked to
constexpr std::uint8_t kTierD = 3;
constexpr int kSandboxTries = 3; // until a sandbox that cannot be closed is taken for the machine's last word

Error stoppingError() {
  Error error(ErrorKind::transient, "the host is stopping; repeat the call after it has started again");
  error.provider_code = "stopping";
  return error;
}

Error cancelledError() {
  return Error(ErrorKind::cancelled, "the call was cancelled before its worker was ready");
}

} // namespace

bool WorkerRecord::isClean(TimePoint now) const {
  bool const crashed = last_crash && now - *last_crash < kCrashOfLate;
  return !crashed && policy.state() == RestartPolicy::State::open;
}

std::string WorkerRecord::quarantineReason() const {
  return std::to_string(RestartPolicy::kTrials) + " trial calls in a row ended its worker, the last one " +
         last_exit;
}

Error quarantineError(Manifest const& manifest, std::string_view vendor_id, std::string_view why) {
  auto const whose = vendor_id.empty() ? std::string() : " for " + std::string(vendor_id);
  Error error(ErrorKind::transient, manifest.id + " " + manifest.version + " is in quarantine" + whose +
                                        ", because " + std::string(why) +
                                        ". Install another version of it, or lift it with `garland plugins "
                                        "release " +
                                        manifest.id + "`");
  error.provider_code = "plugin_quarantined";
  return error;
}

PluginSlot::PluginSlot(asio::any_io_executor const& executor, Clock& clock, Random& random, Log const& log,
                       SupervisorOptions options, Spawner& spawner, PluginInfo plugin, std::string vendor_id,
                       std::shared_ptr<WorkerRecord> shared)
    : executor_(executor), clock_(clock), log_(log), options_(std::move(options)), spawner_(spawner),
      plugin_(std::move(plugin)), random_(random), vendor_id_(std::move(vendor_id)),
      one_call_(shared != nullptr), record_(std::move(shared)) {
  if (!record_) record_ = std::make_shared<WorkerRecord>(options_.restart_base, options_.restart_cap, random);
}

PluginSlot::~PluginSlot() {
  if (worker_) worker_->abandon();
  for (auto const& worker : replaced_) worker->abandon();
}

Task<PluginSlot::Lease> PluginSlot::acquire(Milliseconds patience) {
  using Gate = RestartPolicy::Gate;
  auto const self = shared_from_this();
  Lease lease;
  while (true) {
    auto const now = clock_.monotonic();
    auto const gate = lease.trial ? Gate::go : record_->policy.gate(now);
    if (refusal_) co_return *refusal_;
    if (stopping_) co_return stoppingError();
    if (gate == Gate::never) co_return quarantined();
    if (gate == Gate::away) co_return backingOff(now);
    if (gate == Gate::trial) {
      lease.trial = true;
      on_trial_ = true;
      record_->policy.beginTrial(now);
    }
    if (ready_ && !ready_->isEnding()) {
      lease.worker = ready_;
      co_return lease;
    }
    if (auto const last = worker_; last && last->isEnding()) {
      co_await last->gone().wait();
      if (last->isGone()) continue;
      release(lease, Use::dropped);
      co_return cancelledError();
    }
    if (!starting_ && gate == Gate::pause) {
      auto const pause = std::chrono::ceil<Milliseconds>(record_->policy.nextTry() - now);
      if (pause > patience) co_return backingOff(now);
      CO_TRY_VOID(co_await clock_.sleepFor(pause));
      continue;
    }
    if (!starting_) {
      starting_ = std::make_shared<Start>(executor_);
      asio::co_spawn(executor_, runStart(self, starting_), asio::detached);
    }
    auto const start = starting_;
    co_await start->finished.wait();
    if (start->finished.isSet() && !start->error) continue;
    release(lease, start->error ? Use::died : Use::dropped);
    if (start->error) co_return *start->error;
    co_return cancelledError();
  }
}

void PluginSlot::release(Lease const& lease, Use use) {
  if (!lease.trial || record_->policy.state() != RestartPolicy::State::halfOpen) return;
  if (use != Use::lived)
    return record_->policy.trialDropped(clock_.monotonic()); // a death was counted already
  record_->policy.trialPassed();
  tell(SupervisorEvent::Kind::recovered, "a trial call went well, so it takes every call again");
}

std::shared_ptr<PluginSlot> PluginSlot::sibling() {
  auto const out =
      std::make_shared<PluginSlot>(executor_, clock_, random_, log_, options_, spawner_, plugin_, vendor_id_);
  out->image_ = image_;
  out->refusal_ = refusal_;
  out->solo_ = true;
  return out;
}

Error PluginSlot::backingOff(Monotonic now) const {
  bool const half_open = record_->policy.state() == RestartPolicy::State::halfOpen;
  Error error(ErrorKind::transient,
              "the worker of " + plugin_.manifest.id + " " + record_->last_exit +
                  (half_open
                       ? "; it has died so often that only one call every 30 seconds is let through to try it"
                       : " and rests before it is started again"));
  error.provider_code = "worker_backing_off";
  error.retry_after =
      std::max(std::chrono::ceil<Milliseconds>(record_->policy.nextTry() - now), Milliseconds(1));
  return error;
}

Error PluginSlot::quarantined() const {
  return quarantineError(plugin_.manifest, vendor_id_, record_->quarantineReason());
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
  request.clock = options_.plugin_clock;
  request.plugin = plugin_;
  request.image = image_;
  auto spawned = co_await spawner_.start(std::move(request));
  if (stopping_) co_return stoppingError();
  if (!spawned && spawned.error().kind == ErrorKind::invalidInput)
    co_return refuse(std::move(spawned).error());
  if (!spawned) co_return notStarted(std::move(spawned).error());
  image_ = spawned->image;
  auto const linked = link(std::move(*spawned));
  if (!linked) co_return notStarted(linked.error());
  ++starts_;
  auto const worker = worker_;
  co_await worker->greeted().wait();
  auto const& hello = worker->hello();
  if (!hello) {
    auto error = hello.error();
    if (error.kind == ErrorKind::transient) co_return error;
    if (error.kind == ErrorKind::hostLimit) {
      bool const again = ++open_sandboxes_ < kSandboxTries;
      error.kind = again ? ErrorKind::transient : ErrorKind::unsupported;
      if (again) {
        worker->kill("its sandbox could not be closed");
        co_return notStarted(std::move(error));
      }
    }
    co_return refuse(std::move(error).within(plugin_.manifest.id + " cannot be loaded"));
  }
  open_sandboxes_ = 0;
  auto objection = objectionTo(*worker->sandbox()); // no hello is taken without it
  if (!objection) objection = objectionTo(*hello);
  if (objection) {
    worker->kill("the host refused it");
    co_return refuse(std::move(*objection));
  }
  if (worker->isGone() || worker_ != worker)
    co_return Error(ErrorKind::transient, "the worker of " + plugin_.manifest.id + " " + record_->last_exit);
  ready_ = worker;
  if (last_end_ && last_end_->crashed) tell(SupervisorEvent::Kind::restarted, "a new worker is ready");
  co_return Result<void>();
}

Result<void> PluginSlot::link(Spawned spawned) {
  try {
    worker_ = std::make_shared<WorkerLink>(executor_, log_, plugin_.manifest.id, std::move(spawned));
  } catch (std::exception const& problem) { // Asio could not watch a descriptor
    return Error(ErrorKind::transient, std::string("the worker could not be connected: ") + problem.what());
  }
  auto const* const worker = worker_.get();
  worker_->start(options_.handshake, slice(), [weak = weak_from_this(), worker](WorkerEnd const& end) {
    if (auto const self = weak.lock()) self->onEnded(worker, end);
  });
  worker_->watchMemory(memoryLimit(), [weak = weak_from_this(), worker](MemoryUse const& use) {
    if (auto const self = weak.lock()) self->replace(worker, use);
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
  tell(SupervisorEvent::Kind::refused, error.message, error.kind == ErrorKind::pluginBug);
  return error;
}

// No code of the plugin has run in it.
bool PluginSlot::couldNotCloseSandbox() const {
  if (!worker_ || !worker_->greeted().isSet()) return false;
  auto const& hello = worker_->hello();
  return !hello &&
         (hello.error().kind == ErrorKind::hostLimit || hello.error().kind == ErrorKind::unsupported);
}

Milliseconds PluginSlot::slice() const {
  auto const own = options_.slice_of.find(plugin_.manifest.id);
  return own == options_.slice_of.end() ? options_.slice : own->second;
}

std::size_t PluginSlot::memoryLimit() const {
#ifdef GARLAND_SANITIZER_BUILD // sandbox.cpp sets none
  return 0;
#else
  return options_.address_space;
#endif
}

// Whatever its calls do, they get on better in another worker: those that run there end there, and none is
// blamed.
void PluginSlot::replace(WorkerLink const* worker, MemoryUse const& use) {
  if (worker_.get() != worker || stopping_ || solo_ || one_call_) return;
  replaced_.push_back(std::exchange(worker_, nullptr));
  ready_.reset();
  record_->last_exit = "was replaced because it " + use.describe();
  log_.warn("a worker is replaced", {{"plugin", plugin_.manifest.id}, {"reason", "it " + use.describe()}});
  tell(SupervisorEvent::Kind::replaced, "its worker " + record_->last_exit);
  countDeath(); // a build that uses it up again and again has to wait like one that crashes
  replaced_.back()->drain();
}

void PluginSlot::onEnded(WorkerLink const* worker, WorkerEnd const& end) {
  auto const ends = [&](auto const& one) { return one.get() == worker; };
  bool const was_replaced = std::erase_if(replaced_, ends) > 0;
  if (was_replaced && (!end.crashed || end.overstayed)) return; // it is told already why
  bool const loaded = was_replaced || !couldNotCloseSandbox();
  if (!was_replaced) {
    ready_.reset();
    worker_.reset();
    stop_timer_.reset();
  }
  record_->last_exit = end.how;
  last_end_ = end;
  last_end_->report.reset(); // it may be large
  if (!end.crashed || !loaded || refusal_ || (stopping_ && !solo_)) return;
  record_->last_crash = clock_.now();
  auto const kept = keepCapsule(end);
  log_.warn("a worker ended", {{"plugin", plugin_.manifest.id}, {"how", end.how}});
  last_capsule_ = kept.path;
  tell(SupervisorEvent::Kind::crashed, solo_ ? kept.summary + ", alone in its worker" : kept.summary, false,
       kept.path, end.call);
  countDeath();
}

// Before the calls are told: as long as they run, their secrets are known and scrubbed.
CapsuleNote PluginSlot::keepCapsule(WorkerEnd const& end) const {
  CapsuleNote note{{}, {}, end.how};
  if (!end.report) return note;
  auto& report = *end.report;
  report.plugin_id = plugin_.manifest.id;
  report.plugin_version = plugin_.manifest.version;
  report.plugin_path = plugin_.path;
  report.digest = plugin_.digest;
  report.at = clock_.now();
  if (image_) report.stack = symbolise(end.stack, image_->get());
  if (image_ && report.build_id.empty()) report.build_id = buildIdOf(image_->get());
  note.summary = report.summary();
  if (options_.capsules_dir.empty() || options_.redactor == nullptr) return note;
  auto const path = CapsuleFolder(options_.capsules_dir, *options_.redactor).keep(report);
  if (path)
    note.path = *path;
  else
    log_.warn("a crash capsule is lost", {{"reason", path.error().message}});
  return note;
}

// For want of something that the host has to provide: no death of the build, but the next try waits.
Error PluginSlot::notStarted(Error error) {
  record_->last_exit = "could not be started: " + error.message;
  record_->policy.notStarted(clock_.monotonic());
  log_.warn("a worker could not be started", {{"plugin", plugin_.manifest.id}, {"reason", error.message}});
  return error;
}

void PluginSlot::countDeath() {
  bool const half_open = record_->policy.state() == RestartPolicy::State::halfOpen;
  if (one_call_ && half_open && !on_trial_) return; // it began before: no trial failed
  if (!record_->policy.died(clock_.monotonic()) || solo_) return;
  if (record_->policy.state() == RestartPolicy::State::halfOpen)
    return tell(
        SupervisorEvent::Kind::halfOpen,
        "its worker ended early 5 times within a minute; one call every 30 seconds is let through to try it");
  tell(SupervisorEvent::Kind::quarantined, record_->quarantineReason());
}

void PluginSlot::tell(SupervisorEvent::Kind kind, std::string reason, bool build_at_fault,
                      std::string capsule, std::optional<CallPlace> call) const {
  if (!options_.on_event) return;
  SupervisorEvent event;
  event.time = clock_.now();
  event.plugin_id = plugin_.manifest.id;
  event.digest = plugin_.digest;
  event.vendor_id = vendor_id_;
  event.kind = kind;
  event.reason = std::move(reason);
  event.build_at_fault = build_at_fault;
  event.capsule = std::move(capsule);
  event.call = std::move(call);
  options_.on_event(event);
}

std::vector<std::string> PluginSlot::arguments() const {
  std::vector<std::string> out{"--address-space=" + std::to_string(options_.address_space)};
  if (options_.allow_degraded_sandbox) out.emplace_back("--allow-degraded-sandbox");
  if (options_.plugin_clock) out.emplace_back("--clock-page");
  return out;
}

WorkerStatus PluginSlot::status() const {
  WorkerStatus out;
  out.plugin_id = plugin_.manifest.id;
  out.vendor_id = vendor_id_;
  out.restarts = starts_ > 0 ? starts_ - 1 : 0;
  out.last_exit = record_->last_exit;
  out.digest = plugin_.digest;
  out.last_crash = record_->last_crash;
  if (isQuarantined()) out.quarantine = quarantined().message;
  out.memory_limit = memoryLimit();
  for (auto const& worker : replaced_) out.in_flight += worker->inFlight();
  if (refusal_) out.refusal = refusal_->message;
  if (worker_) {
    out.pid = worker_->pid();
    out.in_flight += worker_->inFlight();
    out.memory = worker_->memory().used;
  }
  if (stopping_ || refusal_)
    out.state = "stopped";
  else if (worker_)
    out.state = out.in_flight > 0 ? "running" : "idle";
  else
    out.state =
        record_->policy.gate(clock_.monotonic()) == RestartPolicy::Gate::pause ? "backing off" : "stopped";
  if (record_->policy.state() == RestartPolicy::State::halfOpen) out.state = "half open";
  if (isQuarantined()) out.state = "quarantined";
  return out;
}

void PluginSlot::refuseCalls() { stopping_ = true; }

void PluginSlot::cancelCalls() {
  if (worker_) worker_->cancelCalls();
  for (auto const& worker : replaced_) worker->cancelCalls();
}

void PluginSlot::withdraw(Error why) {
  refusal_ = std::move(why);
  refuseCalls();
  cancelCalls();
}

void PluginSlot::askToEnd() {
  stopping_ = true;
  stopWorker("it did not end when the host told it to");
  for (auto const& worker : replaced_) worker->endSoon();
}

void PluginSlot::rest() {
  if (starting_ || !worker_ || worker_->isEnding() || worker_->inFlight() > 0) return;
  log_.debug("an idle worker is ended", {{"plugin", plugin_.manifest.id}, {"pid", worker_->pid()}});
  stopWorker("it did not end although it had nothing to do");
}

void PluginSlot::stopWorker(std::string why_killed) {
  if (!worker_) return;
  worker_->stop();
  stop_timer_.emplace(executor_, kFarewell);
  stop_timer_->async_wait([worker = worker_, why = std::move(why_killed)](auto const& failed) {
    if (!failed) worker->killLate(why);
  });
}

bool PluginSlot::isClean() const { return !hasWorker() && !refusal_ && record_->isClean(clock_.now()); }

Task<void> PluginSlot::ended() {
  auto const self = shared_from_this();
  if (auto const start = starting_) co_await start->finished.wait();
  auto const worker = worker_;
  if (worker && !stop_timer_) askToEnd(); // it was being started until now
  if (worker) co_await worker->gone().wait();
  auto const replaced = replaced_;
  for (auto const& one : replaced) co_await one->gone().wait();
  co_return Result<void>();
}

} // namespace garland::runtime
