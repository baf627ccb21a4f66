// Where tests find what providers and others wrote about themselves: descriptions, captures, vectors.
#pragma once

#include "tests/places/places.h"

#include <cstdlib>
#include <string>
#include <string_view>

namespace garland {

// $GARLAND_PROVIDER_SPECS, or ../shared/providers/specs beside the tree. It may not be there.
inline std::string providerSpecs() {
  auto const* const named = std::getenv("GARLAND_PROVIDER_SPECS");
  return named != nullptr && *named != '\0' ? named : inSources("/../shared/providers/specs");
}

// $GARLAND_CONTRACTS is "required": what is not there fails, and is not skipped.
inline bool contractsRequired() {
  auto const* const said = std::getenv("GARLAND_CONTRACTS");
  return said != nullptr && std::string_view(said) == "required";
}

} // namespace garland
