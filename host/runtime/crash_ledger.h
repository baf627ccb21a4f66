// Which calls are suspected of ending workers, and what follows: they run with others, alone, or not
// at all for a while. A late heap corruption kills a worker long after the call that caused it has
// ended, so nobody is condemned for having been near once: only three times within an hour.
// Pure: time is handed in. It lives in memory only; a restarted daemon begins with a clean one.
#pragma once

#include "host/base/clock.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace garland::runtime {

// A call as one can recognise it: build of the plugin, operation, account and input. Made for every call, so
// it is a fast hash; the seed is nobody's to know, lest an input be made that is taken for somebody else's.
using CallKey = std::uint64_t;
CallKey callKey(std::uint64_t seed, std::string_view digest, std::string_view operation,
                std::string_view account_id, std::string_view input);

// The newest calls that one worker began.
class RecentCalls {
public:
  void add(CallKey key);
  std::vector<CallKey> const& keys() const { return keys_; }
  // True for the first who asks: one death gives one strike, however many calls it ended.
  bool strikeOnce() { return !std::exchange(struck_, true); }

private:
  static constexpr std::size_t kMost = 128;
  std::vector<CallKey> keys_;
  std::size_t next_ = 0;
  bool struck_ = false;
};

// [loop thread]
class CrashLedger {
public:
  static constexpr int kStrikes = 3;
  static constexpr std::chrono::hours kStrikesWithin{1};
  static constexpr std::chrono::hours kAloneFor{1};
  static constexpr std::chrono::minutes kParkedFor{10};
  static constexpr std::size_t kMost = 4096; // keys; the one that was quiet longest goes first

  // Those that ran in a worker that died without a culprit, or with the wrong one.
  void strike(std::vector<CallKey> const& keys, CallKey innocent, Monotonic now);
  // It was named: from now on it runs alone.
  void suspect(CallKey key, Monotonic now);
  // It ended a worker that had nothing else in it.
  void park(CallKey key, std::string account_id, std::string reason, Monotonic now);
  // What is parked for the account may run again, alone as before. How many calls that were.
  std::size_t forgive(std::string_view account_id, Monotonic now);

  bool runsAlone(CallKey key, Monotonic now) const;
  // Why it is not run at all; null if it may. After ten minutes it may again, alone.
  std::string const* parked(CallKey key, Monotonic now) const;
  std::optional<Monotonic> parkedUntil(CallKey key, Monotonic now) const;
  std::size_t size() const { return entries_.size(); }

private:
  struct Entry {
    std::vector<Monotonic> strikes;
    Monotonic alone_until = Monotonic::min();
    Monotonic parked_until = Monotonic::min();
    Monotonic touched{0};
    std::string account_id; // of the parked call
    std::string reason;
  };
  Entry& touch(CallKey key, Monotonic now);

  std::unordered_map<CallKey, Entry> entries_;
};

} // namespace garland::runtime
