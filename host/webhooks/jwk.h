// JSON Web Key Sets (RFC 7517), as OpenID providers publish them.
#pragma once

#include "host/webhooks/reject.h"

namespace garland::webhooks {

// The public keys that may have signed a token with this header, as DER. noSecret if there is none: that of
// its "kid", if it has one, or else all for its algorithm.
Found<std::vector<std::string>> keysFor(json::value const& key_set, json::value const& header);

} // namespace garland::webhooks
