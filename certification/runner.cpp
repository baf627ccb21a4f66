// The coordinator: which cases there are, running them side by side, and what their results say of the
// connector. Plugin code runs in workers only; every case has its own, and they are gone when it has ended.
#include "certification/certification.h"
#include "certification/escape.h"
#include "certification/folder.h"
#include "certification/judge.h"
#include "certification/run_case.h"

#include "host/base/file_text.h"
#include "host/vault/vault.h"

#include <algorithm>
#include <filesystem>
#include <list>
#include <mutex>
#include <thread>

namespace garland::certification {
namespace {

struct Job {
  Check const* check = nullptr;
  std::string case_name;
  std::size_t verdict = 0; // index into the report's
};

bool isWanted(Options const& options, std::string_view id) {
  auto const area = id.substr(0, id.find('-'));
  return options.only.empty() ||
         std::ranges::any_of(options.only, [&](auto const& each) { return each == id || each == area; });
}

Result<void> checkWords(Options const& options) {
  for (auto const& each : options.only) {
    auto const known = [&](CheckInfo const& info) { return info.id == each || info.area == each; };
    if (std::ranges::none_of(catalogue(), known))
      return Error(ErrorKind::invalidInput,
                   "there is no check \"" + each + "\"; `garland certify --list` lists them");
    auto const here = [&](CheckInfo const& info) { return known(info) && info.in_suite; };
    if (std::ranges::none_of(catalogue(), here))
      return Error(ErrorKind::invalidInput, each + " is not in this suite version (" + suite().version + ")");
  }
  return {};
}

// Why a check does not apply, from the manifest alone; "" if it does.
std::string whySkipped(Check const& check, Subject const& seen) {
  if (check.skip == nullptr || !seen.manifest_problem.empty()) return {};
  auto const why = check.skip(seen);
  return why.empty() ? "" : "not applicable: " + why;
}

// What the check needs and is not there; "" if it can run.
std::string whyNotJudged(Check const& check, Subject const& subject) {
  if (!subject.manifest_problem.empty() && (check.calls_plugin || check.skip != nullptr))
    return "the manifest cannot be read: " + subject.manifest_problem;
  if (check.calls_plugin && !subject.elf)
    return "the connector cannot be loaded: the shared object " + subject.elf.error().message;
  if (check.needs_twin && !subject.hasTwin())
    return "the connector has no twin; garland_add_twin() builds one, --twins DIR names where it is";
  if (check.needs_twin && subject.brief.document.is_null())
    return "the connector's twin has no certification.json, which says how the connector is used with it; "
           "garland_add_twin(... CERTIFICATION certification.json) puts it there";
  return {};
}

// What is the same for every case of a run.
struct Round {
  Subject const& subject;
  Machine const& machine;
  Options const& options;
  Past const* past = nullptr;
  std::size_t done_before = 0; // cases
};

// What a case is until it has run.
CaseResult notRun() {
  CaseResult out;
  out.trouble = "not run";
  out.left_out = true;
  return out;
}

std::vector<CaseResult> runAll(Round const& round, std::vector<Job> const& jobs) {
  std::vector<CaseResult> results(jobs.size(), notRun());
  auto const& ending = *round.machine.ending;
  auto const& options = round.options;
  std::mutex mutex;
  std::size_t next = 0;
  std::size_t done = 0;
  auto const work = [&] {
    for (;;) {
      std::size_t mine = 0;
      {
        std::lock_guard const lock(mutex);
        if (next == jobs.size() || ending.isDue()) return;
        mine = next++;
      }
      auto const& job = jobs[mine];
      auto result = runCase(*job.check, {round.subject, round.machine, job.check->id, job.case_name,
                                         options.seed, options.profile, round.past});
      if (ending.isDue()) return; // it may have met the end, and not what it was to look at
      std::lock_guard const lock(mutex);
      results[mine] = std::move(result);
      ++done;
      if (options.on_finding)
        for (auto const& finding : results[mine].findings) options.on_finding(finding);
      if (options.on_progress)
        options.on_progress(round.done_before + done, round.done_before + jobs.size(),
                            std::string(job.check->id));
    }
  };
  auto const cores = options.jobs != 0 ? options.jobs : std::max(1U, std::thread::hardware_concurrency());
  std::vector<std::jthread> threads;
  for (unsigned i = 0; i < std::min<std::size_t>(cores, jobs.size()); ++i) threads.emplace_back(work);
  threads.clear();
  return results;
}

Report reportFor(Options const& options, Subject const& subject, Machine const& machine) {
  Report report;
  report.suite = suite();
  report.sandbox = runtime::name(machine.tier);
  if (auto const worker = readFileText(machine.worker)) report.worker = vault::sha256Hex(*worker);
  report.seed = options.seed;
  report.profile = options.profile;
  report.wanted = options.wanted;
  report.connector_id = subject.plugin.manifest.id;
  report.connector_version = subject.plugin.manifest.version;
  report.digest = subject.plugin.digest;
  report.package = subject.package ? subject.package->package().digest : "";
  report.twin_digest = subject.twin.digest;
  report.brief_digest = subject.brief.digest;
  for (auto const& waiver : options.waivers)
    if (waiver.connector.empty() || waiver.connector == report.connector_id) report.waivers.push_back(waiver);
  return report;
}

// A run while it goes on: rows of the catalogue, their cases, and what the cases brought.
class Run {
public:
  Run(Options const& options, Subject const& subject, Machine const& machine)
      : options_(options), subject_(subject), machine_(machine), seen_(manifestOnly(subject)) {
    out_.report = reportFor(options, subject, machine);
    for (auto const& info : catalogue()) addRow(info);
  }

  // invalidInput: one case is asked for that no check has.
  Result<void> checkCase() const {
    if (options_.only_case.empty()) return {};
    for (std::size_t i = 0; i < rows_.size(); ++i)
      if (!out_.report.verdicts[i].reason.empty() || hasCase(*rows_[i])) return {};
    return Error(ErrorKind::invalidInput, "there is no case \"" + options_.only_case +
                                              "\" of this check and connector; take a token from a finding, "
                                              "whole, or run the whole check");
  }

  // Those that do not wait for others come first; then the harness looks at itself.
  Certified go() {
    for (bool const after : {false, true}) {
      auto const jobs = jobsFor(after);
      auto const results =
          runAll({subject_, machine_, options_, after ? &past_ : nullptr, past_.cases.size()}, jobs);
      take(jobs, results);
    }
    for (auto& verdict : out_.report.verdicts)
      if (verdict.reason.empty() && verdict.outcome != Outcome::skip && verdict.cases == 0)
        giveNoCase(verdict);
    bool const part = !options_.only.empty() || !out_.report.ended_early.empty();
    if (subject_.manifest_problem.empty()) out_.report.not_covered = notCovered(subject_, shown_, part);
    applyWaivers(out_.report);
    judge(out_.report);
    return std::move(out_);
  }

private:
  void addRow(CheckInfo const& info) {
    auto const check = std::ranges::find(checks(), info.id, &Check::id);
    if (check == checks().end() || !isWanted(options_, info.id) || check->from > options_.profile) return;
    Verdict verdict;
    verdict.check = info.id;
    if (auto skipped = whySkipped(*check, seen_); !skipped.empty()) {
      verdict.outcome = Outcome::skip;
      verdict.reason = oneLine(skipped);
    } else if (auto unfit = whyNotJudged(*check, subject_); !unfit.empty()) {
      verdict.outcome = Outcome::inconclusive;
      verdict.reason = oneLine(unfit);
    }
    rows_.push_back(&*check);
    out_.report.verdicts.push_back(std::move(verdict));
  }

  // Errors: what a check met when it was asked.
  Result<std::vector<std::string>> casesOf(Check const& check) const {
    try {
      if (check.after != nullptr && !options_.only_case.empty())
        return std::vector<std::string>{options_.only_case}; // checkCase() has looked at it
      if (check.after != nullptr)
        return check.after(isAlone() ? everything() : past_, options_.profile, options_.seed);
      if (check.cases == nullptr) return std::vector<std::string>{"all"};
      return check.cases(subject_, options_.profile);
    } catch (std::exception const& bug) {
      return Error(ErrorKind::pluginBug, unexpected(bug));
    }
  }

  // Those that run after the others look at some of all cases by the name "CAP-04/volume-1".
  bool hasCase(Check const& check) const {
    auto const& name = options_.only_case;
    if (check.after == nullptr) {
      auto const cases = casesOf(check);
      return !cases || std::ranges::find(*cases, name) != cases->end();
    }
    auto const all = everything();
    auto const own = check.after(all, options_.profile, options_.seed);
    return std::ranges::find(own, name) != own.end() || std::ranges::any_of(all.cases, [&](auto const& each) {
             return name == std::string(each.check->id) + "/" + each.name;
           });
  }

  // Nothing ran that the harness could run again: only it was asked for.
  bool isAlone() const {
    return std::ranges::all_of(past_.cases,
                               [](auto const& each) { return each.check->id.starts_with("HAR-"); });
  }

  // What a whole run would have, for a row that is asked for alone.
  Past everything() const {
    Past out;
    for (auto const& check : checks()) {
      if (check.after != nullptr || check.from > options_.profile || !whySkipped(check, seen_).empty() ||
          !whyNotJudged(check, subject_).empty())
        continue;
      auto cases = casesOf(check);
      if (!cases) continue;
      for (auto& each : *cases) out.cases.push_back({&check, std::move(each), nullptr});
    }
    return out;
  }

  std::vector<Job> jobsFor(bool after) {
    std::vector<Job> jobs;
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      if ((rows_[i]->after != nullptr) != after || !out_.report.verdicts[i].reason.empty()) continue;
      auto cases = casesOf(*rows_[i]);
      if (!cases) {
        out_.report.verdicts[i].outcome = Outcome::inconclusive;
        out_.report.verdicts[i].reason = oneLine(cases.error().message);
        continue;
      }
      for (auto& each : *cases)
        if (options_.only_case.empty() || each == options_.only_case)
          jobs.push_back({rows_[i], std::move(each), i});
    }
    return jobs;
  }

  void take(std::vector<Job> const& jobs, std::vector<CaseResult> const& results) {
    auto& kept = kept_.emplace_back(results);
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      if (kept[i].left_out) {
        out_.report.ended_early = machine_.ending->why();
        kept[i].trouble = "not run: " + out_.report.ended_early;
      }
      add(out_.report.verdicts[jobs[i].verdict], kept[i]);
      if (kept[i].trouble.empty()) shown_.insert(kept[i].shown.begin(), kept[i].shown.end());
      if (kept[i].left_out) continue;
      out_.times.push_back({std::string(jobs[i].check->id), jobs[i].case_name, kept[i].milliseconds,
                            kept[i].figures, kept[i].peak_kib, kept[i].hung_once});
      past_.cases.push_back({jobs[i].check, jobs[i].case_name, &kept[i]});
    }
    past_.verdicts = out_.report.verdicts;
    std::erase_if(past_.verdicts, [](auto const& each) { return each.check.starts_with("HAR-"); });
  }

  void giveNoCase(Verdict& verdict) const {
    verdict.outcome = Outcome::inconclusive;
    auto const& check = *rows_[static_cast<std::size_t>(&verdict - out_.report.verdicts.data())];
    verdict.reason = options_.only_case.empty()
                         ? "the check has no case for this connector" + whatToFillIn(check)
                         : "the check has no case \"" + options_.only_case + "\"";
  }

  Options const& options_;
  Subject const& subject_;
  Machine const& machine_;
  Subject seen_;
  Certified out_;
  Claims shown_;
  std::vector<Check const*> rows_; // beside the report's verdicts
  std::list<std::vector<CaseResult>> kept_;
  Past past_;
};

} // namespace

Result<Certified> certify(Options options) {
  TRY_VOID(checkWords(options));
  Ending const ending(options.time_limit, options.interrupted);
  sweepFolders();
  TRY(machine, machineFor(options.worker, options.allow_degraded_sandbox));
  machine.ending = &ending;
  TRY(subject, openSubject(options.path, options.twin_dirs));
  TRY_VOID(checkObject(subject));
  std::optional<Comparison> since;
  if (!options.previous.empty()) {
    TRY(previous, openSubject(options.previous, {}));
    TRY(found, compareVersions(options.previous, options.path));
    subject.previous = previous.plugin.manifest.document;
    if (previous.plugin.manifest.id != subject.plugin.manifest.id)
      return Error(ErrorKind::invalidInput, "the last version (--previous) is of " +
                                                previous.plugin.manifest.id + ", and what is certified is " +
                                                subject.plugin.manifest.id +
                                                "; name an earlier version of the same connector");
    since = std::move(found);
  }
  Run run(options, subject, machine);
  TRY_VOID(run.checkCase());
  auto out = run.go();
  out.report.since = std::move(since);
  return out;
}

Result<std::string> digestOf(std::string const& path) {
  TRY(subject, openSubject(path, {}));
  return subject.plugin.digest;
}

} // namespace garland::certification
