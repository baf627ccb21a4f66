// The host functions that FakeHost hands to a plugin.
#include "fake_host_state.h"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <bit>
#include <mutex>
#include <new>

garland_call::Block::Block(std::size_t bytes_in, std::size_t align_in)
    : align(std::max<std::size_t>(align_in, 16)), memory(::operator new(bytes_in, std::align_val_t(align))) {}
garland_call::Block::~Block() { ::operator delete(memory, std::align_val_t(align)); }

namespace garland::testing {
namespace {

using State = FakeHost::State;
constexpr std::int64_t start_ms = 1'767'225'600'000; // 2026-01-01T00:00:00Z
constexpr std::uint64_t largest_block = 64U << 20U;

State& of(void* ctx) { return *static_cast<State*>(ctx); }
std::string text(garland_str span) { return {span.ptr == nullptr ? "" : span.ptr, span.len}; }
garland_str span(std::string const& text) { return {text.data(), text.size()}; }
garland_bytes bytes(std::string const& text) {
  return {reinterpret_cast<std::uint8_t const*>(text.data()), text.size()};
}
std::string text(garland_bytes span) {
  return {span.ptr == nullptr ? "" : reinterpret_cast<char const*>(span.ptr), span.len};
}

void const* getService(void*, garland_str) noexcept { return nullptr; }

void log(void* ctx, garland_call* call, garland_log_level level, garland_str message,
         garland_json fields) noexcept {
  auto& state = of(ctx);
  std::lock_guard const lock(state.log_mutex);
  if (call != nullptr && !state.loggable(*call)) return;
  json::value parsed;
  if (fields.ptr != nullptr) {
    auto value = state.parse(fields, "the fields of a log line");
    if (value && !value->is_object()) state.blame("the fields of a log line are not an object");
    if (value) parsed = std::move(*value);
  }
  state.logs.push_back({level, text(message), std::move(parsed)});
}

std::int64_t nowMs(void* ctx) noexcept { return start_ms + of(ctx).elapsed.count(); }
std::int64_t monoNs(void* ctx) noexcept { return std::chrono::nanoseconds(of(ctx).elapsed).count(); }

garland_status sleepMs(void* ctx, garland_call* call, std::int64_t ms) noexcept {
  auto& state = of(ctx);
  if (!state.usable(call, "sleep_ms", true)) return GARLAND_E_PLUGIN_BUG;
  if (state.cancelled()) return GARLAND_E_CANCELLED;
  Milliseconds const wanted(std::max<std::int64_t>(ms, 0));
  auto const given = std::min(wanted, state.deadline - state.elapsed);
  state.elapsed += given;
  state.slept += given;
  return given < wanted ? GARLAND_E_CANCELLED : GARLAND_OK;
}

HttpRequest requestFrom(garland_http_request const& asked) {
  HttpRequest request;
  request.method = text(asked.method);
  request.url = text(asked.url);
  for (std::uint32_t i = 0; i < asked.header_count; ++i)
    request.headers.emplace_back(text(asked.headers[i].name), text(asked.headers[i].value));
  request.body = text(asked.body);
  request.credential_slot = text(asked.credential_slot);
  request.idempotency_key = text(asked.idempotency_key);
  request.timeout = Milliseconds(asked.timeout_ms);
  request.max_body = asked.max_body;
  return request;
}

// As the host tells it: refused requests did nothing, a server error may have done it.
garland_effect effectOf(int status) {
  if (status >= 200 && status < 300) return GARLAND_EFFECT_APPLIED;
  return status >= 400 && status < 500 ? GARLAND_EFFECT_NOT_APPLIED : GARLAND_EFFECT_UNKNOWN;
}

void fill(garland_call& call, HttpResponse const& from, garland_http_response& to) {
  auto& headers = call.headers.emplace_back();
  for (auto const& [name, value] : from.headers)
    headers.push_back({span(call.keep(name)), span(call.keep(value))});
  to.status = from.status;
  to.headers = headers.data();
  to.header_count = static_cast<std::uint32_t>(headers.size());
  to.body = bytes(call.keep(from.body));
  to.retry_after_ms = from.retry_after ? from.retry_after->count() : -1;
  to.effect = effectOf(from.status);
}

garland_status http(void* ctx, garland_call* call, garland_http_request const* asked,
                    garland_http_response* response) noexcept {
  auto& state = of(ctx);
  response->size = std::min(response->size, std::uint32_t{sizeof *response});
  response->effect = GARLAND_EFFECT_NOT_APPLIED;
  if (!state.usable(call, "http", true)) return GARLAND_E_PLUGIN_BUG;
  if (state.cancelled()) return GARLAND_E_CANCELLED;
  auto const request = requestFrom(*asked);
  state.requests.push_back(request);
  auto const reply = state.answer(request);
  if (auto const* failure = std::get_if<HttpFailure>(&reply)) {
    response->effect = failure->effect;
    response->body = bytes(call->keep(failure->message));
    return failure->kind;
  }
  fill(*call, std::get<HttpResponse>(reply), *response);
  return GARLAND_OK;
}

garland_status kvGet(void* ctx, garland_call* call, garland_str key, garland_bytes* value,
                     std::uint64_t* version) noexcept {
  auto& state = of(ctx);
  if (!state.usable(call, "kv_get", true)) return GARLAND_E_PLUGIN_BUG;
  auto const found = state.kv.find(text(key));
  if (found == state.kv.end()) return GARLAND_E_NOT_FOUND;
  auto const until = found->second.until;
  if (until.count() != 0 && until <= state.elapsed) return GARLAND_E_NOT_FOUND;
  *value = bytes(call->keep(found->second.value));
  *version = found->second.version;
  return GARLAND_OK;
}

garland_status kvPut(void* ctx, garland_call* call, garland_str key, garland_bytes value,
                     std::uint64_t if_version, std::int64_t ttl_ms) noexcept {
  auto& state = of(ctx);
  if (!state.usable(call, "kv_put", true)) return GARLAND_E_PLUGIN_BUG;
  auto& entry = state.kv[text(key)];
  if (if_version != 0 && entry.version != if_version) return GARLAND_E_CONFLICT;
  entry.value = text(value);
  entry.version += 1;
  entry.until = ttl_ms > 0 ? state.elapsed + Milliseconds(ttl_ms) : Milliseconds(0);
  return GARLAND_OK;
}

garland_status emit(void* ctx, garland_call* call, garland_str kind, garland_json record) noexcept {
  auto& state = of(ctx);
  if (!state.usable(call, "emit", true)) return GARLAND_E_PLUGIN_BUG;
  if (state.cancelled()) return GARLAND_E_CANCELLED;
  auto value = state.parse(record, "an emitted record");
  if (!value) return GARLAND_E_INVALID_INPUT;
  if (auto const status = state.takeOutput(); status != GARLAND_OK) return status;
  state.checkEmitted(call->operation, text(kind), *value);
  state.emitted.push_back({text(kind), std::move(*value)});
  return GARLAND_OK;
}

garland_status checkpoint(void* ctx, garland_call* call, garland_json cursor) noexcept {
  auto& state = of(ctx);
  if (!state.usable(call, "checkpoint", true)) return GARLAND_E_PLUGIN_BUG;
  if (state.cancelled()) return GARLAND_E_CANCELLED;
  auto value = state.parse(cursor, "a checkpoint's cursor");
  if (!value) return GARLAND_E_INVALID_INPUT;
  if (auto const status = state.takeOutput(); status != GARLAND_OK) return status;
  state.checkpoints.push_back(std::move(*value));
  state.durable = state.emitted.size();
  return GARLAND_OK;
}

garland_status result(void* ctx, garland_call* call, garland_json value) noexcept {
  auto& state = of(ctx);
  if (!state.usable(call, "result", false)) return GARLAND_E_PLUGIN_BUG;
  auto parsed = state.parse(value, "a result");
  if (!parsed) return GARLAND_E_INVALID_INPUT;
  call->outcome.result = std::move(*parsed);
  return GARLAND_OK;
}

garland_status fail(void* ctx, garland_call* call, garland_error const* error) noexcept {
  auto& state = of(ctx);
  if (!state.usable(call, "fail", false)) return GARLAND_E_PLUGIN_BUG;
  if (error->kind == GARLAND_OK) state.blame("host->fail was told GARLAND_OK");
  if (error->message.len == 0) state.blame("host->fail was told no message");
  if (error->kind == GARLAND_E_RATE_LIMITED && error->retry_after_ms < 0)
    state.blame("RATE_LIMITED without retry_after_ms");
  if (error->kind == GARLAND_E_CANCELLED && !state.cancelled() && state.elapsed < state.deadline &&
      state.output_refusal != GARLAND_E_CANCELLED)
    state.blame("CANCELLED, though the host did not ask for it");
  auto& outcome = call->outcome;
  outcome.effect = error->effect;
  outcome.http_status = error->http_status;
  outcome.retry_after.reset();
  if (error->retry_after_ms >= 0) outcome.retry_after = Milliseconds(error->retry_after_ms);
  outcome.provider_code = text(error->provider_code);
  outcome.message = text(error->message);
  outcome.user_message = text(error->user_message);
  if (error->detail.ptr != nullptr)
    outcome.detail = state.parse(error->detail, "the detail of an error").value_or(nullptr);
  return call->failed_with = error->kind;
}

void progress(void* ctx, garland_call* call, std::uint64_t done, std::uint64_t total, garland_str) noexcept {
  auto& state = of(ctx);
  if (!state.usable(call, "progress", false)) return;
  if (total != 0 && done > total) state.blame("progress beyond its total");
  state.progress = {done, total};
}

std::int32_t cancelled(void* ctx, garland_call* call) noexcept {
  auto& state = of(ctx);
  return state.usable(call, "cancelled", false) && state.cancelled() ? 1 : 0;
}

std::int64_t deadlineNs(void* ctx, garland_call* call) noexcept {
  auto& state = of(ctx);
  if (!state.usable(call, "deadline_ns", false)) return 0;
  return std::chrono::nanoseconds(state.deadline).count();
}

void* alloc(void* ctx, garland_call* call, std::uint64_t size, std::uint64_t align) noexcept {
  auto& state = of(ctx);
  if (!state.usable(call, "alloc", false) || size > largest_block) return nullptr;
  if (!std::has_single_bit(align) || align > 4096) {
    state.blame("alloc with an alignment that is no power of two up to 4096");
    return nullptr;
  }
  return call->blocks.emplace_back(size, align).memory;
}

} // namespace

garland_host hostTable(State& state) {
  garland_host host{};
  host.size = sizeof host;
  host.abi_major = GARLAND_ABI_MAJOR;
  host.abi_minor = GARLAND_ABI_MINOR;
  host.ctx = &state;
  host.get_service = &getService;
  host.log = &log;
  host.now_ms = &nowMs;
  host.mono_ns = &monoNs;
  host.sleep_ms = &sleepMs;
  host.http = &http;
  host.kv_get = &kvGet;
  host.kv_put = &kvPut;
  host.emit = &emit;
  host.checkpoint = &checkpoint;
  host.result = &result;
  host.fail = &fail;
  host.progress = &progress;
  host.cancelled = &cancelled;
  host.deadline_ns = &deadlineNs;
  host.alloc = &alloc;
  return host;
}

} // namespace garland::testing
