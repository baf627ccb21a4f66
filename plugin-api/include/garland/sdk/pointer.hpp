// JSON Pointers (RFC 6901) as tables use them: looking up, and putting in place.
#pragma once

#include <garland/sdk/json.hpp>

#include <string_view>

namespace garland::sdk {

// The value there; null pointer if there is none. The empty pointer is the whole document.
json::value const* find(json::value const& document, std::string_view pointer);
json::value const* find(json::object const& document, std::string_view pointer); // not the empty one

// The text there, or the digits of an integer there (many ids are numbers); empty if there is neither.
std::string textOr(json::value const& document, std::string_view pointer, std::string_view otherwise = {});

// Puts `value` there, making the objects on the way. A member on the way that is no object is replaced.
void put(json::object& document, std::string_view pointer, json::value value);

// Takes the member there out, if there is one.
void erase(json::object& document, std::string_view pointer);

} // namespace garland::sdk
