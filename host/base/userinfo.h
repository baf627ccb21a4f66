// User names and passwords inside of URLs ("https://rosa:secret@host/"): found, and left out of what is
// shown. Not a URL parser: it errs on the side of hiding, and is no check of anything else.
#pragma once

#include <string>
#include <string_view>

namespace garland {

// True if the text has the form of a URL whose host is preceded by "...@".
bool hasUserinfo(std::string_view url);
// The text without that part; also for "user@host:port" without a scheme.
std::string withoutUserinfo(std::string_view url);

} // namespace garland
