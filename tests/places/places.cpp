#include "tests/places/places.h"

namespace garland {

std::string inSources(std::string_view path) { return GARLAND_SOURCE_DIR + std::string(path); }

std::string inBuild(std::string_view path) { return GARLAND_BINARY_DIR + std::string(path); }

} // namespace garland
