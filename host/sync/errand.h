// An account that is to be connected by a sign-in elsewhere: what was typed waits, sealed, until that has
// ended.
#pragma once

#include "host/sync/connections.h"

#include <string_view>

namespace garland::sync {

// The first slot whose oauth2 has this member ("/authorize_url"); null: none has.
runtime::AuthSlot const* slotWith(runtime::Manifest const& manifest, std::string_view member);

// As text, and back again.
Secret errandOf(ConnectRequest const& request);
Result<ConnectRequest> requestOf(oauth::Authorization const& authorization, Secret const& errand);

} // namespace garland::sync
