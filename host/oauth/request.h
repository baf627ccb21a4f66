// The request for tokens, as the provider wants it.
#pragma once

#include "host/oauth/grants.h"

namespace garland::oauth {

struct TokenRequest {
  egress::Request request;
  egress::Policy policy;
  egress::Credential credential; // the client's, where the provider wants it by HTTP Basic
};

// `token`: what the grant is renewed by, or the assertion; "" by the client alone. A redirect is not
// followed: it would carry the secrets away.
TokenRequest requestFor(Use const& use, Secret const& token, Milliseconds timeout);

// The first of a grant that begins with a code.
TokenRequest redemptionFor(Use const& use, Secret const& code, Redemption const& redemption,
                           Milliseconds timeout);

// That begins a sign-in on another device (RFC 8628), and that asks what became of it.
TokenRequest deviceRequestFor(Use const& use, Milliseconds timeout);
TokenRequest pollFor(Use const& use, Secret const& device_code, Milliseconds timeout);

// That takes `token` back; else than for tokens, 200 says no more than that it is good for nothing.
TokenRequest revocationFor(Use const& use, Secret const& token, bool is_refresh_token, Milliseconds timeout);

} // namespace garland::oauth
