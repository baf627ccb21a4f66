#include "certification/names.h"

#include "host/base/ids.h"
#include "host/vault/vault.h"

namespace garland::certification {
namespace {

TimePoint constexpr kNewest{Milliseconds(1'767'225'600'000)}; // when every case begins
constexpr std::uint64_t kYear = 365ULL * 24 * 3600 * 1000;    // ms

std::uint64_t numberOf(std::string const& name) {
  return std::stoull(vault::sha256Hex(name).substr(0, 16), nullptr, 16);
}

} // namespace

std::string idNamed(std::string_view prefix, std::string const& name) {
  auto const number = numberOf(name);
  VirtualClock const made(kNewest - Milliseconds(static_cast<std::int64_t>(number % kYear)));
  SeededRandom random(number);
  return newId(prefix, made, random);
}

// The version and the variant of RFC 9562, as host/sync has it.
std::string keyNamed(std::string const& name) {
  auto const hex = vault::sha256Hex("key of " + name);
  return hex.substr(0, 8) + "-" + hex.substr(8, 4) + "-8" + hex.substr(12, 3) + "-a" + hex.substr(15, 3) +
         "-" + hex.substr(18, 12);
}

} // namespace garland::certification
