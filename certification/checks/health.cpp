// Checks of what a connector says about itself: the right kind of trouble, a hint that mends it, and no alarm
// where nothing lasts.
#include "certification/checks/pulls.h"

#include <algorithm>
#include <cstdlib>

namespace garland::certification {
namespace {

std::string noHealth(Subject const& subject) {
  return subject.offers("health.check/1") ? "" : "the manifest does not name health.check/1";
}

// Where nobody is asked nothing can be in trouble.
std::string noProvider(Subject const& subject) {
  if (auto why = noHealth(subject); !why.empty()) return why;
  auto const* hosts = garland::find(subject.plugin.manifest.document, "/hosts");
  bool const any = hosts != nullptr && hosts->is_array() && !hosts->get_array().empty();
  return any ? "" : "the manifest names no hosts";
}

Ask health() {
  Ask ask;
  ask.operation = "health.check/1";
  ask.deadline = std::chrono::seconds(30); // as long as the host waits for it
  return ask;
}

World worldOf(Trial const& trial) {
  World world;
  world.seed = trial.seed();
  return world;
}

bool isRight(Fault const& fault, ErrorKind kind) {
  return (fault.right & (std::uint32_t{1} << static_cast<unsigned>(kind))) != 0;
}

// ---- HLT-02
std::vector<std::string> inducedFaults(Subject const&, Profile) {
  return {"refused",
          "dns_failure",
          "tls_failure",
          "timeout_before_send",
          "timeout_after_send",
          "reset_before_headers",
          "status_401",
          "status_403",
          "status_429_seconds",
          "status_500",
          "status_503",
          "wrong_content_type"};
}

// Lasting trouble: every request meets it.
void tellsItsTrouble(Trial& trial) {
  auto const& fault = *faultNamed(trial.caseName());
  auto const clean = trial.mustRun(health(), "without a fault");
  if (!clean.ok() || clean.exchanges.empty()) {
    trial.expect(!clean.ok() || !clean.exchanges.empty(), "it says that all is well, and has asked nobody",
                 "health.check/1");
    return;
  }
  trial.newBench(worldOf(trial));
  auto ask = health();
  ask.fault = FaultOrder{.fault = &fault, .at = 0, .lasts = true};
  auto const journal = trial.run(std::move(ask));
  auto const step = std::string(fault.says);
  if (trial.expect(!journal.result, "it says that all is well", step))
    trial.expect(isRight(fault, journal.result.error().kind), "it ended with " + journal.ending(), step);
  trial.expect(journal.took <= std::chrono::seconds(30),
               "it took " + std::to_string(journal.took.count()) + " ms to say so", step);
  trial.bench().wait(std::chrono::minutes(10));
  trial.mustRun(health(), step + ", then it is over");
}

// ---- HLT-03
std::vector<std::string> repairs(Subject const& subject, Profile) {
  std::vector<std::string> out;
  if (subject.brief.credentials(SignIn::revoked) != nullptr) out.emplace_back("sign_in");
  auto const* all = garland::find(subject.brief.document, "/repairs");
  if (all != nullptr && all->is_array())
    for (std::size_t i = 0; i < all->get_array().size(); ++i) out.push_back("setting-" + std::to_string(i));
  return out;
}

void expectWords(Trial& trial, Error const& error, std::string const& step) {
  trial.expect(error.message.size() >= 20, "its sentence does not say what to do: \"" + error.message + "\"",
               step);
}

void mendsTheSignIn(Trial& trial) {
  auto world = worldOf(trial);
  world.sign_in = SignIn::revoked;
  trial.newBench(std::move(world));
  auto const journal = trial.run(health());
  if (!trial.expect(!journal.result && journal.result.error().kind == ErrorKind::authRevoked,
                    "a revoked sign-in is not told as one: " + journal.ending(), "health.check/1"))
    return;
  expectWords(trial, journal.result.error(), "health.check/1");
  trial.newBench(worldOf(trial)); // connected anew, as the kind says
  trial.mustRun(health(), "after connecting anew");
}

// The member of the settings that the error names, with the value that the brief knows to be good.
bool mend(json::value& settings, json::value const& good, std::string const& field) {
  auto const pointer = field.starts_with("/settings/") ? field.substr(9) : field;
  if (pointer.empty() || pointer.find('/', 1) != std::string::npos) return false;
  auto const member = pointer.substr(1);
  auto const* value = good.is_object() ? good.get_object().if_contains(member) : nullptr;
  if (value != nullptr)
    settings.as_object()[member] = *value;
  else
    settings.as_object().erase(member);
  return true;
}

void hintsMend(Trial& trial) {
  if (trial.caseName() == "sign_in") return mendsTheSignIn(trial);
  auto const index = static_cast<std::size_t>(std::atoll(trial.caseName().c_str() + 8));
  auto const& repair = garland::find(trial.subject().brief.document, "/repairs")->get_array().at(index);
  auto const step = textOr(repair, "/says", trial.caseName());
  auto const* broken = garland::find(repair, "/settings");
  auto const* input = garland::find(repair, "/input");
  if (broken == nullptr || !broken->is_object())
    return trial.giveUp("certification.json: /repairs: \"settings\" is missing");
  auto const ask = [&] {
    Ask out = health();
    out.operation = textOr(repair, "/operation", "health.check/1");
    out.input = input == nullptr ? json::value(json::object()) : *input;
    return out;
  };
  auto world = worldOf(trial);
  world.settings = *broken;
  trial.newBench(std::move(world));
  auto const journal = trial.run(ask());
  if (!trial.expect(!journal.result && journal.result.error().kind == ErrorKind::invalidInput,
                    "a wrong setting ended with: " + journal.ending(), step))
    return;
  auto const& error = journal.result.error();
  expectWords(trial, error, step);
  world = worldOf(trial);
  world.settings = *broken;
  if (!trial.expect(mend(world.settings, trial.subject().brief.settings(), error.field),
                    "it names no setting: \"" + error.field + "\"", step))
    return;
  trial.newBench(std::move(world));
  auto const mended = trial.run(ask());
  trial.expect(mended.ok(),
               "with \"" + error.field + "\" set right, as it says, it still fails: " + mended.ending(),
               step);
}

// ---- HLT-04
void keepsQuiet(Trial& trial) {
  constexpr std::string_view noise[] = {"refused",    "timeout_before_send", "reset_before_headers",
                                        "slow_body",  "status_502",          "status_503",
                                        "status_429", "reset_mid_body"};
  trial.newBench(worldOf(trial));
  auto state = trial.seed();
  auto const roll = [&state](std::uint64_t below) {
    state = state * 6'364'136'223'846'793'005U + 1'442'695'040'888'963'407U;
    return (state >> 33U) % below;
  };
  for (int i = 0; i < 24 * 12; ++i) {
    auto ask = health();
    Fault const* fault = roll(6) == 0 ? faultNamed(noise[roll(std::size(noise))]) : nullptr;
    if (fault != nullptr) ask.fault = FaultOrder{.fault = fault, .at = 0};
    auto const journal = trial.run(std::move(ask));
    auto const step =
        "hour " + std::to_string(i / 12) + (fault == nullptr ? "" : ", " + std::string(fault->says));
    if (journal.death != Death::none) return;
    if (fault == nullptr)
      trial.expect(journal.ok(), "all is well, and it ended with: " + journal.ending(), step);
    else
      trial.expect(journal.ok() || isRight(*fault, journal.result.error().kind),
                   "trouble that passes ended with: " + journal.ending(), step);
    trial.bench().wait(std::chrono::minutes(5));
  }
}

constexpr Check kChecks[] = {
    {.id = "HLT-02", .run = tellsItsTrouble, .skip = noProvider, .cases = inducedFaults},
    {.id = "HLT-03",
     .run = hintsMend,
     .skip = noProvider,
     .cases = repairs,
     .brief = "/credentials/revoked or /repairs"},
    {.id = "HLT-04", .run = keepsQuiet, .skip = noProvider},
};

} // namespace

std::span<Check const> healthChecks() { return kChecks; }

} // namespace garland::certification
