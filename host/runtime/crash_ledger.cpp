#include "host/runtime/crash_ledger.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <set>

namespace garland::runtime {
namespace {

// The length of each part is in its hash, so that parts cannot lend each other bytes.
CallKey mixed(CallKey seed, std::string_view part) {
  return XXH3_64bits_withSeed(part.data(), part.size(), seed + part.size());
}

} // namespace

CallKey callKey(std::uint64_t seed, std::string_view digest, std::string_view operation,
                std::string_view account_id, std::string_view input) {
  return mixed(mixed(mixed(mixed(seed, digest), operation), account_id), input);
}

void RecentCalls::add(CallKey key) {
  if (keys_.size() < kMost) {
    keys_.push_back(key);
    return;
  }
  keys_[next_] = key;
  next_ = (next_ + 1) % kMost;
}

void CrashLedger::strike(std::vector<CallKey> const& keys, CallKey innocent, Monotonic now) {
  for (auto const key : std::set<CallKey>(keys.begin(), keys.end())) {
    if (key == innocent) continue;
    auto& entry = touch(key, now);
    std::erase_if(entry.strikes, [&](Monotonic when) { return now - when >= kStrikesWithin; });
    entry.strikes.push_back(now);
    if (entry.strikes.size() < kStrikes) continue;
    entry.strikes.clear();
    entry.alone_until = now + kAloneFor;
  }
}

void CrashLedger::suspect(CallKey key, Monotonic now) { touch(key, now).alone_until = now + kAloneFor; }

void CrashLedger::park(CallKey key, std::string account_id, std::string reason, Monotonic now) {
  auto& entry = touch(key, now);
  entry.parked_until = now + kParkedFor;
  entry.alone_until = now + kAloneFor;
  entry.account_id = std::move(account_id);
  entry.reason = std::move(reason);
}

std::size_t CrashLedger::forgive(std::string_view account_id, Monotonic now) {
  std::size_t forgiven = 0;
  for (auto& [key, entry] : entries_) {
    if (entry.account_id != account_id) continue;
    if (now < entry.parked_until) ++forgiven;
    entry.parked_until = Monotonic::min();
  }
  return forgiven;
}

bool CrashLedger::runsAlone(CallKey key, Monotonic now) const {
  auto const found = entries_.find(key);
  return found != entries_.end() && now < found->second.alone_until;
}

std::string const* CrashLedger::parked(CallKey key, Monotonic now) const {
  auto const found = entries_.find(key);
  if (found == entries_.end() || now >= found->second.parked_until) return nullptr;
  return &found->second.reason;
}

std::optional<Monotonic> CrashLedger::parkedUntil(CallKey key, Monotonic now) const {
  if (!parked(key, now)) return std::nullopt;
  return entries_.at(key).parked_until;
}

CrashLedger::Entry& CrashLedger::touch(CallKey key, Monotonic now) {
  if (entries_.size() >= kMost && !entries_.contains(key)) {
    auto const quiet = [](auto const& a, auto const& b) { return a.second.touched < b.second.touched; };
    entries_.erase(std::ranges::min_element(entries_, quiet));
  }
  auto& entry = entries_[key];
  entry.touched = now;
  return entry;
}

} // namespace garland::runtime
