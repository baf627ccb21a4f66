// The order of connector versions: semantic versions as the manifest's schema admits them. Pure.
#pragma once

#include <algorithm>
#include <compare>
#include <string_view>

namespace garland::runtime {

namespace semver_detail {

// What comes before `mark`; `text` goes on behind it.
inline std::string_view takeUntil(std::string_view& text, char mark) {
  auto const at = text.find(mark);
  auto const part = text.substr(0, at);
  text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
  return part;
}

inline bool isNumber(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// Digits without leading zeros compare as text once they are of one length, whatever their size.
inline std::strong_ordering compareNumbers(std::string_view a, std::string_view b) {
  a.remove_prefix(std::min(a.find_first_not_of('0'), a.size()));
  b.remove_prefix(std::min(b.find_first_not_of('0'), b.size()));
  if (a.size() != b.size()) return a.size() <=> b.size();
  return a.compare(b) <=> 0;
}

inline std::strong_ordering compareIdentifiers(std::string_view a, std::string_view b) {
  if (isNumber(a) && isNumber(b)) return compareNumbers(a, b);
  if (isNumber(a) != isNumber(b))
    return isNumber(a) ? std::strong_ordering::less : std::strong_ordering::greater;
  return a.compare(b) <=> 0;
}

} // namespace semver_detail

// Precedence of semver.org 2.0.0: a pre-release comes before its release.
inline std::strong_ordering compareVersions(std::string_view a, std::string_view b) {
  using namespace semver_detail;
  auto core_a = takeUntil(a, '-'); // from here on a and b are the pre-releases
  auto core_b = takeUntil(b, '-');
  for (int part = 0; part < 3; ++part)
    if (auto const order = compareNumbers(takeUntil(core_a, '.'), takeUntil(core_b, '.')); order != 0)
      return order;
  if (a.empty() || b.empty()) return a.empty() <=> b.empty();
  while (!a.empty() && !b.empty())
    if (auto const order = compareIdentifiers(takeUntil(a, '.'), takeUntil(b, '.')); order != 0) return order;
  return b.empty() <=> a.empty();
}

} // namespace garland::runtime
