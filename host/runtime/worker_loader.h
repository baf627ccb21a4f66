// Loads the one plugin of this process, after the sandbox has closed and for good: nothing is ever unloaded.
#pragma once

#include "host/runtime/wire.h"

#include <garland/plugin.h>

#include <boost/system/result.hpp>

namespace garland::runtime::worker {

// `path` names the verified bytes ("/proc/self/fd/5"). Maps them and runs static initialisers: the last
// plugin code that may map executable memory, since the sandbox is sealed next. The error says at which stage
// loading failed and why.
boost::system::result<garland_entry_v1_fn, wire::LoadFailed> openPlugin(char const* path);
// Asks the entry for the descriptor of the plugin, its members checked for what this host cannot do without.
boost::system::result<garland_plugin, wire::LoadFailed> describePlugin(garland_entry_v1_fn entry,
                                                                       garland_host const& host);
// Both, where there is no sandbox.
boost::system::result<garland_plugin, wire::LoadFailed> loadPlugin(char const* path,
                                                                   garland_host const& host);

// What a loaded plugin says of itself, for the host to compare with its manifest.
wire::Hello helloOf(garland_plugin const& plugin);

} // namespace garland::runtime::worker
