// The host that the plugin gets: every function looks at how it is called, and passes on to the worker's own.
#include "certification/probe/shim.h"
#include "certification/probe/watch.h"

#include <algorithm>
#include <cstring>
#include <cxxabi.h>
#include <link.h>
#include <vector>

namespace garland::probe {
namespace {

using Interrupted = std::string;

// By the Itanium C++ ABI.
struct ExceptionState {
  void* caught = nullptr;
  unsigned uncaught = 0;
};

// The plugin's thread_local variables on this thread; empty if it has none, or none is used yet.
std::string threadLocals() {
  struct Search {
    std::uintptr_t inside;
    std::string found;
  };
  auto const look = [](dl_phdr_info* object, std::size_t size, void* into) {
    auto& search = *static_cast<Search*>(into);
    if (size < offsetof(dl_phdr_info, dlpi_tls_data) + sizeof object->dlpi_tls_data) return 1;
    bool ours = false;
    std::size_t bytes = 0;
    for (int i = 0; i < object->dlpi_phnum; ++i) {
      auto const& part = object->dlpi_phdr[i];
      auto const begin = object->dlpi_addr + part.p_vaddr;
      ours =
          ours || (part.p_type == PT_LOAD && search.inside >= begin && search.inside < begin + part.p_memsz);
      if (part.p_type == PT_TLS) bytes = part.p_memsz;
    }
    if (!ours) return 0;
    if (bytes != 0 && object->dlpi_tls_data != nullptr)
      search.found.assign(static_cast<char const*>(object->dlpi_tls_data), bytes);
    return 1;
  };
  Search search{reinterpret_cast<std::uintptr_t>(Shim::the().entry()), {}};
  ::dl_iterate_phdr(look, &search);
  return std::move(search.found);
}

void checkHandle(garland_call* call, char const* function) {
  auto& shim = Shim::the();
  auto* const running = shim.loop().running();
  if (running != nullptr && running->handle() == call) return;
  ++watch.seen.dead_handles;
  if (shim.dead_call.empty()) shim.dead_call = function;
}

// Another account's instance runs an operation while this one waits, as in a busy worker. What it says goes
// nowhere.
void interleave(garland_call* call) {
  auto& shim = Shim::the();
  auto const& settings = shim.settings;
  if (shim.nested || settings.interleave.empty() || shim.interleaved >= settings.interleave_most) return;
  shim.nested = true;
  ++shim.interleaved;
  auto const locked = std::exchange(watch.seen.locks_held, 0);
  auto const before = threadLocals();
  garland_instance* other = nullptr;
  shim.nested_status = shim.open(call, settings.interleave_account, &other);
  auto const operation = shim.find(settings.interleave);
  if (shim.nested_status == GARLAND_OK && operation != nullptr) {
    shim.nested_status = shim.run(operation, other, call, settings.interleave_input);
    shim.close(other);
  }
  if (threadLocals() != before) ++watch.seen.thread_locals;
  watch.seen.locks_held = locked;
  shim.nested = false;
}

// A host function that may park the fiber. Its body runs as the host.
template <class Body> garland_status suspending(garland_call* call, char const* function, Body const& body) {
  if (watch.seen.locks_held > 0) ++watch.seen.locked_calls;
  ExceptionState exceptions;
  std::memcpy(&exceptions, abi::__cxa_get_globals(), sizeof exceptions);
  if (exceptions.caught != nullptr || exceptions.uncaught != 0) ++watch.seen.calls_in_handlers;
  In const host(false);
  checkHandle(call, function);
  interleave(call);
  auto const locked = std::exchange(watch.seen.locks_held, 0);
  auto const status = body();
  watch.seen.locks_held = locked;
  return status;
}

template <class Body> auto direct(garland_call* call, char const* function, Body const& body) {
  In const host(false);
  checkHandle(call, function);
  return body();
}

garland_host const& real() { return Shim::the().host(); }
void* context() { return real().ctx; }

// The next thing that would lie in the arena of the call has no room there.
bool arenaIsFull() {
  auto& shim = Shim::the();
  return !shim.nested && ++shim.in_arena == shim.settings.fail_arena;
}

// ---------------------------------------------------------------- what is handed out

// In guarded memory, or as it was.
garland_str guarded(garland_str text) {
  if (text.ptr == nullptr) return text;
  return {Shim::the().copies().copy({text.ptr, static_cast<std::size_t>(text.len)}), text.len};
}

garland_bytes guarded(garland_bytes bytes) {
  if (bytes.ptr == nullptr) return bytes;
  auto const* const copy = Shim::the().copies().copy(
      {reinterpret_cast<char const*>(bytes.ptr), static_cast<std::size_t>(bytes.len)});
  return {reinterpret_cast<std::uint8_t const*>(copy), bytes.len};
}

void guard(garland_http_response& response) {
  response.body = guarded(response.body);
  std::vector<garland_header> headers(response.headers, response.headers + response.header_count);
  for (auto& header : headers) header = {guarded(header.name), guarded(header.value)};
  auto const* const copy = Shim::the().copies().copy(
      {reinterpret_cast<char const*>(headers.data()), headers.size() * sizeof(garland_header)},
      sizeof(garland_header));
  response.headers = reinterpret_cast<garland_header const*>(copy);
}

// ---------------------------------------------------------------- the functions

garland_status http(void* /*ctx*/, garland_call* call, garland_http_request const* request,
                    garland_http_response* response) noexcept {
  return suspending(call, "http", [&]() -> garland_status {
    auto const size = response == nullptr ? 0 : response->size;
    garland_http_response answer{};
    answer.size = sizeof answer;
    auto* const into = response == nullptr || size < sizeof answer ? response : &answer;
    auto const status = real().http(context(), call, request, into);
    if (into != &answer) return status;
    bool const full = status == GARLAND_OK && arenaIsFull();
    response->effect = answer.effect;
    response->size = sizeof answer; // as the worker leaves it
    if (status != GARLAND_OK || full) {
      if (!full) response->body = Shim::the().settings.guard ? guarded(answer.body) : answer.body;
      return full ? GARLAND_E_HOST_LIMIT : status;
    }
    if (Shim::the().settings.guard) guard(answer);
    std::memcpy(response, &answer, sizeof answer);
    return status;
  });
}

garland_status kvGet(void* /*ctx*/, garland_call* call, garland_str key, garland_bytes* value,
                     std::uint64_t* version) noexcept {
  return suspending(call, "kv_get", [&]() -> garland_status {
    if (Shim::the().nested) return GARLAND_E_NOT_FOUND;
    auto const status = real().kv_get(context(), call, key, value, version);
    if (status != GARLAND_OK) return status;
    if (arenaIsFull()) return GARLAND_E_HOST_LIMIT;
    if (Shim::the().settings.guard) *value = guarded(*value);
    return status;
  });
}

garland_status kvPut(void* /*ctx*/, garland_call* call, garland_str key, garland_bytes value,
                     std::uint64_t if_version, std::int64_t ttl_ms) noexcept {
  return suspending(call, "kv_put", [&]() -> garland_status {
    if (Shim::the().nested) return GARLAND_OK;
    return real().kv_put(context(), call, key, value, if_version, ttl_ms);
  });
}

garland_status emit(void* /*ctx*/, garland_call* call, garland_str kind, garland_json record) noexcept {
  return suspending(call, "emit", [&]() -> garland_status {
    auto& shim = Shim::the();
    if (shim.nested) return GARLAND_OK;
    if (++shim.emitted == shim.settings.fail_emit) return GARLAND_E_HOST_LIMIT;
    return real().emit(context(), call, kind, record);
  });
}

garland_status checkpoint(void* /*ctx*/, garland_call* call, garland_json cursor) noexcept {
  return suspending(call, "checkpoint", [&]() -> garland_status {
    return Shim::the().nested ? GARLAND_OK : real().checkpoint(context(), call, cursor);
  });
}

garland_status sleepMs(void* /*ctx*/, garland_call* call, std::int64_t ms) noexcept {
  return suspending(call, "sleep_ms", [&] { return real().sleep_ms(context(), call, ms); });
}

garland_status result(void* /*ctx*/, garland_call* call, garland_json value) noexcept {
  return direct(call, "result", [&]() -> garland_status {
    return Shim::the().nested ? GARLAND_OK : real().result(context(), call, value);
  });
}

garland_status fail(void* /*ctx*/, garland_call* call, garland_error const* error) noexcept {
  return direct(call, "fail", [&]() -> garland_status {
    if (Shim::the().nested && error != nullptr) return error->kind;
    return real().fail(context(), call, error);
  });
}

void progress(void* /*ctx*/, garland_call* call, std::uint64_t done, std::uint64_t total,
              garland_str what) noexcept {
  direct(call, "progress", [&] { real().progress(context(), call, done, total, what); });
}

std::int32_t cancelled(void* /*ctx*/, garland_call* call) noexcept {
  return direct(call, "cancelled", [&] { return real().cancelled(context(), call); });
}

std::int64_t deadlineNs(void* /*ctx*/, garland_call* call) noexcept {
  return direct(call, "deadline_ns", [&] { return real().deadline_ns(context(), call); });
}

void* alloc(void* /*ctx*/, garland_call* call, std::uint64_t bytes, std::uint64_t align) noexcept {
  return direct(call, "alloc", [&]() -> void* {
    return arenaIsFull() ? nullptr : real().alloc(context(), call, bytes, align);
  });
}

void log(void* /*ctx*/, garland_call* call, garland_log_level level, garland_str message,
         garland_json fields) noexcept {
  In const host(false);
  if (call != nullptr) checkHandle(call, "log");
  real().log(context(), call, level, message, fields);
}

std::int64_t nowMs(void* /*ctx*/) noexcept {
  In const host(false);
  return real().now_ms(context());
}

std::int64_t monoNs(void* /*ctx*/) noexcept {
  In const host(false);
  return real().mono_ns(context());
}

// ---------------------------------------------------------------- the service that may be there

garland_status noSlot(void* /*ctx*/, garland_call* /*call*/, garland_str /*slot*/, garland_str /*algorithm*/,
                      garland_bytes /*data*/, garland_bytes* /*out*/) noexcept {
  return GARLAND_E_NOT_FOUND;
}

garland_status noSlotToVerify(void* /*ctx*/, garland_call* /*call*/, garland_str /*slot*/,
                              garland_str /*algorithm*/, garland_bytes /*data*/,
                              garland_bytes /*mac*/) noexcept {
  return GARLAND_E_NOT_FOUND;
}

constexpr garland_host_crypto_1 kCrypto{sizeof(garland_host_crypto_1), 0, noSlot, noSlotToVerify, noSlot};
bool crypto_offered = false;

void const* getService(void* /*ctx*/, garland_str id) noexcept {
  In const host(false);
  std::string_view const wanted(id.ptr, static_cast<std::size_t>(id.len));
  if (crypto_offered && wanted == GARLAND_HOST_CRYPTO_1) return &kCrypto;
  return real().get_service(context(), id);
}

} // namespace

void offerCrypto(bool offered) { crypto_offered = offered; }

garland_host shimTable() {
  garland_host host = real();
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

} // namespace garland::probe
