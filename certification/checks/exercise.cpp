#include "certification/checks/exercise.h"

namespace garland::certification {

Bench& probed(Trial& trial, World world) {
  world.seed = trial.seed();
  world.probe = true;
  return trial.newBench(std::move(world));
}

json::value deed(Trial& trial, std::string_view name, json::object input) {
  Ask ask;
  ask.operation = "probe." + std::string(name) + "/1";
  ask.input = std::move(input);
  ask.account = "probe";
  auto journal = trial.run(std::move(ask));
  if (journal.ok()) return std::move(*journal.result);
  if (journal.death == Death::none) trial.giveUp("the probe failed: " + journal.ending());
  return nullptr;
}

std::vector<Use> intakesOf(Subject const& subject) {
  TimePoint constexpr received{Milliseconds(1'767'225'600'000)}; // when every case begins
  std::vector<Use> out;
  auto const* leads = garland::find(subject.brief.document, "/intake/leads");
  if (leads == nullptr || !leads->is_array() || !subject.offers("intake.parse/1")) return out;
  for (auto const& lead : leads->get_array())
    if (auto deliveries = intakeDeliveries(lead, 1); !deliveries.empty())
      out.push_back(
          {"intake.parse/1",
           intakeInput(std::move(deliveries.front()), "itm_" + std::to_string(out.size() + 1), received),
           textOr(lead, "/says", "a lead")});
  return out;
}

std::vector<Use> actionsOf(Subject const& subject) {
  std::vector<Use> out;
  auto const* actions = garland::find(subject.brief.document, "/actions");
  if (actions == nullptr || !actions->is_object()) return out;
  for (auto const& [name, action] : actions->get_object()) {
    auto const* given = garland::find(action, "/input");
    if (given == nullptr || !given->is_object() || !subject.offers(std::string_view(name))) continue;
    json::object input = given->get_object();
    input["idempotency_key"] = "use-act-" + std::to_string(out.size() + 1);
    out.push_back({std::string(name), std::move(input), std::string(name)});
  }
  return out;
}

std::vector<Use> usesOf(Subject const& subject) {
  std::vector<Use> out;
  if (subject.offers("health.check/1")) out.push_back({"health.check/1", json::object(), "health.check/1"});
  for (auto const& entity : pulledEntities(subject)) {
    auto ask = pullAsk(entity, nullptr);
    out.push_back({ask.operation, std::move(ask.input), "a pull of " + entity});
  }
  for (auto const& entity : writtenEntities(subject))
    out.push_back({operationFor(entity, "upsert"), upsertInput(subject, entity, "use-" + entity),
                   "a write of " + entity});
  for (auto& use : actionsOf(subject)) out.push_back(std::move(use));
  for (auto& use : intakesOf(subject)) out.push_back(std::move(use));
  return out;
}

Ask askFor(Use const& use) {
  Ask ask;
  ask.operation = use.operation;
  ask.input = use.input;
  return ask;
}

bool exercise(Trial& trial) {
  for (auto const& use : usesOf(trial.subject()))
    if (trial.run(askFor(use)).death != Death::none) return false;
  for (auto const& operation : trial.subject().plugin.manifest.operations) {
    Ask ask;
    ask.operation = operation;
    ask.input = json::object{{"certification", "no operation has this member alone"}};
    if (trial.run(std::move(ask)).death != Death::none) return false;
  }
  return true;
}

bool exerciseInTrouble(Trial& trial) {
  constexpr std::size_t most = 3; // of an operation's host calls
  for (auto const& use : usesOf(trial.subject()))
    for (auto const* name : {"status_401", "status_409", "status_500", "truncated_json", "reset_mid_body"})
      for (std::size_t k = 0; k < most; ++k) {
        auto ask = askFor(use);
        ask.fault = FaultOrder{faultNamed(name), k};
        auto const journal = trial.run(std::move(ask));
        if (journal.death != Death::none) return false;
        if (journal.calls.size() <= k) break;
      }
  return true;
}

std::string deepInput(std::size_t depth) {
  return R"({"certification":)" + std::string(depth, '[') + std::string(depth, ']') + "}";
}

std::string largeInput(std::size_t bytes) {
  return R"({"certification":")" + std::string(bytes, 'a') + "\"}";
}

} // namespace garland::certification
