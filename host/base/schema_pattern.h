// The patterns of a JSON Schema, matched in time and memory that grow with the text alone (RE2): texts come
// from outside, and so do the patterns of connectors. std::regex, which valijson would use, recurses for
// every letter, and a text of 100 kB ends the process.
#pragma once

#include "host/base/json.h"
#include "host/base/result.h"

#include <memory>
#include <string>
#include <string_view>

namespace re2 {
class RE2;
}

namespace garland::schema_patterns {

// As JSON Schema has them, without look-ahead and back references. Found anywhere in the text unless it is
// anchored.
class Pattern {
public:
  // Errors: invalidInput, with what is wrong with it.
  static Result<Pattern> compile(std::string_view text);
  bool matches(std::string_view text) const;

private:
  explicit Pattern(std::shared_ptr<re2::RE2 const> compiled) : compiled_(std::move(compiled)) {}
  std::shared_ptr<re2::RE2 const> compiled_;
};

// What `pattern` is called in schemas that are handed to valijson, so that it leaves them to us.
inline constexpr char const* kKeyword = "garland_pattern";

// The schema with each `pattern` under that name. Errors: invalidInput: a pattern that cannot be compiled, or
// patternProperties, with its place.
Result<json::value> handedOver(json::value const& schema);

} // namespace garland::schema_patterns
