// People sign in: to the OpenID provider and back, with a session at the end. What a sign-in has to know
// again (state, nonce, the verifier of PKCE) is made of its cookie by HMAC, so that the database holds
// nothing of it but a hash, and whoever lacks the cookie cannot go on.
#pragma once

#include "host/api/http.h"
#include "host/api/oidc_provider.h"

#include <string>

namespace garland::api {

// Which role somebody has by the claims of an ID token. forbidden: none, or several that do not go together.
Result<OidcRole> roleFrom(json::object const& claims, OidcSettings const& settings);

// [loop thread]
class SignInDoor {
public:
  explicit SignInDoor(Dependencies const& with)
      : with_(with), provider_(with.clock, with.egress, with.oidc, with.extra_ca_file),
        begun_(with.clock, beginnings()), wrong_(with.clock) {}

  // Sends the browser to the provider.
  Task<Response> begin(Request request);
  // ... from where it comes back.
  Task<Response> finish(Request request);

private:
  static access::Attempts::Limits beginnings();
  Result<void> ready() const;
  Error refused(Request const& request, std::string_view why, Error error);
  Error failed(Request const& request, Error const& error, json::object facts = {});
  json::object about(json::object const& claims) const;
  Result<std::string> codeIn(Request const& request, ProviderFacts const& facts) const;
  Task<access::OpenedSession> openFor(json::object claims);

  Dependencies const& with_;
  OidcProvider provider_;
  access::Attempts begun_;
  access::Attempts wrong_;
};

json::object shapeOf(access::Session const& session);

} // namespace garland::api
