// Checks of a connector's life: settings, instances, being told to stop.
#include "certification/checks/exercise.h"

#include <algorithm>

namespace garland::certification {
namespace {

// ---- LIF-04
std::string nothingToCompare(Subject const& subject) {
  if (noPulls(subject).empty() || subject.offers("intake.parse/1")) return "";
  return "the manifest names no pull and no intake";
}

void instancesAreIndependent(Trial& trial) {
  auto const entities = pulledEntities(trial.subject());
  for (auto const& entity : entities) {
    auto first = pullAsk(entity, nullptr);
    auto second = pullAsk(entity, nullptr);
    second.account = "two";
    auto const one = trial.mustRun(std::move(first), entity + ", first instance");
    auto const two = trial.mustRun(std::move(second), entity + ", second instance beside it");
    trial.expect(one.records.size() == two.records.size(),
                 "a second instance brought " + std::to_string(two.records.size()) + " records, the first " +
                     std::to_string(one.records.size()),
                 entity);
  }
  for (auto const& use : intakesOf(trial.subject())) {
    auto second = askFor(use);
    second.account = "two";
    auto const one = trial.mustRun(askFor(use), use.title + ", first instance");
    auto const two = trial.mustRun(std::move(second), use.title + ", second instance beside it");
    trial.expect(one.records.size() == two.records.size(),
                 "a second instance made " + std::to_string(two.records.size()) +
                     " records of what came in, the first " + std::to_string(one.records.size()),
                 use.title);
  }
}

// ---- CAP-14
std::int64_t requestsIn(Journal const& journal, std::size_t from, std::size_t end) {
  std::int64_t out = 0;
  for (auto k = from; k < std::min(end, journal.calls.size()); ++k)
    if (journal.calls[k].kind == HostCall::Kind::http) ++out;
  return out;
}

void stopsWhenCancelled(Trial& trial) {
  auto const& entity = trial.caseName();
  auto const whole = trial.mustRun(pullAsk(entity, nullptr), "a pull that nobody cancels");
  auto const* fault = faultNamed("cancellation");
  for (std::size_t k = 0; k < whole.calls.size(); ++k) {
    World world;
    world.seed = trial.seed();
    trial.newBench(std::move(world));
    auto ask = pullAsk(entity, nullptr);
    ask.fault = FaultOrder{fault, k};
    auto const step = "cancelled at host call " + std::to_string(k) + ", " + whole.calls[k].place;
    auto const journal = trial.run(std::move(ask));
    trial.expect(!journal.result && journal.result.error().kind == ErrorKind::cancelled,
                 "a cancelled pull ended with: " + journal.ending(), step);
    auto const later = requestsIn(journal, k + 1, journal.calls.size());
    trial.expect(later == 0, "it was cancelled, and sent " + std::to_string(later) + " more requests", step);
    auto const after = journal.took - journal.cancelled_after;
    trial.expect(after <= Milliseconds(100),
                 "it ended " + std::to_string(after.count()) +
                     " ms after it was cancelled, on the virtual clock",
                 step);
    Held held;
    held.take(journal, entity);
    held.take(trial.mustRun(pullAsk(entity, held.cursor()), step + ", then pulled on"), entity);
    trial.expect(held.records().size() == truthOf(trial, entity),
                 "after a cancelled pull and another " + std::to_string(held.records().size()) +
                     " records are there of " + std::to_string(truthOf(trial, entity)),
                 step);
  }
}

constexpr Check kChecks[] = {
    {.id = "LIF-04",
     .run = instancesAreIndependent,
     .skip = nothingToCompare,
     .brief = "/entities/<entity> or /intake"},
    {.id = "CAP-14",
     .run = stopsWhenCancelled,
     .skip = noPulls,
     .cases = pulledCases,
     .from = Profile::standard,
     .brief = "/entities/<entity>"},
};

} // namespace

std::span<Check const> lifecycleChecks() { return kChecks; }

} // namespace garland::certification
