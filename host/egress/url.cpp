#include "host/egress/url.h"

#include "host/egress/egress.h"

#include "host/base/bytes.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <optional>

namespace garland::egress {
namespace {

constexpr std::size_t kLongestUrl = 16U << 10U;
constexpr unsigned kFlags = CURLU_DISALLOW_USER | CURLU_URLENCODE;

Error badUrl(std::string message) { return {ErrorKind::invalidInput, std::move(message), "/url"}; }

// An absent part is empty.
std::string part(CURLU* handle, CURLUPart which, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(handle, which, &text, flags) != CURLUE_OK) return {};
  std::string copy = text;
  curl_free(text);
  return copy;
}

// Spaces and control characters are never right in a URL; a backslash is read as a slash by some
// parsers and not by others.
bool hasForbiddenByte(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    auto const byte = static_cast<unsigned char>(c);
    return byte <= 0x20 || byte == 0x7f || byte == '\\';
  });
}

Error refused(CURLUcode code) {
  switch (code) {
  case CURLUE_USER_NOT_ALLOWED:
    return badUrl("the address carries a user name or password; leave them out, Garland signs in itself");
  case CURLUE_BAD_SCHEME:
  case CURLUE_UNSUPPORTED_SCHEME: return badUrl("the address must begin with https://");
  case CURLUE_BAD_PORT_NUMBER: return badUrl("the port in the address is not a number from 1 to 65535");
  default: return badUrl(std::string("the address cannot be read: ") + curl_url_strerror(code));
  }
}

std::optional<std::string> plainIpv6(std::string const& text) {
  in6_addr address{};
  if (::inet_pton(AF_INET6, text.c_str(), &address) != 1) return std::nullopt;
  std::array<char, INET6_ADDRSTRLEN> out{};
  // ::ffff:10.0.0.1 is 10.0.0.1 spelled differently; a rule must not miss it for that.
  if (IN6_IS_ADDR_V4MAPPED(&address))
    return ::inet_ntop(AF_INET, &address.s6_addr[12], out.data(), out.size());
  return "[" + std::string(::inet_ntop(AF_INET6, &address, out.data(), out.size())) + "]";
}

bool isNameCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

bool isHostName(std::string_view host) {
  constexpr std::size_t kLongestName = 253;
  constexpr std::size_t kLongestLabel = 63;
  if (host.size() > kLongestName || !std::all_of(host.begin(), host.end(), isNameCharacter)) return false;
  for (;;) {
    auto const dot = host.find('.');
    auto const label = host.substr(0, dot);
    if (label.empty() || label.size() > kLongestLabel) return false;
    if (dot == std::string_view::npos) return true;
    host.remove_prefix(dot + 1);
  }
}

// Resolvers read "0x7f.1" or "127.1" as an address; only the plain form is accepted as one.
bool looksNumeric(std::string_view host) {
  auto const last = host.substr(host.rfind('.') + 1); // npos + 1 is 0
  return last.starts_with("0x") ||
         std::all_of(last.begin(), last.end(), [](char c) { return c >= '0' && c <= '9'; });
}

Result<std::string> normalHost(CURLU* handle) {
  auto host = part(handle, CURLUPART_HOST);
  if (host.empty()) return badUrl("the address names no host");
  std::transform(host.begin(), host.end(), host.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  if (host.front() == '[') {
    auto address = plainIpv6(host.substr(1, host.size() - 2));
    if (!address || !part(handle, CURLUPART_ZONEID).empty())
      return badUrl("the address names a host that is no plain IPv6 address");
    return *std::move(address);
  }
  if (host.ends_with('.')) host.pop_back();
  // libcurl's own conversion (CURLU_PUNYCODE) depends on the process's locale and leaks where it fails.
  if (std::any_of(host.begin(), host.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; }))
    return badUrl("the host in the address is not ASCII; write it in its xn-- form");
  in_addr ignored{};
  if (!isHostName(host) || (looksNumeric(host) && ::inet_pton(AF_INET, host.c_str(), &ignored) != 1))
    return badUrl("the address names a host that is neither a name nor a plain address");
  return host;
}

} // namespace

Result<Url> Url::parse(std::string_view text) {
  Handle handle(curl_url());
  return normalise(std::move(handle), text);
}

Result<Url> Url::resolve(std::string_view location) const {
  return normalise(Handle(curl_url_dup(handle_.get())), location);
}

Result<Url> Url::normalise(Handle handle, std::string_view text) {
  if (!handle) return Error(ErrorKind::hostLimit, "there is no memory left for an address");
  if (text.size() > kLongestUrl) return badUrl("the address is longer than 16 KiB");
  if (text.empty() || hasForbiddenByte(text))
    return badUrl("the address is empty or holds a space, a backslash or a control character");
  auto const set = curl_url_set(handle.get(), CURLUPART_URL, std::string(text).c_str(), kFlags);
  if (set != CURLUE_OK) return refused(set);
  Url url;
  url.scheme_ = part(handle.get(), CURLUPART_SCHEME);
  if (url.scheme_ != "https" && url.scheme_ != "http") return badUrl("the address must begin with https://");
  TRY(host, normalHost(handle.get()));
  url.host_ = std::move(host);
  auto const port = std::strtoul(part(handle.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT).c_str(), nullptr, 10);
  if (port == 0 || port > 0xffff) return badUrl("the port in the address is not a number from 1 to 65535");
  url.port_ = static_cast<std::uint16_t>(port);
  if (curl_url_set(handle.get(), CURLUPART_HOST, url.host_.c_str(), 0) != CURLUE_OK ||
      curl_url_set(handle.get(), CURLUPART_FRAGMENT, nullptr, 0) != CURLUE_OK)
    return badUrl("the address names a host that cannot be used");
  url.path_ = part(handle.get(), CURLUPART_PATH);
  url.handle_ = std::move(handle);
  return url;
}

Url Url::withParameter(std::string_view name, std::string_view value) const {
  Url url;
  url.handle_ = Handle(curl_url_dup(handle_.get()));
  url.scheme_ = scheme_;
  url.host_ = host_;
  url.port_ = port_;
  url.path_ = path_;
  auto pair = percentEncode(name) + "=" + percentEncode(value);
  curl_url_set(url.handle_.get(), CURLUPART_QUERY, pair.c_str(), CURLU_APPENDQUERY);
  return url;
}

std::string Url::query() const { return part(handle_.get(), CURLUPART_QUERY); }

std::string Url::origin() const { return scheme_ + "://" + host_ + ":" + std::to_string(port_); }

std::string Url::text() const { return part(handle_.get(), CURLUPART_URL, CURLU_NO_DEFAULT_PORT); }

namespace {

bool admits(std::string_view rule, Url const& url) {
  bool const subdomains = rule.starts_with("*.");
  if (subdomains) rule.remove_prefix(2);
  // Read as a URL, so that host and rule are normalised by the same code.
  auto const wanted = Url::parse("https://" + std::string(rule));
  if (!wanted || wanted->path() != "/" || rule.find_first_of("/?#@") != std::string_view::npos) return false;
  auto const colon = rule.rfind(':');
  bool const has_port = colon != std::string_view::npos && rule.find(']', colon) == std::string_view::npos;
  if (has_port ? wanted->port() != url.port() : !url.hasDefaultPort()) return false;
  if (!subdomains) return url.host() == wanted->host();
  return url.host().size() > wanted->host().size() + 1 && url.host().ends_with("." + wanted->host());
}

} // namespace

bool haveSameOrigin(std::string_view one, std::string_view other) {
  auto const first = Url::parse(one);
  auto const second = Url::parse(other);
  return first && second && first->origin() == second->origin();
}

bool isAllowed(Url const& url, std::vector<std::string> const& rules) {
  return std::any_of(rules.begin(), rules.end(), [&](std::string const& rule) { return admits(rule, url); });
}

} // namespace garland::egress
