// Who may call which route: route x role as data, in one table (permissions.cpp). The router goes by it, and
// the OpenAPI document and `garland roles matrix` show it.
#pragma once

#include "host/access/access.h"
#include "host/api/router.h"

#include <span>
#include <string_view>
#include <vector>

namespace garland::api {

// What a key of the role vendor reaches by the route; keys of other roles are not confined.
enum class Reach {
  nobodys, // nothing of it is a vendor's: whoever may call it gets the same
  own,     // names a vendor, or a thing of one: has to be its own
  listed,  // a list of many vendors' things: only its own are in it
};

struct Permission {
  std::string_view operation_id;
  Reach reach;
  std::string_view roles; // a letter each, as kLetters: "ov-ra"; "": no key is needed
};

std::span<Permission const> permissions();
// nullptr: nobody has thought of it, so nobody may call it.
Permission const* permissionOf(std::string_view operation_id);
bool allows(Permission const& permission, access::Role role);

// What a role may do by a route: "all", "own" (of the vendor whose key it is), "none".
std::string_view wordFor(Permission const& permission, access::Role role);
// {"operator": "all", "vendor": "own", ...}; "all" to everybody if no key is needed.
json::object rolesOf(Permission const& permission);

// {"roles": [...], "items": [...]}: a line for each route, in the order of their paths.
json::object roleMatrix(std::vector<Route> const& routes);

// invalidInput unless each route has exactly one row, each row a route, and both say the same of whether a
// key is needed: a daemon does not start with a route that nobody has decided about.
Result<void> checkPermissions(std::vector<Route> const& routes);

} // namespace garland::api
