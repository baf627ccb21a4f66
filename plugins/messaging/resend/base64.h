// Whether a text is Base64 as RFC 4648 has it, line breaks allowed: what is not, nobody can open as a file.
#pragma once

#include <cstddef>
#include <string_view>

namespace garland::resend {

inline bool isBase64(std::string_view text) {
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::size_t length = 0;
  std::size_t padding = 0;
  for (char const c : text) {
    if (c == '\r' || c == '\n') continue;
    ++length;
    if (c == '=')
      ++padding;
    else if (padding > 0 || alphabet.find(c) == std::string_view::npos)
      return false;
  }
  return length % 4 == 0 && padding <= 2;
}

} // namespace garland::resend
