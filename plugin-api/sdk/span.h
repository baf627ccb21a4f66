// Spans of the C ABI from and to C++ texts. Private to the SDK.
#pragma once

#include <garland/plugin.h>

#include <string_view>

namespace garland::sdk {

inline garland_str span(std::string_view text) { return {text.data(), text.size()}; }
inline garland_json jsonSpan(std::string_view text) { return {text.data(), text.size()}; }
inline std::string_view view(garland_str text) { return {text.ptr, text.len}; }
inline std::string_view view(garland_json text) { return {text.ptr, text.len}; }
inline std::string_view view(garland_bytes bytes) {
  return {reinterpret_cast<char const*>(bytes.ptr), bytes.len};
}
inline garland_bytes bytesSpan(std::string_view text) {
  return {reinterpret_cast<std::uint8_t const*>(text.data()), text.size()};
}

} // namespace garland::sdk
