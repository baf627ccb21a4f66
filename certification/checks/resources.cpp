// Checks of what a connector takes: memory, descriptors, state at the host, time, requests. What depends on
// the machine's clock has limits that only a defect misses; the figures are told beside the report.
#include "certification/checks/exercise.h"

#include <algorithm>
#include <cstdlib>
#include <map>

namespace garland::certification {
namespace {

// ---- RES-01
// The median of the slopes of all pairs: a few odd samples do not move it.
double slopeOf(std::vector<double> const& samples) {
  std::vector<double> slopes;
  for (std::size_t i = 0; i < samples.size(); ++i)
    for (std::size_t j = i + 1; j < samples.size(); ++j)
      slopes.push_back((samples[j] - samples[i]) / static_cast<double>(j - i));
  if (slopes.empty()) return 0;
  auto const middle = slopes.begin() + static_cast<std::ptrdiff_t>(slopes.size() / 2);
  std::ranges::nth_element(slopes, middle);
  return *middle;
}

std::vector<std::string> useCases(Subject const& subject, Profile) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < std::min<std::size_t>(3, usesOf(subject).size()); ++i)
    out.push_back("use-" + std::to_string(i));
  return out;
}

Use useOf(Trial const& trial) {
  auto const number = std::atoi(trial.caseName().c_str() + std::string_view("use-").size());
  return usesOf(trial.subject()).at(static_cast<std::size_t>(number));
}

void keepsItsSize(Trial& trial) {
  constexpr int samples = 20;
  constexpr int batches = 5; // of the probe's burst
  auto const ops = trial.profile() == Profile::full ? 10'000 : 1'000;
  auto const use = useOf(trial);
  auto& bench = probed(trial);
  auto const ask = trial.prepared(askFor(use)); // by "one", whose instance the worker has open
  auto const times = ops / samples / batches;
  auto const where = use.title + ", " + std::to_string(ops) + " times";
  std::vector<double> heap;
  for (int i = 0; i < samples + 2; ++i) {
    auto const said = deed(trial, "burst",
                           {{"account", bench.account("two")},
                            {"operation", ask.operation},
                            {"input", ask.input},
                            {"times", times}});
    if (said.is_null()) return;
    if (!trial.expect(integerOr(said, "/times", 0) == times, "it was not run", where)) return;
    auto const told = deed(trial, "tell");
    if (told.is_null()) return;
    if (i >= 2) heap.push_back(static_cast<double>(integerOr(told, "/heap", 0))); // the first fill caches
  }
  auto const grown = slopeOf(heap) * samples;
  trial.figure("heap_bytes", heap.back());
  trial.figure("heap_growth_bytes", grown);
  if (heap.back() <= 0) return trial.giveUp("memory cannot be counted in this build of garland-probe");
  trial.expect(grown <= 0.01 * heap.front() + 4096,
               "the heap grows by " + std::to_string(static_cast<std::int64_t>(grown) / ops) +
                   " bytes with each operation",
               where, Outcome::leak);
}

// ---- RES-02
void givesBackWhatItOpens(Trial& trial) {
  probed(trial);
  if (!exercise(trial)) return;
  auto const before = deed(trial, "tell");
  if (before.is_null() || !exercise(trial) || !exerciseInTrouble(trial)) return;
  auto const after = deed(trial, "tell");
  if (after.is_null()) return;
  std::string const where = "every operation, and again";
  auto const grown = [&](char const* member) {
    return integerOr(after, member, 0) - integerOr(before, member, 0);
  };
  trial.expect(integerOr(after, "/threads", 1) == 0, "it tried to start a thread", where);
  trial.expect(grown("/descriptors") <= 0,
               std::to_string(grown("/descriptors")) + " more files are open than before", where,
               Outcome::leak);
  trial.expect(grown("/mappings") <= 0,
               std::to_string(grown("/mappings")) + " more pieces of memory are mapped than before", where,
               Outcome::leak);
}

// ---- RES-03
void staysSmall(Trial& trial) {
  constexpr std::int64_t most = 32 << 20;
  World world;
  world.volume = 3 * integerOr(trial.subject().brief.document, "/page", 100);
  probed(trial, std::move(world));
  for (auto const& use : usesOf(trial.subject())) {
    auto const ask = trial.prepared(askFor(use)); // what its steps take is looked at as their own use
    if (deed(trial, "tell", {{"anew", true}}).is_null()) return;
    auto const journal = trial.run(ask);
    if (journal.death != Death::none) return;
    auto input = static_cast<std::int64_t>(json::serialize(ask.input).size());
    for (auto const& exchange : journal.exchanges)
      if (exchange.answer) input = std::max(input, static_cast<std::int64_t>(exchange.answer->body.size()));
    auto const said = deed(trial, "tell");
    if (said.is_null()) return;
    auto const peak = integerOr(said, "/peak_of_call", 0);
    trial.figure("peak_bytes " + use.title, static_cast<double>(peak));
    trial.expect(peak <= most + 8 * input,
                 "it takes " + std::to_string(peak >> 20) + " MiB at once, with documents of at most " +
                     std::to_string(input / 1024) + " KiB",
                 use.title);
  }
}

// ---- RES-06
void keepsLittleState(Trial& trial) {
  constexpr int days = 30;
  constexpr std::size_t slack = 256; // bytes
  World world;
  world.seed = trial.seed();
  trial.newBench(std::move(world));
  std::size_t half = 0;
  std::map<std::string, json::value> cursors;
  for (int day = 1; day <= days; ++day) {
    for (auto const& use : usesOf(trial.subject())) {
      auto ask = askFor(use);
      auto const entity = textOr(use.input, "/entity", "");
      bool const pull = ask.operation.find(".pull/") != std::string::npos;
      if (pull) ask.input = pullAsk(entity, cursors[entity]).input;
      auto const journal = trial.run(std::move(ask));
      if (journal.death != Death::none) return;
      if (pull && !journal.cursors.empty()) cursors[entity] = journal.cursors.back();
    }
    trial.bench().wait(std::chrono::hours(24));
    if (day == days / 2) half = trial.bench().kept("one").second;
  }
  auto const whole = trial.bench().kept("one").second;
  trial.expect(whole <= half + half / 10 + slack,
               "it keeps " + std::to_string(half) + " bytes at the host after " + std::to_string(days / 2) +
                   " days, and " + std::to_string(whole) + " after " + std::to_string(days),
               "the same operations once a day");
}

// ---- PRF-01
void loadsQuickly(Trial& trial) {
  constexpr int loads = 5;
  constexpr std::int64_t most_us = 100'000;
  std::int64_t best = 0;
  for (int i = 0; i < loads; ++i) {
    probed(trial);
    auto const said = deed(trial, "tell");
    if (said.is_null()) return;
    auto const took = integerOr(said, "/at_load/work_us", 0);
    best = i == 0 ? took : std::min(best, took);
  }
  trial.figure("load_us", static_cast<double>(best));
  trial.expect(best > 0, "no time was seen", "the probe");
  trial.expect(best <= most_us, "loading it takes more than 100 ms of processor time, in the best of 5 tries",
               "dlopen, garland_entry_v1");
}

// ---- PRF-02
std::string noParse(Subject const& subject) {
  return subject.offers("webhooks.parse/1") ? "" : "the manifest does not name webhooks.parse/1";
}

json::object deliveryFor(Subject const& subject) {
  json::object query;
  if (auto const* named = garland::find(subject.plugin.manifest.webhooks, "/query");
      named != nullptr && named->is_array())
    for (auto const& name : named->get_array()) query[name.as_string()] = "updated";
  json::object object{{"id", "pi_1"}, {"object", "payment_intent"}, {"status", "succeeded"}};
  object["lines"] =
      json::array(std::size_t{40}, json::object{{"id", "li_1"}, {"text", "a line of an order"}});
  json::object headers;
  if (auto const* named = garland::find(subject.plugin.manifest.webhooks, "/headers");
      named != nullptr && named->is_array())
    for (auto const& name : named->get_array()) headers[name.as_string()] = "msg_1";
  json::object const event{{"id", "evt_1"},
                           {"object", "event"},
                           {"type", "payment_intent.succeeded"},
                           {"created", 1'767'225'600},
                           {"data", json::object{{"object", object}}}};
  return {{"headers", headers},
          {"query", query},
          {"content_type", "application/json"},
          {"body", json::serialize(event)}};
}

void parsesQuickly(Trial& trial) {
  constexpr std::int64_t times = 100;
  constexpr std::int64_t most_us = 1'000; // of each: 1,000 a second
  std::string const where = "webhooks.parse/1, a delivery of 2 KiB";
  auto& bench = probed(trial);
  auto const delivery = deliveryFor(trial.subject());
  auto const once = trial.run("webhooks.parse/1", delivery); // by "one", whose instance the worker keeps
  if (once.death != Death::none) return;
  auto const said = deed(trial, "burst",
                         {{"account", bench.account("two")},
                          {"operation", "webhooks.parse/1"},
                          {"input", delivery},
                          {"times", times}});
  if (said.is_null()) return;
  auto const each = integerOr(said, "/best_us", 0) / times;
  trial.figure("parse_us", static_cast<double>(each));
  if (!trial.expect(integerOr(said, "/times", 0) == times, "it was not run", where)) return;
  // Whoever gives up is quick: each of many has to come to what one alone does.
  auto const status = once.result ? 0 : static_cast<std::int64_t>(once.result.error().kind);
  trial.expect(integerOr(said, "/status", -1) == status,
               "a delivery alone ends with: " + once.ending() + ", and one of many with status " +
                   std::to_string(integerOr(said, "/status", -1)),
               where);
  trial.expect(integerOr(said, "/others", 1) == 0 && textOr(said, "/result", "?") == once.result_text,
               "it makes something else of a delivery when many come", where);
  trial.expect(each <= most_us,
               "a delivery takes more than 1 ms of processor time, so fewer than 1,000 come in a second",
               "webhooks.parse/1, the best of 5 batches");
}

// ---- PRF-03
void pullsQuickly(Trial& trial) {
  constexpr double least = 2'000; // records a second
  auto const& entity = trial.caseName();
  double best = 0;
  for (int i = 0; i < 3; ++i) {
    World world;
    world.volume = 5 * integerOr(trial.subject().brief.document, "/page", 100);
    probed(trial, std::move(world));
    if (deed(trial, "set", {{"meter", true}}).is_null()) return;
    auto const journal = trial.mustRun(pullAsk(entity, nullptr), "a pull");
    auto const said = deed(trial, "tell");
    if (said.is_null() || !journal.ok()) return;
    auto const work = std::max<std::int64_t>(1, integerOr(said, "/work_us", 0));
    best = std::max(best, 1e6 * static_cast<double>(journal.records.size()) / static_cast<double>(work));
    // What a call costs by itself outweighs so few records: their figure is told, and not judged.
    if (journal.records.size() < 100) return trial.figure("records_per_second, of too few to judge", best);
  }
  trial.figure("records_per_second", best);
  trial.expect(best >= least,
               "it brings fewer than 2,000 records in a second of processor time, in the best of 3 tries",
               "a pull of " + entity);
}

// ---- PRF-04
struct Pulled {
  std::size_t requests = 0;
  std::size_t records = 0;
};

std::optional<Pulled> pulledAt(Trial& trial, std::int64_t volume) {
  World world;
  world.seed = trial.seed();
  world.volume = volume;
  trial.newBench(std::move(world));
  auto const journal = trial.mustRun(pullAsk(trial.caseName(), nullptr), "a pull");
  if (!journal.ok()) return std::nullopt;
  return Pulled{journal.exchanges.size(), truthOf(trial, trial.caseName())};
}

// What the second half of many records costs: requests about the account and the last, empty page are in
// both.
void asksSparingly(Trial& trial) {
  auto const& entity = trial.caseName();
  auto const page = std::max<std::int64_t>(1, integerOr(trial.subject().brief.document, "/page", 100));
  auto const each = // where a list does not hold all of a record
      static_cast<std::size_t>(integerOr(*trial.subject().brief.entity(entity), "/reads_each", 0));
  auto const few = pulledAt(trial, 5 * page);
  auto const many = pulledAt(trial, 10 * page);
  if (!few || !many) return;
  auto const records = many->records - std::min(few->records, many->records);
  auto const pages = (records + static_cast<std::size_t>(page) - 1) / static_cast<std::size_t>(page);
  auto const least = pages + each * records;
  auto const sent = many->requests - std::min(few->requests, many->requests);
  trial.expect(sent <= 1 + least + least / 5,
               "for " + std::to_string(records) + " records more it sends " + std::to_string(sent) +
                   " requests more; " + std::to_string(least) + " would do",
               "a pull of " + entity);
}

constexpr Check kChecks[] = {
    {.id = "RES-01",
     .run = keepsItsSize,
     .cases = useCases,
     .from = Profile::standard,
     .brief = "/entities or /actions"},
    {.id = "RES-02", .run = givesBackWhatItOpens, .brief = "/entities or /actions"},
    {.id = "RES-03", .run = staysSmall, .brief = "/entities or /actions"},
    {.id = "RES-06", .run = keepsLittleState, .brief = "/entities or /actions"},
    {.id = "PRF-01", .run = loadsQuickly, .needs_twin = false},
    {.id = "PRF-02", .run = parsesQuickly, .skip = noParse, .needs_twin = false},
    {.id = "PRF-03",
     .run = pullsQuickly,
     .skip = noPulls,
     .cases = pulledCases,
     .from = Profile::standard,
     .brief = "/entities/<entity>"},
    {.id = "PRF-04",
     .run = asksSparingly,
     .skip = noPulls,
     .cases = pulledCases,
     .brief = "/entities/<entity>"},
};

} // namespace

std::span<Check const> resourceChecks() { return kChecks; }

} // namespace garland::certification
