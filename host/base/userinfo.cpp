#include "host/base/userinfo.h"

namespace garland {
namespace {

struct Authority {
  std::size_t begin;
  std::size_t at; // of the last '@' in it; npos if there is none
};

// A backslash ends it too: some parsers read it as a slash.
Authority authorityOf(std::string_view url) {
  auto const scheme = url.find("//");
  auto const begin = scheme == std::string_view::npos ? 0 : scheme + 2;
  auto const authority = url.substr(begin, url.find_first_of("/?#\\", begin) - begin);
  auto const at = authority.rfind('@');
  return {begin, at == std::string_view::npos ? at : begin + at};
}

} // namespace

bool hasUserinfo(std::string_view url) {
  return url.find("://") != std::string_view::npos && authorityOf(url).at != std::string_view::npos;
}

std::string withoutUserinfo(std::string_view url) {
  auto const [begin, at] = authorityOf(url);
  if (at == std::string_view::npos) return std::string(url);
  return std::string(url.substr(0, begin)) + std::string(url.substr(at + 1));
}

} // namespace garland
