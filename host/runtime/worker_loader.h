// Loads the one plugin of this process, after the sandbox has closed and for good: nothing is ever unloaded.
#pragma once

#include "host/runtime/wire.h"

#include <garland/plugin.h>

#include <boost/system/result.hpp>

namespace garland::runtime::worker {

// `path` names the verified bytes ("/proc/self/fd/5"). The descriptor of the plugin, its members checked
// for what this host cannot do without; or at which stage loading failed and why.
boost::system::result<garland_plugin, wire::LoadFailed> loadPlugin(char const* path,
                                                                   garland_host const& host);

// What a loaded plugin says of itself, for the host to compare with its manifest.
wire::Hello helloOf(garland_plugin const& plugin);

} // namespace garland::runtime::worker
