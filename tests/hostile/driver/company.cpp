#include "tests/hostile/driver/company.h"
#include "tests/places/places.h"

#include <boost/asio/detached.hpp>
#include <garland/schemas.hpp>

#include <algorithm>
#include <unistd.h>

namespace garland::hostile {
namespace {

constexpr std::uint64_t kCallsMore = 8;

std::int64_t ownPeakKib() { return integerOr(lookAt(::getpid()), "/peak_kib", 0); }

} // namespace

runtime::PluginInfo installedIn(std::string const& folder, std::string_view id) {
  static auto const schema = Schema::compile(parseJson(schemas::schemaText("manifest.json")).value()).value();
  auto const catalogue = runtime::Catalogue::scan({folder}, schema);
  auto const* const found = catalogue.find(id);
  if (!found)
    throw std::runtime_error("there is no plugin in " + folder + "; build the target garland-hostile");
  if (!found->refusal.empty()) throw std::runtime_error(found->refusal);
  return *found;
}

runtime::PluginInfo installed(std::string_view id) {
  // Each has a folder of its own, so that one run reads no more than it needs.
  return installedIn(inBuild("/tests/hostile/plugins/") + std::string(id), id);
}

runtime::SupervisorOptions optionsFor(Tier const& tier) {
  runtime::SupervisorOptions options;
  options.worker_path = tier.workerPath();
  options.expected_tier = tier.letter == 'N' ? runtime::SandboxTier::a : tier.tier();
  options.allow_degraded_sandbox = tier.letter == 'D';
  options.isolation = runtime::Isolation::vendor;
  options.restart_base = Milliseconds(20);
  return options;
}

Company::Company(Stage& stage, Scene& scene)
    : stage_(stage), scene_(scene),
      plugin_(stage, installed("hostile.bystander"), kAttacker, "bystander.echo/1", true) {}

Task<void> Company::gather(std::optional<runtime::PluginInfo> suspect) {
  CO_TRY_VOID(co_await plugin_.warmUp(scene_.neighbourSecret()));
  if (suspect) {
    vendor_.emplace(stage_, *suspect, kOther, "hostile.ready/1", false);
    CO_TRY_VOID(co_await vendor_->warmUp(""));
    auto const mine = stage_.worker(suspect->manifest.id, kAttacker);
    auto const theirs = stage_.worker(suspect->manifest.id, kOther);
    apart_ = mine && theirs && mine->pid != theirs->pid;
  }
  if (!apart_) {
    vendor_.emplace(stage_, installed("hostile.bystander"), kOther, "bystander.echo/1", true);
    CO_TRY_VOID(co_await vendor_->warmUp(""));
  }
  CO_TRY_VOID(co_await plugin_.measure());
  CO_TRY_VOID(co_await vendor_->measure());
  size_before_ = ownPeakKib();
  asio::co_spawn(stage_.loop, plugin_.stream(), asio::detached);
  asio::co_spawn(stage_.loop, vendor_->stream(), asio::detached);
  CO_TRY_VOID(co_await stage_.clock.sleepFor(Milliseconds(1))); // both have begun
  co_return Result<void>();
}

Task<void> Company::moreCalls() {
  CO_TRY_VOID(co_await plugin_.atLeast(kCallsMore));
  CO_TRY_VOID(co_await vendor_->atLeast(kCallsMore));
  co_return Result<void>();
}

Task<void> Company::leave() {
  plugin_.stop();
  vendor_->stop();
  while (plugin_.streaming() || vendor_->streaming()) {
    CO_TRY_VOID(co_await stage_.clock.sleepFor(Milliseconds(1)));
  }
  co_return Result<void>();
}

pid_t Company::neighbour() const {
  auto const status = stage_.worker(plugin_.pluginId(), kAttacker);
  return status ? status->pid : 0;
}

void Company::report(Verdict& verdict) const {
  verdict.vendor_apart = apart_;
  verdict.host_grew_kib = ownPeakKib() - size_before_;
  verdict.bystander_late_means = std::max(plugin_.late(), vendor_->late());
  for (auto const* const witness : {&plugin_.witness(), &vendor_->witness()}) {
    verdict.bystander_calls += witness->calls;
    verdict.bystander_lost += witness->lost;
    verdict.bystander_wrong += witness->wrong;
    verdict.bystander_late += witness->late;
    verdict.bystander_slowest = std::max(verdict.bystander_slowest, witness->slowest);
  }
}

std::string Company::trouble() const {
  for (auto const* const witness : {&plugin_.witness(), &vendor_->witness()})
    if (!witness->unhurt())
      return witness->first_trouble.empty() ? "a bystander had no call" : witness->first_trouble;
  return {};
}

} // namespace garland::hostile
