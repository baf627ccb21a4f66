// What the audit chain has of what this daemon's parts do, where they do not know of it themselves.
#pragma once

#include "host/access/access.h"
#include "host/audit/audit.h"
#include "host/runtime/runtime.h"

#include <optional>
#include <string>
#include <string_view>

namespace garland::daemon {

// What is done to a key, or a session of somebody: `act` is the room's word for it.
audit::Event auditOf(std::string_view act, access::Key const& key);
audit::Event auditOf(std::string_view act, access::Session const& session);

// Mail to an address that is none.
audit::Event refusedMailOf(std::string const& peer);

// What came of a plugin that was looked for. Nothing for one that stays as it was; all that is there is
// installed anew at each start, which is no change either.
std::optional<audit::Event> auditOf(runtime::Adoption const& one, bool at_start);

// What becomes of a plugin by itself while it runs. Nothing for a worker that ended and was replaced: that
// changes nothing for whoever uses the plugin. Of the reason, which may quote the plugin, nothing is in it.
std::optional<audit::Event> auditOf(runtime::SupervisorEvent const& event);

} // namespace garland::daemon
