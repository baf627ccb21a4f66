// What to type after an account was connected or changed: how what it has comes in.
#pragma once

#include "host/base/json.h"

#include <string>

namespace garland::cli {

// `plugin` as the API shows one. "bring everything in with: garland sync run con_..." for a provider that is
// asked; where it sends by itself, how it is given an address. "" if nothing comes in.
std::string waysIn(json::value const& plugin, std::string const& connection);
// After its settings were changed.
std::string afterChange(json::value const& plugin, std::string const& connection);
// Whether it signs in, so that there is a credential to speak of.
bool signsIn(json::value const& plugin);

} // namespace garland::cli
