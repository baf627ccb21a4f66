// Whether a worker is at work as it should be, from witnesses that plugin code cannot talk to: the
// kernel's count of its processor time, whether it sleeps, and what it has left unread of what the host
// sent. Which call holds its thread is a hint only (flight_view.h): it ends nobody but who gives it.
// Pure: the readings are handed in.
#pragma once

#include "host/runtime/own_time.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace garland::runtime {

class WorkWatch {
public:
  using Time = OwnTime::Time;
  using Span = OwnTime::Span;

  struct Reading {
    Time now;
    Span processor{0};       // used since its start
    std::size_t unread = 0;  // bytes that wait for it
    std::uint64_t heard = 0; // messages that came from it since its start
    bool has_calls = false;
    std::uint64_t begun = 0;  // calls since its start; short ones begin and end between two readings
    bool sleeps = false;      // at this moment
    std::uint64_t holder = 0; // the call that holds its thread; 0: none does
    std::uint64_t slices = 0; // counts up whenever a call gets the thread
    bool ends = false;        // it was asked to, or closed its connection: it reads no more
  };

  // Sanitizers and unoptimised code make honest work slower.
#if defined(GARLAND_SANITIZER_BUILD) || !defined(NDEBUG)
  static constexpr int kPatience = 5;
#else
  static constexpr int kPatience = 1;
#endif
  // Processor time without a word to the host, while a call is in flight.
  static constexpr std::chrono::seconds kSilent{3 * kPatience};
  // It always reads, between any two slices of its calls. Its own time, as the next.
  static constexpr std::chrono::seconds kDeaf{3 * kPatience};
  // So long one slice of a call may hold the worker's thread.
  static constexpr std::chrono::seconds kStalled{3 * kPatience};
  // The same by the clock on the wall: who gets hardly a processor, or is stuck in a system call, has longer.
  static constexpr std::chrono::seconds kStuck{30 * kPatience};
  // Processor time within the window, while no call is in flight.
  static constexpr std::chrono::milliseconds kIdleWork{200 * kPatience};
  static constexpr std::chrono::seconds kIdleWindow{kPatience};

  // Why the worker has to go, going on from "it ..."; nothing if all is well.
  std::optional<std::string> look(Reading const& reading) {
    own_.look(reading.now, reading.processor, reading.sleeps);
    lookAtHolder(reading);
    auto found = lookAtWork(reading);
    if (auto const held = heldFor(reading)) return held;
    return found;
  }

  // The worker's own time since the first reading.
  Span ownTime() const { return own_.sum(); }
  // The call that has held its thread for so much of that; 0: none has.
  std::uint64_t holderFor(Span least) const { return own_.sum() - held_since_own_ >= least ? holder_ : 0; }

private:
  void lookAtHolder(Reading const& reading) {
    if (reading.holder != 0 && reading.holder == holder_ && reading.slices == slices_) {
      // While the host itself stood still, the worker may have stood still with it.
      if (last_) held_since_ += std::max(Span::zero(), Span(reading.now - last_->now) - OwnTime::kUnseen);
      return;
    }
    holder_ = reading.holder;
    slices_ = reading.slices;
    held_since_ = reading.now;
    held_since_own_ = own_.sum();
  }

  std::optional<std::string> heldFor(Reading const& reading) const {
    bool const stuck = holder_ != 0 && reading.now - held_since_ >= kStuck;
    if (holderFor(kStalled) == 0 && !stuck) return std::nullopt;
    auto const span = std::to_string((stuck ? kStuck : kStalled).count()) + " s";
    return reading.has_calls ? "a call kept it busy for " + span + " without a pause"
                             : "it worked for " + span + " although no call ran";
  }

  std::optional<std::string> lookAtWork(Reading const& reading) {
    auto const last = std::exchange(last_, reading);
    if (!last) {
      restart(reading);
      return std::nullopt;
    }
    bool const called = !reading.has_calls && reading.begun != last->begun;
    if (reading.has_calls != last->has_calls || called) restart(reading);
    if (reading.heard != last->heard) spoken_at_ = reading.processor;
    // A worker that takes some of it reads.
    bool const reads = reading.unread == 0 || reading.unread < last->unread || last->unread == 0;
    if (reads || reading.now - last->now >= OwnTime::kUnseen) read_at_ = own_.sum();
    if (reading.ends) return std::nullopt;
    if (!reading.has_calls) return lookIdle(reading);
    if (reading.processor - spoken_at_ >= kSilent)
      return "it used " + std::to_string(kSilent.count()) + " s of processor time without a word to the host";
    if (reading.unread > 0 && own_.sum() - read_at_ >= kDeaf)
      return "it has not read for " + std::to_string(kDeaf.count()) + " s what the host sends";
    return std::nullopt;
  }

  std::optional<std::string> lookIdle(Reading const& reading) {
    if (reading.processor - idle_processor_ > kIdleWork)
      return "it used " + std::to_string(kIdleWork.count()) + " ms of processor time although no call ran";
    if (reading.now - idle_since_ >= kIdleWindow) {
      idle_since_ = reading.now;
      idle_processor_ = reading.processor;
    }
    return std::nullopt;
  }
  void restart(Reading const& reading) {
    spoken_at_ = idle_processor_ = reading.processor;
    read_at_ = own_.sum();
    idle_since_ = reading.now;
  }

  std::optional<Reading> last_;
  Span spoken_at_{0}; // its processor time when it last said something
  Span read_at_{0};   // its own time
  Time idle_since_{};
  Span idle_processor_{0};

  OwnTime own_;
  std::uint64_t holder_ = 0;
  std::uint64_t slices_ = 0;
  Time held_since_{};
  Span held_since_own_{0};
};

} // namespace garland::runtime
