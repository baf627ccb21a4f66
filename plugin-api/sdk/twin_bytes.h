// Bodies are bytes, JSON is text: base64 for what is not UTF-8. Private to the SDK.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace garland::sdk::twin {

bool isUtf8(std::string_view bytes);
std::string toBase64(std::string_view bytes);                 // RFC 4648 with padding
std::optional<std::string> fromBase64(std::string_view text); // padding may be missing

} // namespace garland::sdk::twin
