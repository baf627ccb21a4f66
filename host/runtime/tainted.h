// Whatever a worker says is tainted: its sandbox holds, but its words are the plugin's. Here it is
// cut to size and made safe to log and to hand on.
#pragma once

#include "host/base/result.h"

#include <string>
#include <string_view>

namespace garland::runtime {

// At most `limit` bytes of valid UTF-8 without control characters but tab and line break; what was
// not is shown as "?".
std::string cleanText(std::string_view text, std::size_t limit);

// The error as the host passes it on: every text cleaned, the detail dropped if it is very large.
Error cleanError(Error error);

// True for one complete JSON document of sane depth. Builds nothing, so it costs little.
bool isJson(std::string_view text);

} // namespace garland::runtime
