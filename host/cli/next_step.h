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
// The command by which a vendor's first account is connected: at the provider's own page, where there is one.
std::string firstConnect(json::value const& plugin, std::string const& id, std::string const& vendor);
// The same for an account that is connected already, in its words, so that only the credential is typed.
// Connecting it again replaces the credential and keeps what waits; disconnecting first would not.
std::string reconnecting(json::value const& plugin, json::value const& connection);
// Its state; of one that is paused what resuming does not end, "revoked" or "reconnect needed", if it is
// that.
std::string standingOf(json::value const& connection);
// After a pause was ended: it goes on, unless somebody has to sign in first.
std::string afterResume(json::value const& connection);

} // namespace garland::cli
