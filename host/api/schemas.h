// The JSON Schemas of bodies, as text. Written in the part of JSON Schema that draft 7 and 2020-12
// share, so that the daemon's checker and OpenAPI 3.1 tools read them alike.
#pragma once

#include <string_view>

namespace garland::api {

std::string_view componentSchemas(); // {"Vendor": {...}, ...}

} // namespace garland::api
