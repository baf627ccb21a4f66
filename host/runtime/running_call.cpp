#include "host/runtime/running_call.h"

#include "host/runtime/tainted.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>

namespace garland::runtime {
namespace {

constexpr std::chrono::seconds kGrace{1};         // between "please stop" and the end of the worker
constexpr std::chrono::seconds kLongestGrace{10}; // ... of one that gets hardly a processor
constexpr std::chrono::milliseconds kClockSlack{100};
constexpr std::size_t kMaxKind = 64;
constexpr std::size_t kMaxLogText = 8U << 10U;
constexpr std::size_t kMaxWhat = 64;
constexpr std::size_t kMaxKey = 512;
constexpr std::size_t kMaxMethod = 32;
constexpr std::size_t kMaxUrl = 16U << 10U;
constexpr std::size_t kMaxSlot = 64U << 10U; // a credential slot, an idempotency key
constexpr std::size_t kMaxHeaders = 256;
constexpr std::size_t kMaxHeaderName = 256;
constexpr std::size_t kMaxHeaderValue = 4096;
constexpr std::size_t kMaxAnswer = wire::kMaxMessage - (256U << 10U);

// The number of the request is the first member of every ask.
std::string_view withoutRequest(std::string_view payload) { return payload.substr(sizeof(std::uint32_t)); }

Error violation(std::string what) { return Error(ErrorKind::pluginBug, std::move(what)); }

// The worker holds a plugin to the same limits or narrower ones (worker_host_table.cpp) and answers it with a
// sentence: what goes beyond them here was not sent by an honest worker.
Result<void> check(wire::HttpAsk const& ask) {
  if (ask.method.empty() || ask.method.size() > kMaxMethod)
    return violation("it asked with an HTTP method that is empty or too long");
  if (ask.url.empty() || ask.url.size() > kMaxUrl)
    return violation("it asked for a URL that is empty or too long");
  if (ask.credential_slot.size() > kMaxSlot) return violation("it named a credential slot that is too long");
  if (ask.idempotency_key.size() > kMaxSlot) return violation("it gave an idempotency key that is too long");
  auto const too_long = [](auto const& header) {
    return header.first.size() > kMaxHeaderName || header.second.size() > kMaxHeaderValue;
  };
  if (ask.headers.size() > kMaxHeaders || std::ranges::any_of(ask.headers, too_long))
    return violation("it asked with too many headers, or too long ones");
  return {};
}

Result<void> checkKey(std::string const& key) {
  if (key.empty() || key.size() > kMaxKey) return violation("it used a key that is empty or too long");
  return {};
}

HttpAsk hostAsk(wire::HttpAsk ask) {
  HttpAsk out;
  out.method = std::move(ask.method);
  out.url = std::move(ask.url);
  out.headers = std::move(ask.headers);
  out.body = std::move(ask.body);
  out.credential_slot = std::move(ask.credential_slot);
  out.idempotency_key = std::move(ask.idempotency_key);
  out.timeout = Milliseconds(std::max<std::int64_t>(ask.timeout_ms, 0));
  // An answer that would not fit on the wire is not fetched to its end. 0 stays 0: the manifest's limit,
  // which its schema bounds as well.
  out.max_body = std::min<std::uint64_t>(ask.max_body, kMaxAnswer);
  return out;
}

std::size_t sizeOf(HttpAnswer const& answer) {
  std::size_t size = answer.body.size();
  for (auto const& [name, value] : answer.headers) size += name.size() + value.size() + 8;
  return size;
}

wire::HttpAnswer wireAnswer(std::uint32_t request, Result<HttpAnswer> answer) {
  wire::HttpAnswer out;
  out.request = request;
  if (answer && sizeOf(*answer) > kMaxAnswer)
    answer = Error(ErrorKind::hostLimit, "the answer is larger than a plugin can be given")
                 .withEffect(answer->effect);
  if (!answer) {
    out.effect = static_cast<std::int32_t>(answer.error().effect);
    out.error = std::move(answer).error();
    return out;
  }
  out.status = answer->status;
  out.headers = std::move(answer->headers);
  out.body = std::move(answer->body);
  if (answer->retry_after) out.retry_after_ms = answer->retry_after->count();
  out.effect = static_cast<std::int32_t>(answer->effect);
  return out;
}

LogLevel logLevel(std::int32_t level) {
  return level >= 0 && level <= 3 ? static_cast<LogLevel>(level) : LogLevel::error; // as the ABI says
}

} // namespace

RunningCall::RunningCall(asio::any_io_executor const& executor, std::shared_ptr<Connection> connection,
                         std::uint64_t id, std::shared_ptr<WorkerCall> call, CallHost& host,
                         CallLimits const& limits)
    : executor_(executor), connection_(std::move(connection)), id_(id), call_(std::move(call)), host_(host),
      limits_(limits), told_waited_(call_->waited), over_(executor) {
  call_->journal.beginRun();
}

Result<void> RunningCall::onMessage(wire::Kind kind, std::string_view payload) {
  if (done_) return violation("it sent a " + std::string(wire::name(kind)) + " for a call that it had ended");
  if (failure_) return {};
  switch (kind) {
  case wire::Kind::emit: return onEmit(payload);
  case wire::Kind::checkpoint: return onCheckpoint(payload);
  case wire::Kind::httpAsk: return onHttpAsk(payload);
  case wire::Kind::kvGet: return onKvGet(payload);
  case wire::Kind::kvPut: return onKvPut(payload);
  case wire::Kind::log: return onLog(payload);
  case wire::Kind::progress: return onProgress(payload);
  case wire::Kind::done: return onDone(payload);
  default: return violation("it sent a " + std::string(wire::name(kind)) + " inside a call");
  }
}

Result<void> RunningCall::onEmit(std::string_view payload) {
  TRY(emit, wire::decode<wire::Emit>(payload));
  auto const size = emit.record.size();
  if (emit.kind.empty() || emit.kind.size() > kMaxKind)
    return violation("it emitted a record of an unnamed kind");
  if (size > limits_.window.max_record) return violation("it emitted a record that is too large");
  if (!isJson(emit.record)) return violation("it emitted a record that is not JSON");
  bool const alone = open_records_ == 0;
  if (open_records_ >= limits_.window.emit_window_records ||
      (!alone && open_record_bytes_ + size > limits_.window.emit_window_bytes))
    return violation("it emitted more than the host had granted");
  recorder_.emitted();
  std::size_t place = 0;
  if (auto credit = recorded<wire::EmitCredit>(CallJournal::Ask::emit, payload, place)) {
    if (credit->error) stream_error_ = credit->error;
    connection_->send(wire::Kind::emitCredit, id_, *credit);
    return {};
  }
  ++open_records_;
  open_record_bytes_ += size;
  stream({false, 0, std::move(emit.kind), std::move(emit.record), place});
  return {};
}

Result<void> RunningCall::onCheckpoint(std::string_view payload) {
  TRY(checkpoint, wire::decode<wire::Checkpoint>(payload));
  TRY_VOID(countAsk());
  if (checkpoint.cursor.size() > limits_.window.max_record)
    return violation("it sent a cursor that is too large");
  if (!isJson(checkpoint.cursor)) return violation("it sent a cursor that is not JSON");
  recorder_.asked(checkpoint);
  std::size_t place = 0;
  if (auto ack = recorded<wire::Ack>(CallJournal::Ask::checkpoint, checkpoint.cursor, place)) {
    if (ack->error) stream_error_ = ack->error;
    return answerAsk(wire::Kind::ack, checkpoint.request, std::move(*ack));
  }
  stream({true, checkpoint.request, {}, std::move(checkpoint.cursor), place});
  return {};
}

Result<void> RunningCall::onHttpAsk(std::string_view payload) {
  TRY(ask, wire::decode<wire::HttpAsk>(payload));
  TRY_VOID(check(ask));
  TRY_VOID(countAsk());
  recorder_.asked(ask);
  std::size_t place = 0;
  auto const kind = mayWrite(ask.method) ? CallJournal::Ask::httpWrite : CallJournal::Ask::http;
  if (auto answer = recorded<wire::HttpAnswer>(kind, withoutRequest(payload), place))
    return answerAsk(wire::Kind::httpAnswer, ask.request, std::move(*answer));
  serve(serveHttp(shared_from_this(), std::move(ask), place));
  return {};
}

Result<void> RunningCall::onKvGet(std::string_view payload) {
  TRY(ask, wire::decode<wire::KvGet>(payload));
  TRY_VOID(checkKey(ask.key));
  TRY_VOID(countAsk());
  recorder_.asked(ask);
  std::size_t place = 0;
  if (auto answer = recorded<wire::KvAnswer>(CallJournal::Ask::kvGet, ask.key, place))
    return answerAsk(wire::Kind::kvAnswer, ask.request, std::move(*answer));
  serve(serveKvGet(shared_from_this(), std::move(ask), place));
  return {};
}

Result<void> RunningCall::onKvPut(std::string_view payload) {
  TRY(ask, wire::decode<wire::KvPut>(payload));
  TRY_VOID(checkKey(ask.key));
  if (ask.value.size() > limits_.window.max_record) return violation("it stored a value that is too large");
  TRY_VOID(countAsk());
  recorder_.asked(ask);
  std::size_t place = 0;
  if (auto ack = recorded<wire::Ack>(CallJournal::Ask::kvPut, withoutRequest(payload), place))
    return answerAsk(wire::Kind::ack, ask.request, std::move(*ack));
  serve(serveKvPut(shared_from_this(), std::move(ask), place));
  return {};
}

Result<void> RunningCall::onLog(std::string_view payload) {
  TRY(line, wire::decode<wire::Log>(payload));
  if (log_lines_ > limits_.log_lines) return hearTalk(payload.size());
  if (log_lines_++ == limits_.log_lines) {
    host_.log(LogLevel::warn, "the plugin logs too much; further lines of this call are dropped", {});
    return {};
  }
  bool const usable =
      line.fields.size() <= kMaxLogText && line.fields.starts_with('{') && isJson(line.fields);
  host_.log(logLevel(line.level), cleanText(line.message, kMaxLogText),
            usable ? std::move(line.fields) : std::string());
  return {};
}

Result<void> RunningCall::onProgress(std::string_view payload) {
  TRY(progress, wire::decode<wire::Progress>(payload));
  TRY_VOID(hearTalk(payload.size()));
  host_.progress(progress.done, progress.total, cleanText(progress.what, kMaxWhat));
  return {};
}

Result<void> RunningCall::onDone(std::string_view payload) {
  TRY(done, wire::decode<wire::Done>(payload));
  if (done.result.size() > limits_.window.max_record) return violation("it sent a result that is too large");
  done_ = std::move(done);
  if (cancelled_at_ && done_->error) { // what was emitted on the way does not count any more
    stream_.clear();
    stopServing();
  }
  maybeOver();
  return {};
}

// An honest worker sends progress a few times a second, and a plugin that logs in a loop ends some time.
Result<void> RunningCall::hearTalk(std::size_t bytes) {
  if (talk_.hear(std::chrono::steady_clock::now(), bytes)) return {};
  return violation("it flooded the host with log lines and progress");
}

Result<void> RunningCall::countAsk() {
  if (open_asks_ >= limits_.asks) return violation("it asks more at once than one call may");
  ++open_asks_;
  return {};
}

template <class Answer>
std::optional<Answer> RunningCall::recorded(CallJournal::Ask kind, std::string_view content,
                                            std::size_t& place) {
  auto const step = call_->journal.ask(kind, content);
  place = step.place;
  if (step.kind == CallJournal::Step::Kind::forward) return std::nullopt;
  if (step.kind == CallJournal::Step::Kind::repeat) {
    auto const* answer = std::get_if<Answer>(step.recorded);
    return answer ? *answer : Answer();
  }
  refuseDoubt();
  Answer refused;
  refused.error = Error(ErrorKind::cancelled, "the call went another way than before and is stopped");
  return refused;
}

template <class Answer>
Result<void> RunningCall::answerAsk(wire::Kind kind, std::uint32_t request, Answer answer) {
  answer.request = request;
  --open_asks_;
  recorder_.answered(answer);
  connection_->send(kind, id_, answer);
  return {};
}

// The plugin is told to stop, as if the caller had cancelled; what the caller is told is this.
void RunningCall::refuseDoubt() {
  if (!doubt_) {
    doubt_ =
        Error(ErrorKind::transient,
              title() + " was run again after its worker had died, and wanted to write something else than "
                        "the first time; it was stopped so that nothing is done twice")
            .withEffect(Effect::unknown);
    doubt_->provider_code = "worker_died";
  }
  cancel(std::chrono::steady_clock::now());
}

void RunningCall::serve(asio::awaitable<void> task) {
  auto const signal = serving_.insert(serving_.end(), std::make_shared<asio::cancellation_signal>());
  auto finished = [self = shared_from_this(), signal](std::exception_ptr const& bug) {
    self->serving_.erase(signal);
    if (bug)
      self->fail(Error(ErrorKind::transient, "the host failed while it served " + self->title())
                     .withEffect(Effect::unknown));
    self->maybeOver();
  };
  asio::co_spawn(executor_, std::move(task),
                 asio::bind_cancellation_slot((*signal)->slot(), std::move(finished)));
}

void RunningCall::stream(StreamItem item) {
  stream_.push_back(std::move(item));
  if (std::exchange(streaming_, true)) return;
  serve(serveStream(shared_from_this()));
}

asio::awaitable<void> RunningCall::serveStream(Self self) {
  co_await asio::this_coro::throw_if_cancelled(false);
  while (!self->stream_.empty()) {
    auto item = std::move(self->stream_.front());
    self->stream_.pop_front();
    if (item.is_checkpoint) {
      co_await serveCheckpoint(self, std::move(item));
    } else {
      co_await serveRecord(self, std::move(item));
    }
  }
  self->streaming_ = false;
}

asio::awaitable<void> RunningCall::serveRecord(Self self, StreamItem item) {
  auto const size = item.text.size();
  wire::EmitCredit credit;
  credit.records = 1;
  if (!self->stream_error_) {
    auto taken = co_await self->host_.emit(std::move(item.kind), std::move(item.text));
    if (!taken) self->stream_error_ = std::move(taken).error();
  }
  credit.error = self->stream_error_;
  --self->open_records_;
  self->open_record_bytes_ -= size;
  self->call_->journal.record(item.place, credit);
  self->connection_->send(wire::Kind::emitCredit, self->id_, credit);
}

asio::awaitable<void> RunningCall::serveCheckpoint(Self self, StreamItem item) {
  wire::Ack ack;
  ack.request = item.request;
  if (!self->stream_error_) {
    auto taken = co_await self->host_.checkpoint(std::move(item.text));
    if (!taken) self->stream_error_ = std::move(taken).error();
  }
  ack.error = self->stream_error_;
  --self->open_asks_;
  self->call_->journal.record(item.place, ack);
  self->recorder_.answered(ack);
  self->connection_->send(wire::Kind::ack, self->id_, ack);
}

asio::awaitable<void> RunningCall::serveHttp(Self self, wire::HttpAsk ask, std::size_t place) {
  co_await asio::this_coro::throw_if_cancelled(false);
  auto const request = ask.request;
  auto answer = co_await self->host_.http(hostAsk(std::move(ask)));
  --self->open_asks_;
  auto out = wireAnswer(request, std::move(answer));
  out.waited_ms = self->newlyWaited().count();
  self->recorder_.answered(out);
  self->connection_->send(wire::Kind::httpAnswer, self->id_, out);
  out.waited_ms = 0; // another run begins with the later deadline
  self->call_->journal.record(place, std::move(out));
}

// Since the worker was told of it last.
Milliseconds RunningCall::newlyWaited() {
  call_->waited = host_.waited();
  return call_->waited - std::exchange(told_waited_, call_->waited);
}

asio::awaitable<void> RunningCall::serveKvGet(Self self, wire::KvGet ask, std::size_t place) {
  co_await asio::this_coro::throw_if_cancelled(false);
  wire::KvAnswer out;
  out.request = ask.request;
  auto entry = co_await self->host_.kvGet(std::move(ask.key));
  if (entry) {
    out.value.assign(entry->value.begin(), entry->value.end());
    out.version = entry->version;
  } else {
    out.error = std::move(entry).error();
  }
  --self->open_asks_;
  self->recorder_.answered(out);
  self->connection_->send(wire::Kind::kvAnswer, self->id_, out);
  self->call_->journal.record(place, std::move(out));
}

asio::awaitable<void> RunningCall::serveKvPut(Self self, wire::KvPut ask, std::size_t place) {
  co_await asio::this_coro::throw_if_cancelled(false);
  wire::Ack out;
  out.request = ask.request;
  Bytes value(ask.value.begin(), ask.value.end());
  Milliseconds const ttl(std::max<std::int64_t>(ask.ttl_ms, 0));
  auto stored = co_await self->host_.kvPut(std::move(ask.key), std::move(value), ask.if_version, ttl);
  if (!stored) out.error = std::move(stored).error();
  --self->open_asks_;
  self->recorder_.answered(out);
  self->connection_->send(wire::Kind::ack, self->id_, out);
  self->call_->journal.record(place, std::move(out));
}

void RunningCall::cancel(SteadyTime now) {
  if (settling_) return cutSettling();
  if (cancelled_at_ || failure_) return;
  cancelled_at_ = now;
  connection_->sendRaw(wire::Kind::cancel, id_, {});
  // A plugin that is done has nothing left to stop; what is left is the host's own work.
  if (done_) fail(stoppedError());
}

void RunningCall::fail(Error error) {
  if (failure_) return;
  failure_ = std::move(error);
  stream_.clear();
  stopServing();
  maybeOver();
}

void RunningCall::workerDied(Error error) {
  if (failure_ || done_) return;                  // what is left of it is the host's own work
  if (cancelled_at_) return fail(stoppedError()); // nobody wants it to be run again
  died_ = true;
  if (!call_->journal.worthSettling()) return fail(std::move(error));
  settling_ = true;
  failure_ = std::move(error);
  maybeOver();
}

// The caller does not wait for the host's work any more.
void RunningCall::cutSettling() {
  settling_ = false;
  died_ = false;
  failure_ = stoppedError();
  stream_.clear();
  stopServing();
  maybeOver();
}

void RunningCall::stopServing() {
  auto const all = serving_; // a task that ends takes its signal out of the list
  for (auto const& signal : all) signal->emit(asio::cancellation_type::terminal);
}

bool RunningCall::overdue(SteadyTime now, std::chrono::nanoseconds own) {
  if (over_.isSet()) return false;
  call_->waited = host_.waited();
  if (!cancelled_at_ && now >= call_->end()) {
    timed_out_ = true;
    cancel(now);
  }
  if (failure_ || !cancelled_at_) return false;
  if (!stops_since_) stops_since_ = own;
  bool const hangs = !done_;
  auto const waited = now - *cancelled_at_;
  if (waited < kGrace) return false;
  if (hangs && own - *stops_since_ < kGrace && waited < kLongestGrace) return false;
  fail(stoppedError());
  return hangs;
}

void RunningCall::maybeOver() {
  if ((done_ || failure_) && serving_.empty())
    over_.setNow(); // callers touch nothing after it
  else if (done_ && !streaming_)
    stopServing(); // answers that nobody waits for any more
}

Error RunningCall::deadlineError(Effect effect) const {
  Error error(ErrorKind::transient, title() + " did not end in its time and was stopped");
  error.effect = effect;
  error.provider_code = "deadline";
  return error;
}

Error RunningCall::missedWriteError() const {
  Error error(ErrorKind::transient, title() +
                                        " was run again after its worker had died, and ended without what it "
                                        "had written the first time; whether that stays is not known");
  error.effect = Effect::unknown;
  error.provider_code = "worker_died";
  return error;
}

Error RunningCall::stoppedError() const {
  if (timed_out_) return deadlineError(Effect::unknown);
  return Error(ErrorKind::cancelled, title() + " was cancelled").withEffect(Effect::unknown);
}

Result<std::string> RunningCall::result() {
  if (doubt_) return std::move(*doubt_);
  if (failure_) return std::move(*failure_);
  if (!cancelled_at_ && call_->journal.hasUnrepeatedWrite()) return missedWriteError();
  if (stream_error_) return std::move(*stream_error_); // the cause, whatever the plugin made of it
  if (done_->error) {
    auto error = cleanError(std::move(*done_->error));
    bool const by_clock =
        timed_out_ || (!cancelled_at_ && std::chrono::steady_clock::now() >= call_->end() - kClockSlack);
    if (error.kind == ErrorKind::cancelled && by_clock) return deadlineError(error.effect);
    return error;
  }
  if (!done_->result.empty() && !isJson(done_->result))
    return Error(ErrorKind::pluginBug, "the result of " + title() + " is not JSON")
        .withEffect(Effect::unknown);
  return std::move(done_->result);
}

} // namespace garland::runtime
