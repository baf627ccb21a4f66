// The public face of running plugins: a call's way to the build and the worker that run it, what follows from
// new builds, and the orderly end of everything.
#include "host/runtime/fleet.h"
#include "host/runtime/history.h"
#include "host/runtime/poison.h"
#include "host/runtime/releases.h"
#include "host/runtime/runtime.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <utility>

namespace garland::runtime {
namespace {

using namespace std::chrono_literals;

constexpr auto kPoll = 20ms; // how often shutdown looks whether calls still run

class WorkerSupervisor final : public Supervisor {
public:
  WorkerSupervisor(asio::any_io_executor executor, Clock& clock, Random& random, Log const& log,
                   SupervisorOptions options)
      : executor_(executor), log_(log), drain_(options.drain),
        releases_(KeptBuilds(options.builds_dir), log,
                  Releases::Options{options.development, options.admits}),
        history_(KeptBuilds(options.builds_dir), options.redactor, log),
        fleet_(std::make_shared<Fleet>(executor, clock, random, log, watched(std::move(options)))),
        poison_(
            executor, clock, log, random.next(), [this] { return fleet_->nextCall(); },
            [this](auto const& slot, auto const& operation, auto const& account_id) {
              onConvicted(slot, operation, account_id);
            }) {}
  ~WorkerSupervisor() override { fleet_->drop(); }

  Task<std::string> call(PluginInfo const& plugin, Call call, CallHost& host) override;
  Task<std::vector<Adoption>> adopt(Catalogue catalogue, bool allow_downgrade) override;
  Build build(PluginInfo const& plugin) override;
  Standing standing(PluginInfo const& plugin) const override;
  Task<Adoption> release(std::string plugin_id) override;
  std::size_t retryParked(std::string_view account_id) override { return poison_.retryParked(account_id); }
  std::vector<WorkerStatus> workers() const override;
  std::vector<SupervisorEvent> events() const override { return history_.events(); }
  Task<void> shutdown() override;

private:
  struct Refused {
    std::string digest;
    std::string words;
  };

  Result<Build> runnable(PluginInfo const& plugin, std::string const& operation);
  asio::awaitable<void> waitForCalls(std::chrono::steady_clock::duration longest);
  SupervisorOptions watched(SupervisorOptions options);
  void onEvent(SupervisorEvent const& event);
  asio::awaitable<Adoption> adoptOne(PluginInfo plugin, bool allow_downgrade);
  void report(Adoption const& adoption) const;
  void remember(Adoption const& adoption, Catalogue const& catalogue);
  void withdraw();
  Task<std::vector<Adoption>> adoptAll(Catalogue catalogue, bool allow_downgrade);
  void turnAway(SupervisorEvent const& event);
  void onConvicted(PluginSlot const& slot, std::string const& operation, std::string const& account_id);
  void log(SupervisorEvent const& event) const;
  std::string refusalOf(PluginInfo const& plugin) const;

  asio::any_io_executor executor_;
  Log const& log_;
  Milliseconds drain_;
  Releases releases_;
  History history_;
  std::map<std::string, Refused, std::less<>> refused_; // by plugin id; what is installed and does not run
  std::shared_ptr<Fleet> fleet_;
  PoisonControl poison_;
  std::size_t calls_ = 0; // between the begin and the end of call()
  bool adopting_ = false;
  bool stopping_ = false;
};

// Cancellation is an error like any other in here; the caller's own rule is put back at the end.
Task<std::string> WorkerSupervisor::call(PluginInfo const& plugin, Call call, CallHost& host) {
  auto const deadline = std::chrono::steady_clock::now() + call.deadline;
  CO_TRY(build, runnable(plugin, call.operation));
  bool const throws = co_await asio::this_coro::throw_if_cancelled();
  co_await asio::this_coro::throw_if_cancelled(false);
  ++calls_;
  auto const vendor_id = call.vendor_id;
  auto lease = std::make_optional(fleet_->lease(build, vendor_id, call.account_id));
  auto state = lease->takeState(call.account_id);
  auto prepared = poison_.prepare(*build, std::move(call), deadline, std::move(state));
  auto answered = co_await poison_.run(lease->slot(), prepared, host);
  if (answered) {
    releases_.provedGood(build, prepared->ask.operation);
    fleet_->answered(build, vendor_id);
  }
  lease.reset();
  --calls_;
  co_await asio::this_coro::throw_if_cancelled(throws);
  co_return answered;
}

Build WorkerSupervisor::build(PluginInfo const& plugin) {
  auto current = releases_.current(plugin);
  return current ? current : std::make_shared<PluginInfo>(plugin);
}

Standing WorkerSupervisor::standing(PluginInfo const& plugin) const {
  auto const& id = plugin.manifest.id;
  Standing out;
  out.refusal = refusalOf(plugin);
  out.restarts = history_.restarts(id);
  out.runs = releases_.find(id);
  if (!releases_.knows(id)) out.runs = std::make_shared<PluginInfo>(plugin);
  if (out.runs && !refusalOf(*out.runs).empty()) out.runs = nullptr;
  out.provenance = releases_.provenanceOf(out.runs ? *out.runs : plugin);
  return out;
}

// Why this build takes no calls; "" if it does.
std::string WorkerSupervisor::refusalOf(PluginInfo const& plugin) const {
  auto const refused = refused_.find(plugin.manifest.id);
  if (refused != refused_.end() && refused->second.digest == plugin.digest) return refused->second.words;
  if (!plugin.refusal.empty()) return plugin.refusal;
  if (auto const* why = releases_.quarantined(plugin))
    return quarantineError(plugin.manifest, "", *why).message;
  for (auto const& worker : fleet_->workers())
    if (worker.digest == plugin.digest && !worker.refusal.empty()) return worker.refusal;
  return {};
}

Result<Build> WorkerSupervisor::runnable(PluginInfo const& plugin, std::string const& operation) {
  auto const& id = plugin.manifest.id;
  auto build = releases_.current(plugin);
  if (!build)
    return Error(ErrorKind::unsupported,
                 id + " has no build that may run; see `garland plugins show " + id + "`");
  if (!build->refusal.empty())
    return Error(ErrorKind::unsupported, id + " may not be loaded: " + build->refusal);
  if (auto const* why = releases_.quarantined(*build)) return quarantineError(build->manifest, "", *why);
  if (std::ranges::find(build->manifest.operations, operation) == build->manifest.operations.end())
    return Error(ErrorKind::unsupported, id + " does not offer " + operation);
  if (stopping_)
    return Error(ErrorKind::transient, "the host is stopping; repeat the call after it has started again");
  return build;
}

SupervisorOptions WorkerSupervisor::watched(SupervisorOptions options) {
  options.on_event = [this, told = std::move(options.on_event)](SupervisorEvent const& event) {
    onEvent(event);
    if (told) told(event);
  };
  return options;
}

void WorkerSupervisor::onEvent(SupervisorEvent const& event) {
  history_.add(event);
  if (event.kind == SupervisorEvent::Kind::quarantined || event.build_at_fault) turnAway(event);
  log(event);
}

// Deaths, refusals and poisoned calls are logged where more is known of them.
void WorkerSupervisor::log(SupervisorEvent const& event) const {
  using Kind = SupervisorEvent::Kind;
  json::object facts{{"plugin", event.plugin_id}, {"digest", event.digest}, {"reason", event.reason}};
  if (!event.vendor_id.empty()) facts["vendor"] = event.vendor_id;
  if (event.kind == Kind::halfOpen) return log_.warn("a plugin is half open", std::move(facts));
  if (event.kind == Kind::restarted) return log_.info("a worker was started again", std::move(facts));
  if (event.kind == Kind::recovered) return log_.info("a plugin has recovered", std::move(facts));
  if (event.kind != Kind::quarantined) return;
  auto const runs = releases_.find(event.plugin_id);
  bool const another = runs && runs->digest != event.digest;
  if (another) facts["runs"] = runs->manifest.version;
  log_.error("a plugin is in quarantine", std::move(facts));
}

// ---------------------------------------------------------------- new builds

// A vendor whose own worker is at fault does not take the build from others for whom it works.
void WorkerSupervisor::turnAway(SupervisorEvent const& event) {
  auto const bad = releases_.find(event.plugin_id);
  if (!bad || bad->digest != event.digest) return;
  bool const one_vendor = !event.vendor_id.empty() && fleet_->worksForOthers(event.digest, event.vendor_id);
  if (!event.build_at_fault && one_vendor) return;
  auto const good =
      event.build_at_fault ? releases_.fallBack(bad, event.reason) : releases_.quarantine(bad, event.reason);
  if (good) fleet_->retire(bad, nullptr); // what a broken build would hand on is not wanted
}

// Few accounts bring a build neither to five deaths in a minute nor to trials: their calls are set aside.
void WorkerSupervisor::onConvicted(PluginSlot const& slot, std::string const& operation,
                                   std::string const& account_id) {
  auto const build = releases_.find(slot.plugin().manifest.id);
  if (!build || build->digest != slot.plugin().digest) return;
  auto const why = releases_.condemns(build, operation, account_id);
  if (why) slot.tell(SupervisorEvent::Kind::quarantined, *why, true);
}

Task<Adoption> WorkerSupervisor::release(std::string plugin_id) {
  auto const before = workers();
  bool const shut_for_good = std::ranges::any_of(before, [&](WorkerStatus const& one) {
    return one.plugin_id == plugin_id && one.state == "quarantined";
  });
  bool const build_was = releases_.release(plugin_id);
  bool const slot_was = fleet_->release(plugin_id);
  if (!build_was && !slot_was)
    co_return Error(ErrorKind::conflict,
                    plugin_id + " is neither in quarantine nor half open; its state: `garland plugins show " +
                        plugin_id + "`");
  CO_TRY_VOID(co_await releases_.written());
  auto const runs = releases_.find(plugin_id);
  Adoption out;
  out.plugin_id = plugin_id;
  out.outcome = Adoption::Outcome::released;
  out.version = runs ? runs->manifest.version : "";
  out.words =
      plugin_id + (shut_for_good ? " is out of quarantine" : " is no longer half open: it takes every call");
  log_.info(out.words, {{"plugin", plugin_id}, {"runs", out.version}});
  co_return out;
}

std::vector<WorkerStatus> WorkerSupervisor::workers() const {
  auto out = fleet_->workers();
  for (auto const& bad : releases_.quarantines()) {
    WorkerStatus status;
    status.plugin_id = bad.plugin_id;
    status.version = bad.version;
    status.digest = bad.digest;
    status.state = "quarantined";
    Manifest manifest;
    manifest.id = bad.plugin_id;
    manifest.version = bad.version;
    status.quarantine = quarantineError(manifest, "", bad.why).message;
    if (!bad.runs.empty()) status.quarantine += "; " + bad.runs + " runs meanwhile";
    auto const same = [&](WorkerStatus const& one) {
      return one.digest == bad.digest && one.vendor_id.empty() && one.state == "quarantined";
    };
    if (std::ranges::none_of(out, same)) out.push_back(std::move(status));
  }
  return out;
}

Task<std::vector<Adoption>> WorkerSupervisor::adopt(Catalogue catalogue, bool allow_downgrade) {
  if (std::exchange(adopting_, true))
    co_return Error(ErrorKind::conflict,
                    "the installed plugins are being taken over already; try again in a moment");
  bool const throws = co_await asio::this_coro::throw_if_cancelled();
  co_await asio::this_coro::throw_if_cancelled(false);
  Result<std::vector<Adoption>> adopted = std::vector<Adoption>();
  try {
    adopted = co_await adoptAll(std::move(catalogue), allow_downgrade);
  } catch (...) { // a bug, or no memory: the next one is to find the door open
    adopting_ = false;
    throw;
  }
  adopting_ = false;
  co_await asio::this_coro::throw_if_cancelled(throws);
  co_return adopted;
}

Task<std::vector<Adoption>> WorkerSupervisor::adoptAll(Catalogue catalogue, bool allow_downgrade) {
  std::vector<Adoption> out;
  releases_.retell(catalogue);
  withdraw();
  for (auto const& build : releases_.missingIn(catalogue)) {
    auto const& id = build->manifest.id;
    out.push_back({id, Adoption::Outcome::removed, "", id + " is not installed any more: its workers end"});
    releases_.remove(id);
    fleet_->retire(build, nullptr);
  }
  for (auto const& plugin : catalogue.plugins()) {
    if (catalogue.find(plugin.manifest.id) != &plugin) continue; // another folder of this id counts
    out.push_back(co_await adoptOne(plugin, allow_downgrade));
  }
  CO_TRY_VOID(co_await releases_.written());
  for (auto const& adoption : out) {
    report(adoption);
    remember(adoption, catalogue);
  }
  co_return out;
}

// Calls that run are cancelled as well: an upgrade's may come to their end, but here the build itself is what
// must do nothing more, also one that was replaced and still ends its calls.
void WorkerSupervisor::withdraw() {
  for (auto const& [build, why] : releases_.withdraw()) {
    log_.error("a build may not run any more; its calls are cancelled and its workers end",
               {{"plugin", build->manifest.id}, {"version", build->manifest.version}, {"reason", why}});
    fleet_->retire(build, nullptr);
  }
  auto const may_run = [this](PluginInfo const& build) -> Result<void> {
    auto const admitted = releases_.admitted(build);
    if (admitted) return {};
    return Error(ErrorKind::unsupported, build.manifest.id + " " + build.manifest.version +
                                             " may not run any more: " + admitted.error().message);
  };
  fleet_->withdraw(may_run);
  poison_.withdraw(may_run);
}

asio::awaitable<Adoption> WorkerSupervisor::adoptOne(PluginInfo plugin, bool allow_downgrade) {
  auto adoption = releases_.verdict(plugin, allow_downgrade);
  if (adoption.outcome == Adoption::Outcome::unchanged || adoption.outcome == Adoption::Outcome::refused)
    co_return adoption;
  auto const prepared = co_await releases_.prepareAside(plugin);
  if (!prepared || stopping_) {
    adoption.outcome = Adoption::Outcome::refused;
    adoption.words = plugin.manifest.id + " was not taken over: the host is stopping";
    co_return adoption;
  }
  auto const& build = *prepared;
  auto const former = releases_.find(plugin.manifest.id);
  if (former) { // calls go to it until the new one has shown that it can be loaded
    auto const tried = co_await fleet_->tryOut(build);
    if (!tried) {
      fleet_->retire(build, nullptr);
      adoption.outcome = Adoption::Outcome::refused;
      adoption.version = former->manifest.version;
      adoption.words = tried.error().message + "; " + adoption.version + " goes on";
      co_return adoption;
    }
  }
  releases_.install(build);
  if (former) fleet_->retire(former, build);
  co_return adoption;
}

void WorkerSupervisor::report(Adoption const& adoption) const {
  json::object facts{{"plugin", adoption.plugin_id}, {"outcome", name(adoption.outcome)}};
  if (adoption.outcome == Adoption::Outcome::refused)
    log_.warn(adoption.words, std::move(facts));
  else if (adoption.outcome != Adoption::Outcome::unchanged)
    log_.info(adoption.words, std::move(facts));
}

void WorkerSupervisor::remember(Adoption const& adoption, Catalogue const& catalogue) {
  refused_.erase(adoption.plugin_id);
  auto const* installed = catalogue.find(adoption.plugin_id);
  if (installed && adoption.outcome == Adoption::Outcome::refused)
    refused_.emplace(adoption.plugin_id, Refused{installed->digest, adoption.words});
}

// ---------------------------------------------------------------- the end

asio::awaitable<void> WorkerSupervisor::waitForCalls(std::chrono::steady_clock::duration longest) {
  asio::steady_timer timer(executor_);
  auto const end = std::chrono::steady_clock::now() + longest;
  while (calls_ + fleet_->busy() + std::size_t{adopting_} > 0 && std::chrono::steady_clock::now() < end) {
    timer.expires_after(kPoll);
    co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
  }
}

Task<void> WorkerSupervisor::shutdown() {
  bool const throws = co_await asio::this_coro::throw_if_cancelled();
  co_await asio::this_coro::throw_if_cancelled(false);
  stopping_ = true;
  fleet_->refuseCalls();
  poison_.refuseCalls();
  co_await waitForCalls(drain_);
  fleet_->cancelCalls();
  poison_.cancelCalls();
  co_await waitForCalls(2s); // cancelled calls end within a second, or their worker does
  auto ended = co_await fleet_->end();
  co_await asio::this_coro::throw_if_cancelled(throws);
  co_return ended;
}

} // namespace

std::string_view name(Isolation isolation) {
  switch (isolation) {
  case Isolation::plugin: return "plugin";
  case Isolation::vendor: return "vendor";
  case Isolation::operation: return "operation";
  }
  return "plugin";
}

std::string_view name(SupervisorEvent::Kind kind) {
  using Kind = SupervisorEvent::Kind;
  switch (kind) {
  case Kind::crashed: return "crashed";
  case Kind::restarted: return "restarted";
  case Kind::halfOpen: return "half_open";
  case Kind::quarantined: return "quarantined";
  case Kind::recovered: return "recovered";
  case Kind::poisoned: return "poisoned";
  case Kind::refused: return "refused";
  case Kind::replaced: return "replaced";
  }
  return "crashed";
}

std::string_view name(Adoption::Outcome outcome) {
  switch (outcome) {
  case Adoption::Outcome::unchanged: return "unchanged";
  case Adoption::Outcome::installed: return "installed";
  case Adoption::Outcome::upgraded: return "upgraded";
  case Adoption::Outcome::downgraded: return "downgraded";
  case Adoption::Outcome::refused: return "refused";
  case Adoption::Outcome::removed: return "removed";
  case Adoption::Outcome::released: return "released";
  }
  return "unchanged";
}

json::value toJson(Adoption const& adoption) {
  return json::object{{"plugin", adoption.plugin_id},
                      {"outcome", name(adoption.outcome)},
                      {"version", adoption.version},
                      {"message", adoption.words}};
}

std::optional<Isolation> parseIsolation(std::string_view isolation) {
  for (auto const one : {Isolation::plugin, Isolation::vendor, Isolation::operation})
    if (isolation == name(one)) return one;
  return std::nullopt;
}

std::unique_ptr<Supervisor> Supervisor::create(asio::any_io_executor executor, Clock& clock, Random& random,
                                               Log const& log, SupervisorOptions options) {
  return std::make_unique<WorkerSupervisor>(std::move(executor), clock, random, log, std::move(options));
}

} // namespace garland::runtime
