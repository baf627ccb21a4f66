// What a signature is computed over: one hop of a request as it leaves, and the parts that signature schemes
// have in common. The schemes themselves are in oauth1.h and sigv4.h.
#pragma once

#include "host/egress/egress.h"
#include "host/egress/url.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace garland::egress {

struct Signable {
  std::string const& method;
  Url const& url;                     // as libcurl read it, which is how it is sent
  std::vector<Header> const& headers; // the caller's; those that are not sent among them
  std::string_view body;              // as it is sent
};

using Pairs = std::vector<std::pair<std::string, std::string>>;

// "a=1&b=2+3" decoded: "+" is a space, a member without "=" has an empty value, an escape that is none
// stays as it is.
Pairs formPairs(std::string_view text);
// Names and values percent-encoded (RFC 3986), in the order of the encoded bytes, joined by "=" and "&".
std::string sortedForm(Pairs const& pairs);
std::string percentDecode(std::string_view text);
// "example.com", with its port unless that is the scheme's own.
std::string authorityOf(Url const& url);

std::string sha256(std::string_view bytes);
enum class Hash { sha1, sha256 };
std::string hmac(Hash hash, std::string_view key, std::string_view text);

} // namespace garland::egress
