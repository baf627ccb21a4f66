// Is a text one JSON document? Answered without building it.
#pragma once

#include <string_view>

namespace garland::runtime::worker {

// RFC 8259, UTF-8, at most 64 levels deep.
bool isJson(std::string_view text) noexcept;
// The same, and its outermost value is an object.
bool isJsonObject(std::string_view text) noexcept;

} // namespace garland::runtime::worker
