#include "certification/bench.h"

#include "certification/case_host.h"
#include "certification/folder.h"
#include "certification/names.h"
#include "certification/served_provider.h"
#include "host/vault/vault.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include <unistd.h>

namespace garland::certification {
namespace {

// Every case begins then: a day on which nothing changes its clocks anywhere.
TimePoint constexpr kBegin{Milliseconds(1'767'225'600'000)}; // 2026-01-01T00:00:00Z
Milliseconds constexpr kStart{60'000}; // for a worker to greet: a busy machine is not the connector's fault
Milliseconds constexpr kGrace{5'000};  // after the limit, for the supervisor to end what hangs
// Five times what production allows without a word to the host: a busy machine is not the connector's fault.
// What is too long on a quiet one, SUS-05 tells.
Milliseconds constexpr kSlice{1'000};
std::chrono::milliseconds constexpr kLook{100}; // how often a wait looks whether the run ends

// A child of this process that still runs.
bool isOurs(int pid) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/status");
  std::string word;
  while (in >> word)
    if (word == "PPid:") {
      int parent = 0;
      in >> parent;
      return parent == ::getpid();
    }
  return false;
}

} // namespace

Result<Machine> machineFor(std::string worker, bool allow_degraded) {
  Machine machine;
  machine.worker = std::move(worker);
  machine.allow_degraded = allow_degraded;
  machine.tier = runtime::probeSandbox().tier;
  std::error_code ignored;
  auto const probe = std::filesystem::path(machine.worker).parent_path() / "garland-probe";
  if (std::filesystem::exists(probe, ignored)) machine.probe = probe.string();
  if (!std::filesystem::exists(machine.worker, ignored))
    return Error(ErrorKind::unsupported,
                 "there is no garland-worker at " + machine.worker + "; name it with --worker");
  if (machine.tier == runtime::SandboxTier::d && !machine.allow_degraded)
    return Error(ErrorKind::unsupported, "this machine can sandbox plugins in no way (tier D): see `garland "
                                         "sandbox status`, or give --allow-degraded-sandbox");
  return machine;
}

namespace {

std::uint64_t peakOf(int pid) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/status");
  std::string word;
  while (in >> word)
    if (word == "VmHWM:") {
      std::uint64_t kib = 0;
      in >> kib;
      return kib;
    }
  return 0;
}

} // namespace

struct Bench::Parts {
  Parts(Subject const& subject_in, Machine const& machine_in, World world_in)
      : subject(subject_in), machine(machine_in), world(std::move(world_in)), plugin(subject.plugin),
        log(wall, redactor, LogLevel::debug, [this](std::string_view line) { hear(line); }) {
    if (!world.object.empty()) plugin.path = world.object;
    auto& named = plugin.manifest.operations; // the supervisor refuses what is not there
    named.emplace_back(kNoOperation);
    named.insert(named.end(), world.undeclared.begin(), world.undeclared.end());
    if (world.probe) named.insert(named.end(), kDeeds.begin(), kDeeds.end());
    if (world.probe && machine.probe.empty()) {
      trouble = "there is no garland-probe beside garland-worker";
      return;
    }
    auto made = runtime::PluginClock::create(kBegin);
    if (!made) {
      trouble = made.error().message;
      return;
    }
    clock = std::move(*made);
    supervisor = runtime::Supervisor::create(loop.get_executor(), wall, random, log, options());
    auto const volume = world.volume < 0 ? subject.brief.volume() : world.volume;
    if (!world.served_at.empty()) {
      egress = egress::Client::create(loop.get_executor(), wall, random, quiet);
      provider = std::make_unique<ServedProvider>(*egress, world.served_at);
    } else if (subject.hasTwin()) {
      provider = std::make_unique<OwnTwin>(*supervisor, *clock, log, subject.twin, world.seed, volume);
    }
  }

  runtime::SupervisorOptions options() {
    runtime::SupervisorOptions out;
    out.worker_path = world.probe ? machine.probe : machine.worker;
    out.allow_degraded_sandbox = machine.allow_degraded;
    out.expected_tier = machine.tier;
    out.idle = kLongest; // a twin's state is in its worker
    out.slice_of[subject.plugin.manifest.id] = kSlice;
    out.slice_of[subject.twin.manifest.id] = runtime::kTwinSlice;
    out.handshake = kStart;
    out.restart_base = Milliseconds(1);
    out.plugin_clock = clock;
    out.development = true; // another build of the same version may take over
    out.on_event = [this](runtime::SupervisorEvent const& event) { onEvent(event); };
    return out;
  }

  void hear(std::string_view line) {
    if (running != nullptr) running->printed.emplace_back(line);
  }

  void onEvent(runtime::SupervisorEvent const& event) {
    using Kind = runtime::SupervisorEvent::Kind;
    if (event.kind != Kind::crashed && event.kind != Kind::refused) return;
    if (event.plugin_id == subject.twin.manifest.id) {
      if (trouble.empty()) trouble = "the twin died: it " + event.reason;
      return;
    }
    if (event.reason.find("did not greet") != std::string::npos) {
      if (trouble.empty()) trouble = "a worker could not be started in time; the machine is too busy";
      return;
    }
    if (running == nullptr || running->death != Death::none) return;
    bool const watchdog = event.reason.find("watchdog") != std::string::npos ||
                          event.reason.find("did not stop") != std::string::npos;
    bool const forbidden = event.reason.find("SIGSYS") != std::string::npos;
    running->death = watchdog ? Death::hung : forbidden ? Death::violated : Death::crashed;
    running->death_words = "the connector " + event.reason;
  }

  bool isEnding() const { return machine.ending != nullptr && machine.ending->isDue(); }

  // Runs the loop until the task has ended; longer than the limit, or than the run, and it is cancelled.
  // Whether it ended at all: if not, what it knows has to outlive the loop (see `left`).
  template <class T>
  bool await(Task<T> task, Milliseconds limit, Result<T>& out, bool& late, bool to_its_end = false) {
    auto const ended = std::make_shared<std::optional<Result<T>>>();
    asio::co_spawn(
        loop, std::move(task),
        asio::bind_cancellation_slot(stop.slot(), [ended](std::exception_ptr bug, Result<T> result) {
          if (bug) std::rethrow_exception(bug);
          *ended = std::move(result);
        }));
    loop.restart();
    auto last = std::chrono::steady_clock::now() + limit;
    bool stopped = false;
    try {
      while (!*ended) {
        bool const over = std::chrono::steady_clock::now() >= last;
        if (over && stopped) break;
        if (!stopped && (over || (isEnding() && !to_its_end))) {
          stopped = true;
          late = true;
          last = std::chrono::steady_clock::now() + kGrace;
          stop.emit(asio::cancellation_type::all);
        }
        auto const wait =
            std::chrono::ceil<std::chrono::milliseconds>(last - std::chrono::steady_clock::now());
        if (loop.run_one_for(std::min(wait, kLook)) == 0 && loop.stopped()) loop.restart();
      }
      if (*ended) out = std::move(**ended);
    } catch (...) {
      stuck = true;
      running = nullptr;
      throw;
    }
    for (auto const& worker : supervisor->workers()) {
      if (worker.pid <= 0) continue;
      pids.insert(worker.pid);
      if (worker.plugin_id == subject.plugin.manifest.id) peak = std::max(peak, peakOf(worker.pid));
    }
    return ended->has_value();
  }

  // The connector's workers, as a power cut would.
  void kill() {
    for (auto const& worker : supervisor->workers())
      if (worker.pid > 0 && worker.plugin_id == subject.plugin.manifest.id) ::kill(worker.pid, SIGKILL);
  }

  Result<json::value> control(std::string method, std::string path, json::value body) {
    if (!provider) return Error(ErrorKind::unsupported, "there is no twin");
    if (isEnding()) return Error(ErrorKind::cancelled, machine.ending->why());
    Result<json::value> out{Error(ErrorKind::transient, "the twin did not answer in time")};
    bool late = false;
    if (!await(provider->control(std::move(method), std::move(path), std::move(body)), Milliseconds(60'000),
               out, late) ||
        !out)
      if (trouble.empty()) trouble = out ? "the twin hangs" : out.error().message;
    return out;
  }

  // Another build: whatever follows a shared object's last section is no part of it.
  void upgrade() {
    auto const bytes = subject.object + '\n';
    auto newer = plugin;
    newer.digest = vault::sha256Hex(bytes);
    newer.path = folder.file("newer.so", bytes);
    upgrading = true;
    std::vector<runtime::PluginInfo> installed{newer};
    if (subject.hasTwin()) installed.push_back(subject.twin);
    asio::co_spawn(loop, supervisor->adopt(runtime::Catalogue(std::move(installed)), false),
                   [this](std::exception_ptr bug, Result<std::vector<runtime::Adoption>> adopted) {
                     if (bug) std::rethrow_exception(bug);
                     upgrading = false;
                     upgraded = adopted ? "nothing was installed" : adopted.error().message;
                     if (!adopted) return;
                     for (auto const& one : *adopted)
                       if (one.plugin_id == plugin.manifest.id)
                         upgraded = std::string(runtime::name(one.outcome));
                   });
  }

  void awaitUpgrade() {
    auto const last = std::chrono::steady_clock::now() + kGrace;
    while (upgrading && !stuck && std::chrono::steady_clock::now() < last) {
      loop.restart();
      loop.run_one_for(std::chrono::milliseconds(100));
    }
    if (upgrading && trouble.empty()) trouble = "an upgrade did not end";
  }

  // The probe knows its own by its name (probe/shim.h).
  std::string idOf(std::string const& name) const {
    return name == kProbeAccount ? "con_probe" : idNamed("con", name + " " + std::to_string(world.seed));
  }

  std::string accountText(std::string const& name) const {
    json::object account;
    account["account_id"] = idOf(name);
    account["settings"] = world.settings.is_null() ? subject.brief.settings() : world.settings;
    auto& slots = account["slots"].emplace_array();
    for (auto const& slot : subject.plugin.manifest.auth) slots.emplace_back(slot.name);
    return json::serialize(account);
  }

  runtime::Call callFor(Ask const& ask) const {
    runtime::Call call;
    call.operation = ask.operation;
    call.vendor_id = idNamed("ven", std::to_string(world.seed));
    call.account_id = idOf(ask.account);
    call.account = accountText(ask.account);
    call.input = ask.raw_input.empty() ? json::serialize(ask.input) : ask.raw_input;
    call.deadline = ask.deadline;
    return call;
  }

  Subject const& subject;
  Machine machine;
  World world;
  runtime::PluginInfo plugin;
  std::vector<std::shared_ptr<void>> left; // what coroutines that did not end know; it outlives the loop
  asio::io_context loop{1};
  asio::cancellation_signal stop;
  SystemClock wall; // deadlines of workers; nothing that a report tells
  SystemRandom random;
  Redactor redactor;
  Log log;
  std::shared_ptr<runtime::PluginClock> clock;
  std::unique_ptr<runtime::Supervisor> supervisor;
  Log quiet{wall, redactor, LogLevel::error, stderrSink()};
  std::unique_ptr<egress::Client> egress; // for a twin that is served
  std::unique_ptr<Provider> provider;
  std::map<std::string, Store> stores; // by account
  Journal* running = nullptr;
  std::set<int> pids;
  Folder folder;
  bool upgrading = false;
  std::string upgraded;
  std::uint64_t peak = 0; // KiB
  std::string trouble;
  bool stuck = false; // a coroutine is still on the loop
};

Bench::Bench(Subject const& subject, Machine const& machine, World world)
    : parts_(std::make_unique<Parts>(subject, machine, std::move(world))) {}

Bench::~Bench() { close(); }

namespace {

// One operation while it runs.
struct Running {
  Journal journal;
  std::optional<CaseHost> host;
};

} // namespace

Journal Bench::run(Ask ask) {
  auto const running = std::make_shared<Running>();
  auto& journal = running->journal;
  journal.operation = ask.operation;
  auto& parts = *parts_;
  if (parts.isEnding() && parts.trouble.empty()) parts.trouble = parts.machine.ending->why();
  if (!parts.supervisor || parts.stuck || parts.isEnding()) {
    journal.result = Error(ErrorKind::transient, "the harness is in trouble: " + parts.trouble);
    return journal;
  }
  auto const began = parts.clock->now();
  auto const cancel = [&parts] {
    asio::post(parts.loop, [&parts] { parts.stop.emit(asio::cancellation_type::all); });
  };
  running->host.emplace(CaseHost::Surroundings{parts.subject, parts.world, *parts.clock, parts.provider.get(),
                                               parts.stores[ask.account], journal, cancel,
                                               [&parts] { parts.upgrade(); }, ask.upgrade_at,
                                               [&parts] { parts.kill(); }},
                        ask.fault, ask.deadline);
  parts.running = &journal;
  Result<std::string> out{Error(ErrorKind::transient, "it did not end")};
  bool late = false;
  auto const limit = ask.limit > Milliseconds(0) ? ask.limit : parts.machine.limit;
  auto calling = parts.supervisor->call(parts.plugin, parts.callFor(ask), *running->host);
  if (!parts.await(std::move(calling), limit, out, late)) {
    parts.stuck = true;
    parts.left.push_back(running);
    if (parts.trouble.empty()) parts.trouble = "an operation could not be ended";
  }
  if (parts.upgrading) parts.awaitUpgrade();
  parts.running = nullptr;
  if (late && journal.death == Death::none) {
    journal.death = Death::hung;
    journal.death_words =
        "it did not end within " + std::to_string(limit.count() / 1000) + " seconds of the machine's clock";
  }
  journal.took = parts.clock->now() - began;
  for (auto const& exchange : journal.exchanges)
    if (!exchange.answer && exchange.answer.error().provider_code == "twin_failed" && parts.trouble.empty())
      parts.trouble = exchange.answer.error().message;
  if (!out) {
    journal.result = out.error();
    return journal;
  }
  journal.result_text = *out;
  if (out->empty())
    journal.result = json::value();
  else
    journal.result = parseJson(*out);
  return journal;
}

namespace {

// Operations that run at once; whoever still runs keeps it.
struct Together {
  std::vector<Journal> journals;
  std::vector<std::unique_ptr<CaseHost>> hosts;
  std::vector<Result<std::string>> out;
  std::size_t over = 0;
};

} // namespace

std::vector<Journal> Bench::runTogether(std::vector<Ask> asks) {
  auto& parts = *parts_;
  auto const all = std::make_shared<Together>();
  all->journals.resize(asks.size());
  all->out.resize(asks.size(), Error(ErrorKind::transient, "it did not end"));
  if (!parts.supervisor || parts.stuck || asks.empty()) return all->journals;
  parts.running = &all->journals.front(); // a worker's death is told once
  for (std::size_t i = 0; i < asks.size(); ++i) {
    all->journals[i].operation = asks[i].operation;
    auto* const provider = parts.provider ? &*parts.provider : nullptr;
    auto& store = parts.stores[asks[i].account];
    all->hosts.push_back(
        std::make_unique<CaseHost>(CaseHost::Surroundings{parts.subject, parts.world, *parts.clock, provider,
                                                          store, all->journals[i], [] {}, [] {}},
                                   asks[i].fault, asks[i].deadline));
    asio::co_spawn(parts.loop,
                   parts.supervisor->call(parts.plugin, parts.callFor(asks[i]), *all->hosts.back()),
                   [all, i](std::exception_ptr bug, Result<std::string> result) {
                     if (bug) std::rethrow_exception(bug);
                     all->out[i] = std::move(result);
                     ++all->over;
                   });
  }
  parts.loop.restart();
  auto const last = std::chrono::steady_clock::now() + parts.machine.limit + kGrace;
  while (all->over < asks.size() && !parts.isEnding() && std::chrono::steady_clock::now() < last)
    if (parts.loop.run_one_for(std::chrono::milliseconds(500)) == 0 && parts.loop.stopped())
      parts.loop.restart();
  for (auto const& worker : parts.supervisor->workers())
    if (worker.pid > 0) parts.pids.insert(worker.pid);
  parts.running = nullptr;
  if (all->over < asks.size()) {
    parts.stuck = true;
    parts.left.push_back(all);
    if (parts.trouble.empty()) parts.trouble = "operations that ran at once could not be ended";
  }
  for (std::size_t i = 0; i < asks.size(); ++i) {
    auto& journal = all->journals[i];
    if (!all->out[i])
      journal.result = all->out[i].error();
    else if (!all->out[i]->empty())
      journal.result = parseJson(*all->out[i]);
  }
  return all->journals;
}

Result<runtime::HttpAnswer> Bench::request(json::value const& told) {
  auto& parts = *parts_;
  if (!parts.provider) return Error(ErrorKind::unsupported, "there is no twin");
  ProviderRequest request;
  request.method = textOr(told, "/method", "GET");
  request.target = textOr(told, "/path", "/");
  request.origin = "https://twin.invalid";
  if (auto const* headers = find(told, "/headers"); headers != nullptr && headers->is_object())
    for (auto const& [name, value] : headers->get_object())
      if (auto const* text = value.if_string()) request.headers.emplace_back(name, *text);
  if (auto const* body = find(told, "/body"); body != nullptr)
    request.body = body->is_string() ? std::string(body->get_string()) : json::serialize(*body);
  Result<runtime::HttpAnswer> out{Error(ErrorKind::transient, "the twin did not answer in time")};
  bool late = false;
  auto serving = parts.provider->serve(std::move(request));
  if (!parts.await(std::move(serving), Milliseconds(60'000), out, late) && parts.trouble.empty())
    parts.trouble = "the twin hangs";
  return out;
}

json::array Bench::notices() { return parts_->provider ? parts_->provider->takeNotices() : json::array(); }

Result<json::value> Bench::state() { return parts_->control("GET", "/_twin/state", nullptr); }
Result<json::value> Bench::edit(json::value change) {
  return parts_->control("POST", "/_twin/edit", std::move(change));
}

Result<json::array> Bench::ledger() {
  json::array out;
  for (std::int64_t after = 0;;) {
    TRY(page, parts_->control("GET", "/_twin/ledger?after=" + std::to_string(after), nullptr));
    auto const* entries = find(page, "/entries");
    if (entries == nullptr || !entries->is_array() || entries->get_array().empty()) return out;
    for (auto const& entry : entries->get_array()) out.push_back(entry);
    after = integerOr(out.back(), "/seq", after + 1);
    if (after >= integerOr(page, "/last", 0)) return out;
  }
}

std::string Bench::account(std::string const& name) const { return parts_->accountText(name); }

std::pair<std::size_t, std::size_t> Bench::kept(std::string const& account) const {
  std::pair<std::size_t, std::size_t> out{0, 0};
  auto const store = parts_->stores.find(account);
  if (store == parts_->stores.end()) return out;
  for (auto const& [key, entry] : store->second) {
    if (entry.second <= now()) continue;
    ++out.first;
    out.second += key.size() + entry.first.value.size();
  }
  return out;
}

std::string const& Bench::upgrade() const { return parts_->upgraded; }

Result<json::value> Bench::fault(json::value order) {
  return parts_->control("POST", "/_twin/fault", std::move(order));
}

TimePoint Bench::now() const { return parts_->clock->now(); }
void Bench::wait(Milliseconds span) { parts_->clock->advance(span); }
// Time itself never goes back here: a host that falls behind is a provider that runs ahead.
void Bench::shiftHost(Milliseconds span) {
  if (span > Milliseconds(0)) parts_->clock->advance(span);
  if (parts_->provider) parts_->provider->setAhead(parts_->provider->ahead() - span);
}

std::uint64_t Bench::peakKib() const { return parts_->peak; }
std::string const& Bench::trouble() const { return parts_->trouble; }

std::vector<int> Bench::freeze() {
  std::vector<int> out;
  if (!parts_->supervisor) return out;
  for (auto const& worker : parts_->supervisor->workers())
    if (worker.plugin_id == parts_->plugin.manifest.id && worker.pid > 0 && ::kill(worker.pid, SIGSTOP) == 0)
      out.push_back(worker.pid);
  return out;
}

bool Bench::isGone(int pid, Milliseconds within) {
  auto const last = std::chrono::steady_clock::now() + within;
  while (isOurs(pid)) {
    if (parts_->stuck || std::chrono::steady_clock::now() >= last) return false;
    parts_->loop.restart();
    parts_->loop.run_for(std::chrono::milliseconds(5)); // the supervisor takes its end there
  }
  return true;
}

std::string Bench::close() {
  auto& parts = *parts_;
  if (!parts.supervisor) return {};
  if (!parts.stuck) {
    Result<void> out;
    bool late = false;
    if (!parts.await(parts.supervisor->shutdown(), Milliseconds(10'000), out, late, true)) parts.stuck = true;
  }
  if (!parts.stuck) parts.provider.reset();
  if (parts.egress) parts.egress->shutdown();
  if (!parts.stuck) parts.supervisor.reset();
  std::string left;
  for (auto const pid : parts.pids)
    if (isOurs(pid)) left = "a worker outlived its end";
  return left;
}

} // namespace garland::certification
