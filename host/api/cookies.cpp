#include "host/api/cookies.h"

#include <optional>

namespace garland::api {
namespace {

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

} // namespace

std::string cookieNamed(Request const& request, std::string_view name) {
  std::optional<std::string_view> found;
  for (auto const& header : request.headers) {
    if (header.name != "cookie") continue;
    for (std::string_view rest = header.value; !rest.empty();) {
      auto const pair = trimmed(rest.substr(0, rest.find(';')));
      rest.remove_prefix(std::min(rest.find(';'), rest.size() - 1) + 1);
      if (!pair.starts_with(name) || pair.substr(name.size(), 1) != "=") continue;
      if (found) return {};
      found = pair.substr(name.size() + 1);
    }
  }
  return std::string(found.value_or(""));
}

Header setCookie(std::string_view name, std::string_view value, Milliseconds life, std::string_view rest) {
  auto const seconds = std::chrono::floor<std::chrono::seconds>(life).count();
  return {"set-cookie", std::string(name) + "=" + std::string(value) + "; Max-Age=" +
                            std::to_string(seconds) + "; HttpOnly; Secure; " + std::string(rest)};
}

} // namespace garland::api
