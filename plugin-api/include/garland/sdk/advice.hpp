// What a vendor reads of a failure that says nothing to people itself.
#pragma once

#include <garland/sdk/error.hpp>

#include <string_view>

namespace garland::sdk {

// What it means, and the next step.
std::string_view adviceFor(Kind kind);

} // namespace garland::sdk
