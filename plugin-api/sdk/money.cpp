// Units and decimal texts, by integers alone.
#include <garland/sdk/money.hpp>

#include <algorithm>
#include <array>
#include <limits>

namespace garland::sdk {
namespace {

constexpr std::array<std::string_view, 17> no_digits{"BIF", "CLP", "DJF", "GNF", "ISK", "JPY",
                                                     "KMF", "KRW", "PYG", "RWF", "UGX", "UYI",
                                                     "VND", "VUV", "XAF", "XOF", "XPF"};
constexpr std::array<std::string_view, 7> three_digits{"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"};

} // namespace

int minorDigits(std::string_view currency, std::span<MinorDigits const> exceptions) {
  for (auto const& exception : exceptions)
    if (exception.currency == currency) return exception.digits;
  if (std::ranges::find(no_digits, currency) != no_digits.end()) return 0;
  if (std::ranges::find(three_digits, currency) != three_digits.end()) return 3;
  return currency == "CLF" || currency == "UYW" ? 4 : 2;
}

bool isCurrency(std::string_view code) {
  return code.size() == 3 && std::ranges::all_of(code, [](char c) { return c >= 'A' && c <= 'Z'; });
}

std::optional<std::int64_t> parseDecimal(std::string_view text, int digits) {
  bool const negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  auto const point = std::min(text.find('.'), text.size());
  auto fraction = text.substr(std::min(point + 1, text.size()));
  if (point == 0 || (point < text.size() && fraction.empty())) return std::nullopt;
  while (static_cast<int>(fraction.size()) > digits && fraction.ends_with('0')) fraction.remove_suffix(1);
  if (static_cast<int>(fraction.size()) > digits) return std::nullopt;
  auto all = std::string(text.substr(0, point)) + std::string(fraction);
  all.append(static_cast<std::size_t>(digits) - fraction.size(), '0');
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
  std::int64_t amount = 0;
  for (char const c : all) {
    if (c < '0' || c > '9' || amount > (most - (c - '0')) / 10) return std::nullopt;
    amount = amount * 10 + (c - '0');
  }
  return negative ? -amount : amount;
}

std::string decimal(std::int64_t minor, int digits) {
  auto text = std::to_string(minor);
  bool const negative = text.starts_with('-');
  if (negative) text.erase(0, 1);
  auto const behind = static_cast<std::size_t>(digits);
  if (text.size() <= behind) text.insert(0, behind + 1 - text.size(), '0');
  if (digits > 0) text.insert(text.size() - behind, ".");
  return negative ? "-" + text : text;
}

std::optional<std::int64_t> rescaled(std::int64_t amount, int from, int to) {
  for (; from < to; ++from) {
    if (amount > std::numeric_limits<std::int64_t>::max() / 10 ||
        amount < std::numeric_limits<std::int64_t>::min() / 10)
      return std::nullopt;
    amount *= 10;
  }
  for (; from > to; --from) {
    if (amount % 10 != 0) return std::nullopt;
    amount /= 10;
  }
  return amount;
}

} // namespace garland::sdk
