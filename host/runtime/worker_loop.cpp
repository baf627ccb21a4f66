#include "host/runtime/worker_loop.h"

#include "host/runtime/worker_signals.h"
#include "host/runtime/worker_time.h"

#include <algorithm>
#include <cstdio>
#include <limits>
#include <new>
#include <type_traits>

namespace garland::runtime::worker {
namespace {

constexpr std::int64_t kMillisecond = 1'000'000;
// After this long an emitting call lets others run although it need not wait.
constexpr std::int64_t kFairShare = 10 * kMillisecond;
constexpr std::int64_t kPollEvery = 5 * kMillisecond;
constexpr std::uint32_t kLongestSliceMs = 3'600'000;
constexpr char const* kExportName = "garland.export_state"; // in the place of an operation's id

// A plugin in C has no noexcept in the type that it returns, which the sanitizer takes for another type.
__attribute__((no_sanitize("undefined"))) garland_op lookUp(garland_plugin const& plugin,
                                                            std::string const& id) {
  return plugin.find_op({id.data(), id.size()});
}

// The failure of a call that ended with `status`.
Error failureOf(Call& call, garland_status status) {
  if (call.failure && static_cast<garland_status>(call.failure->kind) == status)
    return std::move(*call.failure);
  auto const known = status >= GARLAND_E_AUTH_EXPIRED && status <= GARLAND_E_HOST_LIMIT;
  auto const kind = known ? static_cast<ErrorKind>(status) : ErrorKind::providerBug;
  Error error(kind, "the plugin gave no reason");
  if (call.last_host_error && call.last_host_error->kind == kind)
    error = std::move(*call.last_host_error);
  else if (!known)
    error.message = "the plugin returned the unknown status " + std::to_string(status);
  else if (kind == ErrorKind::cancelled && call.cancelled)
    error.message = "the call was cancelled";
  // Which of possibly several requests went through is not for the worker to guess.
  error.effect = Effect::unknown;
  return error;
}

// What its request waited for the provider's limit is not the call's time.
void grant(Call& call, std::int64_t waited_ms) {
  constexpr std::int64_t kLongestWait = 24LL * 3600 * 1000;
  constexpr auto kNever = std::numeric_limits<std::int64_t>::max();
  auto const more = std::clamp<std::int64_t>(waited_ms, 0, kLongestWait) * kMillisecond;
  call.deadline_ns = std::min(call.deadline_ns, kNever - more) + more;
}

} // namespace

int Loop::run(garland_plugin const& plugin) {
  plugin_ = &plugin;
  instances_ = std::make_unique<Instances>(
      plugin, Instances::Turns{[this](Call& call) { park(call); }, [this](Call& call) { wake(call); }});
  while (true) {
    runReady();
    channel_.flush();
    if (channel_.closed()) return wire::kExitOk;
    if (stopping_ && calls_.empty()) break;
    channel_.receive(nextTimer());
    if (channel_.closed()) return wire::kExitOk;
    received_at_ = monotonicNow();
    if (auto taken = dispatchAll(); !taken) {
      std::fprintf(stderr, "garland-worker: %s\n", taken.error().message.c_str());
      return wire::kExitProtocol;
    }
    fireTimers();
  }
  enterPlugin(0, "shutting down", nullptr, kLoadingMs);
  instances_->closeAll();
  if (plugin.shutdown != nullptr) plugin.shutdown();
  leavePlugin();
  channel_.flush();
  return wire::kExitOk;
}

// ---------------------------------------------------------------- fibers

void Loop::runReady() {
  // One round: a call that gives way again and again must not keep the loop from reading.
  for (auto left = ready_.size(); left > 0 && !channel_.closed(); --left) {
    auto& call = *ready_.front();
    ready_.pop_front();
    call.ready = false;
    resume(call);
    left = std::min(left, ready_.size() + 1); // a call that ended has left the queue
  }
}

void Loop::resume(Call& call) {
  call.running_since = monotonicNow();
  running_ = &call;
  enterPlugin(call.id, call.ask.operation, call.fiber->stackLimit(),
              static_cast<int>(std::min(config_.slice_ms, kLongestSliceMs)));
  call.fiber->resume();
  leavePlugin();
  running_ = nullptr;
  if (!call.fiber->finished()) return;
  // It may have been woken by a message that it read itself (poll), and then ended.
  if (call.ready) std::erase(ready_, &call);
  calls_.erase(call.id);
}

void Loop::serve(Call& call) {
  garland_status status = GARLAND_E_HOST_LIMIT;
  try {
    status = perform(call);
  } catch (std::bad_alloc const&) {
    call.failure = Error(ErrorKind::hostLimit, "the worker has no memory to run the call");
  }
  InHost const in_host;
  finish(call, status);
}

garland_status Loop::perform(Call& call) {
  if (call.exporting) return instances_->exportState(call);
  auto const operation = lookUp(*plugin_, call.ask.operation);
  if (operation == nullptr) {
    call.failure = Error(ErrorKind::unsupported, "the plugin does not offer " + call.ask.operation)
                       .withEffect(Effect::notApplied);
    return GARLAND_E_UNSUPPORTED;
  }
  garland_json const input{call.ask.input.data(), call.ask.input.size()};
  auto const body = [&](garland_instance* self) {
    if (!call.ask.state.empty()) importState(call, self);
    return operation(self, call.handle(), input);
  };
  return instances_->with(call, std::ref(body));
}

// A state is a cache: the call goes on without it, and what importing left behind is not the call's.
void Loop::importState(Call& call, garland_instance* self) {
  if (!GARLAND_HAS_FN(plugin_, import_state)) return;
  garland_json const state{call.ask.state.data(), call.ask.state.size()};
  auto const status = plugin_->import_state(self, call.handle(), state);
  call.result.clear();
  call.failure.reset();
  call.last_host_error.reset();
  if (status == GARLAND_OK) return;
  InHost const in_host;
  wire::Log line;
  line.level = GARLAND_LOG_WARN;
  line.message = "the plugin did not take its older version's state: status " + std::to_string(status);
  channel_.send(wire::Kind::log, call.id, line);
}

void Loop::finish(Call& call, garland_status status) {
  if (call.progress.unsent) channel_.send(wire::Kind::progress, call.id, call.progress.latest);
  wire::Done done;
  if (status == GARLAND_OK)
    done.result = std::move(call.result);
  else
    done.error = failureOf(call, status);
  channel_.send(wire::Kind::done, call.id, done);
}

void Loop::wake(Call& call) {
  if (call.ready) return;
  call.ready = true;
  ready_.push_back(&call);
}

void Loop::park(Call& call) {
  bool const in_host = InHost::now();
  call.fiber->suspend();
  InHost::set(in_host);
  call.running_since = monotonicNow();
}

garland_status Loop::waitUntil(Call& call, std::function<bool()> const& done) {
  while (!done()) {
    if (call.cancelled) return GARLAND_E_CANCELLED;
    park(call);
  }
  return GARLAND_OK;
}

garland_status Loop::waitUntil(Call& call, std::int64_t time, std::function<bool()> const& done) {
  auto const timer = timers_.emplace(time, &call).first;
  auto const entry = *timer;
  auto const status = waitUntil(call, done);
  timers_.erase(entry);
  return status;
}

void Loop::giveWay(Call& call) {
  if (monotonicNow() - call.running_since < kFairShare) return;
  wake(call);
  park(call);
}

std::optional<std::int64_t> Loop::nextTimer() const {
  if (!ready_.empty()) return 0;
  if (timers_.empty()) return std::nullopt;
  return timers_.begin()->first;
}

void Loop::fireTimers() {
  if (timers_.empty()) return;
  auto const now = monotonicNow();
  while (!timers_.empty() && timers_.begin()->first <= now) {
    wake(*timers_.begin()->second);
    timers_.erase(timers_.begin());
  }
}

// ---------------------------------------------------------------- messages

void Loop::poll() {
  auto const now = monotonicNow();
  if (now - polled_at_ < kPollEvery || channel_.closed()) return;
  polled_at_ = received_at_ = now;
  channel_.receive(0);
  static_cast<void>(dispatchAll());
}

Result<void> Loop::dispatchAll() {
  while (!broken_) {
    auto message = channel_.next();
    if (!message)
      broken_ = std::move(message).error();
    else if (!*message)
      return {};
    else if (auto taken = dispatch(**message); !taken)
      broken_ = std::move(taken).error();
  }
  return *broken_;
}

Result<void> Loop::dispatch(wire::Message const& message) {
  switch (message.kind) {
  case wire::Kind::config: {
    TRY(config, wire::decode<wire::Config>(message.payload));
    if (config.version != wire::kVersion)
      return Error(ErrorKind::unsupported, "garlandd and garland-worker are of different builds");
    config_ = config;
    configured_ = true;
    return {};
  }
  case wire::Kind::call: {
    TRY(ask, wire::decode<wire::Call>(message.payload));
    return start(message.id, std::move(ask));
  }
  case wire::Kind::exportState: return startExport(message);
  case wire::Kind::httpAnswer: return take<wire::HttpAnswer>(message);
  case wire::Kind::kvAnswer: return take<wire::KvAnswer>(message);
  case wire::Kind::ack: return take<wire::Ack>(message);
  case wire::Kind::emitCredit: return takeCredit(message);
  case wire::Kind::cancel: cancel(message.id); return {};
  case wire::Kind::shutdown: stopping_ = true; return {};
  default: return Error(ErrorKind::providerBug, "a message that the worker does not take");
  }
}

Result<void> Loop::startExport(wire::Message const& message) {
  TRY(told, wire::decode<wire::ExportState>(message.payload));
  wire::Call ask;
  ask.operation = kExportName;
  ask.account_id = std::move(told.account_id);
  ask.deadline_ms = told.deadline_ms;
  return start(message.id, std::move(ask), true);
}

Result<void> Loop::start(std::uint64_t id, wire::Call ask, bool exporting) {
  if (!configured_) return Error(ErrorKind::providerBug, "a call came before the configuration");
  if (id == 0 || calls_.contains(id)) return Error(ErrorKind::providerBug, "a call's id is in use or 0");
  if (stopping_) {
    refuse(id, {ErrorKind::transient, "the worker is shutting down"});
    return {};
  }
  if (calls_.size() >= config_.max_calls) {
    refuse(id, {ErrorKind::hostLimit, "the worker runs " + std::to_string(calls_.size()) + " calls already"});
    return {};
  }
  try {
    auto const placed =
        calls_.try_emplace(id, id, std::move(ask), static_cast<std::size_t>(config_.arena_limit)).first;
    begin(placed->second, exporting);
  } catch (std::bad_alloc const&) {
    calls_.erase(id);
    refuse(id, {ErrorKind::hostLimit, "the worker has no memory for another call"});
  }
  return {};
}

void Loop::begin(Call& call, bool exporting) {
  if (call.ask.deadline_ms > 0)
    call.deadline_ns = pluginTimeOf(received_at_) + call.ask.deadline_ms * kMillisecond;
  call.exporting = exporting;
  call.fiber.emplace(stacks_, [this, &call] { serve(call); });
  if (running_ == nullptr)
    resume(call);
  else // that one polls, and goes on first
    wake(call);
}

void Loop::refuse(std::uint64_t id, Error error) {
  wire::Done done;
  done.error = std::move(error).withEffect(Effect::notApplied);
  channel_.send(wire::Kind::done, id, done);
}

template <class Answer> Result<void> Loop::take(wire::Message const& message) {
  TRY(answer, wire::decode<Answer>(message.payload));
  auto const found = calls_.find(message.id);
  // Too late is not wrong: the call was cancelled or has ended meanwhile.
  if (found == calls_.end() || answer.request != found->second.last_request) return {};
  auto& call = found->second;
  if constexpr (std::is_same_v<Answer, wire::HttpAnswer>) grant(call, answer.waited_ms);
  call.answer = std::move(answer);
  wake(call);
  return {};
}

Result<void> Loop::takeCredit(wire::Message const& message) {
  TRY(credit, wire::decode<wire::EmitCredit>(message.payload));
  auto const found = calls_.find(message.id);
  if (found == calls_.end()) return {};
  auto& call = found->second;
  if (credit.records > call.unacknowledged.size())
    return Error(ErrorKind::providerBug, "credit for records that were not emitted");
  for (std::uint32_t i = 0; i < credit.records; ++i) {
    call.unacknowledged_bytes -= call.unacknowledged.front();
    call.unacknowledged.pop_front();
  }
  if (credit.error) call.emit_error = std::move(credit.error);
  wake(call);
  return {};
}

void Loop::cancel(std::uint64_t id) {
  auto const found = calls_.find(id);
  if (found == calls_.end()) return;
  found->second.cancelled = true;
  wake(found->second);
}

} // namespace garland::runtime::worker
