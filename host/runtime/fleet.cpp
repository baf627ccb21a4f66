#include "host/runtime/fleet.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <algorithm>

namespace garland::runtime {
namespace {

constexpr std::size_t kMostAccounts = 1000; // whose state one worker may hand on
constexpr char kForOneCall = '#';           // begins a share that no vendor's id can be
constexpr std::chrono::minutes kOfLate{10}; // that a build has worked

bool isForOneCall(std::string const& share) { return share.starts_with(kForOneCall); }

} // namespace

Fleet::Fleet(asio::any_io_executor executor, Clock& clock, Random& random, Log const& log,
             SupervisorOptions options)
    : executor_(std::move(executor)), clock_(clock), random_(random), log_(log), options_(std::move(options)),
      stop_watching_(std::make_shared<asio::cancellation_signal>()) {}

Fleet::~Fleet() = default;

// ---------------------------------------------------------------- leases

Fleet::Lease::Lease(std::shared_ptr<Fleet> fleet, std::shared_ptr<Place> place)
    : fleet_(std::move(fleet)), place_(std::move(place)) {
  ++place_->users;
}

Fleet::Lease::~Lease() {
  if (place_) fleet_->release(place_);
}

std::shared_ptr<PluginSlot> const& Fleet::Lease::slot() const { return place_->slot; }

std::string Fleet::Lease::takeState(std::string const& account_id) const {
  return fleet_->takeState(place_->build, account_id);
}

Fleet::Lease Fleet::lease(Build const& build, std::string const& vendor_id, std::string const& account_id) {
  auto place = placeFor(build, vendor_id);
  if (place->accounts.size() < kMostAccounts) place->accounts.insert(account_id);
  watchIdle();
  return {shared_from_this(), std::move(place)};
}

void Fleet::release(std::shared_ptr<Place> const& place) {
  if (--place->users > 0) return;
  place->used_at = clock_.monotonic();
  if (isForOneCall(place->share) && !place->leaving) letGo(place);
  if (place->leaving) place->unused.set();
}

Isolation Fleet::isolationOf(std::string const& plugin_id) const {
  auto const own = options_.isolation_of.find(plugin_id);
  return own == options_.isolation_of.end() ? options_.isolation : own->second;
}

std::shared_ptr<Fleet::Place> Fleet::placeFor(Build const& build, std::string const& vendor_id) {
  auto const isolation = isolationOf(build->manifest.id);
  std::string share;
  if (isolation == Isolation::vendor) share = vendor_id;
  if (isolation == Isolation::operation) share = kForOneCall + std::to_string(next_share_++);
  auto& place = places_[Key(build->digest, share)];
  if (place) return place;
  place = std::make_shared<Place>(executor_, build, std::move(share));
  place->idle = isolation == Isolation::plugin ? options_.idle : options_.idle_vendor;
  place->used_at = clock_.monotonic();
  bool const one_call = isolation == Isolation::operation;
  auto shared = one_call ? wardOf(build, vendor_id) : nullptr;
  auto const whose = isolation == Isolation::plugin ? std::string() : vendor_id;
  place->slot = std::make_shared<PluginSlot>(executor_, clock_, random_, log_, options_, spawner_, *build,
                                             whose, std::move(shared));
  return place;
}

// ---------------------------------------------------------------- whom a misdeed concerns

std::shared_ptr<WorkerRecord> Fleet::wardOf(Build const& build, std::string const& vendor_id) {
  forgetCleanWards();
  auto& ward = wards_[Key(build->digest, vendor_id)];
  if (!ward.record)
    ward = {build, std::make_shared<WorkerRecord>(options_.restart_base, options_.restart_cap, random_)};
  return ward.record;
}

void Fleet::forgetCleanWards() {
  std::erase_if(wards_, [now = clock_.now()](auto const& each) {
    auto const& record = each.second.record;
    return record.use_count() == 1 && record->isClean(now);
  });
}

void Fleet::answered(Build const& build, std::string const& vendor_id) {
  auto& [newest, other] = witnesses_[build->digest];
  if (newest.vendor_id != vendor_id) other = std::exchange(newest, {vendor_id, {}});
  newest.at = clock_.monotonic();
}

bool Fleet::worksForOthers(std::string const& digest, std::string const& vendor_id) const {
  auto const found = witnesses_.find(digest);
  if (found == witnesses_.end()) return false;
  return std::ranges::any_of(found->second, [&](Witness const& witness) {
    return !witness.vendor_id.empty() && witness.vendor_id != vendor_id &&
           clock_.monotonic() - witness.at < kOfLate;
  });
}

bool Fleet::release(std::string_view plugin_id) {
  auto const wards = std::erase_if(wards_, [&](auto const& each) {
    return each.second.build->manifest.id == plugin_id &&
           each.second.record->policy.state() != RestartPolicy::State::open;
  });
  std::vector<std::shared_ptr<Place>> closed;
  for (auto const& [key, place] : places_)
    if (place->build->manifest.id == plugin_id && place->slot->isShut()) closed.push_back(place);
  for (auto const& place : closed) { // the next call makes a new one
    letGo(place);
    if (place->users == 0) place->unused.set();
  }
  return wards + closed.size() > 0;
}

// ---------------------------------------------------------------- idle workers

void Fleet::watchIdle() {
  if (stopping_ || std::exchange(watching_, true)) return;
  auto watching = watch(weak_from_this(), &clock_, stop_watching_);
  asio::co_spawn(executor_, std::move(watching),
                 asio::bind_cancellation_slot(stop_watching_->slot(), asio::detached));
}

asio::awaitable<void> Fleet::watch(std::weak_ptr<Fleet> weak, Clock* clock,
                                   std::shared_ptr<asio::cancellation_signal>) {
  while (true) {
    auto fleet = weak.lock();
    if (!fleet || !fleet->watching_) co_return;
    fleet->restIdle();
    if (fleet->places_.empty()) {
      fleet->watching_ = false;
      co_return;
    }
    auto const pause = fleet->untilNextIdle();
    fleet.reset();
    auto const slept = co_await clock->sleepFor(pause);
    if (!slept) co_return;
  }
}

// The signal may be given once, and only while somebody watches: afterwards its slot refers to a timer that
// is gone.
void Fleet::stopWatching() {
  if (std::exchange(watching_, false)) stop_watching_->emit(asio::cancellation_type::all);
}

void Fleet::restIdle() {
  forgetCleanWards();
  auto const now = clock_.monotonic();
  for (auto each = places_.begin(); each != places_.end();) {
    auto& place = *each->second;
    bool const idle = place.users == 0 && now - place.used_at >= place.idle;
    if (idle && place.slot->hasWorker()) {
      place.slot->rest();
      place.accounts.clear();
    }
    // The slot of a vendor who has gone away is worth no memory, unless it remembers a misdeed.
    bool const forget = idle && !place.share.empty() && place.slot->isClean();
    each = forget ? places_.erase(each) : std::next(each);
  }
}

Milliseconds Fleet::untilNextIdle() const {
  auto const now = clock_.monotonic();
  auto next = std::min(options_.idle, options_.idle_vendor);
  for (auto const& [key, place] : places_) {
    if (place->users > 0 || !place->slot->hasWorker()) continue;
    next = std::min(next, std::chrono::ceil<Milliseconds>(place->used_at + place->idle - now));
  }
  return std::max(next, Milliseconds(1));
}

// ---------------------------------------------------------------- leaving

Task<void> Fleet::tryOut(Build build) {
  auto const trial = lease(build, "", "");
  auto const& slot = trial.slot();
  CO_TRY(worker, co_await slot->acquire(options_.handshake));
  slot->release(worker, PluginSlot::Use::lived);
  co_return Result<void>();
}

void Fleet::retire(Build const& build, Build const& heir) {
  redirectStates(build, heir);
  witnesses_.erase(build->digest);
  std::erase_if(wards_, [&](auto const& each) { return each.second.build == build; });
  std::vector<std::shared_ptr<Place>> leaving;
  for (auto const& [key, place] : places_)
    if (place->build == build) leaving.push_back(place);
  for (auto const& place : leaving) {
    place->heir = heir;
    letGo(place);
    if (place->users == 0) place->unused.set();
  }
}

// What it knows it does not hand on either.
void Fleet::withdraw(std::function<Result<void>(PluginInfo const&)> const& may_run) {
  for (auto const& place : all()) {
    auto const judged = may_run(*place->build);
    if (judged) continue;
    place->heir = nullptr;
    place->slot->withdraw(judged.error());
  }
}

void Fleet::letGo(std::shared_ptr<Place> place) {
  place->leaving = true;
  places_.erase(Key(place->build->digest, place->share));
  leaving_.push_back(place);
  asio::co_spawn(executor_, leave(shared_from_this(), std::move(place)), asio::detached);
}

// ---------------------------------------------------------------- all of them

std::vector<std::shared_ptr<Fleet::Place>> Fleet::all() const {
  auto out = leaving_;
  for (auto const& [key, place] : places_) out.push_back(place);
  return out;
}

std::vector<WorkerStatus> Fleet::workers() const {
  std::vector<WorkerStatus> out;
  for (auto const& place : all()) {
    if (!place->slot) continue;
    auto status = place->slot->status();
    status.version = place->build->manifest.version;
    if (place->leaving && status.in_flight > 0) status.state = "draining";
    out.push_back(std::move(status));
  }
  for (auto const& [key, ward] : wards_) {
    if (ward.record->policy.state() == RestartPolicy::State::open || ward.record.use_count() > 1) continue;
    out.push_back(statusOf(ward, key.second));
  }
  std::ranges::sort(out, {}, [](WorkerStatus const& one) {
    return std::tie(one.plugin_id, one.vendor_id, one.version, one.pid);
  });
  return out;
}

WorkerStatus Fleet::statusOf(Ward const& ward, std::string const& vendor_id) {
  auto const& manifest = ward.build->manifest;
  bool const for_good = ward.record->policy.state() == RestartPolicy::State::quarantined;
  WorkerStatus out;
  out.plugin_id = manifest.id;
  out.version = manifest.version;
  out.vendor_id = vendor_id;
  out.state = for_good ? "quarantined" : "half open";
  out.last_exit = ward.record->last_exit;
  out.digest = ward.build->digest;
  out.last_crash = ward.record->last_crash;
  if (for_good)
    out.quarantine = quarantineError(manifest, vendor_id, ward.record->quarantineReason()).message;
  return out;
}

std::size_t Fleet::busy() const {
  auto count = handing_over_;
  for (auto const& place : all()) count += place->users;
  return count;
}

void Fleet::refuseCalls() {
  stopping_ = true;
  stopWatching();
  for (auto const& place : all()) place->slot->refuseCalls();
}

void Fleet::cancelCalls() {
  for (auto const& place : all()) place->slot->cancelCalls();
}

Task<void> Fleet::end() {
  auto const self = shared_from_this();
  auto const places = all();
  for (auto const& place : places) place->slot->askToEnd();
  for (auto const& place : places) co_await place->slot->ended();
  places_.clear();
  leaving_.clear();
  co_return Result<void>();
}

void Fleet::drop() {
  stopping_ = true;
  stopWatching();
  for (auto const& place : all()) place->slot.reset();
  places_.clear();
  leaving_.clear();
}

} // namespace garland::runtime
