// Text of strangers, made fit for a terminal, a log line and a report.
#include "certification/escape.h"

#include "host/base/utf8.h"

namespace garland::certification {
namespace {

// How many bytes of what begins there move a cursor or turn text around; 0: it is a harmless character.
std::size_t harmfulAt(std::string_view text) {
  auto const byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  if (byte(0) < 0x20 || byte(0) == 0x7F) return 1;
  if (byte(0) == 0xC2 && byte(1) < 0xA0) return 2; // U+0080 to U+009F
  if (byte(0) != 0xE2) return 0;
  bool const turns =
      byte(1) == 0x80 && (byte(2) == 0x8E || byte(2) == 0x8F || (byte(2) >= 0xA8 && byte(2) <= 0xAE));
  bool const isolates = byte(1) == 0x81 && byte(2) >= 0xA6 && byte(2) <= 0xA9;
  return turns || isolates ? 3 : 0;
}

} // namespace

std::string oneLine(std::string_view text, std::size_t longest) {
  auto const whole = asUtf8(text.substr(0, longest + 4)); // no more than a character over it
  std::string out;
  for (std::size_t at = 0; at < whole.size();) {
    auto const harm = harmfulAt(std::string_view(whole).substr(at));
    std::size_t length = harm;
    if (harm == 0)
      for (length = 1;
           at + length < whole.size() && (static_cast<unsigned char>(whole[at + length]) & 0xC0U) == 0x80U;)
        ++length;
    if (out.size() + (harm != 0 ? 1 : length) > longest) break;
    out += harm != 0 ? std::string(" ") : whole.substr(at, length);
    at += length;
  }
  bool const cut = text.size() > longest;
  return cut ? out + "..." : out;
}

} // namespace garland::certification
