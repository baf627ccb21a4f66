// A plugin whose static initialiser is told of its surroundings: a copy of an act, with the scene written
// into it.
#pragma once

#include "host/runtime/runtime.h"

#include <string>

namespace garland::hostile {

// Whether the act runs while it is loaded, and so has to be briefed beforehand.
bool isBriefed(std::string_view act);

// Copies the plugin into `folder` (which is made anew, and is the caller's to remove) and writes `scene`
// where acts/act.h looks for it.
runtime::PluginInfo briefed(std::string_view id, std::string const& folder, json::value const& scene);

} // namespace garland::hostile
