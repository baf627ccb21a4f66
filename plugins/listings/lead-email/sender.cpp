#include "sender.h"

#include <algorithm>
#include <cctype>
#include <optional>

namespace lead_email {

namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  auto const first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

// Without comments, which anybody may have filled, and without quotes.
std::optional<std::string> uncommented(std::string_view value) {
  std::string out;
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < value.size(); ++i) {
    char const c = value[i];
    if (c == '\\') {
      ++i;
    } else if (c == '"' && depth == 0) {
      quoted = !quoted;
    } else if (quoted) {
      // No value that counts here needs quotes; what they hold could look like one.
    } else if (c == '(') {
      ++depth;
      out += ' ';
    } else if (c == ')') {
      if (--depth < 0) return std::nullopt;
    } else if (depth == 0) {
      out += c;
    }
  }
  if (depth != 0 || quoted) return std::nullopt;
  return lower(out);
}

std::vector<std::string_view> split(std::string_view text, std::string_view at) {
  std::vector<std::string_view> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    auto const end = std::min(text.find_first_of(at, begin), text.size());
    if (auto const part = trimmed(text.substr(begin, end - begin)); !part.empty()) parts.push_back(part);
    begin = end + 1;
  }
  return parts;
}

// "dkim=pass header.d=example.com": for which domain; "" if it is no proof.
std::string_view passedFor(std::string_view result) {
  auto const words = split(result, " \t\r\n");
  if (words.empty() || (words.front() != "dkim=pass" && words.front() != "dmarc=pass")) return {};
  bool const dkim = words.front().starts_with("dkim");
  for (auto const word : words)
    for (std::string_view const name : {"header.d=", "header.i=", "header.from="}) {
      if (!word.starts_with(name) || dkim == (name == "header.from=")) continue;
      auto const value = word.substr(name.size());
      return value.substr(value.find('@') == std::string_view::npos ? 0 : value.find('@') + 1);
    }
  return {};
}

} // namespace

bool ofDomain(std::string_view address, std::string_view domain) {
  auto const at = address.rfind('@');
  if (at == std::string_view::npos || at == 0 || domain.empty()) return false;
  auto const host = lower(address.substr(at + 1));
  auto const wanted = lower(domain);
  return host == wanted || host.ends_with("." + wanted);
}

bool proven(Headers const& headers, std::string_view authserv_id, std::string_view address) {
  if (authserv_id.empty()) return false;
  for (auto const& header : headers) {
    if (header.size() != 2 || lower(header[0]) != "authentication-results") continue;
    auto const value = uncommented(header[1]);
    if (!value) return false; // a server writes none that is broken
    auto const parts = split(*value, ";");
    // "mx.example.com 1": the number is a version.
    if (parts.empty() || split(parts.front(), " \t").front() != lower(authserv_id)) continue;
    return std::any_of(parts.begin() + 1, parts.end(), [&](std::string_view part) {
      auto const domain = passedFor(part);
      return domain.find('.') != std::string_view::npos && ofDomain(address, domain);
    });
  }
  return false;
}

} // namespace lead_email
