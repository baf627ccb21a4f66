#include "certification/probe/shim.h"

#include "certification/probe/watch.h"
#include "host/runtime/worker_signals.h"

#include <algorithm>
#include <cstring>
#include <ctime>
#include <new>

namespace garland::probe {
namespace {

using runtime::worker::StackPool;

Shim* instance = nullptr;
char own_instance; // its address stands for the probe's own

garland_instance* ownInstance() { return reinterpret_cast<garland_instance*>(&own_instance); }

std::string_view view(garland_str text) { return {text.ptr, static_cast<std::size_t>(text.len)}; }
std::string_view view(garland_json text) { return {text.ptr, static_cast<std::size_t>(text.len)}; }

// Everything of the fiber's stack that nobody uses now gets a pattern; how far it was overwritten shows how
// deep a call went.
class StackMark {
public:
  explicit StackMark(char const* limit) : limit_(const_cast<char*>(limit)) {
    auto* const here = static_cast<char*>(__builtin_frame_address(0));
    constexpr std::ptrdiff_t own = 4096; // frames of this and of memset
    if (here - limit_ > own)
      std::memset(limit_, GuardedRoom::kPattern, static_cast<std::size_t>(here - limit_ - own));
  }
  StackMark(StackMark const&) = delete;
  StackMark& operator=(StackMark const&) = delete;
  ~StackMark() {
    auto const* const end = limit_ + StackPool::kStackBytes;
    auto const* at = limit_;
    while (at != end && static_cast<unsigned char>(*at) == GuardedRoom::kPattern) ++at;
    watch.seen.deepest_stack = std::max(watch.seen.deepest_stack, static_cast<std::uint64_t>(end - at));
  }

private:
  char* limit_;
};

// ---------------------------------------------------------------- what the worker calls

garland_status runOperation(garland_instance* self, garland_call* call, garland_json input) noexcept {
  auto& shim = Shim::the();
  auto const operation = shim.find(shim.call().ask.operation);
  return operation == nullptr ? GARLAND_E_UNSUPPORTED : shim.run(operation, self, call, view(input));
}

garland_op findOperation(garland_str id) noexcept {
  if (view(id).starts_with(kOwn)) return deedNamed(view(id));
  return Shim::the().find(view(id)) == nullptr ? nullptr : &runOperation;
}

garland_status openInstance(garland_call* call, garland_json account, garland_instance** out) noexcept {
  auto& shim = Shim::the();
  if (shim.call().ask.account_id != kOwnAccount) return shim.open(call, view(account), out);
  *out = ownInstance();
  return GARLAND_OK;
}

void closeInstance(garland_instance* self) noexcept {
  if (self != ownInstance()) Shim::the().close(self);
}

void shutDown() noexcept { Shim::the().shutdown(); }

} // namespace

std::int64_t processorTime() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return now.tv_sec * 1'000'000'000LL + now.tv_nsec;
}

void In::change(bool plugin) {
  if (plugin == watch.in_plugin) return;
  if (plugin && watch.metered) watch.slice_began = processorTime();
  watch.in_plugin = plugin;
  if (plugin || !watch.metered) return;
  auto const took = (processorTime() - watch.slice_began) / 1000;
  watch.seen.work_us += took;
  watch.seen.longest_slice_us = std::max(watch.seen.longest_slice_us, took);
}

Shim::Shim(runtime::worker::Loop& loop, garland_entry_v1_fn entry, garland_host const& host)
    : loop_(loop), entry_(entry), host_(host) {
  instance = this;
}

Shim& Shim::the() { return *instance; }

// In memory that ends where the table ends.
void Shim::buildTable(HostForm const& form) {
  auto& room = *new GuardedRoom(sizeof(garland_host) + form.tail);
  auto table = shimTable();
  table.size = static_cast<std::uint32_t>(sizeof table + form.tail);
  table.abi_minor = form.minor;
  std::memcpy(room.begin(), &table, sizeof table);
  table_ = reinterpret_cast<garland_host*>(room.begin());
  offerCrypto(form.crypto);
}

garland_status Shim::enter(HostForm const& form) {
  buildTable(form);
  garland_plugin filled{};
  filled.size = sizeof filled;
  garland_status status = GARLAND_OK;
  {
    In const plugin(true);
    status = entry_(table_, &filled);
  }
  if (status == GARLAND_OK) plugin_ = filled;
  return status;
}

garland_plugin Shim::descriptor() const {
  auto out = plugin_;
  out.find_op = findOperation;
  out.open = openInstance;
  out.close = closeInstance;
  out.export_state = nullptr; // what is worth a look is done by the probe's own operations
  out.import_state = nullptr;
  out.shutdown = shutDown;
  return out;
}

garland_op Shim::find(std::string_view id) {
  GuardedCopies copies;
  auto const* const text = settings.guard ? copies.copy(id) : id.data();
  In const plugin(true);
  return plugin_.find_op({text, id.size()});
}

// The document as it is handed to the plugin.
garland_json Shim::given(GuardedCopies& copies, std::string_view document, std::string& changed) const {
  if (settings.future)
    if (auto value = parseJson(document); value && value->is_object()) {
      value->get_object()["x-of-a-later-version"] =
          json::object{{"depth", 1}, {"texts", json::array{"a", "b"}}};
      changed = json::serialize(*value);
      document = changed;
    }
  if (!settings.guard) return {document.data(), document.size()};
  return {copies.copy(document), document.size()};
}

garland_status Shim::open(garland_call* call, std::string_view account, garland_instance** out) {
  GuardedCopies copies; // open's own: the account is gone when it returns
  std::string changed;
  auto const document = given(copies, account, changed);
  In const plugin(true);
  return plugin_.open(call, document, out);
}

void Shim::close(garland_instance* self) {
  In const plugin(true);
  plugin_.close(self);
}

garland_status Shim::run(garland_op operation, garland_instance* self, garland_call* call,
                         std::string_view input) {
  auto const id = this->call().id;
  std::string changed;
  auto const document = given(copies_[id], input, changed);
  auto& seen = watch.seen;
  auto const before = watch.heap.live;
  if (!nested) {
    in_arena = 0;
    emitted = 0;
    seen.allocations = 0;
    watch.fail_allocation = settings.fail_malloc;
    watch.heap.peak = before;
    seen.locks_held = 0;
  }
  garland_status status = GARLAND_OK;
  {
    std::optional<StackMark> mark;
    if (settings.stack && !nested) mark.emplace(this->call().fiber->stackLimit());
    In const plugin(true);
    status = operation(self, call, document);
  }
  if (!nested) {
    watch.fail_allocation = 0;
    seen.peak_of_call = std::max(seen.peak_of_call, watch.heap.peak - before);
    copies_.erase(id);
  }
  return status;
}

void Shim::shutdown() {
  if (was_shut_down) return;
  was_shut_down = true;
  In const plugin(true);
  if (plugin_.shutdown != nullptr) plugin_.shutdown();
}

void Shim::breathe() {
  In const host(false);
  runtime::worker::InHost const in_host;
  loop_.giveWay(call());
}

} // namespace garland::probe
