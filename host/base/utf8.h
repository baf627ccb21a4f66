// Whether bytes from outside are text.
#pragma once

#include <string>
#include <string_view>

namespace garland {

// Whole characters up to U+10FFFF, each in its shortest form, no surrogates (RFC 3629).
bool isUtf8(std::string_view bytes);

// Valid UTF-8: a byte that belongs to no character becomes U+FFFD.
std::string asUtf8(std::string_view bytes);

} // namespace garland
