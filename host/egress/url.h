// A URL as egress uses it. libcurl's own parser reads it, and the same parsed form is later handed
// to the transfer, so what was checked is what is fetched.
#pragma once

#include "host/base/result.h"

#include <curl/curl.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace garland::egress {

class Url {
public:
  // http or https, without user name, password or fragment. The host comes out in lower case, as
  // ASCII, without a trailing dot, an address in its one plain form. Errors: invalidInput.
  static Result<Url> parse(std::string_view text);
  // Where a Location header leads from here.
  Result<Url> resolve(std::string_view location) const;
  // This URL with one more query parameter.
  Url withParameter(std::string_view name, std::string_view value) const;

  std::string const& scheme() const { return scheme_; }
  std::string const& host() const { return host_; } // an IPv6 address in brackets
  std::uint16_t port() const { return port_; }
  bool hasDefaultPort() const { return port_ == (scheme_ == "https" ? 443 : 80); }
  std::string const& path() const { return path_; } // without the query
  std::string query() const;                        // as it is sent; empty if there is none
  std::string origin() const;                       // "https://caldav.example.com:443"
  std::string text() const;

  CURLU* handle() const { return handle_.get(); }

private:
  struct Cleanup {
    void operator()(CURLU* handle) const { curl_url_cleanup(handle); }
  };
  using Handle = std::unique_ptr<CURLU, Cleanup>;

  static Result<Url> normalise(Handle handle, std::string_view text);

  Handle handle_;
  std::string scheme_;
  std::string host_;
  std::uint16_t port_ = 0;
  std::string path_;
};

// Whether one of the rules ("caldav.example.com", "*.icloud.com", "127.0.0.1:5232", "[::1]:5232")
// admits the URL's host and port. A rule that cannot be read admits nothing.
bool isAllowed(Url const& url, std::vector<std::string> const& rules);

} // namespace garland::egress
