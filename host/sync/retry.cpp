#include "host/sync/retry.h"

#include <boost/nowide/utf/utf.hpp>

#include <algorithm>

namespace garland::sync {
namespace {

constexpr std::size_t kMostReason = 2'000;
constexpr Milliseconds kFirstPause{5'000};
constexpr Milliseconds kLongestPause{3'600'000};

} // namespace

bool passes(Error const& error) {
  switch (error.kind) {
  case ErrorKind::transient:
  case ErrorKind::rateLimited:
  case ErrorKind::cancelled: return true;
  default: return error.provider_code == "worker_died";
  }
}

Milliseconds pauseAfter(std::int64_t attempts, std::optional<Milliseconds> retry_after, Random& random) {
  auto const doubled = kFirstPause * (std::int64_t{1} << std::clamp<std::int64_t>(attempts - 1, 0, 20));
  auto const choices = static_cast<std::uint64_t>(std::min(doubled, kLongestPause).count()) + 1;
  Milliseconds const drawn(static_cast<std::int64_t>(random.next() % choices));
  return std::max(retry_after.value_or(Milliseconds(0)), Milliseconds(0)) + drawn;
}

std::string cut(std::string const& text) {
  namespace utf = boost::nowide::utf;
  std::string out;
  for (auto at = text.begin(); at != text.end();) {
    if (out.size() > kMostReason) return out + "...";
    auto const begin = at;
    auto const character = utf::utf_traits<char>::decode(at, text.end());
    if (!utf::is_valid_codepoint(character))
      out += "\xEF\xBF\xBD";
    else if (character < 0x20 || character == 0x7F)
      out += ' ';
    else
      out.append(begin, at);
  }
  return out;
}

} // namespace garland::sync
