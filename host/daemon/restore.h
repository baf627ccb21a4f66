// A host made of a backup, on a data folder and a database that are empty. No daemon runs meanwhile.
#pragma once

#include "host/base/json.h"
#include "host/daemon/config.h"

#include <string>

namespace garland::daemon {

// The passphrase is what can be read from the descriptor, without its line end. What was restored, as
// toJson(backup::Manifest) with "new_master_key" besides. Killed at any moment, it is to be repeated with the
// same backup, and no daemon starts before. Blocks. Errors: invalidInput (damaged, a wrong passphrase),
// conflict (something is there), unsupported (of a newer Garland, of another kind of database, a daemon
// runs), and those of store::putBack().
Result<json::value> restoreHost(Config const& config, std::string const& file, int passphrase_fd);
// For people.
std::string describeRestored(json::value const& restored, Config const& config);

// conflict while a restore on the folder has not come to its end.
Result<void> requireWholeRestore(std::string const& data_dir);

} // namespace garland::daemon
