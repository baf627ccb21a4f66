// Checks of what a connector does with the one thread that all calls of a worker share: locks, exceptions,
// the stack of a fiber, waiting, computing.
#include "certification/checks/exercise.h"

#include <algorithm>
#include <array>

namespace garland::certification {
namespace {

// What the probe saw of a connector that did everything it can; null after a death.
json::value seenOf(Trial& trial) {
  probed(trial);
  if (!exercise(trial) || !exerciseInTrouble(trial)) return nullptr;
  return deed(trial, "tell");
}

void expectNone(Trial& trial, json::value const& said, char const* member, std::string const& what) {
  if (said.is_null()) return;
  auto const times = integerOr(said, member, 0);
  trial.expect(times == 0, what + ", " + std::to_string(times) + " times",
               "every operation, in good and bad times");
}

// ---- SUS-01
void waitsWithoutLocks(Trial& trial) {
  expectNone(trial, seenOf(trial), "/locked_calls", "it called the host while it held a lock");
}

// ---- SUS-02
void waitsOutsideOfHandlers(Trial& trial) {
  expectNone(trial, seenOf(trial), "/calls_in_handlers",
             "it called the host from inside a catch handler, without putting the exception aside");
}

// ---- SUS-03
// The provider's answers with a member that is nested so deep.
template <std::size_t Depth> std::string deepened(std::string const& body) {
  auto const open = body.find('{');
  if (open == std::string::npos) return body;
  auto out = body;
  out.insert(open + 1, "\"x_more\":" + std::string(Depth, '[') + std::string(Depth, ']') + ",");
  return out;
}

struct Depth {
  std::string_view name;
  std::size_t levels;
  std::string (*spoil)(std::string const&);
};
constexpr std::array kDepths{Depth{"depth-20", 20, deepened<20>}, Depth{"depth-1000", 1000, deepened<1000>},
                             Depth{"depth-100000", 100'000, deepened<100'000>}};

std::vector<std::string> depths(Subject const&, Profile) {
  std::vector<std::string> out;
  for (auto const& depth : kDepths) out.emplace_back(depth.name);
  return out;
}

void staysOnItsStack(Trial& trial) {
  constexpr std::int64_t most = 192 * 1024; // of 256 KiB
  auto const& depth = *std::ranges::find(kDepths, trial.caseName(), &Depth::name);
  World world;
  world.spoil = depth.spoil;
  probed(trial, std::move(world));
  if (deed(trial, "set", {{"stack", true}}).is_null()) return;
  if (!exercise(trial)) return;
  for (auto const& operation : trial.subject().plugin.manifest.operations) {
    Ask ask;
    ask.operation = operation;
    ask.raw_input = deepInput(depth.levels);
    if (trial.run(std::move(ask)).death != Death::none) return;
  }
  auto const said = deed(trial, "tell");
  if (said.is_null()) return;
  auto const used = integerOr(said, "/deepest_stack", 0);
  trial.figure("stack_bytes", static_cast<double>(used));
  trial.expect(used > 0, "no stack was seen", "the probe");
  trial.expect(used <= most,
               "an operation uses " + std::to_string(used / 1024) + " KiB of its 256 KiB of stack",
               "documents nested " + std::to_string(depth.levels) + " levels deep");
}

// ---- SUS-04
void neverBlocks(Trial& trial) {
  expectNone(trial, seenOf(trial), "/blocking", "it waited in a system call that stops the whole thread");
}

// ---- SUS-05
std::string enlarged(std::string const& body) {
  auto const open = body.find('{');
  if (open == std::string::npos) return body;
  auto out = body;
  out.insert(open + 1, "\"x_more\":\"" + std::string(1U << 20U, 'a') + "\",");
  return out;
}

void givesWay(Trial& trial) {
  constexpr std::int64_t most_us = 50'000; // of processor time, which no busy machine takes away
  World world;
  world.spoil = enlarged;
  probed(trial, std::move(world));
  if (deed(trial, "set", {{"meter", true}}).is_null()) return;
  if (!exercise(trial)) return;
  for (auto const& operation : trial.subject().plugin.manifest.operations) {
    Ask ask;
    ask.operation = operation;
    ask.raw_input = largeInput(1U << 20U);
    if (trial.run(std::move(ask)).death != Death::none) return;
  }
  auto const said = deed(trial, "tell");
  if (said.is_null()) return;
  auto const longest = integerOr(said, "/longest_slice_us", 0);
  trial.figure("longest_slice_us", static_cast<double>(longest));
  trial.expect(longest <= most_us, "it computes for more than 50 ms between two calls of the host",
               "documents of 1 MiB");
}

// ---- SUS-06
void keepsNothingOnTheThread(Trial& trial) {
  for (auto const& use : usesOf(trial.subject())) {
    auto& bench = probed(trial);
    auto theirs = askFor(use);
    theirs.account = "three"; // "two" is opened by the probe, and never is an account opened twice
    theirs = trial.prepared(std::move(theirs)); // before ours is done, and perhaps takes away what both name
    auto const ours = trial.prepared(askFor(use));
    json::object const other{{"operation", theirs.operation},
                             {"input", theirs.input},
                             {"account", bench.account("two")},
                             {"most", 4}};
    if (deed(trial, "set", {{"interleave", other}}).is_null()) return;
    if (trial.run(ours).death != Death::none) return;
    auto const said = deed(trial, "tell");
    if (said.is_null()) return;
    trial.expect(integerOr(said, "/thread_locals", 1) == 0,
                 "a thread_local variable was another one after the call had waited",
                 use.title + ", another account does the same meanwhile");
  }
}

constexpr Check kChecks[] = {
    {.id = "SUS-01", .run = waitsWithoutLocks, .brief = "/entities or /actions"},
    {.id = "SUS-02", .run = waitsOutsideOfHandlers, .brief = "/entities or /actions"},
    {.id = "SUS-03", .run = staysOnItsStack, .cases = depths, .brief = "/entities or /actions"},
    {.id = "SUS-04", .run = neverBlocks, .brief = "/entities or /actions"},
    {.id = "SUS-05", .run = givesWay, .brief = "/entities or /actions"},
    {.id = "SUS-06", .run = keepsNothingOnTheThread, .brief = "/entities or /actions"},
};

} // namespace

std::span<Check const> suspensionChecks() { return kChecks; }

} // namespace garland::certification
