#include <garland/sdk/loose.hpp>

#include "fields_texts.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

namespace garland::sdk::loose {
namespace {

constexpr std::size_t kMostText = 200;
constexpr std::array<std::string_view, 12> kMonths{"jan", "feb", "mar", "apr", "may", "jun",
                                                   "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 12> kMonthEnds{"uary", "ruary", "ch",     "il",   "",      "e",
                                                      "y",    "ust",   "tember", "ober", "ember", "ember"};
constexpr std::array<std::string_view, 7> kDays{"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

bool isDigit(char c) { return c >= '0' && c <= '9'; }
bool isUpper(char c) { return c >= 'A' && c <= 'Z'; }
bool isLower(char c) { return c >= 'a' && c <= 'z'; }
char lower(char c) { return isUpper(c) ? static_cast<char>(c | 0x20) : c; }

struct Token {
  std::string text; // lower case
  bool number = false;
  char before = ' '; // the character in front of it
};

// Words and numbers, and what stands between them.
std::vector<Token> tokensOf(std::string_view text) {
  std::vector<Token> tokens;
  char before = ' ';
  for (std::size_t i = 0; i < text.size();) {
    bool const number = isDigit(text[i]);
    bool const word = isLower(lower(text[i]));
    if (!number && !word) {
      before = text[i++];
      continue;
    }
    Token token{{}, number, before};
    while (i < text.size() && (number ? isDigit(text[i]) : isLower(lower(text[i]))))
      token.text += lower(text[i++]);
    tokens.push_back(std::move(token));
    before = ' ';
  }
  return tokens;
}

int monthOf(std::string_view word) {
  for (std::size_t i = 0; i < kMonths.size(); ++i) {
    if (!word.starts_with(kMonths[i])) continue;
    auto const rest = word.substr(3);
    if (rest.empty() || rest == kMonthEnds[i] || (i == 8 && rest == "t")) return static_cast<int>(i) + 1;
  }
  return 0;
}

bool isFiller(std::string_view word) {
  constexpr std::array<std::string_view, 6> fillers{"st", "nd", "rd", "th", "of", "the"};
  bool const day = std::ranges::any_of(kDays, [&](auto name) { return word.starts_with(name); });
  return std::ranges::find(fillers, word) != fillers.end() ||
         (day && (word.size() == 3 || word.ends_with("day"))) || word == "tues" || word == "thur" ||
         word == "thurs";
}

int valueOf(Token const& token) {
  int value = 0;
  std::from_chars(token.text.data(), token.text.data() + std::min<std::size_t>(token.text.size(), 6), value);
  return value;
}

int yearOf(Token const& token) {
  if (token.text.size() == 4) return valueOf(token);
  return token.text.size() == 2 ? 2000 + valueOf(token) : 0;
}

std::optional<std::string> dayOf(int year, int month, int day) {
  if (year < 1900 || year > 2200 || month < 1 || month > 12 || day < 1 || day > 31) return std::nullopt;
  auto const two = [](int number) { return (number < 10 ? "0" : "") + std::to_string(number); };
  auto text = std::to_string(year) + "-" + two(month) + "-" + two(day);
  if (!fields::isDate(text)) return std::nullopt;
  return text;
}

// A time of day behind the date says nothing about the day.
std::string_view withoutTime(std::string_view text) {
  auto const colon = text.find(':');
  if (colon == std::string_view::npos) return text;
  auto start = colon;
  while (start > 0 && isDigit(text[start - 1])) --start;
  text = text.substr(0, start);
  while (!text.empty() && (text.back() == ' ' || text.back() == ',')) text.remove_suffix(1);
  if (text.ends_with("at") || text.ends_with(" @")) text.remove_suffix(2);
  if (!text.empty() && (text.back() == 'T' || text.back() == 't') && text.size() > 1 &&
      isDigit(text[text.size() - 2]))
    text.remove_suffix(1);
  return text;
}

std::optional<std::string> inNumbers(std::vector<Token> const& all, DateOrder order) {
  if (all[0].text.size() == 4) return dayOf(valueOf(all[0]), valueOf(all[1]), valueOf(all[2]));
  if (all[0].text.size() > 2 || all[1].text.size() > 2) return std::nullopt;
  int const first = valueOf(all[0]);
  int const second = valueOf(all[1]);
  int const year = yearOf(all[2]);
  bool const points = all[1].before == '.' && all[2].before == '.'; // nobody writes 06.13.2026
  bool const day_first = first > 12 || (second <= 12 && (points || order == DateOrder::dmy));
  return day_first ? dayOf(year, second, first) : dayOf(year, first, second);
}

std::optional<std::string> withMonth(std::vector<Token> const& all) {
  for (std::size_t i = 0; i < all.size(); ++i) {
    int const month = all[i].number ? 0 : monthOf(all[i].text);
    if (month == 0) continue;
    auto rest = all;
    rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(i));
    if (rest.size() != 2 || !rest[0].number || !rest[1].number || rest[0].text.size() > 2 ||
        rest[1].text.size() != 4)
      return std::nullopt;
    return dayOf(valueOf(rest[1]), month, valueOf(rest[0]));
  }
  return std::nullopt;
}

struct Symbol {
  std::string_view text;
  std::string_view currency;
};
constexpr std::array<Symbol, 8> kSymbols{{{"US$", "USD"},
                                          {"CA$", "CAD"},
                                          {"A$", "AUD"},
                                          {"NZ$", "NZD"},
                                          {"\xE2\x82\xAC", "EUR"},
                                          {"\xC2\xA3", "GBP"},
                                          {"\xC2\xA5", "JPY"},
                                          {"$", ""}}};

// Takes a sign or a code off one end; what it means, "" for "$".
std::optional<std::string> takeCurrency(std::string& text) {
  for (auto const& symbol : kSymbols) {
    if (text.starts_with(symbol.text))
      text.erase(0, symbol.text.size());
    else if (text.ends_with(symbol.text))
      text.resize(text.size() - symbol.text.size());
    else
      continue;
    return std::string(symbol.currency);
  }
  for (bool const front : {true, false}) {
    if (text.size() < 4) break;
    auto code = front ? text.substr(0, 3) : text.substr(text.size() - 3);
    if (!isCurrency(code)) continue;
    text.erase(front ? 0 : text.size() - 3, 3);
    return code;
  }
  return std::nullopt;
}

// "$" is the account's own dollar.
std::string dollarOf(std::string_view currency) {
  return currency.ends_with('D') ? std::string(currency) : "USD";
}

// "4,500.00" as "4500.00"; nothing where a mark may mean either.
std::optional<std::string> plainNumber(std::string_view text) {
  auto const marks = std::ranges::count_if(text, [](char c) { return c == '.' || c == ','; });
  auto const last = text.find_last_of(".,");
  if (text.empty() || !isDigit(text.front()) || !isDigit(text.back())) return std::nullopt;
  if (marks == 0) return std::ranges::all_of(text, isDigit) ? std::optional(std::string(text)) : std::nullopt;
  auto const behind = text.size() - last - 1;
  auto const same = std::ranges::count(text, text[last]);
  bool const decimal = same == 1 && behind <= 2;
  if (same == 1 && marks == 1 && !decimal && text[last] != ',') return std::nullopt;
  auto const whole = decimal ? text.substr(0, last) : text;
  std::string digits;
  std::size_t group = 0;
  char mark = 0;
  for (char const c : whole) {
    if (isDigit(c)) {
      digits += c;
      ++group;
      continue;
    }
    bool const first = mark == 0;
    if ((c != '.' && c != ',') || (!first && (c != mark || group != 3)) || (first && group > 3) ||
        (decimal && c == text[last]))
      return std::nullopt;
    mark = c;
    group = 0;
  }
  if (mark != 0 && group != 3) return std::nullopt;
  auto const fraction = text.substr(last + 1);
  if (!decimal) return digits;
  if (!std::ranges::all_of(fraction, isDigit)) return std::nullopt;
  return digits + "." + std::string(fraction);
}

} // namespace

std::optional<std::string> date(std::string_view text, DateOrder order) {
  if (text.size() > kMostText) return std::nullopt;
  auto all = tokensOf(withoutTime(text));
  std::erase_if(all, [](Token const& token) { return !token.number && isFiller(token.text); });
  if (all.size() != 3) return std::nullopt;
  bool const numbers = std::ranges::all_of(all, [](Token const& token) { return token.number; });
  return numbers ? inNumbers(all, order) : withMonth(all);
}

std::optional<Money> money(std::string_view text, std::string_view currency) {
  if (text.size() > kMostText) return std::nullopt;
  std::string rest;
  std::ranges::copy_if(text, std::back_inserter(rest),
                       [](char c) { return c != ' ' && c != '\t' && c != '\''; });
  auto named = takeCurrency(rest);
  if (named && named->empty()) named = dollarOf(currency);
  auto const code = named ? *named : std::string(currency);
  auto const number = plainNumber(rest);
  if (!number || !isCurrency(code)) return std::nullopt;
  auto const amount = parseDecimal(*number, minorDigits(code));
  if (!amount) return std::nullopt;
  return Money{*amount, code};
}

std::optional<std::int64_t> count(std::string_view text) {
  auto const number = plainNumber(fields::trimmed(text));
  if (!number) return std::nullopt;
  return parseDecimal(*number, 0);
}

std::string memberName(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char const c = text[i];
    bool const part = isDigit(c) || isLower(lower(c)) || static_cast<unsigned char>(c) >= 0x80;
    if (!part) {
      if (!out.empty() && out.back() != '_') out += '_';
      continue;
    }
    bool const after_lower = i > 0 && (isLower(text[i - 1]) || isDigit(text[i - 1]));
    bool const acronym_ends = i > 0 && isUpper(text[i - 1]) && i + 1 < text.size() && isLower(text[i + 1]);
    if (isUpper(c) && (after_lower || acronym_ends) && !out.empty() && out.back() != '_') out += '_';
    out += lower(c);
  }
  while (out.ends_with('_')) out.pop_back();
  return out;
}

} // namespace garland::sdk::loose
