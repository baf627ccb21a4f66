// Text forms of bytes.
#pragma once

#include "host/base/result.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace garland {

using Bytes = std::vector<std::uint8_t>;

std::string hex(std::string_view bytes);            // lower case
Result<std::string> fromHex(std::string_view text); // bytes as a string; invalidInput with the place
std::string base64(std::string_view bytes);         // RFC 4648 with padding
Result<std::string> fromBase64(std::string_view text);
std::string base64Url(std::string_view bytes); // RFC 4648 section 5, without padding
// Percent-encodes everything but unreserved characters (RFC 3986).
std::string percentEncode(std::string_view text);

} // namespace garland
