// JSON Web Tokens (RFC 7519) as webhooks and OpenID providers use them: signed, with a time at which they
// end.
#pragma once

#include "host/webhooks/scheme.h"

namespace garland::webhooks {

struct JwtCheck {
  JwtRules const& rules;
  std::vector<std::string> const& keys; // bytes of secrets or public keys
  std::string audience;                 // empty: anybody's
  std::chrono::seconds leeway{0};
  TimePoint now;
};

// The claims of a token that holds.
Found<json::value> checkJwt(std::string_view token, JwtCheck const& check);
// What a token says of how it is signed; nothing of it was checked.
Found<json::value> jwtHeader(std::string_view token);

} // namespace garland::webhooks
