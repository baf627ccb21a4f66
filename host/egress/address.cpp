// The ranges are those of IANA's special-purpose registries for IPv4 and IPv6. An IPv6 address that
// carries an IPv4 address is judged by the one inside it, because that is where packets end.
#include "host/egress/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <array>
#include <cstdint>
#include <cstring>

namespace garland::egress {
namespace {

struct Range4 {
  std::uint32_t base;
  int bits;
  AddressKind kind;
};

constexpr std::uint32_t ip(std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint32_t d) {
  return a << 24U | b << 16U | c << 8U | d;
}

constexpr auto kInside = AddressKind::inside;
constexpr auto kUnusable = AddressKind::unusable;

constexpr std::array kRanges4 = {
    Range4{ip(0, 0, 0, 0), 8, kUnusable},       // "this network"; 0.0.0.0 reaches loopback
    Range4{ip(10, 0, 0, 0), 8, kInside},        //
    Range4{ip(100, 64, 0, 0), 10, kInside},     // carrier-grade NAT
    Range4{ip(127, 0, 0, 0), 8, kInside},       //
    Range4{ip(169, 254, 0, 0), 16, kInside},    // link-local, where clouds keep their metadata
    Range4{ip(172, 16, 0, 0), 12, kInside},     //
    Range4{ip(192, 0, 0, 0), 24, kUnusable},    // protocol assignments
    Range4{ip(192, 0, 2, 0), 24, kUnusable},    // documentation
    Range4{ip(192, 88, 99, 0), 24, kUnusable},  // 6to4 relays, withdrawn
    Range4{ip(192, 168, 0, 0), 16, kInside},    //
    Range4{ip(198, 18, 0, 0), 15, kUnusable},   // benchmarks
    Range4{ip(198, 51, 100, 0), 24, kUnusable}, // documentation
    Range4{ip(203, 0, 113, 0), 24, kUnusable},  // documentation
    Range4{ip(224, 0, 0, 0), 4, kUnusable},     // multicast
    Range4{ip(240, 0, 0, 0), 4, kUnusable},     // reserved and broadcast
};

AddressKind kindOf4(std::uint32_t address) {
  for (auto const& range : kRanges4)
    if ((address ^ range.base) >> (32 - range.bits) == 0) return range.kind;
  return AddressKind::outside;
}

using Bytes16 = std::array<std::uint8_t, 16>;

struct Range6 {
  Bytes16 base;
  int bits;
};

bool isIn(Bytes16 const& address, Range6 const& range) {
  for (int bit = 0; bit < range.bits; bit += 8) {
    auto const at = static_cast<std::size_t>(bit / 8);
    auto const mask = range.bits - bit >= 8 ? 0xff : 0xff << (8 - (range.bits - bit)) & 0xff;
    if (((address[at] ^ range.base[at]) & mask) != 0) return false;
  }
  return true;
}

constexpr Range6 kMapped = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96};
constexpr Range6 kCompatible = {{}, 96};
constexpr Range6 kLoopback = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 128};
constexpr Range6 kNat64 = {{0, 0x64, 0xff, 0x9b}, 96};
constexpr Range6 kSixToFour = {{0x20, 0x02}, 16};
constexpr Range6 kUniqueLocal = {{0xfc}, 7};
constexpr Range6 kLinkLocal = {{0xfe, 0x80}, 10};
constexpr Range6 kSiteLocal = {{0xfe, 0xc0}, 10};
constexpr Range6 kGlobal = {{0x20}, 3};

constexpr std::array kUnusableGlobal = {
    Range6{{0x20, 0x01, 0x00, 0x00}, 23}, // protocol assignments, Teredo among them
    Range6{{0x20, 0x01, 0x0d, 0xb8}, 32}, // documentation
    Range6{{0x3f, 0xff}, 20},             // documentation
};

AddressKind kindOf6(Bytes16 const& address) {
  auto const inner = [&](std::size_t at) {
    return kindOf4(ip(address[at], address[at + 1], address[at + 2], address[at + 3]));
  };
  if (isIn(address, kLoopback)) return AddressKind::inside;
  if (isIn(address, kMapped) || isIn(address, kNat64)) return inner(12);
  if (isIn(address, kCompatible)) return AddressKind::unusable;
  if (isIn(address, kSixToFour)) return inner(2);
  if (isIn(address, kUniqueLocal) || isIn(address, kLinkLocal) || isIn(address, kSiteLocal))
    return AddressKind::inside;
  for (auto const& range : kUnusableGlobal)
    if (isIn(address, range)) return AddressKind::unusable;
  return isIn(address, kGlobal) ? AddressKind::outside : AddressKind::unusable;
}

} // namespace

AddressKind kindOf(sockaddr const& address) {
  if (address.sa_family == AF_INET) {
    sockaddr_in four{};
    std::memcpy(&four, &address, sizeof four);
    return kindOf4(ntohl(four.sin_addr.s_addr));
  }
  if (address.sa_family != AF_INET6) return AddressKind::unusable;
  sockaddr_in6 six{};
  std::memcpy(&six, &address, sizeof six);
  Bytes16 bytes{};
  std::memcpy(bytes.data(), &six.sin6_addr, bytes.size());
  return kindOf6(bytes);
}

std::string textOf(sockaddr const& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  char const* written = nullptr;
  if (address.sa_family == AF_INET) {
    sockaddr_in four{};
    std::memcpy(&four, &address, sizeof four);
    written = ::inet_ntop(AF_INET, &four.sin_addr, text.data(), text.size());
  } else if (address.sa_family == AF_INET6) {
    sockaddr_in6 six{};
    std::memcpy(&six, &address, sizeof six);
    written = ::inet_ntop(AF_INET6, &six.sin6_addr, text.data(), text.size());
  }
  return written == nullptr ? "an unknown address" : written;
}

} // namespace garland::egress
