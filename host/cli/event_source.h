// A stream of server-sent events from the daemon, read as it comes.
#pragma once

#include "host/base/result.h"
#include "host/cli/client.h"
#include "host/cli/event_reader.h"

#include <functional>
#include <string>

namespace garland::cli {

// Reads until the daemon ends the stream (true), or `take` answers false (false). Errors as Client::read has
// them.
Result<bool> readEvents(Client& client, std::string const& path,
                        std::function<bool(ServerEvent const&)> const& take);

} // namespace garland::cli
