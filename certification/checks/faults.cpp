// The fault sweep: every fault of the catalogue at every host call of an operation, and what the connector
// says of it, what it did at the provider, and whether everything is well after it is repeated.
#include "certification/checks/act_faults.h"
#include "certification/checks/cuts.h"

#include <algorithm>
#include <set>

namespace garland::certification {
namespace {

// "crm.client/pull/status_500"
struct Sweep {
  std::string entity;
  std::string verb;
  Fault const* fault = nullptr;
};

Sweep sweepOf(std::string const& case_name) {
  auto const first = case_name.find('/');
  auto const second = case_name.find('/', first + 1);
  return {case_name.substr(0, first), case_name.substr(first + 1, second - first - 1),
          faultNamed(case_name.substr(second + 1))};
}

std::vector<std::string> sweepCases(Subject const& subject, bool pulls, std::string_view only = "") {
  std::vector<std::string> out;
  auto const add = [&](std::string const& entity, char const* verb) {
    for (auto const& fault : faults())
      if (only.empty() || fault.name.starts_with(only))
        out.push_back(entity + "/" + verb + "/" + std::string(fault.name));
  };
  if (pulls)
    for (auto const& entity : pulledEntities(subject)) add(entity, "pull");
  for (auto const& entity : writtenEntities(subject)) add(entity, "upsert");
  return out;
}
std::string nothingToSweep(Subject const& subject) {
  auto const* actions = membersAt(subject.plugin.manifest.document, "/actions");
  if ((actions != nullptr && !actions->empty()) || noWrites(subject).empty()) return "";
  return "the manifest names no upsert and no action";
}
std::string nothingAtAll(Subject const& subject) {
  return noPulls(subject).empty() ? "" : nothingToSweep(subject);
}

std::vector<std::string> with(std::vector<std::string> cases, std::vector<std::string> const& more) {
  cases.insert(cases.end(), more.begin(), more.end());
  return cases;
}
std::vector<std::string> everyCase(Subject const& subject, Profile) {
  return with(sweepCases(subject, true), actSweep(subject, [](Fault const&) { return true; }, true));
}
// What was not done at all is done by its repetition; a fault that left something behind may show otherwise.
std::vector<std::string> repeatedCases(Subject const& subject, Profile profile) {
  auto const leaves = [](Fault const& fault) { return fault.reaches_provider || fault.everywhere; };
  auto const any = [](Fault const&) { return true; };
  return with(sweepCases(subject, true),
              profile == Profile::full ? actSweep(subject, any, true) : actSweep(subject, leaves, true));
}
// Of the others, nobody can say wrongly that they were not applied.
std::vector<std::string> writeSweep(Subject const& subject, Profile profile) {
  auto const few = [](Fault const& fault) {
    return fault.name == "timeout_after_send" || fault.name == "truncated_json";
  };
  auto const reach = [](Fault const& fault) { return fault.reaches_provider; };
  return with(sweepCases(subject, false),
              profile == Profile::quick ? actSweep(subject, few, false) : actSweep(subject, reach, false));
}
// One form of the hint will do to see whether it is waited out by the connector itself.
std::vector<std::string> limitCases(Subject const& subject, Profile profile) {
  if (profile != Profile::quick) return sweepCases(subject, true, "status_429");
  auto out = sweepCases(subject, true, "status_429_seconds");
  std::erase_if(out, [](auto const& each) { return each.find("/pull/") == std::string::npos; });
  return out;
}

Ask askFor(Trial& trial, Sweep const& sweep, json::value cursor = nullptr) {
  if (sweep.verb == "pull") return pullAsk(sweep.entity, std::move(cursor));
  Ask ask;
  ask.operation = operationFor(sweep.entity, sweep.verb);
  ask.input = upsertInput(trial.subject(), sweep.entity, "sweep-1");
  return ask;
}

void freshWorld(Trial& trial, Sweep const& what) {
  World world;
  world.seed = trial.seed();
  // What is about pages needs some.
  if (what.fault->repeats != Fault::Repeats::no)
    world.volume = 2 * integerOr(trial.subject().brief.document, "/page", 100) + 1;
  trial.newBench(std::move(world));
}

std::string stepOf(Sweep const& sweep, Journal const& clean, std::size_t k) {
  return sweep.entity + " " + sweep.verb + ", host call " + std::to_string(k) + " (" + clean.calls[k].place +
         "), " + std::string(sweep.fault->says);
}

bool asksForMorePages(Journal const& journal) {
  std::set<std::string> lists;
  return !std::ranges::all_of(journal.exchanges,
                              [&](auto const& each) { return lists.insert(listOf(each.ask)).second; });
}

// Runs the operation in a new world for every host call that the fault can meet.
template <class Judge> void sweep(Trial& trial, Judge&& judge) {
  auto const what = sweepOf(trial.caseName());
  if (what.fault == nullptr) return trial.giveUp("there is no fault of the name in the case's name");
  freshWorld(trial, what);
  auto const clean = trial.mustRun(askFor(trial, what), "without a fault");
  if (!clean.ok()) return;
  std::size_t met = 0;
  for (std::size_t k = 0; k < clean.calls.size() && !trial.isFull(); ++k) {
    if (clean.calls[k].kind != HostCall::Kind::http && !what.fault->everywhere) continue;
    freshWorld(trial, what);
    auto ask = askFor(trial, what);
    ask.fault = FaultOrder{what.fault, k};
    auto const journal = trial.run(std::move(ask));
    if (journal.fault_met) ++met;
    if (journal.fault_met && journal.death == Death::none)
      judge(what, clean, journal, stepOf(what, clean, k));
  }
  // A page comes once more only where a list is asked for twice; the rest can be met wherever something is
  // asked.
  bool const can_meet = what.fault->repeats == Fault::Repeats::no || asksForMorePages(clean);
  if (met == 0 && can_meet)
    trial.giveUp("no host call of " + what.entity + " " + what.verb +
                 " met the fault: " + std::string(what.fault->says));
}

std::size_t durableRecords(Journal const& journal) {
  return static_cast<std::size_t>(
      std::ranges::count_if(journal.records, [](auto const& each) { return each.durable; }));
}

std::set<std::string> idsOf(Journal const& journal, std::string const& entity) {
  Held held;
  held.take(journal, entity);
  std::set<std::string> out;
  for (auto const& [id, record] : held.records()) out.insert(id);
  return out;
}

// What came, and what it said of by its id that it did not come: the host looks for that again, if it can.
std::set<std::string> accountedFor(Trial& trial, Journal const& journal, std::string const& entity) {
  auto out = idsOf(journal, entity);
  if (!trial.subject().offers("records.get/1")) return out;
  for (auto const& record : journal.records)
    if (record.durable && record.kind == "garland.problem") out.insert(textOr(record.value, "/id", ""));
  return out;
}

// ---- FLT-01
void saysWhatHappened(Trial& trial) {
  if (isActSweep(trial.caseName())) return actSaysWhatHappened(trial);
  sweep(trial, [&](Sweep const& what, Journal const& clean, Journal const& journal, std::string const& step) {
    if (journal.result) {
      // Worked around; then nothing may be missing, and what it says is done is done.
      trial.expect(durableRecords(journal) >= durableRecords(clean),
                   "it ended well with " + std::to_string(durableRecords(journal)) + " of " +
                       std::to_string(durableRecords(clean)) + " records",
                   step);
      trial.expect(accountedFor(trial, journal, what.entity) == idsOf(clean, what.entity),
                   "it ended well, and brought other records than without the fault", step);
      if (what.verb != "pull")
        trial.expect(createdIn(trial, what.entity) == 1,
                     "it ended well, and the provider's ledger tells of " +
                         std::to_string(createdIn(trial, what.entity)) + " creations",
                     step);
      return;
    }
    auto const bit = std::uint32_t{1} << static_cast<unsigned>(journal.result.error().kind);
    trial.expect((what.fault->right & bit) != 0,
                 "expected " + kindsOf(what.fault->right) + ", but it ended with " + journal.ending(), step);
  });
}

// ---- FLT-02
void convergesAfterwards(Trial& trial) {
  if (isActSweep(trial.caseName())) return actConverges(trial);
  sweep(trial, [&](Sweep const& what, Journal const& clean, Journal const& journal, std::string const& step) {
    if (what.verb == "pull") {
      Held held;
      held.take(journal, what.entity);
      trial.bench().wait(std::chrono::minutes(1)); // whatever a fault's time has set going has come to rest
      auto const again = trial.mustRun(pullAsk(what.entity, held.cursor()), step + ", then pulled again");
      if (!again.ok()) return;
      held.take(again, what.entity);
      auto afresh = pullAsk(what.entity, nullptr);
      afresh.account = "afresh"; // one that never met a fault
      auto const all = trial.mustRun(std::move(afresh), step + ", and what a first pull brings then");
      if (!all.ok()) return;
      Held whole;
      whole.take(all, what.entity);
      trial.expect(held.records() == whole.records(),
                   "after the fault and another pull " + std::to_string(held.records().size()) +
                       " records are held, and not as the " + std::to_string(whole.records().size()) +
                       " that a first pull brings",
                   step);
      Held before;
      before.take(clean, what.entity);
      trial.expect(whole.records().size() == before.records().size(),
                   "a first pull brings " + std::to_string(whole.records().size()) +
                       " records, before it brought " + std::to_string(before.records().size()),
                   step);
      return;
    }
    auto const again = trial.mustRun(askFor(trial, what), step + ", then repeated with the same key");
    if (!again.ok()) return;
    auto const created = createdIn(trial, what.entity);
    trial.expect(created == 1,
                 "after the fault and a repetition with the same key the provider's ledger tells of " +
                     std::to_string(created) + " creations",
                 step);
  });
}

// ---- FLT-05
void isHonestAboutEffects(Trial& trial) {
  if (isActSweep(trial.caseName())) return actIsHonest(trial);
  sweep(trial, [&](Sweep const& what, Journal const&, Journal const& journal, std::string const& step) {
    bool const denies = !journal.result && journal.result.error().effect == Effect::notApplied;
    trial.expect(!denies || createdIn(trial, what.entity) == 0,
                 "it says that nothing was applied, and the provider's ledger tells otherwise", step);
  });
}

// ---- FLT-06
void tellsHowLongToWait(Trial& trial) {
  sweep(trial, [&](Sweep const& what, Journal const&, Journal const& journal, std::string const& step) {
    bool const hinted = what.fault->name != "status_429";
    if (journal.result) {
      // It let the host wait for it, as long as it was told to, and went on.
      trial.expect(journal.took >= Milliseconds(hinted ? 7000 : 1000) && journal.took <= Milliseconds(20'000),
                   "it asked again after " + std::to_string(journal.took.count()) +
                       " ms, whatever the provider had asked for",
                   step);
      return;
    }
    if (!trial.expect(!journal.result && journal.result.error().kind == ErrorKind::rateLimited,
                      "a rate limit ended with: " + journal.ending(), step))
      return;
    if (hinted)
      trial.expect(journal.result.error().retry_after == Milliseconds(7000),
                   "the provider asks to wait for 7 seconds, and the connector does not pass that on", step);
    trial.expect(journal.took < Milliseconds(5000), "it waits by itself instead of leaving that to the host",
                 step);
  });
}

// ---- FLT-10
struct Malformed {
  std::string_view name;
  std::string (*body)(std::string const& real);
};

std::string nested(std::string const&) { return std::string(10'000, '[') + std::string(10'000, ']'); }
std::string byteOrderMark(std::string const& real) { return "\xEF\xBB\xBF" + real; }
std::string badUtf8(std::string const&) { return "{\"items\":[{\"id\":\"\xC3\x28\xFF\"}]}"; }
std::string twice(std::string const& real) {
  return real.starts_with('{') && real.size() > 2 ? "{\"x\":1,\"x\":2," + real.substr(1) : real;
}
std::string nothing(std::string const&) { return ""; }
std::string onlyNull(std::string const&) { return "null"; }
std::string aNumber(std::string const&) { return "17"; }
std::string emptyObject(std::string const&) { return "{}"; }
std::string emptyList(std::string const&) { return "[]"; }
std::string hugeNumber(std::string const& real) {
  return real.starts_with('{') && real.size() > 2 ? "{\"x\":1e999999," + real.substr(1) : real;
}
std::string zeroBytes(std::string const& real) { return real + std::string(3, '\0'); }

constexpr Malformed kMalformed[] = {
    {"nested", nested},        {"byte_order_mark", byteOrderMark},
    {"bad_utf8", badUtf8},     {"twice", twice},
    {"nothing", nothing},      {"null", onlyNull},
    {"a_number", aNumber},     {"empty_object", emptyObject},
    {"empty_list", emptyList}, {"huge_number", hugeNumber},
    {"zero_bytes", zeroBytes},
};

std::vector<std::string> malformedCases(Subject const& subject, Profile) {
  auto out = cutCases(subject);
  for (auto const& each : kMalformed) out.emplace_back(each.name);
  return out;
}

void survivesBadBodies(Trial& trial) {
  if (isCut(trial.caseName())) return noticesCuts(trial);
  auto const* const bad = std::ranges::find(kMalformed, std::string_view(trial.caseName()), &Malformed::name);
  for (auto const& entity : pulledEntities(trial.subject())) {
    World world;
    world.seed = trial.seed();
    world.spoil = bad->body;
    trial.newBench(std::move(world));
    auto const journal = trial.run(pullAsk(entity, nullptr));
    trial.expect(journal.result || journal.result.error().kind == ErrorKind::providerBug ||
                     journal.result.error().kind == ErrorKind::transient,
                 "a body that cannot be read ended with: " + journal.ending(), entity);
    if (journal.result && trial.caseName() != "byte_order_mark" && trial.caseName() != "huge_number" &&
        trial.caseName() != "twice")
      trial.expect(journal.records.empty() || trial.caseName() == "zero_bytes" ||
                       trial.caseName() == "bad_utf8",
                   "it made records of a body that has none", entity);
  }
}

constexpr Check kChecks[] = {
    {.id = "FLT-01",
     .run = saysWhatHappened,
     .skip = nothingAtAll,
     .cases = everyCase,
     .from = Profile::standard,
     .brief = "/entities/<entity> or /actions/<operation>/ledger"},
    {.id = "FLT-02",
     .run = convergesAfterwards,
     .skip = nothingAtAll,
     .cases = repeatedCases,
     .from = Profile::standard,
     .brief = "/entities/<entity> or /actions/<operation>/ledger"},
    {.id = "FLT-05",
     .run = isHonestAboutEffects,
     .skip = nothingToSweep,
     .cases = writeSweep,
     .brief = "/entities/<entity>/record or /actions/<operation>/ledger"},
    {.id = "FLT-06",
     .run = tellsHowLongToWait,
     .skip = noPulls,
     .cases = limitCases,
     .brief = "/entities/<entity>"},
    {.id = "FLT-10",
     .run = survivesBadBodies,
     .skip = noPulls,
     .cases = malformedCases,
     .brief = "/entities/<entity>"},
};

} // namespace

std::span<Check const> faultChecks() { return kChecks; }

} // namespace garland::certification
