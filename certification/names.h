// What a connector is shown is called as a daemon calls it, so that nobody behaves well for the name's sake.
#pragma once

#include <string>
#include <string_view>

namespace garland::certification {

// "con_01K3…" (host/base/ids.h): always the same for one name, and another for every other.
std::string idNamed(std::string_view prefix, std::string const& name);
// "3f0c7a52-…-8…", as the key of an action that providers are given: the same.
std::string keyNamed(std::string const& name);

} // namespace garland::certification
