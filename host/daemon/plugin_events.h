// What becomes of a plugin by itself while it runs, as events of the audit chain.
#pragma once

#include "host/audit/audit.h"
#include "host/runtime/runtime.h"

#include <optional>

namespace garland::daemon {

// Nothing for a worker that ended and was replaced: that changes nothing for whoever uses the plugin. Of the
// reason, which may quote the plugin, nothing is in it.
std::optional<audit::Event> auditOf(runtime::SupervisorEvent const& event);

} // namespace garland::daemon
