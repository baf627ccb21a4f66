// What to type next for an account: how what it has comes in.
#pragma once

#include "host/base/json.h"
#include "host/base/result.h"

#include <string>

namespace garland::cli {

// `plugin` as the API shows one. "bring everything in with: garland sync run con_..." for a provider that is
// asked; where it sends by itself, how it is given an address. "" if nothing comes in.
std::string waysIn(json::value const& plugin, std::string const& connection);
// After its settings were changed.
std::string afterChange(json::value const& plugin, std::string const& connection);
// Whether it reads CSV files and, unless `kind` is "", brings that kind of records; the error says what else
// does.
Result<void> checkTakesCsv(json::value const& plugin, std::string const& connection, std::string const& kind);
// Whether it signs in, so that there is a credential to speak of.
bool signsIn(json::value const& plugin);

} // namespace garland::cli
