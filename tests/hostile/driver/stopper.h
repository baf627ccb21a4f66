// Names the layer that stopped an act, from what the act met and how its worker ended.
#pragma once

#include "host/base/result.h"

#include <optional>
#include <string_view>

namespace garland::hostile {

// By the host's sentence of how the worker ended; "" if it tells nothing.
std::string_view stopperByEnd(std::string_view how);
// By the errno that the act met in a tier (acts/act.h); "" if it met none.
std::string_view stopperByErrno(std::int64_t code, char tier);
// By the error that the operation ended with.
std::string_view stopperByError(Error const& error);

} // namespace garland::hostile
