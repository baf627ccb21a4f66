// Checks of the C ABI: what a connector must answer and how, whatever it is for.
#include "certification/checks/exercise.h"

#include <garland/schemas.hpp>

#include <algorithm>
#include <map>

namespace garland::certification {
namespace {

// ---- ABI-02
void knowsOnlyItsOperations(Trial& trial) {
  auto const& offered = trial.subject().plugin.manifest.operations.front();
  std::vector<std::string> const odd{offered.substr(0, offered.size() - 1),
                                     offered + "1",
                                     offered + "/1",
                                     offered + std::string(1, '\0'),
                                     offered + "\n",
                                     " " + offered,
                                     "\xff\xfe\xc0/1",
                                     std::string(1U << 20U, 'a') + "/1",
                                     "garland.none/1"};
  World world;
  world.seed = trial.seed();
  world.undeclared = odd;
  trial.newBench(std::move(world));
  for (std::size_t i = 0; i < odd.size(); ++i) {
    auto const journal = trial.run(odd[i], json::object());
    trial.expect(!journal.result && journal.result.error().kind == ErrorKind::unsupported,
                 "an id that it does not offer was answered with: " + journal.ending(),
                 "find_op, odd id " + std::to_string(i + 1));
  }
}

// ---- ABI-11
// Its schema knows no members, so there is nothing to be wrong.
bool takesNothing(std::string name) {
  std::ranges::replace(name, '/', '.');
  auto const schema = parseJson(schemas::schemaText(name + ".in.json"));
  auto const* members = schema ? garland::find(*schema, "/properties") : nullptr;
  return schema && (members == nullptr || !members->is_object() || members->get_object().empty());
}

void failsWithReasons(Trial& trial) {
  for (auto const& operation : trial.subject().plugin.manifest.operations) {
    if (takesNothing(operation)) continue;
    auto const journal = trial.run(oddAsk(operation));
    if (!trial.expect(!journal.result, "it took an input that its schema refuses", operation)) continue;
    auto const& error = journal.result.error();
    trial.expect(error.kind == ErrorKind::invalidInput,
                 "an input that its schema refuses ended with: " + journal.ending(), operation);
    trial.expect(error.message != "the plugin gave no reason" && !error.message.empty(),
                 "it failed without telling the host why (host->fail)", operation);
    trial.expect(error.effect == Effect::notApplied,
                 "nothing was sent, and it does not say so: " + journal.ending(), operation);
  }
}

// ---- ABI-12
// One schema of plugin-api/schemas; compiled once for a thread's cases.
Schema const* schemaNamed(std::string const& name) {
  thread_local std::map<std::string, std::optional<Schema>> known;
  auto const [at, is_new] = known.try_emplace(name);
  if (is_new)
    if (auto const text = schemas::schemaText(name); !text.empty())
      if (auto const document = parseJson(text))
        if (auto compiled = Schema::compile(*document)) at->second.emplace(std::move(*compiled));
  return at->second ? &*at->second : nullptr;
}

void expectFits(Trial& trial, std::string const& schema, json::value const& value, std::string const& where) {
  auto const* found = schemaNamed(schema);
  if (!trial.expect(found != nullptr, "no schema says what it has to be: " + schema, where)) return;
  auto const fits = found->require(value, where);
  trial.expect(fits.has_value(), fits ? "" : fits.error().message, where + " by " + schema);
}

void expectRecords(Trial& trial, Journal const& journal) {
  for (auto const& record : journal.records) {
    auto const strict = parseJson(record.text);
    if (!trial.expect(strict.has_value(),
                      strict ? "" : "a record is not right JSON: " + strict.error().message,
                      journal.operation + " emits " + record.kind))
      continue;
    if (!trial.expect(schemaNamed("emit." + record.kind + ".json") != nullptr,
                      "it emits records of the kind \"" + record.kind + "\", which nobody knows",
                      journal.operation))
      continue;
    expectFits(trial, "emit." + record.kind + ".json", *strict, journal.operation + " emits " + record.kind);
    if (auto const* data = garland::find(*strict, "/data");
        data != nullptr && data->is_object() && !record.kind.starts_with("garland."))
      expectFits(trial, "record." + record.kind + ".json", *data,
                 journal.operation + " emits " + record.kind);
  }
}

void expectResult(Trial& trial, Journal const& journal) {
  if (!trial.expect(journal.ok(), "it ended with: " + journal.ending(), journal.operation)) return;
  if (journal.result_text.empty()) return;
  auto name = journal.operation;
  std::ranges::replace(name, '/', '.');
  expectFits(trial, name + ".out.json", *journal.result, "the result of " + journal.operation);
}

void saysWhatSchemasSay(Trial& trial) {
  if (trial.subject().offers("health.check/1"))
    expectResult(trial, trial.run("health.check/1", json::object()));
  for (auto const& entity : pulledEntities(trial.subject())) {
    auto const journal = trial.run(pullAsk(entity, nullptr));
    expectResult(trial, journal);
    expectRecords(trial, journal);
  }
  for (auto const& entity : writtenEntities(trial.subject())) {
    auto const journal =
        trial.run(operationFor(entity, "upsert"), upsertInput(trial.subject(), entity, "schema-1"));
    expectResult(trial, journal);
    if (!journal.ok()) continue;
    if (auto const* data = garland::find(*journal.result, "/data"))
      expectFits(trial, "record." + entity + ".json", *data, "the result of " + journal.operation);
  }
}

constexpr Check kChecks[] = {
    {.id = "ABI-02", .run = knowsOnlyItsOperations, .needs_twin = false},
    {.id = "ABI-11", .run = failsWithReasons, .needs_twin = false},
    {.id = "ABI-12", .run = saysWhatSchemasSay},
};

} // namespace

std::span<Check const> abiChecks() { return kChecks; }

} // namespace garland::certification
