#include "tests/hostile/driver/trial.h"

#include "tests/hostile/driver/briefed.h"
#include "tests/hostile/driver/company.h"
#include "tests/hostile/driver/stopper.h"

#include <boost/asio/detached.hpp>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <set>
#include <unistd.h>

namespace garland::hostile {
namespace {

// One whole message of the largest kind, and what two bystanders cost.
constexpr std::int64_t kMostGrowthKib = 48 << 10;
constexpr Milliseconds kPatience{20'000};
constexpr Milliseconds kReaped{5'000}; // a killed worker
constexpr int kLongestEnd = 5'000;     // ms

// A worker's address space is bounded, so what it had of it at its peak is less.
std::int64_t mostWorkerKib() {
  return static_cast<std::int64_t>(runtime::SupervisorOptions().address_space >> 10U);
}

std::size_t openDescriptors() {
  auto const self = lookAt(::getpid());
  std::size_t count = 0;
  for (auto const& [name, number] : self.at("descriptors").as_object())
    count += static_cast<std::size_t>(number.as_int64());
  return count;
}

std::string hear(Scene& scene, Result<json::value> const& result) {
  auto const text = result ? json::serialize(*result) : json::serialize(toJson(result.error()));
  scene.hear(text);
  return text;
}

// One act from the first call to the last.
class Trial {
public:
  Trial(Expectation const& expectation, Setting const& setting)
      : expectation_(expectation), setting_(setting), observer_(setting.observer),
        plugin_(installed("hostile." + std::string(expectation.act))) {}

  Verdict perform();

private:
  Task<void> play(Stage& stage, Company& company);
  Task<void> callsOneByOne(Stage& stage, json::value input);
  Task<void> callsTogether(Stage& stage, json::value input);
  Task<void> oneCall(Stage& stage, json::value input);
  Task<void> untilTheEndIsKnown(Stage& stage);
  Task<void> recover(Stage& stage);
  bool startsHarmless() const;
  std::string withoutName(std::string words) const;
  Task<void> awaitEnd(Stage& stage);
  void lookAfter(Stage& stage);
  void judge(Company const& company);
  void judgeWorker();
  bool believesInSuccess() const;
  void see(std::string what) { verdict_.seen.push_back(std::move(what)); }

  Expectation const& expectation_;
  Setting const& setting_;
  Observer observer_;
  runtime::PluginInfo plugin_;
  Scene scene_;
  struct Copies { // removed at the end
    std::string const path = "/tmp/garland-hostile-plugins-" + std::to_string(::getpid());
    ~Copies() {
      std::error_code ignored;
      std::filesystem::remove_all(path, ignored);
    }
  } copies_;
  Host host_{&scene_};
  Verdict verdict_;
  json::value before_;                    // footprint of the worker, before the act
  std::set<pid_t> workers_;               // that the act ran in
  std::vector<std::string> gained_;       // seen in the worker after it
  std::vector<Result<json::value>> told_; // by each call
  std::string end_;                       // how the worker ended; "" if it lives
  bool recovered_ = true;
};

bool Trial::startsHarmless() const {
  return !isAtStart(expectation_.act) && expectation_.act != "write_past_descriptor";
}

// The host's words without the act's own name, which may read like a reason.
std::string Trial::withoutName(std::string words) const {
  auto const& id = plugin_.manifest.id;
  for (auto at = words.find(id); at != std::string::npos; at = words.find(id)) words.erase(at, id.size());
  return words;
}

Verdict Trial::perform() {
  auto const descriptors = openDescriptors();
  {
    Stage stage(scene_, optionsFor(setting_.tier));
    Company company(stage, scene_);
    stage.run(play(stage, company));
    judge(company);
  }
  // The supervisor is gone: nothing may be left of its workers, and nothing in this process.
  for (auto const worker : workers_) {
    for (auto const pid : processesOf(worker)) {
      see("process " + std::to_string(pid) + " was left behind");
      ::kill(pid, SIGKILL);
      verdict_.outcome = "got through";
    }
  }
  if (openDescriptors() > descriptors) {
    see("the host has descriptors that it had not before");
    verdict_.outcome = "got through";
  }
  return std::move(verdict_);
}

Task<void> Trial::play(Stage& stage, Company& company) {
  std::optional<runtime::PluginInfo> suspect;
  if (startsHarmless()) {
    Host host(nullptr);
    auto ready = co_await stage.call(plugin_, kAttacker, "hostile.ready/1", json::object(), kPatience, host);
    if (!ready) co_return std::move(ready).error().within("the plugin of the act cannot be called");
    auto const worker = stage.worker(plugin_.manifest.id, kAttacker);
    workers_.insert(worker->pid);
    before_ = observer_.look(worker->pid);
    suspect = plugin_;
  }
  CO_TRY_VOID(co_await company.gather(std::move(suspect)));
  auto input = scene_.briefing(company.neighbour());
  if (isBriefed(expectation_.act)) plugin_ = briefed(plugin_.manifest.id, copies_.path, input);
  if (expectation_.together) {
    CO_TRY_VOID(co_await callsTogether(stage, std::move(input)));
  } else {
    CO_TRY_VOID(co_await callsOneByOne(stage, std::move(input)));
  }
  CO_TRY_VOID(co_await company.moreCalls());
  CO_TRY_VOID(co_await awaitEnd(stage));
  lookAfter(stage);
  CO_TRY_VOID(co_await recover(stage));
  CO_TRY_VOID(co_await company.leave());
  co_return Result<void>();
}

Task<void> Trial::callsOneByOne(Stage& stage, json::value input) {
  for (int i = 0; i < expectation_.calls; ++i) {
    CO_TRY_VOID(co_await oneCall(stage, input));
  }
  co_return Result<void>();
}

Task<void> Trial::callsTogether(Stage& stage, json::value input) {
  for (int i = 0; i < expectation_.calls; ++i)
    asio::co_spawn(stage.loop, oneCall(stage, input), asio::detached);
  while (told_.size() < static_cast<std::size_t>(expectation_.calls)) {
    CO_TRY_VOID(co_await stage.clock.sleepFor(Milliseconds(1)));
  }
  co_return Result<void>();
}

Task<void> Trial::oneCall(Stage& stage, json::value input) {
  auto result = co_await stage.call(plugin_, kAttacker, "hostile.act/1", std::move(input),
                                    expectation_.deadline, host_);
  hear(scene_, result);
  told_.push_back(std::move(result));
  co_return Result<void>();
}

// A call that does not stop is over before the worker that is killed for it is gone.
Task<void> Trial::awaitEnd(Stage& stage) {
  if (expectation_.fate != Fate::ends) co_return Result<void>();
  for (int i = 0; i < kLongestEnd && stage.lastExit(plugin_.manifest.id, kAttacker).empty(); ++i) {
    CO_TRY_VOID(co_await stage.clock.sleepFor(Milliseconds(1)));
  }
  co_return Result<void>();
}

// The call may be answered before the worker that the host has killed is reaped.
Task<void> Trial::untilTheEndIsKnown(Stage& stage) {
  auto const until = stage.clock.monotonic() + kReaped;
  while (expectation_.fate == Fate::ends && stage.clock.monotonic() < until &&
         stage.lastExit(plugin_.manifest.id, kAttacker).empty()) {
    CO_TRY_VOID(co_await stage.clock.sleepFor(Milliseconds(1)));
  }
  co_return Result<void>();
}

// The worker is gone, or it is looked at once more.
void Trial::lookAfter(Stage& stage) {
  auto const worker = stage.worker(plugin_.manifest.id, kAttacker);
  if (worker && worker->pid != 0) workers_.insert(worker->pid);
  end_ = worker ? worker->last_exit : "";
  if (!worker || worker->pid == 0 || (before_.is_object() && !end_.empty())) return;
  auto const after = observer_.look(worker->pid);
  auto const peak = integerOr(after, "/peak_kib", 0);
  if (before_.is_object()) {
    gained_ = gainedBetween(before_, after);
  } else { // there was nothing to see before an initialiser: a bystander's worker stands for it
    gained_ = gainedOver(observer_.look(stage.worker("hostile.bystander", kAttacker)->pid), after);
  }
  if (peak > mostWorkerKib())
    gained_.push_back("the worker grew to " + std::to_string(peak) + " KiB, beyond its limit");
  for (auto const pid : processesOf(worker->pid))
    if (pid != worker->pid) gained_.push_back("the worker has the child " + std::to_string(pid));
}

// Whatever became of the worker, the plugin can be called again: the host lost nothing but that worker.
Task<void> Trial::recover(Stage& stage) {
  if (!startsHarmless()) co_return Result<void>();
  Host host(nullptr);
  json::object input;
  input["n"] = 1;
  auto result = co_await stage.call(plugin_, kAttacker, "hostile.ready/1", std::move(input), kPatience, host);
  recovered_ = result && integerOr(*result, "/n", 0) == 1;
  if (!recovered_) see("the plugin could not be called again: " + hear(scene_, result));
  co_return Result<void>();
}

// The word of the act itself, where it is told to answer honestly.
bool Trial::believesInSuccess() const {
  if (expectation_.fate != Fate::lives || told_.empty() || !told_.back()) return false;
  return integerOr(*told_.back(), "/outcome", -1) == 0;
}

void Trial::judgeWorker() {
  verdict_.worker = end_.empty() ? "went on" : end_;
  if (!end_.empty())
    verdict_.what_stopped_it = stopperByEnd(withoutName(end_));
  else if (!told_.empty() && told_.back())
    verdict_.what_stopped_it = stopperByErrno(integerOr(*told_.back(), "/outcome", 0), setting_.tier.letter);
  if (verdict_.what_stopped_it.empty() && !told_.empty() && !told_.back())
    verdict_.what_stopped_it = stopperByError(told_.back().error());
  // It hurt nobody but itself, whatever became of that.
  if (verdict_.what_stopped_it.empty() && expectation_.fate == Fate::either)
    verdict_.what_stopped_it = "own process";
  if (expectation_.fate == Fate::lives && !end_.empty()) see("the worker ended: " + end_);
  if (expectation_.fate == Fate::ends && end_.empty()) see("the worker went on");
}

void Trial::judge(Company const& company) {
  company.report(verdict_);
  auto harm = scene_.harm();
  harm.insert(harm.end(), gained_.begin(), gained_.end());
  if (harm.empty() && believesInSuccess())
    harm.emplace_back("it says that it succeeded, and nothing shows it");
  judgeWorker();
  bool const expected = verdict_.seen.empty() && recovered_;
  bool const covered = expectation_.not_covered.find(setting_.tier.letter) == std::string_view::npos;
  auto const known = mayStop(expectation_, setting_.tier.letter, verdict_.what_stopped_it);
  verdict_.seen.insert(verdict_.seen.end(), harm.begin(), harm.end());
  if (auto trouble = company.trouble(); !trouble.empty()) {
    verdict_.outcome = "bystander hurt";
    see(std::move(trouble));
  } else if (!harm.empty()) {
    verdict_.outcome = covered ? "got through" : "not covered";
    if (!covered) verdict_.what_stopped_it.clear();
  } else if (verdict_.host_grew_kib > kMostGrowthKib) {
    verdict_.outcome = "got through";
    see("the host grew by " + std::to_string(verdict_.host_grew_kib) + " KiB");
  } else if (!expected || !known) {
    verdict_.outcome = "unexpected";
    if (!known) see("it was expected to be stopped by " + std::string(expectation_.stopped_by));
    for (auto const& result : told_) see("it told " + hear(scene_, result));
  } else {
    verdict_.outcome = "stopped";
  }
}

} // namespace

Verdict perform(Expectation const& expectation, Setting const& setting) {
  return Trial(expectation, setting).perform();
}

Verdict performNaked(Expectation const& expectation, Setting const& setting) {
  Setting naked = setting;
  naked.tier.letter = 'N';
  return Trial(expectation, naked).perform();
}

json::value toJson(Verdict const& verdict) {
  json::object out;
  out["outcome"] = verdict.outcome;
  out["what_stopped_it"] = verdict.what_stopped_it;
  out["worker"] = verdict.worker;
  json::array seen;
  for (auto const& one : verdict.seen) seen.emplace_back(one);
  out["seen"] = std::move(seen);
  out["bystander_calls"] = verdict.bystander_calls;
  out["bystander_lost"] = verdict.bystander_lost;
  out["bystander_wrong"] = verdict.bystander_wrong;
  out["bystander_late"] = verdict.bystander_late;
  out["bystander_slowest_ms"] = verdict.bystander_slowest.count();
  out["bystander_late_means_ms"] = verdict.bystander_late_means.count();
  if (verdict.attempts > 1) out["attempts"] = verdict.attempts;
  out["vendor_had_own_worker"] = verdict.vendor_apart;
  out["host_grew_kib"] = verdict.host_grew_kib;
  if (!verdict.operations.empty()) out["operations"] = verdict.operations;
  if (!verdict.refusal.empty()) out["refusal"] = verdict.refusal;
  return out;
}

} // namespace garland::hostile
