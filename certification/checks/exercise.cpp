#include "certification/checks/exercise.h"

#include <algorithm>

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
  ask.account = kProbeAccount;
  auto journal = trial.run(std::move(ask));
  if (journal.ok()) return std::move(*journal.result);
  if (journal.death == Death::none) trial.giveUp("the probe failed: " + journal.ending());
  return nullptr;
}

namespace {

TimePoint constexpr kReceived{Milliseconds(1'767'225'600'000)}; // when every case begins

// What the manifest says of an action; null: it calls nothing so.
json::value const* actionIn(Subject const& subject, std::string_view operation) {
  auto const* actions = membersAt(subject.plugin.manifest.document, "/actions");
  return actions != nullptr ? actions->if_contains(operation) : nullptr;
}

json::array listAt(Subject const& subject, std::string_view pointer) {
  auto const* found = garland::find(subject.brief.document, pointer);
  return found != nullptr && found->is_array() ? found->get_array() : json::array();
}

json::object step(std::string_view operation, json::value input) {
  return {{"operation", operation}, {"input", std::move(input)}};
}

} // namespace

std::vector<Use> usesOfRecords(Subject const& subject) {
  std::vector<Use> out;
  for (auto const& entity : writtenEntities(subject)) {
    auto remove = deleteAsk(entity, "use-delete-" + entity, "{id}");
    if (!subject.offers(remove.operation)) continue;
    auto made = upsertInput(subject, entity, "use-gone-" + entity);
    if (auto* uid = made["data"].as_object().if_contains("uid")) *uid = "5d2c91@calendar.example";
    out.push_back({std::move(remove.operation), std::move(remove.input), "a deletion of " + entity,
                   json::array{step(operationFor(entity, "upsert"), std::move(made))}});
  }
  auto const pulled = pulledEntities(subject);
  if (pulled.empty() || !subject.offers("records.get/1")) return out;
  auto pull = pullAsk(pulled.front(), nullptr);
  json::object input{{"entity", pulled.front()}, {"ids", json::array{"{id}"}}};
  out.push_back({"records.get/1", std::move(input), "reading one of " + pulled.front(),
                 json::array{step(pull.operation, std::move(pull.input))}});
  return out;
}

json::object const* membersAt(json::value const& document, std::string_view pointer) {
  auto const* found = garland::find(document, pointer);
  return found != nullptr ? found->if_object() : nullptr;
}

std::string lookupOf(Subject const& subject, std::string_view action) {
  auto const* words = actionIn(subject, action);
  return words != nullptr ? textOr(*words, "/lookup", "") : std::string();
}

std::vector<Use> intakesOf(Subject const& subject) {
  std::vector<Use> out;
  if (!subject.offers("intake.parse/1")) return out;
  auto const add = [&](json::object delivery, std::string title) {
    auto const id = "itm_" + std::to_string(out.size() + 1);
    out.push_back({"intake.parse/1", intakeInput(std::move(delivery), id, kReceived), std::move(title)});
  };
  for (auto const& lead : listAt(subject, "/intake/leads"))
    if (auto deliveries = intakeDeliveries(lead, 1); !deliveries.empty())
      add(std::move(deliveries.front()), textOr(lead, "/says", "a lead"));
  for (auto const& item : listAt(subject, "/intake/items"))
    if (auto const* delivery = membersAt(item, "/delivery")) add(*delivery, textOr(item, "/says", "an item"));
  return out;
}

std::optional<Use> actionOf(Subject const& subject, std::string_view operation, std::string const& key) {
  auto const* actions = membersAt(subject.brief.document, "/actions");
  auto const* action = actions != nullptr ? actions->if_contains(operation) : nullptr;
  if (action == nullptr || !subject.offers(operation)) return std::nullopt;
  auto const* given = membersAt(*action, "/input");
  Use use{std::string(operation), given != nullptr ? *given : json::object(), std::string(operation), {}};
  if (actionIn(subject, operation) != nullptr) use.input.as_object()["idempotency_key"] = keyNamed(key);
  if (auto const* before = garland::find(*action, "/before"); before != nullptr && before->is_array())
    use.before = before->get_array();
  for (std::size_t i = 0; i < use.before.size(); ++i)
    if (actionIn(subject, textOr(use.before[i], "/operation", "")) != nullptr)
      use.before[i].at_pointer("/input").as_object()["idempotency_key"] =
          keyNamed(key + "-before-" + std::to_string(i + 1));
  return use;
}

std::vector<Use> actionsOf(Subject const& subject) {
  std::vector<Use> out;
  if (auto const* actions = membersAt(subject.brief.document, "/actions"))
    for (auto const& member : *actions)
      if (auto use = actionOf(subject, member.key(), "use-act-" + std::to_string(out.size() + 1)))
        out.push_back(std::move(*use));
  return out;
}

std::optional<Ask> lookupAsk(Subject const& subject, std::string_view action, json::value const& input,
                             TimePoint sent) {
  Ask ask;
  ask.operation = lookupOf(subject, action);
  if (ask.operation.empty()) return std::nullopt;
  ask.input = json::object{{"idempotency_key", textOr(input, "/idempotency_key", "")},
                           {"operation", action},
                           {"input", input},
                           {"sent_at", rfc3339(sent)}};
  return ask;
}

std::vector<Use> usesOf(Subject const& subject) {
  std::vector<Use> out;
  auto const add = [&](std::vector<Use> more) {
    for (auto& use : more) out.push_back(std::move(use));
  };
  if (subject.offers("health.check/1")) out.push_back({"health.check/1", json::object(), "health.check/1"});
  for (auto const& entity : pulledEntities(subject)) {
    auto ask = pullAsk(entity, nullptr);
    out.push_back({ask.operation, std::move(ask.input), "a pull of " + entity});
  }
  for (auto const& entity : writtenEntities(subject))
    out.push_back({operationFor(entity, "upsert"), upsertInput(subject, entity, "use-" + entity),
                   "a write of " + entity});
  if (subject.offers("calendar.discover/1"))
    out.push_back({"calendar.discover/1", json::object(), "calendar.discover/1"});
  add(usesOfRecords(subject));
  add(actionsOf(subject));
  add(intakesOf(subject));
  return out;
}

std::size_t doneAt(Trial& trial, std::string_view operation) {
  std::string what;
  if (auto const* actions = membersAt(trial.subject().brief.document, "/actions"))
    if (auto const* words = actions->if_contains(operation)) what = textOr(*words, "/ledger", "");
  auto const ledger = trial.bench().ledger();
  if (what.empty() || !ledger) {
    trial.giveUp("certification.json: /actions/" + std::string(operation) +
                 "/ledger names no entry of the ledger");
    return 0;
  }
  return static_cast<std::size_t>(
      std::ranges::count_if(*ledger, [&](auto const& entry) { return textOr(entry, "/what", "") == what; }));
}

Ask askFor(Use const& use) {
  Ask ask;
  ask.operation = use.operation;
  ask.input = use.input;
  ask.before = use.before;
  return ask;
}

Ask oddAsk(std::string operation) {
  Ask ask;
  ask.operation = std::move(operation);
  ask.input = json::object{{"x_more", 1}};
  ask.odd = true;
  return ask;
}

bool exercise(Trial& trial) {
  for (auto const& use : usesOf(trial.subject()))
    if (trial.run(askFor(use)).death != Death::none) return false;
  return std::ranges::all_of(trial.subject().plugin.manifest.operations, [&](auto const& operation) {
    return trial.run(oddAsk(operation)).death == Death::none;
  });
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
  return R"({"x_more":)" + std::string(depth, '[') + std::string(depth, ']') + "}";
}

std::string largeInput(std::size_t bytes) { return R"({"x_more":")" + std::string(bytes, 'a') + "\"}"; }

} // namespace garland::certification
