#include "certification/checks/act_faults.h"

#include <algorithm>

namespace garland::certification {
namespace {

struct ActCase {
  Use use;
  std::string verb; // act, change, delete, delete_if, get
  std::string entity;
  Fault const* fault = nullptr;
};

bool isJudged(Subject const& subject, std::string_view operation) {
  auto const* actions = membersAt(subject.plugin.manifest.document, "/actions");
  auto const* briefed = membersAt(subject.brief.document, "/actions");
  if (actions == nullptr || !actions->contains(operation) || briefed == nullptr) return false;
  auto const* words = briefed->if_contains(operation);
  return words != nullptr && !textOr(*words, "/ledger", "").empty();
}

// The verb is empty where the sweep is none of ours.
ActCase actCaseOf(Subject const& subject, Use const& use) {
  auto const dot = use.operation.find('.') + 1;
  auto const verb = use.operation.substr(dot, use.operation.find('/') - dot);
  ActCase out{use, "", textOr(use.input, "/entity", "calendar.event")};
  if (isJudged(subject, use.operation)) out.verb = "act";
  if (verb == "delete" || use.operation == "records.get/1") out.verb = verb;
  return out;
}

bool deletes(ActCase const& act) { return act.verb.starts_with("delete"); }

// "payments.capture/act".
std::string nameOf(ActCase const& act) {
  if (act.verb != "act") return act.entity + "/" + act.verb;
  return act.use.operation.substr(0, act.use.operation.find('/')) + "/act";
}

// Of records that can be written: one is made, and then changed.
std::vector<ActCase> changesOf(Subject const& subject) {
  std::vector<ActCase> out;
  for (auto const& entity : writtenEntities(subject)) {
    if (membersAt(*subject.brief.entity(entity), "/change") == nullptr) continue;
    auto const operation = operationFor(entity, "upsert");
    json::object const made{{"operation", operation},
                            {"input", upsertInput(subject, entity, "use-made-" + entity)}};
    Use use{operation, upsertInput(subject, entity, "use-change-" + entity, "{id}"), "a change of " + entity,
            json::array{made}};
    out.push_back({std::move(use), "change", entity});
  }
  return out;
}

std::vector<ActCase> actCasesOf(Subject const& subject) {
  auto out = changesOf(subject);
  for (auto const& use : usesOf(subject))
    if (auto act = actCaseOf(subject, use); !act.verb.empty()) {
      out.push_back(std::move(act));
      if (out.back().verb != "delete") continue;
      out.push_back(out.back());
      out.back().verb = "delete_if"; // it still has the version that it was written with
    }
  return out;
}

std::optional<ActCase> chosen(Trial& trial) {
  auto const& name = trial.caseName();
  auto const slash = name.rfind('/');
  for (auto& act : actCasesOf(trial.subject())) {
    if (nameOf(act) != name.substr(0, slash)) continue;
    act.fault = faultNamed(name.substr(slash + 1));
    if (act.fault != nullptr) return std::move(act);
  }
  trial.giveUp("there is no such operation, or no such fault, as the case's name says");
  return std::nullopt;
}

// What grows by as much as was done at the provider.
std::int64_t levelOf(Trial& trial, ActCase const& act) {
  if (act.verb == "act") return static_cast<std::int64_t>(doneAt(trial, act.use.operation));
  if (act.verb == "change") {
    auto const ledger = trial.bench().ledger();
    return ledger ? static_cast<std::int64_t>(ledger->size()) : 0;
  }
  return deletes(act) ? -static_cast<std::int64_t>(truthOf(trial, act.entity)) : 0;
}

// A step's answer holds a version, too, which goes with its id into the input of a deletion by that.
Ask preparedFor(Trial& trial, ActCase const& act) {
  if (act.verb != "delete_if") return trial.prepared(askFor(act.use));
  Ask making;
  making.operation = textOr(act.use.before.back(), "/operation", "");
  making.input = act.use.before.back().at("input");
  auto const made = trial.mustRun(std::move(making), "making what is to be deleted");
  trial.bench().wait(Milliseconds(1000)); // how closely we ask is no reason for a rate limit
  auto ask = askFor(act.use);
  ask.before.clear();
  if (!made.ok()) return ask;
  fill(ask.input, textOr(*made.result, "/id", kNothingMade));
  ask.input.as_object()["version"] = textOr(*made.result, "/version", "");
  return ask;
}

// One run, in a world of its own.
struct Run {
  Ask ask; // with its steps taken
  Journal journal;
  TimePoint sent;
  std::int64_t level = 0; // before it
  std::int64_t done = 0;  // at the provider
  std::string step;
};

Run runOf(Trial& trial, ActCase const& act, std::optional<FaultOrder> fault) {
  World world;
  world.seed = trial.seed();
  trial.newBench(std::move(world));
  Run out;
  out.ask = preparedFor(trial, act);
  out.level = levelOf(trial, act);
  out.sent = trial.bench().now();
  auto ask = out.ask;
  ask.fault = fault;
  out.journal = fault ? trial.run(std::move(ask)) : trial.mustRun(std::move(ask), "without a fault");
  out.done = levelOf(trial, act) - out.level;
  return out;
}

// Once for every host call that the fault can meet. The judge is given the run without a fault, and with it.
template <class Judge> void sweep(Trial& trial, Judge&& judge) {
  auto const act = chosen(trial);
  if (!act) return;
  auto const clean = runOf(trial, *act, std::nullopt);
  if (!clean.journal.ok()) return;
  if (act->verb != "get" &&
      !trial.expect(clean.done > 0, "it ended well, and at the provider nothing was done", act->use.title))
    return;
  for (std::size_t k = 0; k < clean.journal.calls.size() && !trial.isFull(); ++k) {
    auto const& call = clean.journal.calls[k];
    if (call.kind != HostCall::Kind::http && !act->fault->everywhere) continue;
    auto run = runOf(trial, *act, FaultOrder{act->fault, k});
    run.step = act->use.title + ", host call " + std::to_string(k) + " (" + call.place + "), " +
               std::string(act->fault->says);
    if (run.journal.fault_met && run.journal.death == Death::none) judge(*act, clean, run);
  }
}

std::string countOf(std::int64_t done) {
  return done == 0 ? "nothing was done at the provider"
                   : "at the provider it was done " + std::to_string(done) + " times";
}

bool tellsOf(Journal const& journal, json::value const& input) {
  auto const id = textOr(input, "/ids/0", "");
  return std::ranges::any_of(journal.records,
                             [&](Record const& each) { return textOr(each.value, "/id", "") == id; });
}

// A deletion that is answered with a page instead of nothing may pass for one that was done.
bool mayPass(ActCase const& act) { return deletes(act) && act.fault->name == "wrong_content_type"; }

void expectDone(Trial& trial, ActCase const& act, Run const& clean, Run const& run) {
  if (act.verb == "get")
    trial.expect(tellsOf(run.journal, run.ask.input),
                 "it ended well, and says nothing of the record that it was asked for", run.step);
  else if (!mayPass(act))
    trial.expect(run.done == clean.done, "it ended well, and " + countOf(run.done), run.step);
}

// Some providers refuse what was done already; then the host learns of it by the lookup.
bool isFound(Trial& trial, ActCase const& act, Run const& run) {
  auto ask = lookupAsk(trial.subject(), act.use.operation, run.ask.input, run.sent);
  if (!ask) return false;
  auto const journal = trial.run(std::move(*ask));
  return journal.ok() && boolOr(*journal.result, "/found", false);
}

} // namespace

std::vector<std::string> actSweep(Subject const& subject, bool (*wanted)(Fault const&), bool reads) {
  std::vector<std::string> out;
  for (auto const& act : actCasesOf(subject)) {
    if (act.verb == "get" && !reads) continue;
    if (act.verb == "change" && reads) continue; // whether they are told honestly is looked at, and no more
    for (auto const& fault : faults())
      if (fault.repeats == Fault::Repeats::no && wanted(fault))
        out.push_back(nameOf(act) + "/" + std::string(fault.name));
  }
  return out;
}

bool isActSweep(std::string const& case_name) {
  auto const slash = case_name.find('/');
  auto const verb = case_name.substr(slash + 1, case_name.rfind('/') - slash - 1);
  return verb == "act" || verb == "change" || verb == "delete" || verb == "delete_if" || verb == "get";
}

void actSaysWhatHappened(Trial& trial) {
  sweep(trial, [&](ActCase const& act, Run const& clean, Run const& run) {
    if (run.journal.result) return expectDone(trial, act, clean, run);
    auto const bit = std::uint32_t{1} << static_cast<unsigned>(run.journal.result.error().kind);
    trial.expect((act.fault->right & bit) != 0,
                 "expected " + kindsOf(act.fault->right) + ", but it ended with " + run.journal.ending(),
                 run.step);
  });
}

void actConverges(Trial& trial) {
  sweep(trial, [&](ActCase const& act, Run const& clean, Run const& run) {
    trial.bench().wait(std::chrono::minutes(1)); // whatever a fault's time has set going has come to rest
    auto again = run;
    again.step = run.step + ", then repeated with the same key";
    again.journal = trial.run(run.ask);
    if (again.journal.death != Death::none) return;
    again.done = levelOf(trial, act) - run.level;
    if (again.journal.ok()) return expectDone(trial, act, clean, again);
    trial.expect(again.done == clean.done && isFound(trial, act, run),
                 "it ended with: " + again.journal.ending() + "; " + countOf(again.done) +
                     ", or no lookup finds it",
                 again.step);
  });
}

void actIsHonest(Trial& trial) {
  sweep(trial, [&](ActCase const& act, Run const& clean, Run const& run) {
    if (run.journal.result) return expectDone(trial, act, clean, run);
    auto const effect = run.journal.result.error().effect;
    trial.expect(effect != Effect::notApplied || run.done == 0,
                 "it says that nothing was applied, and the provider's ledger tells otherwise", run.step);
    trial.expect(effect != Effect::applied || run.done > 0,
                 "it says that it was applied, and the provider's ledger tells nothing of it", run.step);
  });
}

} // namespace garland::certification
