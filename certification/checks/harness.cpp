// Checks of the harness on itself, made in every run: a verdict is worth as much as whoever gives it.
#include "certification/checks/pulls.h"
#include "certification/run_case.h"
#include "certification/token.h"

#include "host/base/file_text.h"

#include <algorithm>
#include <array>

namespace garland::certification {
namespace {

// Calls the connector for nothing, so that its worker is there; whether it could be had.
bool isUp(Trial& trial) {
  Ask ask;
  ask.operation = kNoOperation;
  auto const journal = trial.run(std::move(ask));
  return !journal.result && journal.result.error().kind == ErrorKind::unsupported;
}

// ---- HAR-02
void mapsNoPlugin(Trial& trial) {
  trial.expect(isUp(trial), "the connector cannot be loaded into a worker", "a worker of its own");
  auto const maps = readFileText("/proc/self/maps");
  if (!maps) return trial.giveUp("/proc/self/maps cannot be read");
  trial.expect(!mapsPlugin(*maps, trial.subject()),
               "the coordinator has the connector's code in its own memory", "/proc/self/maps");
  if (trial.past() == nullptr) return;
  for (auto const& each : trial.past()->cases)
    if (each.result != nullptr)
      trial.expect(!each.result->mapped, "the coordinator had the connector's code in its own memory",
                   std::string(each.check->id) + " " + each.name);
}

// ---- HAR-03 and HAR-04: cases that are run once more. "CAP-04/volume-1"
std::string nameOf(Past::Case const& each) { return std::string(each.check->id) + "/" + each.name; }

std::size_t mostOf(Profile profile) {
  constexpr std::array<std::size_t, 3> most{4, 12, 60};
  return most.at(static_cast<std::size_t>(profile));
}

// At most so many of them, spread over all, where the seed says.
std::vector<std::string> some(std::vector<std::string> all, std::size_t most, std::uint64_t seed) {
  if (all.size() <= most) return all;
  std::vector<std::string> out;
  auto const step = all.size() / most;
  for (std::size_t i = 0; i < most; ++i) out.push_back(std::move(all[i * step + seed % step]));
  return out;
}

std::vector<std::string> anyCases(Past const& past, Profile profile, std::uint64_t seed) {
  std::vector<std::string> out;
  for (auto const& each : past.cases)
    if (each.check->calls_plugin && !each.check->id.starts_with("HAR-") &&
        (each.result == nullptr || isClean(*each.result)))
      out.push_back(nameOf(each));
  return some(std::move(out), mostOf(profile), seed);
}

std::vector<std::string> failedCases(Past const& past, Profile profile, std::uint64_t seed) {
  std::vector<std::string> out;
  for (auto const& each : past.cases)
    if (each.result != nullptr && !isClean(*each.result) && !each.check->id.starts_with("HAR-"))
      out.push_back(nameOf(each));
  // Where nothing failed, a token of what would have.
  if (out.empty()) out = some(anyCases(past, profile, seed), 1, seed);
  return some(std::move(out), mostOf(profile), seed);
}

CaseResult const* pastOf(Trial& trial, std::string_view check, std::string_view name) {
  if (trial.past() == nullptr) return nullptr;
  for (auto const& each : trial.past()->cases)
    if (each.check->id == check && each.name == name) return each.result;
  return nullptr;
}

// The case that a token names, run again.
void runAgain(Trial& trial, Replay const& replay) {
  auto const check = std::ranges::find(checks(), replay.check, &Check::id);
  if (check == checks().end() || check->id.starts_with("HAR-"))
    return trial.giveUp("there is no case " + trial.caseName());
  auto const again = trial.runOther(*check, replay.case_name);
  auto const* before = pastOf(trial, replay.check, replay.case_name);
  auto const first = before != nullptr ? *before : trial.runOther(*check, replay.case_name);
  trial.expect(isSame(first, again),
               "run twice, the case had two verdicts, or came to its verdict in two ways", trial.caseName());
}

Replay replayOf(Trial& trial) {
  auto const& name = trial.caseName();
  auto const slash = std::min(name.find('/'), name.size() - 1);
  return {name.substr(0, slash),         name.substr(slash + 1), trial.seed(),
          trial.subject().plugin.digest, suite().digest,         trial.profile()};
}

void replaysFromItsToken(Trial& trial) {
  auto const token = tokenFor(replayOf(trial));
  auto const replay = readToken(token);
  if (!trial.expect(replay.has_value() && replay->seed == trial.seed() &&
                        replay->profile == trial.profile() &&
                        trial.subject().plugin.digest.starts_with(replay->digest) &&
                        suite().digest.starts_with(replay->suite),
                    "the token " + token + " does not name the case that it was made of", trial.caseName()))
    return;
  if (auto const* before = pastOf(trial, replay->check, replay->case_name); before != nullptr)
    for (auto const& finding : before->findings)
      trial.expect(finding.token == token, "a finding's token names another case", trial.caseName());
  runAgain(trial, *replay);
}

void saysTheSameTwice(Trial& trial) { runAgain(trial, replayOf(trial)); }

// ---- HAR-05
std::vector<std::string> oneCase(Past const&, Profile, std::uint64_t) { return {"all"}; }

// Then cases are empty by the brief's fault, and not by the harness's.
bool namesNothing(Subject const& subject) {
  constexpr std::array pointers{"/entities", "/actions", "/intake/leads", "/intake/items",
                                "/webhooks/triggers"};
  return std::ranges::none_of(pointers, [&](auto const* pointer) {
    auto const* found = garland::find(subject.brief.document, pointer);
    return found != nullptr && ((found->is_object() && !found->get_object().empty()) ||
                                (found->is_array() && !found->get_array().empty()));
  });
}

void hasNoEmptyCases(Trial& trial) {
  if (trial.past() == nullptr || trial.past()->cases.empty())
    return trial.giveUp("it looks at the cases of a whole run; name further checks");
  if (auto const& brief = trial.subject().brief.document; !brief.is_null() && namesNothing(trial.subject()))
    return trial.giveUp(
        "certification.json names nothing to exercise; fill in /entities, /actions, /intake or "
        "/webhooks");
  for (auto const& each : trial.past()->cases) {
    auto const where = std::string(each.check->id) + " " + each.name;
    if (!trial.expect(each.result != nullptr, "the case did not run", where)) continue;
    trial.expect(!each.result->empty, each.result->trouble + ", so it would pass anything", where);
  }
}

// ---- HAR-06
void skipsByTheManifest(Trial& trial) {
  if (trial.past() == nullptr || trial.past()->verdicts.empty())
    return trial.giveUp("it looks at the verdicts of a whole run; name further checks");
  auto const seen = manifestOnly(trial.subject());
  for (auto const& verdict : trial.past()->verdicts) {
    auto const check = std::ranges::find(checks(), verdict.check, &Check::id);
    bool const may = check != checks().end() && check->skip != nullptr && !check->skip(seen).empty();
    if (verdict.outcome == Outcome::skip)
      trial.expect(may && !verdict.reason.empty(), "it is skipped, and the manifest gives no reason to",
                   verdict.check);
    else
      trial.expect(!may || verdict.outcome == Outcome::inconclusive,
                   "it is judged, although the manifest does not declare what it is about", verdict.check);
    if (verdict.outcome == Outcome::inconclusive)
      trial.expect(!verdict.reason.empty(), "it is inconclusive, and nobody says why", verdict.check);
  }
  trial.expect(blocks(Outcome::inconclusive) && !blocks(Outcome::skip),
               "what could not be judged would pass");
}

// ---- HAR-08
void endsWhatHangs(Trial& trial) {
  if (!trial.expect(isUp(trial), "the connector cannot be loaded into a worker", "a worker of its own"))
    return;
  auto const frozen = trial.bench().freeze();
  if (frozen.empty()) return trial.giveUp("the connector's worker is not there to be stopped");
  Ask ask;
  ask.operation = trial.subject().plugin.manifest.operations.front();
  ask.limit = Milliseconds(500); // of this alone: loading the connector may take as long as the machine needs
  auto const journal = trial.run(std::move(ask), true);
  trial.expect(journal.death == Death::hung, "a worker that stands still was told as: " + journal.ending(),
               "a worker that was stopped (SIGSTOP)");
  for (auto const pid : frozen)
    trial.expect(trial.bench().isGone(pid, Milliseconds(1000)),
                 "a worker that hung was still there a second after its end", "its process");
}

constexpr Check kChecks[] = {
    {.id = "HAR-02", .run = mapsNoPlugin, .needs_twin = false, .after = oneCase},
    {.id = "HAR-03",
     .run = replaysFromItsToken,
     .needs_twin = false,
     .calls_plugin = false,
     .after = failedCases},
    {.id = "HAR-04", .run = saysTheSameTwice, .needs_twin = false, .after = anyCases},
    {.id = "HAR-05", .run = hasNoEmptyCases, .needs_twin = false, .calls_plugin = false, .after = oneCase},
    {.id = "HAR-06", .run = skipsByTheManifest, .needs_twin = false, .calls_plugin = false, .after = oneCase},
    {.id = "HAR-08", .run = endsWhatHangs, .needs_twin = false},
};

} // namespace

std::span<Check const> harnessChecks() { return kChecks; }

} // namespace garland::certification
