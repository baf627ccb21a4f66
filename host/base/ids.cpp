#include "host/base/ids.h"

#include <algorithm>
#include <array>

namespace garland {
namespace {

constexpr std::string_view kCrockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr std::size_t kTimeCharacters = 10;
constexpr std::size_t kRandomCharacters = 16;

} // namespace

std::string idsBefore(std::string_view prefix, TimePoint when) {
  std::string id(prefix);
  id += '_';
  auto const ms = static_cast<std::uint64_t>(std::max(when, TimePoint()).time_since_epoch().count());
  for (std::size_t i = 0; i < kTimeCharacters; ++i)
    id += kCrockford[(ms >> (5 * (kTimeCharacters - 1 - i))) & 31U];
  return id;
}

std::string newId(std::string_view prefix, Clock const& clock, Random& random) {
  auto id = idsBefore(prefix, clock.now());
  std::array<std::byte, kRandomCharacters> noise{};
  random.fill(noise);
  for (auto const byte : noise) id += kCrockford[std::to_integer<std::size_t>(byte) & 31U];
  return id;
}

bool isId(std::string_view prefix, std::string_view text) {
  if (text.size() != prefix.size() + 1 + kTimeCharacters + kRandomCharacters) return false;
  if (!text.starts_with(prefix) || text[prefix.size()] != '_') return false;
  return text.find_first_not_of(kCrockford, prefix.size() + 1) == std::string_view::npos;
}

} // namespace garland
