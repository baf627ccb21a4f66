// JSON from outside: parsed with limits, errors with their place, members read by JSON Pointer.
#pragma once

#include "host/base/result.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <string>
#include <string_view>

namespace garland {

namespace json = boost::json;

struct JsonLimits {
  std::size_t max_bytes = 16U << 20U;
  std::size_t max_depth = 64;
};

// One complete document. Errors: invalidInput "... at line L, column C" (hostLimit over max_bytes).
// Duplicate member names are refused: which of two values counts is not for us to guess.
Result<json::value> parseJson(std::string_view text, JsonLimits limits = {});

// Sorted members, no spaces, shortest numbers: equal values give equal bytes.
std::string canonicalJson(json::value const& value);

// The member at a JSON Pointer, or nullptr. Never throws.
json::value const* find(json::value const& value, std::string_view pointer);

// Typed reads; the error names the pointer: "/start/zone: must be a string".
Result<std::string> textAt(json::value const& value, std::string_view pointer);
Result<std::int64_t> integerAt(json::value const& value, std::string_view pointer);
// Absent or null gives the fallback; a wrong type gives the fallback too (use textAt to insist).
std::string textOr(json::value const& value, std::string_view pointer, std::string_view fallback);
std::int64_t integerOr(json::value const& value, std::string_view pointer, std::int64_t fallback);
bool boolOr(json::value const& value, std::string_view pointer, bool fallback);

// Overwrites every text in it, where one of them is a secret.
void wipeTexts(json::value& value);

} // namespace garland
