// A stream of server-sent events from the daemon, read as it comes.
#pragma once

#include "host/base/result.h"
#include "host/base/secret.h"
#include "host/cli/event_reader.h"

#include <functional>
#include <string>

namespace garland::cli {

// Reads until the server ends the stream (true), or `take` answers false (false). Errors: what the daemon
// says instead of a stream, as Client has it; transient with provider_code "no_daemon" if nobody answers,
// with "connection_lost" if the stream broke, or nothing came for a minute. `url`: "http://127.0.0.1:7480".
Result<bool> readEvents(std::string const& url, std::string const& path, Secret const& key,
                        std::function<bool(ServerEvent const&)> const& take);

} // namespace garland::cli
