// A body that its sender packed (Content-Encoding), for hooks and webhooks. Pure: bytes in, bytes out.
#pragma once

#include "host/base/result.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace garland::api {

constexpr std::size_t kMostUnpacked = std::size_t{1} << 20U; // as much as may come unpacked

// gzip and deflate, as HTTP knows them; "" and "identity" are not packed. invalidInput: broken, cut off, or
// more than kMostUnpacked; unsupported: packed otherwise.
Result<std::string> unpacked(std::string_view encoding, std::string_view body);

} // namespace garland::api
