// How a secret may stand in a text or in the bytes of a file: for tests that look for one where none may be.
#pragma once

#include "host/base/bytes.h"
#include "host/base/json.h"

#include <algorithm>
#include <cctype>
#include <string>
#include <string_view>
#include <vector>

namespace garland {

// What base64 makes of the text, wherever in a longer one it begins: without the letters that also depend on
// what stands before or behind it.
inline std::vector<std::string> insideOfBase64(std::string_view text) {
  std::vector<std::string> found;
  for (std::size_t before = 0; before < 3; ++before) {
    auto letters = base64(std::string(before, ' ').append(text));
    letters.resize(letters.find_last_not_of('=') + 1);
    if ((before + text.size()) % 3 != 0) letters.pop_back();
    found.push_back(letters.substr((4 * before + 2) / 3));
  }
  return found;
}

// Its text; base64 (of RFC 4648's sections 4 and 5) of it or of more; hexadecimal digits of both cases;
// percent encoded, in both cases and twice; in JSON, with "/" as it is and as "\/".
inline std::vector<std::string> spellingsOf(std::string_view secret) {
  std::vector<std::string> all = insideOfBase64(secret);
  auto const withEach = [](std::string text, char from, std::string_view to) {
    for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
      text.replace(at, 1, to);
    return text;
  };
  auto const with = [](std::string text, int (*letter)(int)) {
    std::ranges::transform(text, text.begin(),
                           [letter](unsigned char c) { return static_cast<char>(letter(c)); });
    return text;
  };
  for (std::size_t i = 0; i < 3; ++i) all.push_back(withEach(withEach(all[i], '+', "-"), '/', "_"));
  auto const percent = percentEncode(secret);
  auto lower = percent;
  for (auto at = lower.find('%'); at != std::string::npos; at = lower.find('%', at + 3))
    lower.replace(at, 3, with(lower.substr(at, 3), std::tolower));
  auto const quoted = json::serialize(json::string(secret));
  auto const in_json = quoted.substr(1, quoted.size() - 2);
  all.insert(all.end(), {std::string(secret), hex(secret), with(hex(secret), std::toupper), percent, lower,
                         percentEncode(percent), in_json, withEach(in_json, '/', "\\/")});
  std::ranges::sort(all);
  all.erase(std::ranges::unique(all).begin(), all.end());
  return all;
}

// The first spelling of it that stands in the text; "": none does.
inline std::string spellingIn(std::string_view text, std::string_view secret) {
  for (auto& spelling : spellingsOf(secret))
    if (text.find(spelling) != std::string_view::npos) return spelling;
  return {};
}

} // namespace garland
