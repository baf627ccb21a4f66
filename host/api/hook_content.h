// What a stranger sent to a hook, as intake.parse/1 gets it: the query and a body of JSON, a form or a text.
// Pure: bytes in, JSON out, whatever the bytes are.
#pragma once

#include "host/base/json.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace garland::api {

using Parameters = std::vector<std::pair<std::string, std::string>>;

// The member "hook" of plugin-api/schemas/intake.parse.1.in.json.
json::object hookContent(std::string_view content_type, Parameters const& query, std::string_view body);

// Of a body that is meant as JSON and is none: where it breaks and why, such as "not JSON: incomplete JSON at
// line 3, column 12". "" for every other.
std::string brokenJson(std::string_view content_type, std::string_view body);

// "a=1&b=x%20y+z" decoded; what is no valid escape stays as it is.
Parameters formParameters(std::string_view text);

} // namespace garland::api
