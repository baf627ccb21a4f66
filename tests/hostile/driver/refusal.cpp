// Tier D: with neither Landlock nor a private root to be had, a plugin is loaded only if that was allowed.
#include "tests/hostile/driver/company.h"
#include "tests/hostile/driver/trial.h"

namespace garland::hostile {
namespace {

// How a call ends where only tier D can be had.
Result<json::value> callInTierD(Scene& scene, bool allowed) {
  Tier const tier{'D'};
  auto options = optionsFor(tier);
  options.allow_degraded_sandbox = allowed;
  Stage stage(scene, std::move(options));
  Host host(&scene);
  Result<json::value> out = Error(ErrorKind::transient, "no answer");
  auto const ask = [&]() -> Task<void> {
    out = co_await stage.call(installed("hostile.bystander"), kOther, "bystander.echo/1", json::object(),
                              Bystander::kDeadline, host);
    co_return Result<void>();
  };
  stage.run(ask());
  return out;
}

} // namespace

Verdict performRefusal(Setting const&) {
  Scene scene;
  Verdict verdict;
  auto const refused = callInTierD(scene, false);
  auto const allowed = callInTierD(scene, true);
  verdict.worker = refused ? "was started" : refused.error().message;
  verdict.what_stopped_it = "tier check";
  verdict.seen = scene.harm();
  bool const named = !refused && refused.error().kind == ErrorKind::unsupported &&
                     refused.error().message.find("tier D") != std::string::npos;
  if (!named) verdict.seen.emplace_back("a plugin was loaded in tier D, or the refusal does not name it");
  if (!allowed)
    verdict.seen.push_back("where tier D is allowed a plugin was not loaded: " + allowed.error().message);
  verdict.outcome = verdict.seen.empty() ? "stopped" : "got through";
  return verdict;
}

} // namespace garland::hostile
