#include "host/runtime/worker_host_table.h"

#include "host/base/json.h"
#include "host/runtime/worker_json.h"
#include "host/runtime/worker_signals.h"
#include "host/runtime/worker_time.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <functional>
#include <new>
#include <string>
#include <string_view>

namespace garland::runtime::worker {
namespace {

constexpr std::int64_t kMillisecond = 1'000'000;
constexpr std::int64_t kProgressEvery = 50 * kMillisecond;
constexpr std::size_t kMaxText = 64U << 10U; // names, keys, messages
constexpr std::size_t kMaxSpan = 32U << 20U; // whatever claims to be longer is no text at all
constexpr std::size_t kMaxUrl = 16U << 10U;
constexpr std::uint32_t kMaxHeaders = 256;
constexpr std::size_t kMaxBody = wire::kMaxMessage - (2U << 20U); // leaves room for headers

template <class Span> std::string_view view(Span span) {
  return {reinterpret_cast<char const*>(span.ptr), static_cast<std::size_t>(span.len)};
}

template <class Span> bool readable(Span span, std::size_t limit) {
  return span.len <= limit && (span.ptr != nullptr || span.len == 0);
}

// Log texts and the like are cut, at the start of a UTF-8 character.
std::string clipped(garland_str text, std::size_t limit) {
  if (!readable(text, kMaxSpan) || text.ptr == nullptr) return {};
  auto size = std::min<std::size_t>(text.len, limit);
  while (size < text.len && size > 0 && (static_cast<unsigned char>(text.ptr[size]) & 0xC0U) == 0x80U) --size;
  return {text.ptr, size};
}

Loop& loopOf(void* ctx) { return *static_cast<Loop*>(ctx); }

// Runs `body` for the call that really runs. Errno belongs to the plugin; memory may run out in here.
template <class Body> garland_status onCall(void* ctx, garland_call* handle, Body body) noexcept {
  int const saved = errno;
  garland_status status = GARLAND_E_PLUGIN_BUG;
  {
    InHost const in_host;
    auto& loop = loopOf(ctx);
    auto* const call = loop.running();
    try {
      if (call != nullptr && call->handle() == handle) status = body(loop, *call);
    } catch (std::exception const&) {
      status = GARLAND_E_HOST_LIMIT;
    }
  }
  errno = saved;
  return status;
}

garland_status failed(Call& call, Error error) {
  call.last_host_error = std::move(error);
  return static_cast<garland_status>(call.last_host_error->kind);
}

garland_status failed(Call& call, ErrorKind kind, char const* message) {
  return failed(call, Error(kind, message));
}

// Asks the host and parks until the answer is there.
template <class Answer, class Ask>
garland_status ask(Loop& loop, Call& call, wire::Kind kind, Ask question, Answer& answer) {
  if (call.cancelled) return GARLAND_E_CANCELLED;
  question.request = ++call.last_request;
  call.answer = std::monostate();
  loop.channel().send(kind, call.id, question);
  question = {};
  auto const status = loop.waitUntil(call, [&call] { return std::holds_alternative<Answer>(call.answer); });
  if (status != GARLAND_OK) return status;
  answer = std::move(std::get<Answer>(call.answer));
  call.answer = std::monostate();
  if (answer.error) return failed(call, std::move(*answer.error));
  return GARLAND_OK;
}

// ---------------------------------------------------------------- http

char const* problemWith(garland_http_request const& request) {
  if (!GARLAND_HAS(&request, max_body)) return "http: the request is shorter than version 1.0 of the ABI";
  if (request.method.len == 0 || !readable(request.method, 32)) return "http: no method, or over 32 bytes";
  if (request.url.len == 0 || !readable(request.url, kMaxUrl)) return "http: no url, or over 16 KiB";
  if (!readable(request.body, kMaxBody)) return "http: the body is over 30 MiB";
  if (!readable(request.credential_slot, kMaxText) || !readable(request.idempotency_key, kMaxText))
    return "http: credential_slot or idempotency_key is not readable";
  if (request.header_count > kMaxHeaders || (request.headers == nullptr && request.header_count != 0))
    return "http: over 256 headers";
  for (std::uint32_t i = 0; i < request.header_count; ++i) {
    auto const& header = request.headers[i];
    if (header.name.len == 0 || !readable(header.name, 256) || !readable(header.value, 4096))
      return "http: a header's name is empty or over 256 bytes, or its value over 4 KiB";
  }
  return nullptr;
}

wire::HttpAsk toWire(garland_http_request const& request) {
  wire::HttpAsk ask;
  ask.method = view(request.method);
  ask.url = view(request.url);
  for (std::uint32_t i = 0; i < request.header_count; ++i)
    ask.headers.emplace_back(view(request.headers[i].name), view(request.headers[i].value));
  ask.body = view(request.body);
  ask.credential_slot = view(request.credential_slot);
  ask.idempotency_key = view(request.idempotency_key);
  ask.timeout_ms = std::max<std::int64_t>(0, request.timeout_ms);
  ask.max_body = request.max_body;
  return ask;
}

// Moves the answer into the call's arena. False if that is full.
bool toArena(Call& call, wire::HttpAnswer& answer, garland_http_response& out) {
  auto* const headers = static_cast<garland_header*>(
      call.arena.allocate(answer.headers.size() * sizeof(garland_header), alignof(garland_header)));
  auto const* const body = call.arena.keep(std::move(answer.body));
  if (headers == nullptr || body == nullptr) return false;
  for (std::size_t i = 0; i < answer.headers.size(); ++i) {
    auto const& [name, value] = answer.headers[i];
    char const* const name_copy = call.arena.copy(name);
    char const* const value_copy = call.arena.copy(value);
    if (name_copy == nullptr || value_copy == nullptr) return false;
    headers[i] = {{name_copy, name.size()}, {value_copy, value.size()}};
  }
  out.status = answer.status;
  out.header_count = static_cast<std::uint32_t>(answer.headers.size());
  out.headers = headers;
  out.body = {reinterpret_cast<std::uint8_t const*>(body->data()), body->size()};
  out.retry_after_ms = answer.retry_after_ms;
  out.effect = answer.effect;
  return true;
}

// As much as the plugin has room for; `size` then tells how much that was.
void give(garland_http_response filled, garland_http_response& out) {
  filled.size = std::min(out.size, std::uint32_t{sizeof filled});
  std::memcpy(&out, &filled, filled.size);
}

garland_status http(void* ctx, garland_call* handle, garland_http_request const* request,
                    garland_http_response* response) noexcept {
  return onCall(ctx, handle, [&](Loop& loop, Call& call) -> garland_status {
    if (request == nullptr || response == nullptr || !GARLAND_HAS(response, effect))
      return failed(call, ErrorKind::invalidInput, "http: no request, or no room for the response");
    response->size = std::min(response->size, std::uint32_t{sizeof *response});
    response->effect = GARLAND_EFFECT_NOT_APPLIED;
    if (auto const* const problem = problemWith(*request))
      return failed(call, ErrorKind::invalidInput, problem);
    if (call.cancelled) return GARLAND_E_CANCELLED;
    // While it is under way, nobody knows; a cancelled wait leaves it at that.
    response->effect = GARLAND_EFFECT_UNKNOWN;
    wire::HttpAnswer answer;
    auto const status = ask(loop, call, wire::Kind::httpAsk, toWire(*request), answer);
    if (status != GARLAND_OK) {
      if (call.last_host_error && status != GARLAND_E_CANCELLED) {
        auto const& why = call.last_host_error->message;
        response->effect = static_cast<garland_effect>(call.last_host_error->effect);
        if (auto const* const copy = call.arena.copy(why); copy != nullptr)
          response->body = {reinterpret_cast<std::uint8_t const*>(copy), why.size()};
      }
      return status;
    }
    response->effect = answer.effect;
    garland_http_response filled{};
    if (!toArena(call, answer, filled))
      return failed(call, ErrorKind::hostLimit, "http: the call's arena has no room for the answer");
    give(filled, *response);
    return GARLAND_OK;
  });
}

// ---------------------------------------------------------------- time

std::int64_t nowMs(void* /*ctx*/) noexcept { return pluginWallMs(); }

std::int64_t monoNs(void* /*ctx*/) noexcept { return pluginMonotonicNs(); }

garland_status sleepMs(void* ctx, garland_call* handle, std::int64_t ms) noexcept {
  return onCall(ctx, handle, [&](Loop& loop, Call& call) -> garland_status {
    constexpr std::int64_t kLongest = 24LL * 3600 * 1000;
    auto const until = pluginMonotonicNs() + std::clamp<std::int64_t>(ms, 0, kLongest) * kMillisecond;
    auto const end = std::min(until, call.deadline_ns);
    bool const passed = passTime(end);
    auto const status = loop.waitUntil(call, passed ? 0 : end, [end] { return pluginMonotonicNs() >= end; });
    if (status != GARLAND_OK) return status;
    return end == until ? GARLAND_OK : GARLAND_E_CANCELLED;
  });
}

// ---------------------------------------------------------------- key/value state

garland_status kvGet(void* ctx, garland_call* handle, garland_str key, garland_bytes* value,
                     std::uint64_t* version) noexcept {
  return onCall(ctx, handle, [&](Loop& loop, Call& call) -> garland_status {
    if (key.len == 0 || !readable(key, 256) || value == nullptr || version == nullptr)
      return failed(call, ErrorKind::invalidInput, "kv_get: a key has 1 to 256 bytes");
    wire::KvAnswer answer;
    wire::KvGet question;
    question.key = view(key);
    if (auto const status = ask(loop, call, wire::Kind::kvGet, std::move(question), answer);
        status != GARLAND_OK)
      return status;
    auto const* const kept = call.arena.keep(std::move(answer.value));
    if (kept == nullptr) return failed(call, ErrorKind::hostLimit, "kv_get: the call's arena is full");
    *value = {reinterpret_cast<std::uint8_t const*>(kept->data()), kept->size()};
    *version = answer.version;
    return GARLAND_OK;
  });
}

garland_status kvPut(void* ctx, garland_call* handle, garland_str key, garland_bytes value,
                     std::uint64_t if_version, std::int64_t ttl_ms) noexcept {
  return onCall(ctx, handle, [&](Loop& loop, Call& call) -> garland_status {
    if (key.len == 0 || !readable(key, 256) || !readable(value, loop.config().max_record) || ttl_ms < 0)
      return failed(call, ErrorKind::invalidInput, "kv_put: a key has 1 to 256 bytes, a ttl is not negative");
    wire::Ack answer;
    wire::KvPut question;
    question.key = view(key);
    question.value = view(value);
    question.if_version = if_version;
    question.ttl_ms = ttl_ms;
    return ask(loop, call, wire::Kind::kvPut, std::move(question), answer);
  });
}

// ---------------------------------------------------------------- output

garland_status checkDocument(Loop& loop, Call& call, garland_json document, char const* what) {
  if (!readable(document, loop.config().max_record))
    return failed(call, Error(ErrorKind::hostLimit, std::string(what) + " is larger than " +
                                                        std::to_string(loop.config().max_record) + " bytes"));
  if (!isJson(view(document)))
    return failed(call,
                  Error(ErrorKind::invalidInput, std::string(what) + " is not one valid JSON document"));
  return GARLAND_OK;
}

garland_status emit(void* ctx, garland_call* handle, garland_str kind, garland_json record) noexcept {
  return onCall(ctx, handle, [&](Loop& loop, Call& call) -> garland_status {
    if (call.cancelled) return GARLAND_E_CANCELLED;
    if (kind.len == 0 || !readable(kind, 128))
      return failed(call, ErrorKind::invalidInput, "emit: a kind has 1 to 128 bytes");
    if (auto const status = checkDocument(loop, call, record, "an emitted record"); status != GARLAND_OK)
      return status;
    auto const size = static_cast<std::size_t>(record.len);
    auto const& config = loop.config();
    auto const room = [&] {
      if (call.emit_error || call.unacknowledged.empty()) return true;
      return call.unacknowledged.size() < config.emit_window_records &&
             call.unacknowledged_bytes + size <= config.emit_window_bytes;
    };
    if (auto const status = loop.waitUntil(call, std::ref(room)); status != GARLAND_OK) return status;
    if (call.emit_error) return failed(call, *call.emit_error);
    wire::Emit message;
    message.kind = view(kind);
    message.record = view(record);
    call.unacknowledged.push_back(size);
    call.unacknowledged_bytes += size;
    loop.channel().send(wire::Kind::emit, call.id, message);
    loop.giveWay(call);
    return GARLAND_OK;
  });
}

garland_status checkpoint(void* ctx, garland_call* handle, garland_json cursor) noexcept {
  return onCall(ctx, handle, [&](Loop& loop, Call& call) -> garland_status {
    if (auto const status = checkDocument(loop, call, cursor, "a cursor"); status != GARLAND_OK)
      return status;
    if (call.emit_error) return failed(call, *call.emit_error);
    wire::Ack answer;
    wire::Checkpoint question;
    question.cursor = view(cursor);
    auto const status = ask(loop, call, wire::Kind::checkpoint, std::move(question), answer);
    if (status == GARLAND_OK && call.emit_error) return failed(call, *call.emit_error);
    return status;
  });
}

garland_status result(void* ctx, garland_call* handle, garland_json value) noexcept {
  return onCall(ctx, handle, [&](Loop& loop, Call& call) -> garland_status {
    if (auto const status = checkDocument(loop, call, value, "a result"); status != GARLAND_OK) return status;
    call.result = view(value);
    return GARLAND_OK;
  });
}

// The JSON Pointer of an invalid input travels in the detail (garland_status_code); the host wants it apart.
void takeDetail(garland_json span, Error& error) {
  if (!readable(span, kMaxText) || span.len == 0) return;
  auto parsed = parseJson(view(span));
  if (!parsed || !parsed->is_object()) return;
  error.field = textOr(*parsed, "/field", "");
  error.detail = std::move(*parsed);
}

garland_status fail(void* ctx, garland_call* handle, garland_error const* told) noexcept {
  return onCall(ctx, handle, [&](Loop&, Call& call) -> garland_status {
    if (told == nullptr || !GARLAND_HAS(told, detail) || told->kind == GARLAND_OK)
      return failed(call, ErrorKind::pluginBug, "fail: no error was given");
    for (auto const text : {told->provider_code, told->message, told->user_message})
      if (!readable(text, kMaxSpan))
        return failed(call, ErrorKind::pluginBug,
                      "fail: a text of the error is over 32 MiB, or has a length and no bytes");
    auto const known = told->kind >= GARLAND_E_AUTH_EXPIRED && told->kind <= GARLAND_E_HOST_LIMIT;
    Error error;
    error.kind = known ? static_cast<ErrorKind>(told->kind) : ErrorKind::providerBug;
    error.effect = told->effect == GARLAND_EFFECT_NOT_APPLIED || told->effect == GARLAND_EFFECT_APPLIED
                       ? static_cast<Effect>(told->effect)
                       : Effect::unknown;
    error.http_status = told->http_status;
    if (told->retry_after_ms >= 0) error.retry_after = std::chrono::milliseconds(told->retry_after_ms);
    error.provider_code = clipped(told->provider_code, 256);
    error.message = clipped(told->message, 4096);
    error.user_message = clipped(told->user_message, 4096);
    takeDetail(told->detail, error);
    if (error.message.empty() && call.last_host_error && call.last_host_error->kind == error.kind)
      error.message = call.last_host_error->message;
    if (error.message.empty()) error.message = "the plugin gave no reason";
    call.failure = std::move(error);
    return static_cast<garland_status>(call.failure->kind);
  });
}

void progress(void* ctx, garland_call* handle, std::uint64_t done, std::uint64_t total,
              garland_str what) noexcept {
  onCall(ctx, handle, [&](Loop& loop, Call& call) -> garland_status {
    auto& state = call.progress;
    state.latest.done = done;
    state.latest.total = total;
    state.latest.what = clipped(what, 64);
    auto const now = monotonicNow();
    state.unsent = now - state.sent_at < kProgressEvery && state.sent_at != 0;
    if (state.unsent) return GARLAND_OK;
    state.sent_at = now;
    loop.channel().send(wire::Kind::progress, call.id, state.latest);
    return GARLAND_OK;
  });
}

wire::Log logLine(garland_log_level level, garland_str message, garland_json fields) {
  wire::Log line;
  line.level = level >= GARLAND_LOG_DEBUG && level <= GARLAND_LOG_ERROR ? level : GARLAND_LOG_ERROR;
  line.message = clipped(message, 8192);
  if (readable(fields, kMaxText) && isJsonObject(view(fields))) line.fields = view(fields);
  return line;
}

// From any thread. Which call runs is the worker thread's own knowledge: another's line belongs to none.
void log(void* ctx, garland_call* /*handle*/, garland_log_level level, garland_str message,
         garland_json fields) noexcept {
  int const saved = errno;
  auto& loop = loopOf(ctx);
  try {
    if (loop.onOwnThread()) {
      InHost const in_host;
      auto const call = loop.running() != nullptr ? loop.running()->id : 0;
      loop.channel().send(wire::Kind::log, call, logLine(level, message, fields));
    } else {
      loop.channel().sendFromAnyThread(wire::Kind::log, 0, logLine(level, message, fields));
    }
  } catch (std::exception const&) {
    errno = saved; // out of memory: a line is lost, not the call
    return;
  }
  errno = saved;
}

// ---------------------------------------------------------------- the rest

std::int32_t cancelled(void* ctx, garland_call* handle) noexcept {
  std::int32_t answer = 0;
  onCall(ctx, handle, [&](Loop& loop, Call& call) -> garland_status {
    loop.poll();
    answer = call.cancelled || pluginMonotonicNs() >= call.deadline_ns ? 1 : 0;
    return GARLAND_OK;
  });
  return answer;
}

std::int64_t deadlineNs(void* ctx, garland_call* handle) noexcept {
  std::int64_t answer = 0;
  onCall(ctx, handle, [&](Loop&, Call& call) -> garland_status {
    answer = call.deadline_ns;
    return GARLAND_OK;
  });
  return answer;
}

void* alloc(void* ctx, garland_call* handle, std::uint64_t bytes, std::uint64_t align) noexcept {
  void* memory = nullptr;
  onCall(ctx, handle, [&](Loop&, Call& call) -> garland_status {
    memory = call.arena.allocate(bytes, align);
    return GARLAND_OK;
  });
  return memory;
}

// No optional service is offered yet.
void const* getService(void* /*ctx*/, garland_str /*id*/) noexcept { return nullptr; }

} // namespace

garland_host hostTable(Loop& loop) {
  garland_host host{};
  host.size = sizeof host;
  host.abi_major = GARLAND_ABI_MAJOR;
  host.abi_minor = GARLAND_ABI_MINOR;
  host.ctx = &loop;
  host.get_service = getService;
  host.log = log;
  host.now_ms = nowMs;
  host.mono_ns = monoNs;
  host.sleep_ms = sleepMs;
  host.http = http;
  host.kv_get = kvGet;
  host.kv_put = kvPut;
  host.emit = emit;
  host.checkpoint = checkpoint;
  host.result = result;
  host.fail = fail;
  host.progress = progress;
  host.cancelled = cancelled;
  host.deadline_ns = deadlineNs;
  host.alloc = alloc;
  return host;
}

} // namespace garland::runtime::worker
