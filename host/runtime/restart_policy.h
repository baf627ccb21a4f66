// Whether the next worker of a build may start: at once, after a pause, for one trial call, or never.
//
// The first death costs nothing, then pauses grow (Backoff). Five deaths within a minute make it half
// open: one trial call every 30 s, everybody else is turned away. A trial that survives closes the
// matter; three that die quarantine the build until it is replaced or somebody lifts that.
// Pure: time is handed in.
#pragma once

#include "host/runtime/backoff.h"

#include <deque>
#include <utility>

namespace garland::runtime {

class RestartPolicy {
public:
  enum class State { open, halfOpen, quarantined };
  enum class Gate {
    go,    // a worker may be started or used
    pause, // not before nextTry(); who is patient may wait
    trial, // for one call: beginTrial(), then trialPassed(), trialDropped() or a death
    away,  // turned away until nextTry()
    never, // quarantined
  };

  static constexpr std::size_t kDeaths = 5;
  static constexpr std::chrono::seconds kDeathsWithin{60};
  static constexpr std::chrono::seconds kTrialEvery{30};
  static constexpr int kTrials = 3;

  RestartPolicy(Milliseconds base, Milliseconds cap, Random& random) : backoff_(base, cap, random) {}

  Gate gate(Monotonic now) const {
    switch (state_) {
    case State::open: return backoff_.waits(now) ? Gate::pause : Gate::go;
    case State::halfOpen: return !in_trial_ && now >= next_trial_ ? Gate::trial : Gate::away;
    case State::quarantined: return Gate::never;
    }
    return Gate::never;
  }
  // Only a hint while a trial is under way: nobody knows when that ends.
  Monotonic nextTry() const { return state_ == State::halfOpen ? next_trial_ : backoff_.notBefore(); }
  State state() const { return state_; }
  int failedTrials() const { return failed_trials_; }

  // A worker died at `now`; true if that changed the state.
  bool died(Monotonic now) {
    backoff_.died(now);
    if (state_ == State::quarantined) return false;
    if (state_ == State::halfOpen) {
      in_trial_ = false;
      next_trial_ = now + kTrialEvery;
      if (++failed_trials_ < kTrials) return false;
      state_ = State::quarantined;
      return true;
    }
    deaths_.push_back(now);
    while (now - deaths_.front() >= kDeathsWithin) deaths_.pop_front();
    if (deaths_.size() < kDeaths) return false;
    state_ = State::halfOpen;
    failed_trials_ = 0;
    next_trial_ = now + kTrialEvery;
    return true;
  }
  // The host could not start a worker at `now`: the next try waits, and the build is not blamed.
  void notStarted(Monotonic now) {
    backoff_.died(now);
    if (state_ != State::halfOpen) return;
    in_trial_ = false;
    next_trial_ = now + kTrialEvery;
  }
  void beginTrial(Monotonic now) {
    in_trial_ = true;
    next_trial_ = now + kTrialEvery;
  }
  // It said nothing about the worker: the next call is the trial. Nothing if it ended by a death.
  void trialDropped(Monotonic now) {
    if (!std::exchange(in_trial_, false)) return;
    next_trial_ = now;
  }
  void trialPassed() {
    state_ = State::open;
    in_trial_ = false;
    failed_trials_ = 0;
    deaths_.clear();
    backoff_.reset();
  }

private:
  Backoff backoff_;
  State state_ = State::open;
  std::deque<Monotonic> deaths_; // of the last minute
  bool in_trial_ = false;
  Monotonic next_trial_{0};
  int failed_trials_ = 0;
};

} // namespace garland::runtime
