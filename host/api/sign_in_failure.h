// What becomes of a sign-in that failed: one line in the log with all that an operator needs, one word in the
// audit chain, and for the browser, of which nobody knows whose it is, no more than it needs.
#pragma once

#include "host/api/api.h"

#include <string>

namespace garland::api {

// Where roles are read: "groups", or further down: "/realm_access/roles". Null: it is not there.
json::value const* roleClaim(json::object const& claims, std::string const& name);

// What a person without a role had: the claim, how many values, and those that are names of groups, cut
// short. Values that may name a person are counted only.
json::object rolesSaid(json::object const& claims, OidcSettings const& settings);

// The error without what is for the log: addresses, hosts, files, settings.
Error forBrowsers(Error const& error);

// The chain's word for it: its provider_code, or that a session could not be opened.
std::string signInWord(Error const& error);

} // namespace garland::api
