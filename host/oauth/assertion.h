// The JWT by which a client vouches for itself (RFC 7523), as service accounts do: good for one request.
#pragma once

#include "host/oauth/oauth.h"

namespace garland::oauth {

// `id`: its own, so that nobody can use it again. invalidInput if the client's secret is no private key.
Result<Secret> assertionFor(Use const& use, std::string const& id, TimePoint now);

} // namespace garland::oauth
