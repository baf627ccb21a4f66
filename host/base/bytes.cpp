#include "host/base/bytes.h"

#include <array>

namespace garland {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";
constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// What each character stands for; -1: it is no digit. The digits of a signature are too random to branch by.
constexpr auto kHexDigits = [] {
  std::array<signed char, 256> digits{};
  digits.fill(-1);
  for (std::size_t i = 0; i < kHex.size(); ++i) {
    digits[static_cast<unsigned char>(kHex[i])] = static_cast<signed char>(i);
    if (i >= 10) digits[static_cast<unsigned char>(kHex[i] - 'a' + 'A')] = static_cast<signed char>(i);
  }
  return digits;
}();

std::uint32_t octet(char c) { return static_cast<unsigned char>(c); }

Error badCharacter(std::string_view what, std::size_t at) {
  return {ErrorKind::invalidInput,
          "not " + std::string(what) + ": unexpected character or length at byte " + std::to_string(at)};
}

} // namespace

std::string hex(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  for (char const c : bytes) {
    out += kHex[octet(c) >> 4U];
    out += kHex[octet(c) & 15U];
  }
  return out;
}

Result<std::string> fromHex(std::string_view text) {
  auto const digit = [](char c) -> int { return kHexDigits[octet(c)]; };
  if (text.size() % 2 != 0) return badCharacter("hexadecimal", text.size());
  std::string out;
  out.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    int const high = digit(text[i]);
    int const low = digit(text[i + 1]);
    if (high < 0 || low < 0) return badCharacter("hexadecimal", i);
    out += static_cast<char>(high * 16 + low);
  }
  return out;
}

std::string base64(std::string_view bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    auto const left = bytes.size() - i;
    std::uint32_t const group = octet(bytes[i]) << 16U | (left > 1 ? octet(bytes[i + 1]) << 8U : 0U) |
                                (left > 2 ? octet(bytes[i + 2]) : 0U);
    out += kBase64[group >> 18U & 63U];
    out += kBase64[group >> 12U & 63U];
    out += left > 1 ? kBase64[group >> 6U & 63U] : '=';
    out += left > 2 ? kBase64[group & 63U] : '=';
  }
  return out;
}

std::string base64Url(std::string_view bytes) {
  auto text = base64(bytes);
  for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
  text.erase(text.find_last_not_of('=') + 1);
  return text;
}

Result<std::string> fromBase64(std::string_view text) {
  if (text.size() % 4 != 0) return badCharacter("base64", text.size());
  std::size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
  std::string out;
  std::uint32_t group = 0;
  for (std::size_t i = 0; i < text.size() - padding; ++i) {
    auto const value = kBase64.find(text[i]);
    if (value == std::string_view::npos) return badCharacter("base64", i);
    group = group << 6U | static_cast<std::uint32_t>(value);
    if (i % 4 == 3) {
      out += static_cast<char>(group >> 16U);
      out += static_cast<char>(group >> 8U & 255U);
      out += static_cast<char>(group & 255U);
      group = 0;
    }
  }
  // Bits beyond the last whole byte must be zero, so that every value has one spelling.
  if (padding == 1) {
    if ((group & 3U) != 0) return badCharacter("base64", text.size() - 2);
    out += static_cast<char>(group >> 10U & 255U);
    out += static_cast<char>(group >> 2U & 255U);
  } else if (padding == 2) {
    if ((group & 15U) != 0) return badCharacter("base64", text.size() - 3);
    out += static_cast<char>(group >> 4U & 255U);
  }
  return out;
}

std::string percentEncode(std::string_view text) {
  std::string out;
  out.reserve(3 * text.size()); // what grows leaves parts of itself in memory, and it may be a secret
  for (char const c : text) {
    bool const plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    if (plain) {
      out += c;
    } else {
      out += '%';
      out += "0123456789ABCDEF"[octet(c) >> 4U];
      out += "0123456789ABCDEF"[octet(c) & 15U];
    }
  }
  return out;
}

} // namespace garland
