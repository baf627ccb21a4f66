// Bars, drawn as SVG in a page: no script, wide as the screen, and told in words to those who do not see
// them.
#pragma once

#include <string>
#include <vector>

namespace garland::certification {

struct Bar {
  std::string label;
  double value = 0;
};

// The longest come first, and equal ones by their labels; past kMostBars they are left out, and counted in
// the description. `title`: what is drawn, as plain text.
inline constexpr std::size_t kMostBars = 40;
std::string drawing(std::string const& title, std::vector<Bar> bars, std::string const& unit);
std::string oneDigit(double value); // 1.25 is "1.3", 2 is "2"

} // namespace garland::certification
