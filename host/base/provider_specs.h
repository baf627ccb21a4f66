// Where tests find what providers and others wrote about themselves: descriptions, captures, vectors.
#pragma once

#include <cstdlib>
#include <string>

namespace garland {

// $GARLAND_PROVIDER_SPECS, or ../shared/providers/specs beside the tree. It may not be there.
inline std::string providerSpecs() {
  auto const* const named = std::getenv("GARLAND_PROVIDER_SPECS");
  return named != nullptr && *named != '\0' ? named : GARLAND_SOURCE_DIR "/../shared/providers/specs";
}

} // namespace garland
