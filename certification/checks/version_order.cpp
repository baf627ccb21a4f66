#include "certification/checks/version_order.h"

#include <algorithm>
#include <string>
#include <utility>

namespace garland::certification {
namespace {

bool isDigit(char c) { return c >= '0' && c <= '9'; }

// A character's place where it is no digit; the end of a text comes after "~" and before everything else.
int rankOf(std::string_view text, std::size_t at) {
  if (at == text.size() || isDigit(text[at])) return 0;
  if (text[at] == '~') return -1;
  bool const letter = (text[at] >= 'a' && text[at] <= 'z') || (text[at] >= 'A' && text[at] <= 'Z');
  auto const value = static_cast<int>(static_cast<unsigned char>(text[at]));
  return letter ? value : value + 256;
}

std::string_view numberAt(std::string_view text, std::size_t& at) {
  while (at < text.size() && text[at] == '0') ++at;
  auto const begin = at;
  while (at < text.size() && isDigit(text[at])) ++at;
  return text.substr(begin, at - begin);
}

// Below 0: `one` is older.
int compared(std::string_view one, std::string_view other) {
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < one.size() || j < other.size()) {
    while ((i < one.size() && !isDigit(one[i])) || (j < other.size() && !isDigit(other[j]))) {
      auto const left = rankOf(one, i);
      auto const right = rankOf(other, j);
      if (left != right) return left - right;
      ++i;
      ++j;
    }
    auto const left = numberAt(one, i);
    auto const right = numberAt(other, j);
    if (left.size() != right.size()) return left.size() < right.size() ? -1 : 1;
    if (left != right) return left < right ? -1 : 1;
  }
  return 0;
}

std::pair<std::string_view, std::string_view> epochOf(std::string_view version) {
  auto const colon = version.find(':');
  if (colon == std::string_view::npos) return {"0", version};
  return {version.substr(0, colon), version.substr(colon + 1)};
}

} // namespace

bool isOlder(std::string_view version, std::string_view than) {
  auto const [epoch, rest] = epochOf(version);
  auto const [epoch_than, rest_than] = epochOf(than);
  auto const by_epoch = compared(epoch, epoch_than);
  return by_epoch != 0 ? by_epoch < 0 : compared(rest, rest_than) < 0;
}

} // namespace garland::certification
