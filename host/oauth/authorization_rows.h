// What sign-ins at a provider's own page and those on another device keep alike.
#pragma once

#include "host/oauth/oauth.h"

namespace garland::oauth {

// What the sealed text of one is bound to.
inline std::string contextOf(Authorization const& one) { return one.vendor_id + "/" + one.id + "/sign-in"; }

// The row of one that begins, and away with those of which nobody asks any more. `ticket`: its hash, or "".
store::Unit begun(Authorization const& one, std::string ticket, std::string sealed, TimePoint now);

} // namespace garland::oauth
