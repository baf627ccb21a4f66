// Checks of what a connector does with hosts of other forms: smaller and larger structures, services that are
// not there, documents of a later version, memory that is closed after its time or that runs out.
#include "certification/checks/exercise.h"

#include <garland/plugin.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <set>

namespace garland::certification {
namespace {

// As a host spaces what it asks: how often a check asks is no reason for a rate limit.
Ask spaced(Trial& trial, Use const& use, int taking = 0) {
  trial.bench().wait(Milliseconds(1000));
  auto ask = askFor(use);
  ask.taking = taking; // a message is cancelled once: who cancels again needs another one
  return ask;
}

// How an operation ended: its result, or the kind of its error.
std::string endOf(Journal const& journal) {
  return journal.result ? journal.result_text : std::string(garland::name(journal.result.error().kind));
}

bool endedAs(Journal const& journal, ErrorKind kind) {
  return journal.ok() || (!journal.result && journal.result.error().kind == kind);
}

// ---- ABI-01
void fillsWhatThereIs(Trial& trial) {
  constexpr std::array sizes{0, 4, 8, 24, 40, 56, 64, 72, 80, 88, 96, 104, 168};
  static_assert(sizeof(garland_plugin) == 104, "every member begins at one of these sizes");
  probed(trial);
  for (auto const size : sizes) {
    auto const said = deed(trial, "size", {{"size", size}});
    if (said.is_null()) return;
    auto const where = "garland_entry_v1 with size " + std::to_string(size);
    auto const status = integerOr(said, "/status", 0);
    auto const filled = integerOr(said, "/filled", 0);
    if (size < static_cast<int>(sizeof(garland_plugin))) {
      trial.expect(status != GARLAND_OK, "it takes a structure that is shorter than any host's", where);
      continue;
    }
    trial.expect(status == GARLAND_OK,
                 "it refuses a structure that has room enough: status " + std::to_string(status), where);
    trial.expect(filled >= static_cast<int>(sizeof(garland_plugin)) && filled <= size,
                 "it says that it filled " + std::to_string(filled) + " bytes", where);
    trial.expect(!boolOr(said, "/touched_more", true), "it wrote behind what it says that it filled", where);
  }
}

// ---- ABI-03
void saysTheSameAgain(Trial& trial) {
  auto const& manifest = trial.subject().plugin.manifest;
  json::array operations;
  json::array absent{kNoOperation};
  for (auto const& operation : manifest.operations) {
    operations.emplace_back(operation);
    absent.emplace_back(operation.substr(0, operation.rfind('/')) + "/2");
  }
  probed(trial);
  auto const said = deed(trial, "again", {{"operations", operations}, {"absent", absent}, {"times", 1000}});
  if (said.is_null()) return;
  std::string const where = "1,000 questions";
  trial.expect(textOr(said, "/id", "") == manifest.id && textOr(said, "/version", "") == manifest.version,
               "it gives itself another id or version than its manifest", "garland_entry_v1");
  auto const* missing = garland::find(said, "/missing");
  trial.expect(missing != nullptr && missing->is_array() && missing->get_array().empty(),
               "it has no operation for " + (missing != nullptr ? json::serialize(*missing) : ""), "find_op");
  trial.expect(integerOr(said, "/moved", 1) == 0,
               "find_op gives another answer for the same id " +
                   std::to_string(integerOr(said, "/moved", 1)) + " times",
               where);
  trial.expect(integerOr(said, "/invented", 1) == 0, "find_op finds what its manifest does not name", where);
  trial.expect(boolOr(said, "/texts_stay", false), "its id or version changes while it is loaded", where);
  trial.expect(boolOr(said, "/entry_says_the_same", false),
               "called a second time, the entry describes another plugin", "garland_entry_v1");
}

// ---- ABI-04
constexpr std::array kReleasedMinors{0};

std::vector<std::string> minors(Subject const&, Profile) {
  std::vector<std::string> out;
  for (auto const minor : kReleasedMinors) out.push_back("minor-" + std::to_string(minor));
  return out;
}

void runsOnEveryHost(Trial& trial) {
  auto const minor = std::atoi(trial.caseName().c_str() + std::string_view("minor-").size());
  probed(trial);
  auto const said = deed(trial, "host", {{"minor", minor}});
  if (said.is_null()) return;
  auto const where = "a host of version 1." + std::to_string(minor);
  if (!trial.expect(integerOr(said, "/status", 1) == GARLAND_OK,
                    "it refuses this host: status " + std::to_string(integerOr(said, "/status", 1)), where))
    return;
  for (auto const& use : usesOf(trial.subject()))
    trial.mustRun(spaced(trial, use), use.title + " on " + where);
}

// ---- ABI-05
std::vector<std::string> services(Subject const&, Profile) { return {"none", "crypto"}; }

void doesWithoutServices(Trial& trial) {
  probed(trial);
  auto const said = deed(trial, "host", {{"crypto", trial.caseName() == "crypto"}});
  if (said.is_null()) return;
  auto const where = trial.caseName() == "none" ? "a host without services" : "a host with one service";
  auto const status = integerOr(said, "/status", 1);
  trial.expect(status == GARLAND_OK || status == GARLAND_E_UNSUPPORTED,
               "the entry answers " + std::to_string(status), where);
  if (status != GARLAND_OK) return;
  for (auto const& use : usesOf(trial.subject())) {
    auto const journal = trial.run(spaced(trial, use));
    if (journal.death != Death::none) return;
    trial.expect(endedAs(journal, ErrorKind::unsupported), use.title + " ended with: " + journal.ending(),
                 where);
  }
}

// ---- ABI-06
std::vector<Journal> runAll(Trial& trial) {
  std::vector<Journal> out;
  for (auto const& use : usesOf(trial.subject())) {
    out.push_back(trial.run(askFor(use)));
    if (out.back().death != Death::none) break;
  }
  return out;
}

bool sameRecords(Journal const& one, Journal const& other) {
  return std::ranges::equal(one.records, other.records, [](Record const& a, Record const& b) {
    return a.kind == b.kind && a.text == b.text;
  });
}

void livesInTheFuture(Trial& trial) {
  probed(trial);
  auto const now = runAll(trial);
  probed(trial);
  auto const said = deed(trial, "host", {{"tail", 64}, {"minor", 7}});
  if (said.is_null()) return;
  std::string const where = "a host of version 1.7, whose table is 64 bytes longer";
  if (!trial.expect(integerOr(said, "/status", 1) == GARLAND_OK,
                    "it refuses a newer host: status " + std::to_string(integerOr(said, "/status", 1)),
                    where))
    return;
  if (deed(trial, "set", {{"future", true}}).is_null()) return;
  auto const later = runAll(trial);
  for (std::size_t i = 0; i < std::min(now.size(), later.size()); ++i) {
    trial.expect(endOf(now[i]) == endOf(later[i]),
                 now[i].operation +
                     " ends otherwise when documents have members of a later version: " + later[i].ending(),
                 where);
    trial.expect(sameRecords(now[i], later[i]), now[i].operation + " brings other records", where);
  }
}

// ---- ABI-07
void readsWhatItIsGiven(Trial& trial) {
  probed(trial);
  if (deed(trial, "set", {{"guard", true}}).is_null()) return;
  for (int round = 0; round < 2; ++round)
    for (auto const& use : usesOf(trial.subject()))
      if (trial.mustRun(spaced(trial, use, round), use.title + ", every span before a closed page").death !=
          Death::none)
        return;
  exercise(trial);
}

// ---- ABI-08
std::vector<std::string> useCases(Subject const& subject, Profile) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < usesOf(subject).size(); ++i) out.push_back("use-" + std::to_string(i));
  return out;
}

Use useOf(Trial const& trial) {
  auto const number = std::atoi(trial.caseName().c_str() + std::string_view("use-").size());
  return usesOf(trial.subject()).at(static_cast<std::size_t>(number));
}

// What did not arrive must not lie behind a checkpoint, or the host never asks for it again.
void expectNothingLost(Trial& trial, Journal const& pull, Journal const& whole, std::string const& where) {
  auto const lost = pull.ok() ? lostIn(pull, whole) : 0;
  trial.expect(lost == 0,
               "it ended well with a checkpoint, and says nothing of " + std::to_string(lost) +
                   " records that did not arrive",
               where);
}

void bearsRefusedRecords(Trial& trial, Use const& use, Journal const& whole) {
  if (whole.cursors.empty()) return;
  auto const last = static_cast<std::int64_t>(whole.records.size());
  for (auto const k : std::set<std::int64_t>{1, (last + 1) / 2, last}) {
    if (deed(trial, "set", {{"fail_emit", k}}).is_null()) return;
    auto const journal = trial.run(spaced(trial, use));
    if (journal.death != Death::none) return;
    expectNothingLost(trial, journal, whole,
                      use.title + ", the host does not take record " + std::to_string(k));
  }
}

void bearsFullArenas(Trial& trial) {
  constexpr std::int64_t most = 12;
  auto const use = useOf(trial);
  probed(trial);
  auto const whole = trial.mustRun(spaced(trial, use), use.title);
  auto const said = deed(trial, "tell");
  if (said.is_null()) return;
  auto const count = std::min(most, integerOr(said, "/in_arena", 0));
  for (std::int64_t k = 1; k <= count; ++k) {
    auto ask = trial.prepared(spaced(trial, use, static_cast<int>(2 * k)));
    if (deed(trial, "set", {{"fail_arena", k}, {"guard", true}}).is_null()) return;
    auto const where = use.title + ", no room in the arena at thing " + std::to_string(k);
    auto const journal = trial.run(std::move(ask));
    if (journal.death != Death::none) return;
    trial.expect(endedAs(journal, ErrorKind::hostLimit), "it ended with: " + journal.ending(), where);
    expectNothingLost(trial, journal, whole, where);
    if (deed(trial, "set", {{"guard", true}}).is_null()) return;
    ask = spaced(trial, use, static_cast<int>(2 * k + 1));
    if (trial.mustRun(std::move(ask), where + ", then again with room").death != Death::none) return;
  }
  bearsRefusedRecords(trial, use, whole);
}

// ---- ABI-09
void leavesDeadCallsAlone(Trial& trial) {
  probed(trial);
  if (!exercise(trial) || !exercise(trial)) return;
  auto const said = deed(trial, "tell");
  if (said.is_null()) return;
  trial.expect(integerOr(said, "/dead_handles", 1) == 0,
               "host->" + textOr(said, "/dead_call", "") +
                   " was called with the handle of a call that is over",
               "every operation twice");
  trial.expect(integerOr(said, "/threads", 1) == 0, "it tried to start a thread", "every operation twice");
}

// ---- ABI-10
std::string noHealth(Subject const& subject) {
  return subject.offers("health.check/1") ? "" : "the manifest does not name health.check/1";
}

void bearsLackOfMemory(Trial& trial) {
  auto const most = trial.profile() == Profile::full ? 1000 : 60;
  Use const use{"health.check/1", json::object(), "health.check/1"};
  probed(trial);
  trial.mustRun(askFor(use), use.title);
  auto const said = deed(trial, "tell");
  if (said.is_null()) return;
  auto const count = integerOr(said, "/allocations", 0);
  auto const step = std::max<std::int64_t>(1, count / most);
  for (std::int64_t k = 1; k <= count; k += step) {
    if (deed(trial, "set", {{"fail_malloc", k}}).is_null()) return;
    auto const journal = trial.run(askFor(use));
    if (journal.death != Death::none) return;
    trial.expect(endedAs(journal, ErrorKind::hostLimit), "it ended with: " + journal.ending(),
                 "no memory at allocation " + std::to_string(k));
  }
  if (deed(trial, "set").is_null()) return;
  trial.mustRun(askFor(use), "with memory again");
}

constexpr Check kChecks[] = {
    {.id = "ABI-01", .run = fillsWhatThereIs, .needs_twin = false},
    {.id = "ABI-03", .run = saysTheSameAgain, .needs_twin = false},
    {.id = "ABI-04", .run = runsOnEveryHost, .cases = minors},
    {.id = "ABI-05", .run = doesWithoutServices, .cases = services, .brief = "/entities or /actions"},
    {.id = "ABI-06", .run = livesInTheFuture},
    {.id = "ABI-07", .run = readsWhatItIsGiven, .brief = "/entities or /actions"},
    {.id = "ABI-08", .run = bearsFullArenas, .cases = useCases, .brief = "/entities or /actions"},
    {.id = "ABI-09", .run = leavesDeadCallsAlone, .brief = "/entities or /actions"},
    {.id = "ABI-10", .run = bearsLackOfMemory, .skip = noHealth, .from = Profile::standard},
};

} // namespace

std::span<Check const> hostFormChecks() { return kChecks; }

} // namespace garland::certification
