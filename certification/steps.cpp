#include "certification/steps.h"

namespace garland::certification {
namespace {

// As its answer names it, or else the first record that came.
std::string madeBy(Journal const& journal) {
  if (!journal.ok()) return kNothingMade;
  if (auto id = textOr(*journal.result, "/id", ""); !id.empty()) return id;
  for (auto const& record : journal.records)
    if (!record.kind.starts_with("garland.")) return textOr(record.value, "/id", kNothingMade);
  return kNothingMade;
}

} // namespace

void fill(json::value& value, std::string const& id) {
  if (auto* text = value.if_string(); text != nullptr && *text == "{id}") value = id;
  if (auto* list = value.if_array())
    for (auto& item : *list) fill(item, id);
  if (auto* object = value.if_object())
    for (auto& member : *object) fill(member.value(), id);
}

void renew(json::value& value, int taking) {
  auto* const object = value.if_object();
  if (object == nullptr || taking == 0) return;
  for (auto& member : *object) {
    if (member.key() == "idempotency_key" && member.value().is_string())
      member.value() = std::string(member.value().get_string()) + "-taking-" + std::to_string(taking);
    else
      renew(member.value(), taking);
  }
}

std::string takeSteps(Bench& bench, json::array steps, std::string const& account,
                      std::function<Journal(Ask)> const& run) {
  std::string id = kNothingMade;
  for (auto& step : steps) {
    fill(step, id);
    if (auto const* edit = find(step, "/edit")) {
      auto const done = bench.edit(*edit);
      id = done ? textOr(*done, "/id", kNothingMade) : kNothingMade;
    } else {
      Ask ask;
      ask.operation = textOr(step, "/operation", "");
      if (auto const* input = find(step, "/input")) ask.input = *input;
      ask.account = account;
      id = madeBy(run(std::move(ask)));
      bench.wait(Milliseconds(1000)); // how closely we ask is no reason for a rate limit
    }
    if (id == kNothingMade) break;
  }
  return id;
}

} // namespace garland::certification
