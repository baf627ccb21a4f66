// What belongs to a host, brought together in one file while everything goes on.
#pragma once

#include "host/base/clock.h"
#include "host/base/random.h"
#include "host/base/secret.h"
#include "host/base/task.h"
#include "host/custody/custody.h"
#include "host/daemon/config.h"
#include "host/store/store.h"

#include <string>

namespace garland::daemon {

// Everything must outlive the backup.
struct BackupParts {
  asio::any_io_executor aside; // what takes long
  Clock& clock;
  Random& random;
  store::Store& store;
  custody::Custody& custody;
  Config const& config;
};

// Its name in <data_dir>/exports, "bak_...". [loop thread] Errors: those of Store::copyTo,
// Custody::exportFile and backup::write; of a backup that failed nothing is left.
Task<std::string> makeBackup(BackupParts const* with, Secret passphrase);
// Of daemons that were killed on their way.
void dropUnfinishedBackups(std::string const& data_dir);

} // namespace garland::daemon
