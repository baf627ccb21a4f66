#include "fields_texts.h"

#include <garland/sdk/time.hpp>

#include <algorithm>

namespace garland::sdk::fields {
namespace {

bool isDigit(char c) { return c >= '0' && c <= '9'; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }
bool isSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// Cuts "ext. 12", "x12" or "#12" off the end; the digits of it.
std::string takeExtension(std::string& number) {
  auto const mark = number.find_first_of("xX#eE;");
  if (mark == std::string::npos) return {};
  std::string digits;
  std::ranges::copy_if(number.substr(mark), std::back_inserter(digits), isDigit);
  number.resize(mark);
  return digits;
}

} // namespace

std::string_view shortened(std::string_view text, std::size_t longest) {
  if (text.size() <= longest) return text;
  auto const continues = [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; };
  while (longest > 0 && continues(text[longest])) --longest;
  return text.substr(0, longest);
}

std::string trimmed(std::string_view text) {
  while (!text.empty() && isSpace(text.front())) text.remove_prefix(1);
  while (!text.empty() && isSpace(text.back())) text.remove_suffix(1);
  return std::string(text);
}

bool isDate(std::string_view text) {
  return text.size() == 10 && parseRfc3339(std::string(text) + "T00:00:00Z").has_value();
}

std::optional<std::string> clockOf(std::string_view text) {
  auto whole = std::string(text) + (text.size() == 5 ? ":00" : "");
  if (whole.size() != 8 || !parseRfc3339("2000-01-01T" + whole + "Z")) return std::nullopt;
  return whole;
}

bool isZone(std::string_view text) {
  constexpr std::string_view more = "_-+/";
  auto const fits = [&](char c) {
    return isDigit(c) || (lower(c) >= 'a' && lower(c) <= 'z') || more.find(c) != std::string_view::npos;
  };
  auto const slash = text.find('/');
  bool const inside = slash != std::string_view::npos && slash > 0 && slash + 1 < text.size();
  return text.size() <= 200 && (text == "UTC" || inside) && std::ranges::all_of(text, fits);
}

std::optional<std::string> emailOf(std::string_view text) {
  auto address = trimmed(text);
  auto const at = address.rfind('@');
  auto const bad = [](char c) {
    return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f || c == ',' || c == ';';
  };
  if (at == std::string::npos || at == 0 || at + 1 == address.size()) return std::nullopt;
  if (address.size() > 254 || std::ranges::any_of(address, bad)) return std::nullopt;
  std::ranges::transform(address, address.begin(), lower);
  return address;
}

std::optional<std::string> phoneOf(std::string_view text, std::string_view calling_code) {
  constexpr std::string_view between = " -./()\t";
  auto number = trimmed(text);
  auto const extension = takeExtension(number);
  std::string digits;
  bool international = false;
  for (char const c : number) {
    if (isDigit(c))
      digits += c;
    else if (c == '+' && digits.empty())
      international = true;
    else if (between.find(c) == std::string_view::npos)
      return std::nullopt;
  }
  if (!international && digits.starts_with("00")) {
    digits.erase(0, 2);
    international = true;
  }
  if (!international && !calling_code.empty()) {
    // One trunk zero goes, but not in Italy; "1" is its own trunk prefix.
    if (calling_code == "1" ? digits.size() == 11 && digits.starts_with('1')
                            : calling_code != "39" && digits.starts_with('0'))
      digits.erase(0, 1);
    digits.insert(0, calling_code);
    international = true;
  }
  if (digits.size() < 3 || digits.size() > 15) return std::nullopt;
  return (international ? "+" : "") + digits + (extension.empty() ? "" : ";ext=" + extension);
}

std::pair<std::string, std::string> splitName(std::string_view whole) {
  auto const name = trimmed(whole);
  auto const space = name.rfind(' ');
  if (space == std::string::npos) return {name, {}};
  return {trimmed(name.substr(0, space)), name.substr(space + 1)};
}

std::string joinName(std::string_view first, std::string_view last) {
  return trimmed(trimmed(first) + " " + trimmed(last));
}

} // namespace garland::sdk::fields
