// Which of two versions is the older one: numbers by their value, words by their letters, "~" before
// everything, an epoch ("1:") before all that. The order of Debian, of which "2.6.3" and the like are a part.
#pragma once

#include <string_view>

namespace garland::certification {

bool isOlder(std::string_view version, std::string_view than);

} // namespace garland::certification
