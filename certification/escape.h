// Text as it may stand in XML and HTML.
#pragma once

#include <string>
#include <string_view>

namespace garland::certification {

// What of a sentence is a stranger's own must move no cursor and fill no page: one line of whole characters,
// without controls (C0, DEL, C1) and without marks that turn the direction of text; `longest` in bytes.
std::string oneLine(std::string_view text, std::size_t longest = 1000);

// Between tags and in attributes with double quotes. Control characters, which XML cannot hold, become
// blanks.
inline std::string xmlText(std::string_view text) {
  std::string out;
  for (char const c : text) {
    switch (c) {
    case '&': out += "&amp;"; break;
    case '<': out += "&lt;"; break;
    case '>': out += "&gt;"; break;
    case '"': out += "&quot;"; break;
    case '\'': out += "&#39;"; break;
    case '\n':
    case '\t': out += c; break;
    default: out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
    }
  }
  return out;
}

} // namespace garland::certification
