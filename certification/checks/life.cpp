// Checks of instances and of what remains of a connector: opening and closing, wrong settings, any order of
// calls, state handed on, the end.
#include "certification/checks/exercise.h"

#include <garland/plugin.h>
#include <garland/schemas.hpp>

#include <algorithm>

namespace garland::certification {
namespace {

std::vector<std::string> accountsOf(Bench& bench) {
  return {bench.account("one"), bench.account("two"), bench.account("three")};
}

// ---- LIF-01
void closesWhatItOpens(Trial& trial) {
  constexpr std::int64_t times = 1000;
  constexpr std::int64_t slack = 16 * 1024; // of the worker's own
  auto& bench = probed(trial);
  auto const said = deed(trial, "cycle", {{"account", bench.account("one")}, {"times", times}});
  if (said.is_null()) return;
  std::string const where = "open and close, 1,000 times";
  trial.expect(integerOr(said, "/refused", 1) == 0,
               "open was refused " + std::to_string(integerOr(said, "/refused", 1)) + " times", where);
  auto const blocks = integerOr(said, "/blocks", times);
  auto const heap = integerOr(said, "/heap", slack);
  trial.expect(blocks < times && heap < slack,
               "each open leaves " + std::to_string(heap / times) + " bytes in " +
                   std::to_string(blocks / times) + " blocks behind",
               where, Outcome::leak);
  trial.expect(integerOr(said, "/handles", 1) == 0, "descriptors or mappings are left behind", where);
}

// ---- LIF-02
json::object settingsRules(Subject const& subject, char const* member) {
  auto const* found = garland::find(subject.plugin.manifest.settings_schema, member);
  return found != nullptr && found->is_object() ? found->get_object() : json::object();
}

std::string noSettings(Subject const& subject) {
  return settingsRules(subject, "/properties").empty() ? "the manifest has no settings" : "";
}

std::string noHealth(Subject const& subject) {
  return subject.offers("health.check/1") ? noSettings(subject) : "the manifest does not name health.check/1";
}

Journal healthWith(Trial& trial, json::object settings) {
  World world;
  world.seed = trial.seed();
  world.settings = std::move(settings);
  trial.newBench(std::move(world));
  Ask ask;
  ask.operation = "health.check/1";
  ask.odd = true; // an answer to wrong settings is no health check
  return trial.run(std::move(ask));
}

void refusesWrongSettings(Trial& trial) {
  auto const good = trial.subject().brief.settings().as_object();
  auto const expectRefusal = [&](json::object settings, std::string const& name, std::string const& how) {
    auto const journal = healthWith(trial, std::move(settings));
    auto const where = "settings, " + name + " " + how;
    if (!trial.expect(!journal.result && journal.result.error().kind == ErrorKind::invalidInput,
                      "it ended with: " + journal.ending(), where))
      return;
    trial.expect(journal.result.error().field == "/settings/" + name,
                 "it points to \"" + journal.result.error().field + "\" instead of /settings/" + name, where);
  };
  for (auto const& member : settingsRules(trial.subject(), "/properties")) {
    auto const name = std::string(member.key());
    auto wrong = good;
    wrong[name] = json::object{{"x_more", true}};
    expectRefusal(std::move(wrong), name, "of a wrong type");
  }
  if (auto const* required = garland::find(trial.subject().plugin.manifest.settings_schema, "/required");
      required != nullptr && required->is_array())
    for (auto const& each : required->get_array()) {
      auto missing = good;
      auto const name = std::string(each.as_string());
      missing.erase(name);
      expectRefusal(std::move(missing), name, "missing");
    }
  auto more = good;
  more["x-of-a-later-version"] = true;
  auto const journal = healthWith(trial, std::move(more));
  trial.expect(journal.ok() || (!journal.result && journal.result.error().kind == ErrorKind::invalidInput),
               "with a setting that it does not know it ended with: " + journal.ending(),
               "settings, one more");
}

// ---- LIF-03
// The others take anything (members that nobody knows are a later host's), and ask the provider.
bool hasToBeGiven(std::string const& operation) {
  auto const slash = operation.find('/');
  auto const name = operation.substr(0, slash) + "." + operation.substr(slash + 1) + ".in.json";
  auto const schema = parseJson(schemas::schemaText(name));
  auto const* required = schema ? garland::find(*schema, "/required") : nullptr;
  return required != nullptr && required->is_array() && !required->get_array().empty();
}

void bearsAnyOrder(Trial& trial) {
  constexpr int steps = 10'000;
  auto& bench = probed(trial);
  json::array accounts;
  for (auto& account : accountsOf(bench)) accounts.emplace_back(std::move(account));
  json::array operations;
  for (auto const& operation : trial.subject().plugin.manifest.operations)
    if (hasToBeGiven(operation)) operations.emplace_back(operation);
  auto const said = deed(trial, "walk",
                         {{"accounts", accounts},
                          {"operations", operations},
                          {"steps", steps},
                          {"seed", static_cast<std::int64_t>(trial.seed())}});
  if (said.is_null()) return;
  trial.expect(textOr(said, "/wrong", "?").empty(), textOr(said, "/wrong", "the walk did not end"),
               "step " + std::to_string(integerOr(said, "/steps", 0)) + " of a walk");
}

// ---- LIF-05, LIF-09
json::value stateOf(Trial& trial) {
  auto& bench = probed(trial);
  return deed(trial, "state",
              {{"account", bench.account("one")},
               {"other", bench.account("two")},
               {"seed", static_cast<std::int64_t>(trial.seed())}});
}

bool handsOn(Trial& trial, json::value const& said) {
  bool const exports = boolOr(said, "/exports", false);
  bool const imports = boolOr(said, "/imports", false);
  trial.expect(exports == imports, "it has one of export_state and import_state without the other",
               "its descriptor");
  return exports && imports;
}

void handsItsStateOn(Trial& trial) {
  auto const said = stateOf(trial);
  if (said.is_null() || !handsOn(trial, said)) return;
  std::string const where = "export_state and import_state";
  trial.expect(integerOr(said, "/exported", 1) == GARLAND_OK && boolOr(said, "/is_json", false),
               "what it exports is no JSON document", where);
  trial.expect(integerOr(said, "/imported", 1) == GARLAND_OK, "it refuses what it has exported itself",
               where);
  trial.expect(boolOr(said, "/round_trip", false), "what it exports after an import is something else",
               where);
  trial.expect(integerOr(said, "/broken_taken", 1) == 0,
               "it takes " + std::to_string(integerOr(said, "/broken_taken", 1)) +
                   " states that are cut or noise",
               where);
  trial.expect(integerOr(said, "/imported_again", 1) == GARLAND_OK &&
                   boolOr(said, "/round_trip_again", false),
               "after broken states it does not take a good one any more", where);
}

void bearsNewerState(Trial& trial) {
  auto const said = stateOf(trial);
  if (said.is_null() || !handsOn(trial, said)) return;
  std::string const where = "import_state with what a later version exported";
  trial.expect(boolOr(said, "/newer_is_clean", false), "it neither refuses it nor takes it and exports JSON",
               where);
  trial.expect(integerOr(said, "/imported_again", 1) == GARLAND_OK,
               "after a newer state it does not take its own any more", where);
}

// ---- LIF-06
void leavesNothing(Trial& trial) {
  auto& bench = probed(trial);
  auto const account = bench.account("two"); // what is prepared is so by "one", which the worker has open
  if (deed(trial, "cycle", {{"account", account}, {"times", 3}}).is_null()) return;
  for (auto const& use : usesOf(trial.subject())) {
    auto const ask = trial.prepared(askFor(use));
    if (deed(trial, "burst",
             {{"account", account}, {"operation", ask.operation}, {"input", ask.input}, {"times", 1}})
            .is_null())
      return;
  }
  if (deed(trial, "end").is_null()) return;
  auto const said = deed(trial, "tell");
  if (said.is_null()) return;
  auto const both = [&](std::string const& member) {
    return integerOr(said, "/" + member, 0) + integerOr(said, "/at_load/" + member, 0);
  };
  std::string const where = "after shutdown";
  trial.expect(both("threads") == 0, "it started a thread", where);
  trial.expect(both("descriptors") <= 0, "a file that it opened is still open", where);
  trial.expect(both("mappings") <= 0, "memory that it mapped is still mapped", where);
  trial.expect(both("exit_handlers") == 0, "it has a function called at the process's end (atexit)", where);
  trial.expect(both("signal_handlers") == 0, "it changed what a signal does", where);
}

// ---- LIF-07
void keepsApart(Trial& trial) {
  auto const& entity = trial.caseName();
  probed(trial);
  auto const alone = trial.mustRun(pullAsk(entity, nullptr), "alone");
  if (!alone.ok()) return;
  auto& bench = probed(trial);
  auto const ask = pullAsk(entity, nullptr);
  json::object const other{
      {"operation", ask.operation}, {"input", ask.input}, {"account", bench.account("two")}, {"most", 8}};
  if (deed(trial, "set", {{"interleave", other}}).is_null()) return;
  std::string const where = "another account pulls whenever this one waits";
  auto const beside = trial.mustRun(pullAsk(entity, nullptr), where);
  auto const said = deed(trial, "tell");
  if (said.is_null() || !beside.ok()) return;
  trial.expect(integerOr(said, "/interleaved", 0) > 0, "it never waited", where);
  trial.expect(integerOr(said, "/nested_status", 1) == GARLAND_OK,
               "the other account's pull ended with status " +
                   std::to_string(integerOr(said, "/nested_status", 1)),
               where);
  bool const same = std::ranges::equal(alone.records, beside.records, [](Record const& a, Record const& b) {
    return a.kind == b.kind && textOr(a.value, "/id", "") == textOr(b.value, "/id", "");
  });
  trial.expect(same,
               "it brings " + std::to_string(beside.records.size()) + " records, alone " +
                   std::to_string(alone.records.size()) + ", or others",
               where);
}

// ---- LIF-08
void survivesAnUpgrade(Trial& trial) {
  auto const& entity = trial.caseName();
  World world;
  world.seed = trial.seed();
  world.volume = 2 * integerOr(trial.subject().brief.document, "/page", 100) + 1;
  auto same_build = world;
  trial.newBench(std::move(world));
  Held held;
  auto ask = pullAsk(entity, nullptr);
  ask.upgrade_at = 1;
  std::string const where = "another build is installed at the second host call of a pull";
  auto const first = trial.mustRun(std::move(ask), where);
  if (!first.ok()) return;
  held.take(first, entity);
  if (first.calls.size() < 2) return trial.giveUp("a pull of " + entity + " has no second host call");
  if (trial.bench().upgrade() != "upgraded")
    return trial.giveUp("the other build did not take over: " + trial.bench().upgrade());
  auto const truth = truthOf(trial, entity);
  trial.expect(held.records().size() == truth && held.came() == truth,
               "of " + std::to_string(truth) + " records " + std::to_string(held.came()) + " came", where);
  trial.bench().wait(std::chrono::minutes(5));
  auto const next = trial.mustRun(pullAsk(entity, held.cursor()), "the next pull, in the other build");
  if (!next.ok()) return;
  auto const before = held.records();
  held.take(next, entity);
  trial.expect(held.records().size() == truth,
               std::to_string(held.records().size()) + " records are left of " + std::to_string(truth),
               "the next pull, in the other build");
  if (held.came() == 0) return;
  // A provider that has no versions leaves no other way than to read what is young again; then the same build
  // does so, too.
  trial.newBench(std::move(same_build));
  Held alike;
  alike.take(trial.mustRun(pullAsk(entity, nullptr), "the first pull, in one build"), entity);
  trial.bench().wait(std::chrono::minutes(5));
  alike.take(trial.mustRun(pullAsk(entity, alike.cursor()), "the next pull, in the same build"), entity);
  bool const young = std::ranges::all_of(next.records, [&](auto const& record) {
    auto const old = before.find(textOr(record.value, "/id", ""));
    return record.kind != entity || (old != before.end() && textOr(record.value, "/version", "").empty() &&
                                     canonicalJson(old->second) == canonicalJson(record.value));
  });
  trial.expect(young && held.came() == alike.came(),
               std::to_string(held.came()) +
                   " records come again, though nothing has changed: the other build "
                   "did not go on where the first one had stopped",
               "the next pull, in the other build");
}

constexpr Check kChecks[] = {
    {.id = "LIF-01", .run = closesWhatItOpens, .needs_twin = false},
    {.id = "LIF-02", .run = refusesWrongSettings, .skip = noHealth},
    {.id = "LIF-03", .run = bearsAnyOrder, .needs_twin = false},
    {.id = "LIF-05", .run = handsItsStateOn, .needs_twin = false},
    {.id = "LIF-06", .run = leavesNothing, .brief = "/entities or /actions"},
    {.id = "LIF-07", .run = keepsApart, .skip = noPulls, .cases = pulledCases, .brief = "/entities/<entity>"},
    {.id = "LIF-08",
     .run = survivesAnUpgrade,
     .skip = noPulls,
     .cases = pulledCases,
     .from = Profile::standard,
     .brief = "/entities/<entity>"},
    {.id = "LIF-09", .run = bearsNewerState, .needs_twin = false},
};

} // namespace

std::span<Check const> lifeChecks() { return kChecks; }

} // namespace garland::certification
