// JSON Web Tokens (RFC 7519) as webhooks use them: signed, with a time at which they end.
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

Found<void> checkJwt(std::string_view token, JwtCheck const& check);

} // namespace garland::webhooks
