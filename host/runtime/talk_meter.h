// How much a plugin may say that nobody needs: log lines beyond the limit, progress. Each costs the host the
// reading, so who sends them without end has to go. Pure: the time is handed in.
#pragma once

#include <chrono>
#include <cstddef>

namespace garland::runtime {

class TalkMeter {
public:
  using Time = std::chrono::steady_clock::time_point;

  static constexpr std::chrono::seconds kSpan{1};
  // Messages within the span; a long one counts as one more for every KiB.
  static constexpr std::size_t kMost = 10'000;

  // False if it is too much.
  bool hear(Time now, std::size_t bytes) {
    if (now - since_ >= kSpan) {
      since_ = now;
      heard_ = 0;
    }
    heard_ += 1 + bytes / 1024;
    return heard_ <= kMost;
  }

private:
  Time since_{};
  std::size_t heard_ = 0;
};

} // namespace garland::runtime
