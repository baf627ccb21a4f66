// Money as connectors hold it: minor units and an ISO 4217 code, never a floating-point number.
#pragma once

#include <garland/sdk/json.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace garland::sdk {

struct Money {
  std::int64_t amount = 0; // in minor units: 12050 of EUR is 120.50, of JPY 12050, of KWD 12.050
  std::string currency = {};
  bool operator==(Money const&) const = default;
};
GARLAND_RECORD(Money, amount, currency)

// A currency that a provider counts in another unit than ISO 4217 does.
struct MinorDigits {
  std::string_view currency; // upper case
  int digits;
};

// Digits behind the point: 2, but 0 for JPY, 3 for KWD, ...; `exceptions` come first.
int minorDigits(std::string_view currency, std::span<MinorDigits const> exceptions = {});

// Three upper-case letters.
bool isCurrency(std::string_view code);

// "-120.5" with 2 digits is -12050. Nothing if it is no decimal number, has more digits behind the point
// than fit, or is too large.
std::optional<std::int64_t> parseDecimal(std::string_view text, int digits);

// 12050 with 2 digits is "120.50".
std::string decimal(std::int64_t minor, int digits);

// From units of `from` digits to units of `to` digits; nothing if that would lose something.
std::optional<std::int64_t> rescaled(std::int64_t amount, int from, int to);

} // namespace garland::sdk
