#include "certification/rehearsal.h"

#include "certification/checks/exercise.h"

#include <algorithm>
#include <filesystem>

namespace garland::certification {

std::optional<std::string> operationNamed(Subject const& subject, std::string const& name) {
  auto const& all = subject.plugin.manifest.operations;
  for (auto const& each : {name, name + "/1"})
    if (std::ranges::find(all, each) != all.end()) return each;
  return std::nullopt;
}

std::vector<json::value> inputsFor(Subject const& subject, std::string const& operation) {
  auto const verb = operation.substr(operation.find('.') + 1);
  std::vector<json::value> out;
  if (verb.starts_with("pull/")) {
    for (auto const& entity : pulledEntities(subject))
      if (operationFor(entity, "pull") == operation) out.push_back(pullAsk(entity, nullptr).input);
    return out.empty() ? std::vector<json::value>{json::object{{"cursor", nullptr}}} : out;
  }
  if (verb.starts_with("upsert/"))
    for (auto const& entity : writtenEntities(subject))
      if (operationFor(entity, "upsert") == operation)
        out.emplace_back(upsertInput(subject, entity, "invoke-1"));
  for (auto& use : usesOfRecords(subject))
    if (use.operation == operation) out.push_back(std::move(use.input));
  if (auto action = actionOf(subject, operation, "invoke-1")) out.push_back(std::move(action->input));
  return out.empty() ? std::vector<json::value>{json::object()} : out;
}

json::array stepsBefore(Subject const& subject, std::string const& operation, json::value const& input) {
  // Whoever names what it is about in the input has no need of the brief's steps.
  if (json::serialize(input).find("\"{id}\"") == std::string::npos) return {};
  if (auto action = actionOf(subject, operation, "invoke-1")) return std::move(action->before);
  auto const entity = textOr(input, "/entity", "");
  for (auto& use : usesOfRecords(subject))
    if (use.operation == operation && textOr(use.input, "/entity", "") == entity)
      return std::move(use.before);
  return {};
}

Rehearsed tellOf(Journal journal) {
  Rehearsed out;
  out.operation = std::move(journal.operation);
  out.result = std::move(journal.result);
  if (journal.death != Death::none) out.result = Error(ErrorKind::pluginBug, journal.death_words);
  for (auto& exchange : journal.exchanges) {
    RehearsedRequest request{exchange.ask.method, exchange.ask.url, exchange.ask.body, 0, "", ""};
    if (exchange.answer) {
      request.status = exchange.answer->status;
      request.answer = std::move(exchange.answer->body);
    } else {
      request.problem = exchange.answer.error().message;
    }
    out.requests.push_back(std::move(request));
  }
  for (auto& record : journal.records)
    out.records.emplace_back(std::move(record.kind), std::move(record.value));
  out.cursors = std::move(journal.cursors);
  for (auto& line : journal.logs)
    out.logs.push_back(std::string(garland::name(line.level)) + ": " + line.text);
  for (auto& text : journal.printed) out.logs.push_back(std::move(text));
  out.took = journal.took;
  return out;
}

struct Rehearsal::Parts {
  Subject subject;
  Machine machine;
  std::unique_ptr<Bench> bench; // names the two above
};

Rehearsal::Rehearsal(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Rehearsal::~Rehearsal() = default;
Rehearsal::Rehearsal(Rehearsal&&) noexcept = default;

Result<Rehearsal> Rehearsal::open(RehearsalOptions const& options) {
  TRY(machine, machineFor(options.worker, options.allow_degraded_sandbox));
  TRY(subject, openSubject(options.path, options.twin_dirs));
  TRY_VOID(checkObject(subject));
  if (!subject.runnable())
    return Error(ErrorKind::invalidInput, subject.manifest_problem.empty()
                                              ? "the shared object " + subject.elf.error().message
                                              : subject.manifest_problem);
  if (!subject.hasTwin())
    return Error(ErrorKind::notFound,
                 subject.plugin.manifest.id + " has no twin beside it; garland_add_twin() builds one");
  auto parts = std::make_unique<Parts>(Parts{std::move(subject), std::move(machine), nullptr});
  World world;
  world.seed = options.seed;
  world.volume = options.volume;
  world.served_at = options.served_at;
  parts->bench = std::make_unique<Bench>(parts->subject, parts->machine, std::move(world));
  if (!parts->bench->trouble().empty()) return Error(ErrorKind::unsupported, parts->bench->trouble());
  return Rehearsal(std::move(parts));
}

std::string const& Rehearsal::id() const { return parts_->subject.plugin.manifest.id; }
std::vector<std::string> const& Rehearsal::operations() const {
  return parts_->subject.plugin.manifest.operations;
}
std::string Rehearsal::twinFile() const { return parts_->subject.twin.path; }

Result<std::string> Rehearsal::operation(std::string const& name) const {
  if (auto found = operationNamed(parts_->subject, name)) return std::move(*found);
  std::string all;
  for (auto const& each : operations()) all += (all.empty() ? "" : ", ") + each;
  return Error(ErrorKind::invalidInput, id() + " has no operation \"" + name + "\"; it has: " + all);
}

std::vector<json::value> Rehearsal::inputs(std::string const& operation) const {
  return inputsFor(parts_->subject, operation);
}

Rehearsed Rehearsal::run(std::string operation, json::value input) {
  Ask ask;
  ask.operation = std::move(operation);
  ask.input = std::move(input);
  if (auto const before = stepsBefore(parts_->subject, ask.operation, ask.input); !before.empty())
    fill(ask.input, takeSteps(*parts_->bench, before, ask.account,
                              [&](Ask step) { return parts_->bench->run(std::move(step)); }));
  auto filled = ask.input;
  auto out = tellOf(parts_->bench->run(std::move(ask)));
  out.input = std::move(filled);
  if (!parts_->bench->trouble().empty() && out.result)
    out.result = Error(ErrorKind::transient, parts_->bench->trouble());
  return out;
}

} // namespace garland::certification
