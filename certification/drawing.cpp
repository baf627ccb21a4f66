#include "certification/drawing.h"

#include "certification/escape.h"

#include <algorithm>
#include <cmath>

namespace garland::certification {
namespace {

constexpr int kBar = 18;      // height with its gap, units of the drawing
constexpr int kLabel = 70;    // where bars begin
constexpr int kLongest = 220; // of a bar

std::string inWords(Bar const& bar, std::string const& unit) {
  return bar.label + " " + oneDigit(bar.value) + " " + unit;
}

// For whoever has the page read out.
std::string described(std::vector<Bar> const& bars, std::size_t all, std::string const& unit) {
  std::string out;
  for (auto const& bar : bars) out += (out.empty() ? "" : ", ") + inWords(bar, unit);
  if (all > bars.size()) out += "; " + std::to_string(all - bars.size()) + " shorter ones are left out";
  return out;
}

} // namespace

std::string oneDigit(double value) {
  auto const tenths = std::lround(value * 10);
  auto const rest = tenths % 10;
  return std::to_string(tenths / 10) + (rest == 0 ? "" : "." + std::to_string(rest));
}

std::string drawing(std::string const& title, std::vector<Bar> bars, std::string const& unit) {
  if (bars.empty()) return "<p>Nothing to draw.</p>\n";
  std::ranges::sort(bars, [](Bar const& one, Bar const& other) {
    return one.value != other.value ? one.value > other.value : one.label < other.label;
  });
  auto const all = bars.size();
  if (bars.size() > kMostBars) bars.resize(kMostBars);
  double const most = std::max(bars.front().value, 0.001);
  std::string out;
  int y = 0;
  for (auto const& bar : bars) {
    auto const width = std::max(1, static_cast<int>(bar.value / most * kLongest));
    auto const text = std::to_string(y + 12);
    out += "<text x=0 y=" + text + ">" + xmlText(bar.label) + "</text><rect x=" + std::to_string(kLabel) +
           " y=" + std::to_string(y + 2) + " width=" + std::to_string(width) +
           " height=12 /><text x=" + std::to_string(kLabel + width + 4) + " y=" + text + ">" +
           oneDigit(bar.value) + " " + xmlText(unit) + "</text>\n";
    y += kBar;
  }
  return "<svg role=img viewBox=\"0 0 360 " + std::to_string(y) + "\"><title>" + xmlText(title) +
         "</title><desc>" + xmlText(described(bars, all, unit)) + "</desc>\n" + out + "</svg>\n";
}

} // namespace garland::certification
