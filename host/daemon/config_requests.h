// [requests."PLUGIN ID"] of garland.toml: how fast a provider may be asked, instead of what its connector
// says.
#pragma once

#include "host/sync/sync.h"

#include <toml++/toml.h>

#include <functional>
#include <map>
#include <string>

namespace garland::daemon {

// `complain` is told the place of a mistake, and what is allowed there.
void readRequests(toml::node const& node, std::map<std::string, sync::RequestRates>& out,
                  std::function<void(toml::source_position const&, std::string const&)> const& complain);

} // namespace garland::daemon
