// The probe's own operations, "probe.NAME/1": what a host of another version, a busy day or an evil one does
// to a plugin, done to its entry points directly. Input and result are JSON; what they mean is for the
// checks.
#include "certification/probe/heap.h"
#include "certification/probe/shim.h"
#include "certification/probe/watch.h"
#include "host/runtime/sandbox_audit.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <random>
#include <vector>

namespace garland::probe {
namespace {

std::string textOf(json::value const& input, char const* pointer) {
  auto const* found = find(input, pointer);
  if (found == nullptr) return {};
  return found->is_string() ? std::string(found->get_string()) : json::serialize(*found);
}

std::vector<std::string> textsOf(json::value const& input, char const* pointer) {
  std::vector<std::string> out;
  auto const* found = find(input, pointer);
  if (found == nullptr || !found->is_array()) return out;
  for (auto const& one : found->get_array())
    out.push_back(one.is_string() ? std::string(one.get_string()) : json::serialize(one));
  return out;
}

std::uint64_t countOf(json::value const& input, char const* pointer) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(0, integerOr(input, pointer, 0)));
}

// ---------------------------------------------------------------- what is looked at

json::object set(Shim& shim, garland_call*, json::value const& input) {
  Settings settings;
  settings.guard = boolOr(input, "/guard", false);
  settings.future = boolOr(input, "/future", false);
  settings.stack = boolOr(input, "/stack", false);
  settings.fail_arena = countOf(input, "/fail_arena");
  settings.fail_malloc = countOf(input, "/fail_malloc");
  settings.fail_emit = countOf(input, "/fail_emit");
  settings.interleave = textOf(input, "/interleave/operation");
  settings.interleave_input = textOf(input, "/interleave/input");
  settings.interleave_account = textOf(input, "/interleave/account");
  settings.interleave_most = integerOr(input, "/interleave/most", 1);
  watch.metered = boolOr(input, "/meter", false);
  guardHeap(boolOr(input, "/heap", false));
  shim.settings = std::move(settings);
  shim.interleaved = 0;
  return {};
}

json::array callsOf(Seen const& seen) {
  json::array out;
  for (auto const& one : seen.system_calls)
    if (one.times != 0)
      out.push_back(
          json::object{{"name", runtime::sandbox::systemCallName(one.number)}, {"times", one.times}});
  return out;
}

json::object toJson(Seen const& seen) {
  return {{"locked_calls", seen.locked_calls},
          {"calls_in_handlers", seen.calls_in_handlers},
          {"blocking", seen.blocking},
          {"dead_handles", seen.dead_handles},
          {"threads", seen.threads},
          {"exit_handlers", seen.exit_handlers},
          {"signal_handlers", seen.signal_handlers},
          {"mappings", seen.mappings},
          {"descriptors", seen.descriptors},
          {"thread_locals", seen.thread_locals},
          {"allocations", seen.allocations},
          {"peak_of_call", seen.peak_of_call},
          {"deepest_stack", seen.deepest_stack},
          {"longest_slice_us", seen.longest_slice_us},
          {"work_us", seen.work_us},
          {"system_calls", callsOf(seen)}};
}

json::object tell(Shim& shim, garland_call*, json::value const& input) {
  auto out = toJson(watch.seen);
  out["dead_call"] = shim.dead_call;
  out["heap"] = watch.heap.live;
  out["blocks"] = watch.heap.blocks;
  out["in_arena"] = shim.in_arena;
  out["interleaved"] = shim.interleaved;
  out["nested_status"] = shim.nested_status;
  auto const misuse = heapMisuse();
  out["guarded_heap"] = json::object{
      {"blocks", misuse.guarded}, {"overruns", misuse.overruns}, {"bad_frees", misuse.bad_frees}};
  out["at_load"] = toJson(watch.at_load);
  if (boolOr(input, "/anew", false)) {
    auto const held = watch.seen;
    watch.seen = {};
    watch.seen.locks_held = held.locks_held;
    watch.seen.mappings = held.mappings; // balances go on
    watch.seen.descriptors = held.descriptors;
  }
  return out;
}

// ---------------------------------------------------------------- the entry

json::object enterWithSize(Shim& shim, garland_call*, json::value const& input) {
  auto const size = countOf(input, "/size");
  GuardedRoom const room(std::max<std::size_t>(size, sizeof(std::uint32_t)));
  auto const told = static_cast<std::uint32_t>(size);
  std::memcpy(room.begin(), &told, sizeof told);
  garland_status status = GARLAND_OK;
  {
    In const plugin(true);
    status = shim.entry()(shim.table(), reinterpret_cast<garland_plugin*>(room.begin()));
  }
  std::uint32_t filled = 0;
  std::memcpy(&filled, room.begin(), sizeof filled);
  auto const* const from =
      room.begin() + std::min<std::size_t>(std::max<std::size_t>(filled, sizeof filled),
                                           static_cast<std::size_t>(room.end() - room.begin()));
  bool const touched = std::any_of(from, static_cast<unsigned char const*>(room.end()),
                                   [](unsigned char byte) { return byte != GuardedRoom::kPattern; });
  return {{"status", status}, {"filled", filled}, {"touched_more", touched}};
}

json::object enterWithHost(Shim& shim, garland_call*, json::value const& input) {
  HostForm form;
  form.tail = countOf(input, "/tail");
  form.minor = static_cast<std::uint16_t>(countOf(input, "/minor"));
  form.crypto = boolOr(input, "/crypto", false);
  return {{"status", shim.enter(form)}};
}

// What the entry and find_op say, again and again.
json::object askAgain(Shim& shim, garland_call*, json::value const& input) {
  auto const operations = textsOf(input, "/operations");
  auto const absent = textsOf(input, "/absent");
  auto const copied = [](garland_str text) {
    return std::string(text.ptr, static_cast<std::size_t>(text.len));
  };
  auto const first = shim.plugin();
  auto const id = copied(first.id);
  auto const version = copied(first.version);
  std::vector<garland_op> found;
  for (auto const& operation : operations) found.push_back(shim.find(operation));
  json::array missing;
  for (std::size_t i = 0; i < found.size(); ++i)
    if (found[i] == nullptr) missing.emplace_back(operations[i]);
  std::uint64_t moved = 0;
  std::uint64_t invented = 0;
  for (std::uint64_t time = countOf(input, "/times"); time > 0; --time) {
    for (std::size_t i = 0; i < found.size(); ++i)
      if (shim.find(operations[i]) != found[i]) ++moved;
    for (auto const& operation : absent)
      if (shim.find(operation) != nullptr) ++invented;
    shim.breathe();
  }
  auto const& now = shim.plugin();
  bool const same = copied(now.id) == id && copied(now.version) == version;
  auto const again = shim.enter({});
  auto const& anew = shim.plugin();
  bool const equal = again == GARLAND_OK && copied(anew.id) == id && copied(anew.version) == version &&
                     anew.find_op == first.find_op && anew.open == first.open && anew.close == first.close &&
                     anew.concurrency == first.concurrency;
  return {{"id", id},
          {"version", version},
          {"missing", std::move(missing)},
          {"moved", moved},
          {"invented", invented},
          {"texts_stay", same},
          {"entry_says_the_same", equal}};
}

// ---------------------------------------------------------------- life

json::object openAndClose(Shim& shim, garland_call* call, json::value const& input) {
  auto const account = textOf(input, "/account");
  auto const times = countOf(input, "/times");
  auto const warm = std::min<std::uint64_t>(times / 10 + 1, 100);
  std::uint64_t refused = 0;
  std::int64_t heap_before = 0;
  std::int64_t blocks_before = 0;
  std::int64_t mappings_before = 0;
  for (std::uint64_t i = 0; i < times + warm; ++i) {
    if (i == warm) {
      heap_before = watch.heap.live;
      blocks_before = watch.heap.blocks;
      mappings_before = watch.seen.mappings + watch.seen.descriptors;
    }
    garland_instance* self = nullptr;
    if (shim.open(call, account, &self) == GARLAND_OK)
      shim.close(self);
    else
      ++refused;
    if (i % 16 == 0) shim.breathe();
  }
  return {{"refused", refused},
          {"heap", watch.heap.live - heap_before},
          {"blocks", watch.heap.blocks - blocks_before},
          {"handles", watch.seen.mappings + watch.seen.descriptors - mappings_before}};
}

// Accounts are opened, used and closed in an order that the seed decides; what must come out of each step is
// known. Ends at the first step that came out otherwise.
json::object walk(Shim& shim, garland_call* call, json::value const& input) {
  auto const accounts = textsOf(input, "/accounts");
  auto const operations = textsOf(input, "/operations");
  std::mt19937_64 dice(countOf(input, "/seed"));
  std::vector<garland_instance*> open(accounts.size(), nullptr);
  auto const steps = countOf(input, "/steps");
  std::string wrong;
  std::uint64_t step = 0;
  for (; step < steps && wrong.empty(); ++step) {
    auto& self = open[dice() % open.size()];
    auto const account = static_cast<std::size_t>(&self - open.data());
    auto const what = dice() % 8;
    if (self == nullptr) {
      if (shim.open(call, accounts[account], &self) != GARLAND_OK) wrong = "open was refused";
    } else if (what == 0) {
      shim.close(self);
      self = nullptr;
    } else if (what == 1) {
      if (shim.find("records.archive/1") != nullptr) wrong = "find_op found what is not there";
    } else if (!operations.empty()) {
      auto const& operation = operations[dice() % operations.size()];
      auto const status = shim.run(shim.find(operation), self, call, R"({"x_more":1})");
      if (status == GARLAND_OK)
        wrong = operation + " took an input that its schema refuses";
      else if (status != GARLAND_E_INVALID_INPUT)
        wrong =
            operation + " answered an input that its schema refuses with status " + std::to_string(status);
    }
    if (step % 16 == 0) shim.breathe();
  }
  for (auto* self : open)
    if (self != nullptr) shim.close(self);
  return {{"steps", step}, {"wrong", wrong}};
}

json::object end(Shim& shim, garland_call*, json::value const&) {
  shim.shutdown();
  return {};
}

// ---------------------------------------------------------------- state

struct Exported {
  garland_status status = GARLAND_OK;
  std::string state;
};

// The worker keeps a call's result; here it is taken before that of the probe takes its place.
Exported exportOf(Shim& shim, garland_call* call, garland_instance* self) {
  Exported out;
  shim.call().result.clear();
  In const plugin(true);
  out.status = shim.plugin().export_state(self, call);
  out.state = std::exchange(shim.call().result, {});
  return out;
}

garland_status importInto(Shim& shim, garland_call* call, garland_instance* self, std::string_view state) {
  GuardedCopies copies;
  auto const* const text = copies.copy(state);
  In const plugin(true);
  return shim.plugin().import_state(self, call, {text, state.size()});
}

constexpr char const* kNewer = R"({"version":1000000,"later":{"a":[1,2,3]}})";

// Texts that a state could be and is not: empty, cut anywhere, noise, of a later version.
std::vector<std::string> strangeStates(std::string const& state, std::uint64_t seed) {
  std::vector<std::string> out{"{}", "null", "[]", "\"\"", "0", kNewer};
  for (std::size_t cut = 0; cut < std::min<std::size_t>(state.size(), 4096); ++cut)
    out.push_back(state.substr(0, cut));
  std::mt19937_64 dice(seed);
  for (int i = 0; i < 3; ++i) {
    std::string noise(1U << 20U, '\0');
    for (auto& byte : noise) byte = static_cast<char>(dice());
    out.push_back(std::move(noise));
  }
  return out;
}

json::object state(Shim& shim, garland_call* call, json::value const& input) {
  auto const& plugin = shim.plugin();
  bool const exports = GARLAND_HAS_FN(&plugin, export_state);
  bool const imports = GARLAND_HAS_FN(&plugin, import_state);
  json::object out{{"exports", exports}, {"imports", imports}};
  if (!exports || !imports) return out;
  auto const account = textOf(input, "/account");
  garland_instance* one = nullptr;
  garland_instance* other = nullptr;
  if (shim.open(call, account, &one) != GARLAND_OK ||
      shim.open(call, textOf(input, "/other"), &other) != GARLAND_OK)
    return out;
  auto const first = exportOf(shim, call, one);
  out["exported"] = first.status;
  out["bytes"] = first.state.size();
  out["is_json"] = parseJson(first.state).has_value();
  out["imported"] = importInto(shim, call, other, first.state);
  out["round_trip"] = exportOf(shim, call, other).state == first.state;
  std::uint64_t taken = 0;
  for (auto const& strange : strangeStates(first.state, countOf(input, "/seed"))) {
    auto const status = importInto(shim, call, other, strange);
    bool const is_json = parseJson(strange).has_value();
    if (status == GARLAND_OK && !is_json && !strange.empty()) ++taken;
    shim.breathe();
  }
  out["broken_taken"] = taken;
  bool const newer_taken = importInto(shim, call, other, kNewer) == GARLAND_OK;
  out["newer_is_clean"] = !newer_taken || parseJson(exportOf(shim, call, other).state).has_value();
  out["imported_again"] = importInto(shim, call, other, first.state);
  out["round_trip_again"] = exportOf(shim, call, other).state == first.state;
  shim.close(other);
  shim.close(one);
  shim.call().failure.reset();
  return out;
}

// ---------------------------------------------------------------- speed

// One operation many times, in batches: the processor time of the best batch, what came of the first time,
// and how often something else did. `status` is the last one's.
json::object burst(Shim& shim, garland_call* call, json::value const& input) {
  auto const operation = shim.find(textOf(input, "/operation"));
  auto const text = textOf(input, "/input");
  auto const times = countOf(input, "/times");
  garland_instance* self = nullptr;
  if (operation == nullptr || shim.open(call, textOf(input, "/account"), &self) != GARLAND_OK)
    return {{"status", static_cast<std::int64_t>(GARLAND_E_UNSUPPORTED)}};
  std::int64_t best = 0;
  garland_status status = GARLAND_OK;
  std::optional<std::string> first;
  std::uint64_t others = 0;
  for (std::uint64_t batch = 0; batch < 5; ++batch) {
    std::int64_t took = 0;
    for (std::uint64_t i = 0; i < times; ++i) {
      shim.call().result.clear();
      auto const began = processorTime();
      status = shim.run(operation, self, call, text);
      took += processorTime() - began;
      if (!first) first = shim.call().result;
      if (shim.call().result != *first) ++others;
      shim.breathe();
    }
    best = batch == 0 ? took : std::min(best, took);
  }
  shim.close(self);
  shim.call().failure.reset();
  return {{"status", status},
          {"best_us", best / 1000},
          {"times", times},
          {"result", first.value_or("")},
          {"others", others}};
}

// ---------------------------------------------------------------- table

struct Deed {
  std::string_view id;
  json::object (*run)(Shim&, garland_call*, json::value const&);
};
constexpr std::array kDeeds{
    Deed{"probe.set/1", set},
    Deed{"probe.tell/1", tell},
    Deed{"probe.size/1", enterWithSize},
    Deed{"probe.host/1", enterWithHost},
    Deed{"probe.again/1", askAgain},
    Deed{"probe.cycle/1", openAndClose},
    Deed{"probe.walk/1", walk},
    Deed{"probe.end/1", end},
    Deed{"probe.state/1", state},
    Deed{"probe.burst/1", burst},
};

Deed const* deedOf(std::string_view id) {
  auto const* const found = std::ranges::find(kDeeds, id, &Deed::id);
  return found == kDeeds.end() ? nullptr : found;
}

garland_status failWith(garland_call* call, std::string_view why) {
  garland_error error{};
  error.size = sizeof error;
  error.kind = GARLAND_E_INVALID_INPUT;
  error.retry_after_ms = -1;
  error.message = {why.data(), why.size()};
  auto const& host = Shim::the().host();
  return host.fail(host.ctx, call, &error);
}

garland_status runDeed(garland_instance* /*self*/, garland_call* call, garland_json input) noexcept {
  auto& shim = Shim::the();
  auto const& host = shim.host();
  auto const parsed = parseJson({input.ptr, static_cast<std::size_t>(input.len)});
  if (!parsed) return failWith(call, "the probe cannot read what it is asked: " + parsed.error().message);
  auto const text = json::serialize(deedOf(shim.call().ask.operation)->run(shim, call, *parsed));
  return host.result(host.ctx, call, {text.data(), text.size()});
}

} // namespace

garland_op deedNamed(std::string_view id) { return deedOf(id) == nullptr ? nullptr : &runDeed; }

} // namespace garland::probe
