#include "host/webhooks/host_rule.h"

#include <boost/algorithm/string/case_conv.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

namespace garland::webhooks {
namespace {

// The last name of `host`, which is shortened by it.
std::string_view takeLast(std::string_view& host) {
  auto const dot = host.rfind('.');
  auto const last = dot == std::string_view::npos ? host : host.substr(dot + 1);
  host = dot == std::string_view::npos ? std::string_view() : host.substr(0, dot);
  return last;
}

bool fits(std::string_view pattern, std::string_view host) {
  while (!pattern.empty()) {
    if (pattern == "*") return !host.empty();
    auto const wanted = takeLast(pattern);
    auto const found = takeLast(host);
    if (found.empty() || (wanted != "*" && wanted != found)) return false;
  }
  return host.empty();
}

} // namespace

Found<void> checkAddress(HostRule const& rule, std::string const& url) {
  auto const no = [&](std::string const& why) {
    return Reject{Reason::untrustedHost, rule.url.words() + " " + why + ", so that it is not followed"};
  };
  auto const parsed = boost::urls::parse_uri(url);
  if (!parsed) return no("is no URL");
  if (parsed->scheme() != "https") return no("does not begin with https://");
  if (parsed->has_userinfo()) return no("holds a user name");
  if (parsed->has_port() && parsed->port() != "443") return no("names an unusual port");
  auto const host =
      boost::algorithm::to_lower_copy(std::string(parsed->encoded_host()), std::locale::classic());
  bool known = false;
  for (auto const& pattern : rule.hosts) known = known || fits(pattern, host);
  if (!known) return no("lies on a host that is not the provider's");
  std::string const path(parsed->encoded_path());
  if (!path.starts_with(rule.path_prefix) || path.find("..") != std::string::npos ||
      path.find('%') != std::string::npos)
    return no("has a path that is not the provider's");
  return {};
}

} // namespace garland::webhooks
