// The programs of PostgreSQL that copy a database and put a copy back. They are told by their environment
// which database is meant, so that no password is a word of a command line.
#pragma once

#include "host/base/result.h"

#include <stop_token>
#include <string>

namespace garland::store {

// Both block. Errors: notFound (the program is not installed), conflict, hostLimit (it failed, and has said
// why on standard error), cancelled.
Result<void> dumpPostgres(std::string const& url, std::string const& file, std::stop_token const& stop);
// In one transaction with `then`, which only its last line ends: whatever is killed, nothing is kept before.
Result<void> restorePostgres(std::string const& url, std::string const& file, std::string const& then);

} // namespace garland::store
