#include "host/base/utf8.h"

#include <boost/locale/utf.hpp>

namespace garland {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

// Moves on past one character. False: the bytes there are none.
bool nextCharacter(std::string_view::iterator& at, std::string_view::iterator end) {
  namespace utf = boost::locale::utf;
  return utf::is_valid_codepoint(utf::utf_traits<char>::decode(at, end));
}

} // namespace

bool isUtf8(std::string_view bytes) {
  for (auto at = bytes.begin(); at != bytes.end();)
    if (!nextCharacter(at, bytes.end())) return false;
  return true;
}

std::string asUtf8(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  for (auto at = bytes.begin(); at != bytes.end();) {
    auto const start = at;
    if (nextCharacter(at, bytes.end())) {
      out.append(start, at);
    } else {
      out += kReplacement;
      at = start + 1;
    }
  }
  return out;
}

std::string printable(std::string utf8) {
  for (std::size_t i = 0; i < utf8.size(); ++i) {
    auto const byte = static_cast<unsigned char>(utf8[i]);
    if (byte < 0x20 || byte == 0x7F) utf8[i] = ' ';
    // U+0080 to U+009F act like ESC sequences on some terminals.
    bool const c1 = byte == 0xC2 && i + 1 < utf8.size() && static_cast<unsigned char>(utf8[i + 1]) < 0xA0;
    if (c1) utf8.replace(i, 2, " ");
  }
  return utf8;
}

} // namespace garland
