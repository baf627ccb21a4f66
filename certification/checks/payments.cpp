// Checks of money: an act is done once, and nobody says "not done" of one that was.
#include "certification/checks/exercise.h"

#include <algorithm>
#include <set>

namespace garland::certification {
namespace {

std::string noPayments(Subject const& subject) {
  auto const* actions = garland::find(subject.plugin.manifest.document, "/actions");
  bool const any = actions != nullptr && actions->is_object() && !actions->get_object().empty();
  return any && subject.plugin.manifest.category == "payments" ? ""
                                                               : "the manifest names no actions of payments";
}

// What the brief says of one action: {"input", "ledger"}.
json::value const* briefOf(Subject const& subject, std::string_view operation) {
  auto const* all = garland::find(subject.brief.document, "/actions");
  return all != nullptr && all->is_object() ? all->get_object().if_contains(operation) : nullptr;
}

// Those that the manifest calls actions.
std::vector<std::string> actionCases(Subject const& subject, Profile) {
  auto const& actions = garland::find(subject.plugin.manifest.document, "/actions")->as_object();
  std::vector<std::string> out;
  for (auto const& operation : subject.plugin.manifest.operations)
    if (actions.contains(operation) && briefOf(subject, operation) != nullptr) out.push_back(operation);
  return out;
}

// With its steps taken.
Ask actOf(Trial& trial, std::string const& key) {
  return trial.prepared(askFor(*actionOf(trial.subject(), trial.caseName(), key)));
}

std::size_t doneAt(Trial& trial) { return certification::doneAt(trial, trial.caseName()); }

void freshWorld(Trial& trial) {
  World world;
  world.seed = trial.seed();
  trial.newBench(std::move(world));
}

// ---- PAY-01
void actsOnce(Trial& trial) {
  constexpr int times = 10;
  auto const clean = trial.mustRun(actOf(trial, "clean-1"), "without a fault");
  if (!clean.ok()) return;
  freshWorld(trial);
  auto const act = actOf(trial, "once-1");
  auto const before = doneAt(trial);
  std::set<std::string> ids;
  for (int i = 0; i < times; ++i) {
    auto ask = act;
    // The first answer gets lost.
    if (i == 0) ask.fault = FaultOrder{faultNamed("timeout_after_send"), lastRequest(clean)};
    auto const step = "try " + std::to_string(i + 1) + " of 10, the same key";
    auto const journal = i == 0 ? trial.run(std::move(ask)) : trial.mustRun(std::move(ask), step);
    if (journal.ok()) ids.insert(textOr(*journal.result, "/id", ""));
  }
  auto const done = doneAt(trial) - before;
  trial.expect(done == 1,
               "ten tries with one key, the first answer lost, did it " + std::to_string(done) + " times",
               trial.caseName());
  trial.expect(ids.size() == 1 && !ids.contains(""), "the tries were answered with different records",
               trial.caseName());
}

// ---- PAY-02
void expectFound(Trial& trial, json::value const& input, TimePoint sent, std::string const& step) {
  auto ask = lookupAsk(trial.subject(), trial.caseName(), input, sent);
  if (!ask) return;
  auto const journal = trial.mustRun(std::move(*ask), step + ", then looked up");
  if (journal.ok())
    trial.expect(boolOr(*journal.result, "/found", false),
                 "it was carried out, and the lookup does not find it", step);
}

void isHonestInDoubt(Trial& trial) {
  auto const clean = trial.mustRun(actOf(trial, "doubt-1"), "without a fault");
  for (auto const* name : {"timeout_after_send", "reset_before_headers", "reset_mid_body", "status_500"}) {
    for (std::size_t k = 0; k < clean.calls.size(); ++k) {
      if (clean.calls[k].kind != HostCall::Kind::http) continue;
      freshWorld(trial);
      auto ask = actOf(trial, "doubt-2");
      auto const before = doneAt(trial);
      ask.fault = FaultOrder{faultNamed(name), k};
      auto const input = ask.input;
      auto const sent = trial.bench().now();
      auto const journal = trial.run(std::move(ask));
      auto const step =
          trial.caseName() + ", host call " + std::to_string(k) + ", " + std::string(faultNamed(name)->says);
      if (doneAt(trial) == before || journal.result) continue;
      trial.expect(journal.result.error().effect != Effect::notApplied,
                   "it says that nothing was applied, and the provider's ledger tells otherwise", step);
      expectFound(trial, input, sent, step);
    }
  }
}

constexpr Check kChecks[] = {
    {.id = "PAY-01",
     .run = actsOnce,
     .skip = noPayments,
     .cases = actionCases,
     .brief = "/actions/<operation>"},
    {.id = "PAY-02",
     .run = isHonestInDoubt,
     .skip = noPayments,
     .cases = actionCases,
     .brief = "/actions/<operation>"},
};

} // namespace

std::span<Check const> paymentChecks() { return kChecks; }

} // namespace garland::certification
