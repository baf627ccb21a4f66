// OAuth 1.0a (RFC 5849): the signature of a request, in its Authorization header. How a token is obtained
// does not belong here: the vendor or a sign-in brings it.
#pragma once

#include "host/egress/signable.h"

namespace garland::egress {

// RFC 5849, section 3.4.1: method, address and every parameter of query, form body and `protocol` (the oauth_
// parameters without the signature) as the one text that is signed.
std::string oauth1BaseString(Signable const& what, Pairs const& protocol);

// Sections 3.4.2 to 3.4.4. HMAC-SHA256 is computed as HMAC-SHA1 is, with the other hash.
std::string oauth1Signature(std::string_view base_string, Credential const& credential);

// The value of the Authorization header. It holds the secrets if the method is PLAINTEXT: wipe it.
std::string oauth1Authorization(Signable const& what, Credential const& credential, TimePoint now,
                                std::string nonce);

} // namespace garland::egress
