// The look of the pages that a run leaves: they load nothing, run no script, and fit a phone.
#pragma once

#include <string>
#include <string_view>

namespace garland::certification {

std::string tag(std::string_view element, std::string_view attributes, std::string const& inner);
std::string page(std::string_view title, std::string const& body); // `title` as plain text

} // namespace garland::certification
