#include "host/sync/hint_courier.h"

#include "host/base/store_error.h"
#include "host/sync/commits.h"
#include "host/sync/retry.h"

namespace garland::sync {
namespace {

constexpr std::size_t kAtOnce = 8; // as many runs go on at once
constexpr std::int64_t kMostHints = 500;

// What a repetition may cure, be it after somebody has reconnected the account.
bool waits(Error const& error) {
  return passes(error) || error.kind == ErrorKind::authExpired || error.kind == ErrorKind::authRevoked ||
         error.kind == ErrorKind::forbidden || error.kind == ErrorKind::quota;
}

} // namespace

std::string roundName(Owner const& owner) { return owner.vendor_id + "/" + owner.connection_id; }

Owner ownerNamed(std::string const& name) {
  auto const slash = name.find('/');
  return Owner{name.substr(0, slash), name.substr(slash + 1)};
}

HintCourier::HintCourier(Context& context, Connections& connections, WebhookStore& store, Runs& runs)
    : context_(context), connections_(connections), store_(store), runs_(runs),
      rounds_(context, kAtOnce, [this](std::string name) { return round(std::move(name)); }) {}

Task<void> HintCourier::start() {
  CO_TRY_VOID(co_await wake());
  rounds_.start();
  co_return Result<void>();
}

Task<void> HintCourier::wake() {
  CO_TRY(owners, co_await store_.withHints());
  for (auto const& owner : owners)
    if (mine(context_, owner.connection_id)) due(owner);
  co_return Result<void>();
}

Task<void> HintCourier::catchUp() {
  CO_TRY(owners, co_await store_.withHints());
  for (auto const& owner : owners)
    if (mine(context_, owner.connection_id) && !rounds_.expects(roundName(owner))) due(owner);
  co_return Result<void>();
}

Task<std::optional<TimePoint>> HintCourier::round(std::string name) {
  auto const owner = ownerNamed(name);
  if (!mine(context_, owner.connection_id)) co_return std::optional<TimePoint>();
  CO_TRY(all, co_await store_.hintsOf(owner, kMostHints));
  if (all.empty()) co_return std::optional<TimePoint>();
  auto hints = co_await brought(owner, all);
  if (!hints) co_return co_await failed(owner, std::move(all), hints.error());
  if (hints->empty()) co_return std::optional<TimePoint>(context_.now());
  auto const ended = co_await follow(owner, *hints);
  if (context_.stopping) co_return std::optional<TimePoint>();
  if (!ended) co_return co_await failed(owner, std::move(*hints), passing(ended.error()));
  HintStamps open;
  if (ended->run.state != "done") {
    auto const& kinds = ended->kinds_failed;
    bool const all_open = ended->run.state != "partly failed" || kinds.empty();
    for (auto const& [what, stamp] : *hints)
      if (all_open || kinds.contains(what.first)) open[what] = stamp;
    for (auto const& [what, stamp] : open) hints->erase(what);
  }
  if (!hints->empty()) {
    CO_TRY_VOID(co_await store_.followed(owner, std::move(*hints)));
  }
  if (!open.empty()) co_return co_await failed(owner, std::move(open), ended->run.error.value_or(Error()));
  failing_.erase(owner.connection_id);
  co_return std::optional<TimePoint>(context_.now());
}

Task<HintStamps> HintCourier::brought(Owner owner, HintStamps hints) {
  CO_TRY(session, co_await connections_.open(owner.connection_id));
  HintStamps strange;
  for (auto const& [what, stamp] : hints) {
    auto const* const kind = context_.kind(what.first);
    if (kind == nullptr || !brings(session.plugin->manifest, kind->kind)) strange[what] = stamp;
  }
  if (strange.empty()) co_return hints;
  context_.doors.log.error("records that webhooks named are of kinds that " +
                               cut(session.plugin->manifest.name) + " does not bring (any more)",
                           json::object{{"connection", owner.connection_id}, {"records", strange.size()}});
  for (auto const& [what, stamp] : strange) hints.erase(what);
  CO_TRY_VOID(co_await store_.followed(std::move(owner), std::move(strange)));
  co_return hints;
}

Task<Runs::Ended> HintCourier::follow(Owner owner, HintStamps hints) {
  std::vector<Hint> wanted;
  for (auto const& [what, stamp] : hints) {
    Hint hint;
    hint.kind = what.first;
    hint.external_id = what.second;
    wanted.push_back(std::move(hint));
  }
  CO_TRY(begun, co_await runs_.hint(owner.connection_id, std::move(wanted)));
  co_return co_await runs_.waitForKinds(begun.id);
}

Task<std::optional<TimePoint>> HintCourier::failed(Owner owner, HintStamps hints, Error error) {
  if (error.kind == ErrorKind::notFound) {
    // It is going, and its hints with it; or it is not, after all.
    if (rounds_.holds(roundName(owner))) co_return std::optional<TimePoint>(context_.now() + kRest);
    CO_TRY(there, co_await store_.hasConnection(owner));
    if (!there) {
      CO_TRY_VOID(co_await store_.followed(owner, std::move(hints)));
      co_return std::optional<TimePoint>(context_.now());
    }
  }
  auto const& failing = failedOnceMore(owner.connection_id, error);
  if (waits(error) || failing.runs < kMostAttempts) co_return std::optional<TimePoint>(failing.again);
  failing_.erase(owner.connection_id);
  context_.doors.log.error("records that webhooks named are left to the next poll: " + cut(error.message),
                           json::object{{"connection", owner.connection_id}, {"records", hints.size()}});
  CO_TRY_VOID(co_await store_.followed(owner, std::move(hints)));
  co_return std::optional<TimePoint>(context_.now());
}

// Each new hint is followed at once. That it fares no better than those that wait says nothing new, so it
// makes no pause longer.
HintCourier::Failing const& HintCourier::failedOnceMore(std::string const& connection_id,
                                                        Error const& error) {
  auto& failing = failing_[connection_id];
  auto const now = context_.now();
  bool const early = failing.last <= now && now < failing.again;
  if (early) return failing;
  failing.last = now;
  failing.again = now + pauseAfter(++failing.runs, error.retry_after, context_.doors.random);
  return failing;
}

} // namespace garland::sync
