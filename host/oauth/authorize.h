// The address of a provider's own page, where somebody lets the client in. No I/O.
#pragma once

#include "host/oauth/oauth.h"

namespace garland::oauth {

// `ticket` is what comes back as "state".
std::string pageOf(SendOff const& send_off, Secret const& ticket, Secret const& verifier);
// 256 bits for a ticket, a verifier (RFC 7636 wants 43 characters at least) or a browser.
Secret newTicket(Random& random);

} // namespace garland::oauth
