// Whether bytes from outside are text.
#pragma once

#include <string>
#include <string_view>

namespace garland {

// Whole characters up to U+10FFFF, each in its shortest form, no surrogates (RFC 3629).
bool isUtf8(std::string_view bytes);

// Valid UTF-8: a byte that belongs to no character becomes U+FFFD.
std::string asUtf8(std::string_view bytes);

// One line that no terminal obeys: a control character (U+0000 to U+001F, U+007F to U+009F) becomes a blank.
std::string printable(std::string utf8);

} // namespace garland
