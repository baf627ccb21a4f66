// Who types this, for audit trails and waivers.
#pragma once

#include <string>

namespace garland::cli {

// As the machine knows them, and never "".
std::string loginName();

} // namespace garland::cli
