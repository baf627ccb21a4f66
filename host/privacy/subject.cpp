#include "host/privacy/subject.h"

#include <algorithm>
#include <optional>

namespace garland::privacy {
namespace {

constexpr std::size_t kShortestWord = 4;
constexpr std::size_t kShortestPhone = 7;
constexpr std::size_t kPhoneTail = 8;     // digits at its end by which a number is known without its country
constexpr std::size_t kLongestPhone = 17; // digits: the 15 of the longest number, after a "00"
constexpr std::size_t kWidestGap = 2;     // between two digits of one number, characters

bool isDigit(char c) { return c >= '0' && c <= '9'; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
// Bytes beyond ASCII are letters of names.
bool isWord(char c) {
  auto const l = lower(c);
  return isDigit(c) || (l >= 'a' && l <= 'z') || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}

std::string folded(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), lower);
  return out;
}

std::string_view trimmed(std::string_view text) {
  auto const first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

std::string digitsOf(std::string_view text) {
  std::string out;
  std::ranges::copy_if(text, std::back_inserter(out), isDigit);
  return out;
}

// "+34 600-123 456;ext=12": nothing but digits and what is written between them.
std::optional<std::string> phoneIn(std::string_view text) {
  text = text.substr(0, text.find(';'));
  bool const plain = std::ranges::all_of(text, [](char c) {
    return isDigit(c) || std::string_view("+ -().\t/").find(c) != std::string_view::npos;
  });
  auto digits = digitsOf(text);
  if (!plain || digits.size() < kShortestPhone) return std::nullopt;
  return digits;
}

// One of them may have the country before it, or a 0 for it.
bool isSamePhone(std::string_view a, std::string_view b) {
  if (a == b) return true;
  if (a.size() < b.size()) std::swap(a, b);
  while (b.starts_with('0')) b.remove_prefix(1);
  return b.size() >= kPhoneTail && a.ends_with(b);
}

int hexDigit(char c) {
  if (isDigit(c)) return c - '0';
  auto const l = lower(c);
  return l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

// A "+" that begins a telephone number is itself; any other one is a space.
bool isSpace(std::string_view text, std::size_t at) {
  bool const begins_number =
      at + 1 < text.size() && isDigit(text[at + 1]) && (at == 0 || !isDigit(text[at - 1]));
  return text[at] == '+' && !begins_number;
}

std::string percentDecoded(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    bool const escape =
        text[i] == '%' && i + 2 < text.size() && hexDigit(text[i + 1]) >= 0 && hexDigit(text[i + 2]) >= 0;
    if (escape) {
      out += static_cast<char>(hexDigit(text[i + 1]) * 16 + hexDigit(text[i + 2]));
      i += 2;
    } else {
      out += isSpace(text, i) ? ' ' : text[i];
    }
  }
  return out;
}

// "rosa@x.example" is not in "tessarosa@x.example", nor in "rosa@x.example.org".
bool standsAlone(std::string_view text, std::size_t begin, std::size_t length, bool is_address) {
  auto const end = begin + length;
  if (begin > 0 && isWord(text[begin - 1])) return false;
  if (end < text.size() && isWord(text[end])) return false;
  if (!is_address) return true;
  if (begin > 0 && std::string_view(".+-").find(text[begin - 1]) != std::string_view::npos) return false;
  bool const goes_on =
      end + 1 < text.size() && (text[end] == '.' || text[end] == '-') && isWord(text[end + 1]);
  return !goes_on;
}

// Digits side by side.
struct Digits {
  std::size_t begin = 0;
  std::size_t end = 0;
  bool joined = false; // may be of one number with those before
  bool plus = false;   // begin one that is written with its country
};

std::vector<Digits> digitsIn(std::string_view text) {
  std::vector<Digits> all;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!isDigit(text[i])) continue;
    Digits one{i, i, false, i > 0 && text[i - 1] == '+'};
    while (one.end < text.size() && isDigit(text[one.end])) ++one.end;
    if (!all.empty()) {
      auto const gap = text.substr(all.back().end, i - all.back().end);
      one.joined = gap.size() <= kWidestGap && gap.find_first_not_of(" -()./") == std::string_view::npos;
    }
    i = one.end;
    all.push_back(one);
  }
  return all;
}

// Where a number may begin that ends with these digits, the shortest first: a day or a count may stand before
// it. One that is written with its country is that one alone.
std::vector<std::size_t> beginsOf(std::vector<Digits> const& all, std::size_t last) {
  std::vector<std::size_t> begins;
  std::size_t count = 0;
  for (auto at = last;; --at) {
    count += all[at].end - all[at].begin;
    if (count > kLongestPhone) break;
    if (all[at].plus) return {all[at].begin};
    if (count >= kShortestPhone) begins.push_back(all[at].begin);
    if (!all[at].joined) break;
  }
  return begins;
}

json::value jsonIn(std::string_view text) {
  auto const begin = trimmed(text).substr(0, 1);
  if (begin != "{" && begin != "[" && begin != "\"") return nullptr;
  auto value = parseJson(text);
  return value ? std::move(*value) : json::value(nullptr);
}

} // namespace

Result<bool> Subject::add(std::string_view text) {
  text = trimmed(text);
  if (auto phone = phoneIn(text)) return phones_.insert(std::move(*phone)).second;
  if (text.size() < kShortestWord)
    return Error(
        ErrorKind::invalidInput,
        "what a person is looked for by has 4 characters at least: an address, a telephone number, or the "
        "whole name",
        "/person");
  return words_.insert(folded(text)).second;
}

bool Subject::addRemote(std::string_view connection_id, std::string_view remote_id) {
  return remotes_.emplace(connection_id, remote_id).second;
}

bool Subject::isRemote(std::string const& connection_id, std::string const& remote_id) const {
  return remotes_.contains(std::make_pair(connection_id, remote_id));
}

std::vector<Subject::Span> Subject::placesIn(std::string_view text) const {
  std::vector<Span> places;
  auto const plain = folded(text);
  for (auto const& word : words_) {
    bool const is_address = word.find('@') != std::string::npos;
    for (auto at = plain.find(word); at != std::string::npos; at = plain.find(word, at + 1))
      if (standsAlone(plain, at, word.size(), is_address)) places.emplace_back(at, word.size());
  }
  auto const digits = phones_.empty() ? std::vector<Digits>() : digitsIn(text);
  for (std::size_t last = 0; last < digits.size(); ++last)
    for (auto const begin : beginsOf(digits, last)) {
      auto const length = digits[last].end - begin;
      auto const number = digitsOf(text.substr(begin, length));
      auto const same = [&number](std::string const& phone) { return isSamePhone(number, phone); };
      if (!std::ranges::any_of(phones_, same)) continue;
      places.emplace_back(begin, length);
      break;
    }
  std::ranges::sort(places);
  return places;
}

bool Subject::isNamedIn(std::string_view text) const {
  if (!placesIn(text).empty()) return true;
  if (text.find_first_of("%+") != std::string_view::npos && !placesIn(percentDecoded(text)).empty())
    return true;
  auto const value = jsonIn(text);
  return !value.is_null() && isNamedIn(value);
}

bool Subject::isNamedIn(json::value const& value) const {
  if (value.is_string()) {
    std::string_view const text(value.get_string().data(), value.get_string().size());
    return isNamedIn(text);
  }
  if (value.is_int64() || value.is_uint64()) return !placesIn(json::serialize(value)).empty();
  if (value.is_array())
    return std::ranges::any_of(value.get_array(), [this](json::value const& one) { return isNamedIn(one); });
  if (!value.is_object()) return false;
  return std::ranges::any_of(value.get_object(), [this](auto const& member) {
    std::string_view const key(member.key().data(), member.key().size());
    return isNamedIn(key) || isNamedIn(member.value());
  });
}

// What overlaps another place, or is only seen when it is decoded, takes the whole of it along.
std::string Subject::plainWithout(std::string_view text) const {
  auto const places = placesIn(text);
  if (places.empty()) return isNamedIn(text) ? pseudonym_ : std::string(text);
  std::string out;
  std::size_t from = 0;
  for (auto const& [begin, length] : places) {
    if (begin >= from) out += std::string(text.substr(from, begin - from)) + pseudonym_;
    from = std::max(from, begin + length);
  }
  out += text.substr(std::min(from, text.size()));
  return isNamedIn(std::string_view(out)) ? pseudonym_ : out;
}

std::string Subject::without(std::string_view text) const {
  auto const value = jsonIn(text);
  if (value.is_null()) return plainWithout(text);
  if (!isNamedIn(text)) return std::string(text);
  auto const out = json::serialize(without(value));
  return isNamedIn(std::string_view(out)) ? plainWithout(out) : out;
}

json::value Subject::without(json::value const& value) const {
  if (value.is_string()) {
    std::string_view const text(value.get_string().data(), value.get_string().size());
    return json::value(without(text));
  }
  if ((value.is_int64() || value.is_uint64()) && isNamedIn(value)) return json::value(pseudonym_);
  if (value.is_array()) {
    json::array out;
    for (auto const& one : value.get_array()) out.push_back(without(one));
    return out;
  }
  if (!value.is_object()) return value;
  json::object out;
  for (auto const& member : value.get_object()) {
    std::string_view const key(member.key().data(), member.key().size());
    out[plainWithout(key)] = without(member.value());
  }
  return out;
}

} // namespace garland::privacy
