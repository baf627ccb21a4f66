// Which connectors come with Garland, by their ids. For the order in which they are told, and for no right.
#pragma once

#include <string_view>

namespace garland {

inline bool isBundled(std::string_view connector_id) { return connector_id.starts_with("garland."); }

} // namespace garland
