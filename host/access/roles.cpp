#include "host/access/access.h"

#include <algorithm>

namespace garland::access {

// The first two letters tell them apart: keys begin with them.
std::string_view name(Role role) {
  switch (role) {
  case Role::operator_: return "operator";
  case Role::vendor: return "vendor";
  case Role::partner: return "partner";
  case Role::reviewer: return "reviewer";
  case Role::auditor: return "auditor";
  }
  return "";
}

std::optional<Role> roleNamed(std::string_view word) {
  auto const* const found = std::ranges::find(kRoles, word, [](Role role) { return name(role); });
  if (found == kRoles.end()) return std::nullopt;
  return *found;
}

std::string_view nameOrUnknown(std::optional<Role> role) { return role ? name(*role) : "unknown"; }

} // namespace garland::access
