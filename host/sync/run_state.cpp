#include "host/sync/run_state.h"

namespace garland::sync {
namespace {

constexpr std::size_t kProblemsKept = 100;

void add(Run& run, Outcome outcome, std::int64_t by) {
  switch (outcome) {
  case Outcome::created: run.pulled.created += by; break;
  case Outcome::updated: run.pulled.updated += by; break;
  case Outcome::deleted: run.pulled.deleted += by; break;
  case Outcome::echo: run.echoes += by; [[fallthrough]];
  case Outcome::unchanged: run.pulled.unchanged += by; break;
  case Outcome::absent: break;
  }
}

bool isChange(Outcome outcome) {
  return outcome != Outcome::unchanged && outcome != Outcome::echo && outcome != Outcome::absent;
}

json::object toDocument(Counts const& counts) {
  json::object out;
  out["created"] = counts.created;
  out["updated"] = counts.updated;
  out["deleted"] = counts.deleted;
  out["unchanged"] = counts.unchanged;
  out["failed"] = counts.failed;
  return out;
}

Counts countsAt(json::value const& document, std::string const& pointer) {
  Counts counts;
  counts.created = integerOr(document, pointer + "/created", 0);
  counts.updated = integerOr(document, pointer + "/updated", 0);
  counts.deleted = integerOr(document, pointer + "/deleted", 0);
  counts.unchanged = integerOr(document, pointer + "/unchanged", 0);
  counts.failed = integerOr(document, pointer + "/failed", 0);
  return counts;
}

} // namespace

void RunState::count(std::string const& kind, std::string const& remote_id, Outcome outcome) {
  auto const [place, first] = counted_.emplace(kind + "\n" + remote_id, outcome);
  if (first) {
    add(run, outcome, 1);
  } else if (isChange(outcome) && !isChange(place->second)) {
    add(run, place->second, -1);
    place->second = outcome;
    add(run, outcome, 1);
  }
}

void RunState::count(std::string const& kind, BatchResult const& batch) {
  for (auto const& [id, outcome] : batch.outcomes) count(kind, id, outcome);
  run.conflicts += batch.conflicts;
  for (auto const& item : batch.problems) problem(item, false);
}

void RunState::problem(ItemProblem item, bool failed) {
  if (!problem_places_.insert(item.kind + "\n" + item.place).second) return;
  if (failed) ++run.pulled.failed;
  if (run.problems.size() < kProblemsKept) run.problems.push_back(std::move(item));
}

void RunState::ask(std::vector<Hint> more) {
  if (more.empty()) whole = was_whole = true;
  std::move(more.begin(), more.end(), std::back_inserter(hints));
}

void RunState::failedKind(std::string const& kind, Error error) {
  for (auto const& [name, why] : kinds_failed)
    if (name == kind) return;
  kinds_failed.emplace_back(kind, std::move(error));
}

void RunState::leftOut(std::string const& kind, Error error) {
  kinds_left_out[error.message].emplace(kind, std::move(error));
}

// The first failure, in words that name all kinds that were left out.
Result<void> RunState::verdict() const {
  // Where nothing is left to be synced, the setting is not so optional.
  if (kinds_failed.empty() && kinds_synced == 0 && !kinds_left_out.empty())
    return kinds_left_out.begin()->second.begin()->second;
  if (kinds_failed.empty()) return Result<void>();
  auto error = kinds_failed.front().second;
  if (kinds_synced + static_cast<int>(kinds_failed.size()) == 1) return error; // there is only one
  std::string names;
  for (auto const& [kind, why] : kinds_failed) names += (names.empty() ? "" : ", ") + kind;
  error.message = names + (kinds_failed.size() == 1 ? " was" : " were") + " not synced: " + error.message;
  return error;
}

void RunState::tellKinds() {
  for (auto const& [message, kinds] : kinds_left_out) {
    std::string names;
    for (auto const& [kind, error] : kinds) names += (names.empty() ? "" : ", ") + kind;
    problem(ItemProblem{names, "left_out", message}, false);
  }
  if (to_the_end && kinds_synced + static_cast<int>(kinds_failed.size()) == 1) return;
  for (auto const& [kind, error] : kinds_failed)
    problem(ItemProblem{kind, std::string(name(error.kind)), error.message}, false);
}

json::value toDocument(Error const& error) {
  json::object out;
  out["kind"] = name(error.kind);
  out["effect"] = static_cast<int>(error.effect);
  out["message"] = error.message;
  out["user_message"] = error.user_message;
  out["field"] = error.field;
  out["provider_code"] = error.provider_code;
  out["http_status"] = error.http_status;
  if (!error.detail.is_null()) out["detail"] = error.detail;
  return out;
}

Error errorFromDocument(json::value const& document) {
  Error error;
  error.kind = errorKindNamed(textOr(document, "/kind", "")).value_or(ErrorKind::providerBug);
  error.effect = static_cast<Effect>(integerOr(document, "/effect", 0));
  error.message = textOr(document, "/message", "");
  error.user_message = textOr(document, "/user_message", "");
  error.field = textOr(document, "/field", "");
  error.provider_code = textOr(document, "/provider_code", "");
  error.http_status = static_cast<int>(integerOr(document, "/http_status", 0));
  if (auto const* detail = find(document, "/detail")) error.detail = *detail;
  return error;
}

json::value toDocument(Run const& run) {
  json::array problems;
  for (auto const& item : run.problems) {
    json::object row;
    row["place"] = item.place;
    row["kind"] = item.kind;
    row["message"] = item.message;
    problems.push_back(std::move(row));
  }
  json::object out;
  out["pulled"] = toDocument(run.pulled);
  out["pushed"] = toDocument(run.pushed);
  out["echoes"] = run.echoes;
  out["worker_restarts"] = run.worker_restarts;
  out["held_deletions"] = run.held_deletions;
  out["conflicts"] = run.conflicts;
  out["set_aside"] = run.set_aside;
  out["progress_done"] = run.progress_done;
  out["progress_total"] = run.progress_total;
  out["problems"] = std::move(problems);
  if (run.error) out["error"] = toDocument(*run.error);
  return out;
}

Run runFromDocument(json::value const& document) {
  Run run;
  run.pulled = countsAt(document, "/pulled");
  run.pushed = countsAt(document, "/pushed");
  run.echoes = integerOr(document, "/echoes", 0);
  run.worker_restarts = integerOr(document, "/worker_restarts", 0);
  run.held_deletions = integerOr(document, "/held_deletions", 0);
  run.conflicts = integerOr(document, "/conflicts", 0);
  run.set_aside = integerOr(document, "/set_aside", 0);
  run.progress_done = static_cast<std::uint64_t>(integerOr(document, "/progress_done", 0));
  run.progress_total = static_cast<std::uint64_t>(integerOr(document, "/progress_total", 0));
  auto const* problems = find(document, "/problems");
  if (problems != nullptr && problems->is_array())
    for (auto const& row : problems->get_array())
      run.problems.push_back(
          ItemProblem{textOr(row, "/place", ""), textOr(row, "/kind", ""), textOr(row, "/message", "")});
  if (auto const* error = find(document, "/error")) run.error = errorFromDocument(*error);
  return run;
}

} // namespace garland::sync
