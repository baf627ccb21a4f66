// The first start on a database that came from a backup.
#pragma once

#include "host/audit/audit.h"
#include "host/base/clock.h"
#include "host/base/log.h"
#include "host/base/task.h"
#include "host/store/store.h"

namespace garland::daemon {

// Puts in doubt what may have been done since the backup, in one unit with the row of the audit chain;
// nothing if the database came from none, or that was done before. To be called before anything begins; of
// several daemons one does it. They outlive it. Errors: the store's.
Task<void> settleRestore(store::Store* store, audit::Book* book, Clock const* clock, Log const* log);

} // namespace garland::daemon
