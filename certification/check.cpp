#include "certification/check.h"

#include "certification/escape.h"
#include "certification/run_case.h"
#include "certification/steps.h"
#include "certification/token.h"

#include <algorithm>
#include <utility>

namespace garland::certification {
namespace {

constexpr std::size_t kMostFindings = 10; // of one case; more say nothing new

Outcome outcomeOf(Death death) {
  switch (death) {
  case Death::hung: return Outcome::hang;
  case Death::violated: return Outcome::violation;
  default: return Outcome::crash;
  }
}

} // namespace

bool Trial::expect(bool holds, std::string const& what, std::string const& where, Outcome otherwise) {
  ++assertions_;
  if (!holds) find(otherwise, what, where);
  return holds;
}

void Trial::find(Outcome outcome, std::string const& what, std::string const& where) {
  if (findings_.size() >= kMostFindings) return;
  Finding finding;
  finding.check = setting_.check;
  finding.outcome = outcome;
  finding.what = oneLine(what);
  finding.where = oneLine(where);
  finding.token = tokenFor({finding.check, setting_.case_name, setting_.seed, subject().plugin.digest,
                            suite().digest, setting_.profile});
  findings_.push_back(std::move(finding));
}

Bench& Trial::bench() {
  if (!bench_) {
    World world;
    world.seed = setting_.seed;
    newBench(std::move(world));
  }
  return *bench_;
}

Bench& Trial::newBench(World world) {
  close();
  made_.clear();
  bench_ = std::make_unique<Bench>(subject(), setting_.machine, std::move(world));
  return *bench_;
}

Ask Trial::prepared(Ask ask) {
  if (ask.before.empty()) return ask;
  auto steps = std::exchange(ask.before, {});
  renew(ask.input, ask.taking);
  for (auto& step : steps) renew(step, ask.taking);
  auto& world = bench(); // before a look at what is made in it: a new one forgets that
  auto const key = ask.account + " " + std::to_string(ask.taking) + " " + json::serialize(steps);
  auto made = made_.contains(key) ? made_.at(key) : std::string(kNothingMade);
  if (made == kNothingMade)
    made = takeSteps(world, steps, ask.account, [&](Ask step) { return run(std::move(step)); });
  fill(ask.input, made);
  made_[key] = std::move(made);
  return ask;
}

Journal Trial::run(Ask ask, bool death_is_right) {
  ask = prepared(std::move(ask));
  ++calls_;
  auto const operation = ask.operation;
  auto const input = ask.input;
  bool const earnest = !ask.odd && ask.raw_input.empty();
  auto journal = bench().run(std::move(ask));
  requests_ += journal.exchanges.size();
  took_ += journal.took;
  if (earnest) note(shown_, input, journal);
  if (journal.death != Death::none && !death_is_right)
    find(outcomeOf(journal.death), journal.death_words, operation);
  return journal;
}

Journal Trial::run(std::string operation, json::value input) {
  Ask ask;
  ask.operation = std::move(operation);
  ask.input = std::move(input);
  return run(std::move(ask));
}

Journal Trial::mustRun(Ask ask, std::string_view step) {
  auto journal = run(std::move(ask));
  ++assertions_;
  if (!journal.ok() && journal.death == Death::none)
    find(Outcome::fail, journal.operation + " failed: " + journal.ending(), std::string(step));
  return journal;
}

CaseResult Trial::runOther(Check const& check, std::string case_name) {
  auto setting = setting_;
  setting.check = check.id;
  setting.case_name = std::move(case_name);
  setting.past = nullptr;
  auto out = runCase(check, setting);
  calls_ += out.calls;
  return out;
}

void Trial::giveUp(std::string const& why) {
  if (trouble_.empty()) trouble_ = oneLine(why);
}

// One that hung takes the machine's clock each time that it is asked again.
bool Trial::isFull() const {
  auto const hung = [](Finding const& finding) { return finding.outcome == Outcome::hang; };
  return findings_.size() >= kMostFindings || std::ranges::any_of(findings_, hung);
}

std::string Trial::trouble() const {
  if (!trouble_.empty()) return trouble_;
  return bench_ ? oneLine(bench_->trouble()) : std::string();
}

void Trial::close() {
  if (!bench_) return;
  peak_kib_ = std::max(peak_kib_, bench_->peakKib());
  auto const left = bench_->close();
  if (!bench_->trouble().empty()) giveUp(bench_->trouble());
  if (!left.empty()) giveUp(left);
  bench_.reset();
}

std::vector<Check> const& checks() {
  static std::vector<Check> const all = [] {
    std::vector<Check> out;
    for (auto const area :
         {packageChecks(),   abiChecks(),       lifecycleChecks(),  capabilityChecks(),  crmChecks(),
          paymentChecks(),   webhookChecks(),   faultChecks(),      securityChecks(),    docsChecks(),
          recordChecks(),    crmRemoteChecks(), calendarChecks(),   messagingChecks(),   healthChecks(),
          noticeChecks(),    listingChecks(),   hostFormChecks(),   lifeChecks(),        suspensionChecks(),
          resourceChecks(),  releaseChecks(),   paymentActChecks(), paymentBookChecks(), outageChecks(),
          isolationChecks(), injectionChecks(), paperChecks(),      reviewChecks(),      materialChecks(),
          harnessChecks()})
      out.insert(out.end(), area.begin(), area.end());
    return out;
  }();
  return all;
}

} // namespace garland::certification
