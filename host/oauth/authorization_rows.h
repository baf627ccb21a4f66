// What sign-ins at a provider's own page and those on another device keep alike.
#pragma once

#include "host/oauth/oauth.h"

namespace garland::oauth {

// Of an account that is connected with what was given: the answer for tokens and the trial, with all that it
// waits for the provider's limit, have ended by then, so its daemon is taken for gone.
inline constexpr Milliseconds kConnecting{600'000};
// It may have ended when the account was connected already.
inline constexpr char const* kLeftBehind =
    "the daemon ended while the account was being connected; look whether it is, and if not begin the "
    "sign-in again";

// What the sealed text of one is bound to.
inline std::string contextOf(Authorization const& one) { return one.vendor_id + "/" + one.id + "/sign-in"; }

// The row of one that begins, and away with those of which nobody asks any more. `ticket`: its hash, or "".
store::Unit begun(Authorization const& one, std::string ticket, std::string sealed, TimePoint now);

} // namespace garland::oauth
