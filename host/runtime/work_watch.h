// Whether a worker is at work as it should be, from witnesses that plugin code cannot talk to: the
// kernel's count of its processor time, and what it has left unread of what the host sent.
// Pure: the readings are handed in.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace garland::runtime {

class WorkWatch {
public:
  using Time = std::chrono::steady_clock::time_point;
  using Span = std::chrono::nanoseconds;

  struct Reading {
    Time now;
    Span processor{0};       // used since its start
    std::size_t unread = 0;  // bytes that wait for it
    std::uint64_t heard = 0; // messages that came from it since its start
    bool has_calls = false;
    std::uint64_t begun = 0; // calls since its start; short ones begin and end between two readings
  };

  // Sanitizers and unoptimised code make honest work slower.
#if defined(GARLAND_SANITIZER_BUILD) || !defined(NDEBUG)
  static constexpr int kPatience = 5;
#else
  static constexpr int kPatience = 1;
#endif
  // Processor time without a word to the host, while a call is in flight.
  static constexpr std::chrono::seconds kSilent{3 * kPatience};
  // It always reads, between any two slices of its calls.
  static constexpr std::chrono::seconds kDeaf{3 * kPatience};
  // Between two looks so far apart the host itself stood still: nobody knows what was read meanwhile.
  static constexpr std::chrono::seconds kUnseen{1};
  // Processor time within the window, while no call is in flight.
  static constexpr std::chrono::milliseconds kIdleWork{200 * kPatience};
  static constexpr std::chrono::seconds kIdleWindow{kPatience};

  // Why the worker has to go, going on from "it ..."; nothing if all is well.
  std::optional<std::string> look(Reading const& reading) {
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
    if (reads || reading.now - last->now >= kUnseen) read_at_ = reading.now;
    if (!reading.has_calls) return lookIdle(reading);
    if (reading.processor - spoken_at_ >= kSilent)
      return "it used " + std::to_string(kSilent.count()) + " s of processor time without a word to the host";
    if (reading.unread > 0 && reading.now - read_at_ >= kDeaf)
      return "it has not read for " + std::to_string(kDeaf.count()) + " s what the host sends";
    return std::nullopt;
  }

private:
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
    read_at_ = idle_since_ = reading.now;
  }

  std::optional<Reading> last_;
  Span spoken_at_{0}; // its processor time when it last said something
  Time read_at_{};
  Time idle_since_{};
  Span idle_processor_{0};
};

} // namespace garland::runtime
