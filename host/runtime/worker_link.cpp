#include "host/runtime/worker_link.h"

#include "host/runtime/child_state.h"
#include "host/runtime/cpu_clock.h"
#include "host/runtime/tainted.h"

#include <boost/asio/this_coro.hpp>

namespace garland::runtime {
namespace {

using namespace std::chrono_literals;

constexpr auto kTick = 50ms;         // how exactly deadlines are kept
constexpr auto kIdleTick = 1000ms;   // without a call there is only its processor time to watch
constexpr auto kInTheWay = 500ms;    // who held the worker's thread that long kept the others from stopping
constexpr auto kFarewell = 1s;       // a worker that was asked to end may take that long
constexpr int kMoreHandshakes = 4;   // that a worker is given for its greeting if it gets no processor
constexpr auto kLastMoments = 500ms; // a worker that closed its connection has them to end by itself
constexpr std::size_t kMaxSentence = 1024;
constexpr std::size_t kMaxInputs = 64U
                                   << 20U; // of all calls in one worker: half of what may wait for its socket
constexpr std::size_t kLargestCall = wire::kMaxMessage - 64; // its texts; leaves room for their lengths
constexpr std::size_t kMaxOwnLogLines = 1000;                // outside of calls, in the worker's life

Error diedError(std::string message) {
  Error error(ErrorKind::transient, std::move(message));
  error.effect = Effect::unknown;
  error.provider_code = "worker_died";
  return error;
}

// A sandbox that could not be closed may be a shortage of the machine's; one that is not allowed is final.
ErrorKind kindOf(wire::LoadFailed const& failure) {
  if (failure.stage == "sandbox") return ErrorKind::hostLimit;
  return failure.stage == "tier" ? ErrorKind::unsupported : ErrorKind::pluginBug;
}

RunEnd neverBegan(Error error) {
  RunEnd end(std::move(error), std::nullopt);
  end.began = false;
  return end;
}

RunEnd tooLate(Error error, std::shared_ptr<RecentCalls> recent) {
  auto end = neverBegan(std::move(error));
  end.death.emplace();
  end.death->how = "was ending";
  end.death->recent = std::move(recent);
  return end;
}

std::size_t sizeOf(wire::Call const& ask) {
  return ask.operation.size() + ask.account_id.size() + ask.account.size() + ask.input.size() +
         ask.state.size();
}

struct LeaveAtEnd {
  TurnQueue& turns;
  std::size_t bytes;
  bool entered = false;
  ~LeaveAtEnd() {
    if (entered) turns.leave(bytes);
  }
};

} // namespace

WorkerLink::WorkerLink(asio::any_io_executor const& executor, Log const& log, std::string plugin_id,
                       Spawned spawned)
    : executor_(executor), log_(log), plugin_id_(std::move(plugin_id)), process_(std::move(spawned.process)),
      pid_(process_.pid()), connection_(std::make_shared<Connection>(executor, std::move(spawned.socket),
                                                                     static_cast<Connection::Owner&>(*this))),
      output_(std::make_shared<PluginOutput>(executor, std::move(spawned.output), log, plugin_id_)),
      flight_(spawned.flight.get()), exit_watch_(executor, spawned.exit_watch.release()),
      end_timer_(executor), tick_(executor),
      hello_(Error(ErrorKind::transient, "the worker has not answered yet")), greeted_(executor),
      gone_(executor), turns_(executor, kMaxInputs) {
  turns_.setMaxCalls(limits_.window.max_calls);
}

WorkerLink::~WorkerLink() { connection_->close(); }

void WorkerLink::start(Milliseconds handshake, Milliseconds slice, Ended ended) {
  ended_ = std::move(ended);
  limits_.window.slice_ms = static_cast<std::uint32_t>(std::max<std::int64_t>(1, slice.count()));
  connection_->start();
  output_->start();
  watchExit();
  connection_->send(wire::Kind::config, 0, limits_.window);
  awaitGreeting(handshake, kMoreHandshakes);
}

void WorkerLink::awaitGreeting(Milliseconds handshake, int more) {
  end_timer_.expires_after(handshake);
  end_timer_.async_wait([self = shared_from_this(), handshake, more](auto const& failed) {
    if (failed || self->greeted_.isSet()) return;
    self->connection_->drain(); // the host itself may be late, and the greeting there
    if (self->greeted_.isSet()) return;
    auto const used = processorTime(self->pid_);
    bool const starved = used && *used < handshake && !sleeps(self->pid_);
    if (starved && more > 0) return self->awaitGreeting(handshake, more - 1);
    self->kill("it did not greet the host within " + std::to_string(handshake.count()) + " ms");
  });
}

// ---------------------------------------------------------------- messages

void WorkerLink::onMessage(wire::Message message) {
  auto const self = shared_from_this(); // a call that ends here may end the supervisor too
  ++heard_;
  auto const handled = handle(message);
  if (handled) return;
  if (calls_.contains(message.id)) blame(message.id);
  kill(handled.error().message);
}

void WorkerLink::onClosed() {
  ending_ = true;
  end_timer_.expires_after(kLastMoments);
  end_timer_.async_wait([self = shared_from_this()](auto const& failed) {
    if (!failed && !self->gone_.isSet()) self->kill("it closed its connection to the host");
  });
}

void WorkerLink::onBroken(std::string reason) { kill("it " + std::move(reason)); }

Result<void> WorkerLink::handle(wire::Message const& message) {
  if (!kill_reason_.empty()) return {};
  if (message.kind == wire::Kind::dying) return onDying(message);
  if (message.kind == wire::Kind::stack) return onStack(message);
  if (message.id == 0) return onOwnMessage(message);
  auto const found = calls_.find(message.id);
  if (found == calls_.end())
    return Error(ErrorKind::pluginBug,
                 "it sent a " + std::string(wire::name(message.kind)) + " for a call that does not run");
  auto const call = found->second;
  return call->onMessage(message.kind, message.payload);
}

Result<void> WorkerLink::onOwnMessage(wire::Message const& message) {
  switch (message.kind) {
  case wire::Kind::closed: return onClosedSandbox(message);
  case wire::Kind::hello:
  case wire::Kind::loadFailed: return onGreeting(message);
  case wire::Kind::log: {
    TRY(line, wire::decode<wire::Log>(message.payload));
    if (log_lines_ >= kMaxOwnLogLines) {
      if (talk_.hear(std::chrono::steady_clock::now(), message.payload.size())) return {};
      return Error(ErrorKind::pluginBug, "it flooded the host with log lines");
    }
    ++log_lines_;
    log_.info("a plugin logged outside of a call",
              {{"plugin", plugin_id_}, {"line", cleanText(line.message, kMaxSentence)}});
    return {};
  }
  default:
    return Error(ErrorKind::pluginBug,
                 "it sent a " + std::string(wire::name(message.kind)) + " that names no call");
  }
}

Result<void> WorkerLink::onClosedSandbox(wire::Message const& message) {
  if (sandbox_) return Error(ErrorKind::pluginBug, "it described its sandbox twice");
  TRY(closed, wire::decode<wire::Closed>(message.payload));
  sandbox_ = std::move(closed);
  return {};
}

Result<void> WorkerLink::onGreeting(wire::Message const& message) {
  if (greeted_.isSet()) return Error(ErrorKind::pluginBug, "it greeted the host twice");
  if (message.kind == wire::Kind::hello) {
    if (!sandbox_)
      return Error(ErrorKind::pluginBug, "it greeted the host before it had described its sandbox");
    TRY(hello, wire::decode<wire::Hello>(message.payload));
    hello_ = std::move(hello);
  } else {
    TRY(failure, wire::decode<wire::LoadFailed>(message.payload));
    hello_ = Error(kindOf(failure), cleanText(failure.reason, kMaxSentence));
  }
  end_timer_.cancel();
  greeted_.set();
  return {};
}

Result<void> WorkerLink::onDying(wire::Message const& message) {
  TRY(dying, wire::decode<wire::Dying>(message.payload));
  dying_words_ = cleanText(dying.reason, kMaxSentence);
  dying_call_ = message.id;
  return {};
}

Result<void> WorkerLink::onStack(wire::Message const& message) {
  TRY(stack, wire::decode<wire::Stack>(message.payload));
  if (dying_words_.empty() || !dying_stack_.empty())
    return Error(ErrorKind::pluginBug, "it told of a stack at a time when it was not dying");
  dying_stack_ = std::move(stack.frames);
  return {};
}

// ---------------------------------------------------------------- calls

Task<RunEnd> WorkerLink::run(std::uint64_t id, std::shared_ptr<WorkerCall> call, CallHost& host) {
  auto const self = shared_from_this();
  LeaveAtEnd leave{turns_, sizeOf(call->ask)};
  leave.entered = turns_.tryEnter(leave.bytes);
  if (!leave.entered) leave.entered = co_await turns_.enter(leave.bytes);
  if (auto refusal = refusalOf(*call, leave.entered)) co_return std::move(*refusal);
  auto const left = call->end() - std::chrono::steady_clock::now();
  call->ask.deadline_ms = std::max<std::int64_t>(1, std::chrono::duration_cast<Milliseconds>(left).count());
  recent_->add(call->key);
  auto const running = begin(id, wire::Kind::call, call->ask, call, host);
  while (!running->over().isSet()) {
    co_await running->over().wait();
    if (!running->over().isSet()) running->cancel(std::chrono::steady_clock::now());
  }
  co_return end(id, *running);
}

// Why a call that has waited for its turn cannot begin.
std::optional<RunEnd> WorkerLink::refusalOf(WorkerCall const& call, bool entered) const {
  if (!entered && !isEnding()) return neverBegan(Error(ErrorKind::cancelled, "the call was cancelled"));
  if (isEnding())
    return tooLate(diedError("the worker of " + plugin_id_ + " ended before " + call.title() + " began")
                       .withEffect(Effect::notApplied),
                   recent_);
  if (sizeOf(call.ask) > kLargestCall)
    return neverBegan(Error(ErrorKind::hostLimit, "the input of " + call.title() + " is larger than 32 MiB"));
  if (std::chrono::steady_clock::now() >= call.end())
    return neverBegan(Error(ErrorKind::transient, call.title() + " could not begin before its deadline"));
  return std::nullopt;
}

Task<std::string> WorkerLink::exportState(std::uint64_t id, std::string account_id, CallHost& host,
                                          SteadyTime deadline) {
  auto const self = shared_from_this();
  auto const call = std::make_shared<WorkerCall>(std::make_shared<JournalBudget>());
  call->ask.operation = "handing on state";
  call->plugin_id = plugin_id_;
  call->deadline = deadline;
  if (isEnding()) co_return diedError("the worker of " + plugin_id_ + " ended before " + call->title());
  wire::ExportState ask;
  ask.account_id = std::move(account_id);
  auto const left = deadline - std::chrono::steady_clock::now();
  ask.deadline_ms = std::chrono::duration_cast<Milliseconds>(left).count();
  auto const running = begin(id, wire::Kind::exportState, ask, call, host);
  while (!running->over().isSet()) {
    co_await running->over().wait();
    if (!running->over().isSet()) running->cancel(std::chrono::steady_clock::now());
  }
  co_return end(id, *running).result;
}

template <class Payload>
std::shared_ptr<RunningCall> WorkerLink::begin(std::uint64_t id, wire::Kind kind, Payload const& message,
                                               std::shared_ptr<WorkerCall> call, CallHost& host) {
  auto running = std::make_shared<RunningCall>(executor_, connection_, id, std::move(call), host, limits_);
  ++begun_;
  calls_.emplace(id, running);
  connection_->send(kind, id, message);
  watch();
  return running;
}

RunEnd WorkerLink::end(std::uint64_t id, RunningCall& running) {
  calls_.erase(id);
  RunEnd end{running.result(), std::nullopt};
  if (running.endedByDeath()) end.death = deathOf(id);
  if (!end.result && !end.death) end.used_up = lookAtMemory();
  if (draining_ && calls_.empty()) endSoon();
  return end;
}

Death WorkerLink::deathOf(std::uint64_t id) const {
  Death death;
  if (culprit_) death.blame = *culprit_ == id ? Death::Blame::thisCall : Death::Blame::anotherCall;
  death.from_outside = from_outside_;
  death.how = how_;
  death.recent = recent_;
  return death;
}

// ---------------------------------------------------------------- its memory

void WorkerLink::watchMemory(std::size_t limit, UsedUp used_up) {
  memory_limit_ = limit;
  used_up_ = std::move(used_up);
}

MemoryUse WorkerLink::memory() const { return {gone_.isSet() ? 0 : addressSpaceOf(pid_), memory_limit_}; }

// What it uses, if it has used it up and no call could be told from that; it is told to whoever replaces it.
std::optional<MemoryUse> WorkerLink::lookAtMemory() {
  if (memory_limit_ == 0 || gone_.isSet()) return std::nullopt;
  auto const use = memory();
  if (!use.isUsedUp()) return std::nullopt;
  if (used_up_ && !isEnding()) std::exchange(used_up_, nullptr)(use);
  return use;
}

void WorkerLink::drain() {
  draining_ = true;
  turns_.close();
  if (calls_.empty()) endSoon();
}

void WorkerLink::endSoon() {
  if (stopped_ || gone_.isSet()) return;
  stop();
  end_timer_.expires_after(kFarewell);
  end_timer_.async_wait([self = shared_from_this()](auto const& failed) {
    if (!failed && !self->gone_.isSet()) self->killLate("it did not end although its memory was used up");
  });
}

void WorkerLink::cancelCalls() {
  auto const now = std::chrono::steady_clock::now();
  auto const calls = calls_;
  for (auto const& [id, call] : calls) call->cancel(now);
}

void WorkerLink::watch() {
  Milliseconds const span = calls_.empty() ? kIdleTick : kTick;
  if (ticking_ && span >= tick_span_) return;
  ticking_ = true;
  tick_span_ = span;
  tick_.expires_after(span);
  tick_.async_wait([self = shared_from_this()](auto const& failed) {
    if (failed) return;
    self->ticking_ = false;
    self->onTick();
  });
}

void WorkerLink::onTick() {
  auto const now = std::chrono::steady_clock::now();
  auto const calls = calls_;
  auto reason = lookAtWork(now);
  auto const in_the_way = work_.holderFor(kInTheWay);
  for (auto const& [id, call] : calls) {
    if (!call->overdue(now, work_.ownTime()) || gone_.isSet()) continue;
    blame(calls.contains(in_the_way) ? in_the_way : id);
    kill("it did not stop " + call->title() + " within a second of being told to");
  }
  if (gone_.isSet() && calls_.empty()) return;
  if (reason) {
    if (auto const held_by = flight_.callId(); calls_.contains(held_by)) blame(held_by);
    kill(std::move(*reason));
  }
  if (calls_.empty() && !recent_->keys().empty()) lookAtMemory();
  watch();
}

// Why it has to go, if it does.
std::optional<std::string> WorkerLink::lookAtWork(SteadyTime now) {
  auto const used = gone_.isSet() ? std::nullopt : processorTime(pid_);
  if (!used) return std::nullopt;
  WorkWatch::Reading reading{now, *used, connection_->unread(), heard_, !calls_.empty(), begun_};
  reading.sleeps = sleeps(pid_);
  reading.slices = flight_.slices();
  reading.holder = flight_.callId();
  reading.ends = ending_;
  return work_.look(reading);
}

// ---------------------------------------------------------------- the end

void WorkerLink::stop() {
  ending_ = true;
  stopped_ = true;
  connection_->sendRaw(wire::Kind::shutdown, 0, {});
}

void WorkerLink::blame(std::uint64_t id) {
  if (!culprit_ && kill_reason_.empty()) culprit_ = id;
}

void WorkerLink::kill(std::string reason) {
  if (kill_reason_.empty()) kill_reason_ = std::move(reason);
  process_.kill();
}

void WorkerLink::killLate(std::string reason) {
  overstayed_ = kill_reason_.empty();
  kill(std::move(reason));
}

void WorkerLink::watchExit() {
  exit_watch_.async_wait(asio::posix::stream_descriptor::wait_read,
                         [self = shared_from_this()](auto const& failed) {
                           if (failed || self->gone_.isSet()) return;
                           ExitStatus status;
                           if (self->process_.reap(status))
                             self->onExit(status);
                           else
                             self->watchExit();
                         });
}

void WorkerLink::onExit(ExitStatus status) {
  auto const self = shared_from_this();
  ending_ = true;
  connection_->drain(); // its last words, and answers that it gave before
  connection_->close();
  output_->drain();
  output_->close();
  boost::system::error_code ignored;
  exit_watch_.close(ignored);
  end_timer_.cancel();
  from_outside_ = status.signal == SIGKILL && kill_reason_.empty();
  nameCulprit();
  how_ = describeEnd(status);
  bool const in_order = stopped_ && status.signal == 0 && status.code == wire::kExitOk && calls_.empty();
  if (!greeted_.isSet()) {
    hello_ = diedError("the worker of " + plugin_id_ + " " + how_ + " before it was ready")
                 .withEffect(Effect::notApplied);
    greeted_.set();
  }
  // First the slot, then the calls: who is told of the end may ask for another worker at once.
  WorkerEnd end{how_, !in_order, from_outside_, overstayed_, nullptr, {}, {}};
  if (auto const found = culprit_ ? calls_.find(*culprit_) : calls_.end(); found != calls_.end())
    end.call = found->second->call().place();
  if (!in_order && !from_outside_ && !abandoned_) {
    end.report = makeReport();
    end.stack = std::move(dying_stack_);
  }
  if (ended_) std::exchange(ended_, nullptr)(end);
  failCalls();
  if (calls_.empty()) tick_.cancel(); // else the clock of those that the host still works for goes on
  gone_.set();
}

// Whom the host had not blamed yet: the worker's last words, or the call that held the processor.
void WorkerLink::nameCulprit() {
  if (culprit_) return;
  for (auto const id : {dying_call_, flight_.callId()})
    if (!culprit_ && calls_.contains(id)) culprit_ = id;
  if (!culprit_ && calls_.size() == 1 && !from_outside_) culprit_ = calls_.begin()->first;
}

std::shared_ptr<CrashReport> WorkerLink::makeReport() const {
  auto report = std::make_shared<CrashReport>();
  report->how = how_;
  if (hello_) report->build_id = cleanText(hello_->build_id, kMaxSentence);
  auto const running = culprit_ ? calls_.find(*culprit_) : calls_.end();
  if (running == calls_.end()) return report;
  auto const& call = running->second->call().ask;
  report->operation = call.operation;
  report->account_id = call.account_id;
  if (auto account = parseJson(call.account)) report->account = std::move(*account);
  if (auto input = parseJson(call.input, JsonLimits{wire::kMaxMessage, 64}))
    report->input = std::move(*input);
  running->second->recorder().fill(*report);
  return report;
}

void WorkerLink::failCalls() {
  auto const calls = calls_;
  for (auto const& [id, call] : calls) {
    auto error = diedError("the worker of " + plugin_id_ + " " + how_ + "; " + call->title() +
                           " has to be resumed from its last checkpoint");
    if (abandoned_)
      call->fail(std::move(error));
    else
      call->workerDied(std::move(error));
  }
  turns_.close();
}

std::string WorkerLink::describeEnd(ExitStatus status) const {
  bool const by_host = status.signal == SIGKILL && !kill_reason_.empty();
  std::string how = by_host ? "was ended by the host because " + kill_reason_ : status.describe(dying_words_);
  if (!by_host && !stopped_ && status.signal == 0 && status.code == wire::kExitOk)
    how = "ended although nobody had asked it to (exit code 0; its connection to the host was closed)";
  return how + whoRan();
}

std::string WorkerLink::whoRan() const {
  if (culprit_)
    if (auto const found = calls_.find(*culprit_); found != calls_.end())
      return " while " + found->second->title() + " ran";
  if (calls_.empty()) return "";
  if (calls_.size() == 1) return " while " + calls_.begin()->second->title() + " ran";
  return " while " + std::to_string(calls_.size()) + " calls ran";
}

void WorkerLink::abandon() {
  if (gone_.isSet()) return;
  abandoned_ = true;
  ended_ = nullptr;
  kill("the host stops");
  process_.killAndReap();
  onExit(ExitStatus{0, SIGKILL});
}

} // namespace garland::runtime
