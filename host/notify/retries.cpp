#include "host/notify/retries.h"

#include <algorithm>
#include <array>

namespace garland::notify {
namespace {

using namespace std::chrono_literals;

constexpr std::array<Milliseconds, 9> kPauses = {5s, 30s, 2min, 10min, 30min, 1h, 2h, 4h, 8h};
constexpr Milliseconds kLongestRest{60'000};

} // namespace

Milliseconds pauseAfter(std::int64_t tries, std::optional<Milliseconds> retry_after, Random& random) {
  auto const last = static_cast<std::int64_t>(kPauses.size()) - 1;
  auto const longest = kPauses[static_cast<std::size_t>(std::clamp<std::int64_t>(tries - 1, 0, last))];
  auto const span = static_cast<std::uint64_t>(longest.count()) + 1;
  Milliseconds const drawn(static_cast<std::int64_t>(random.next() % span));
  return std::max(drawn, std::min(retry_after.value_or(0ms), kPauses.back()));
}

Milliseconds restAfter(std::int64_t failures) {
  return std::min(Milliseconds(1'000LL << std::clamp<std::int64_t>(failures - 1, 0, 10)), kLongestRest);
}

} // namespace garland::notify
