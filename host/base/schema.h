// JSON Schema (draft 7) checks: manifests, settings, canonical records, operation inputs and outputs.
#pragma once

#include "host/base/json.h"

#include <memory>
#include <string>
#include <vector>

namespace garland {

struct SchemaProblem {
  std::string pointer; // JSON Pointer into the checked document
  std::string message; // "must be a string", ...
};

// Compiled once, used from one thread at a time.
class Schema {
public:
  // invalidInput if the schema itself is wrong. Only local "$ref"s are followed.
  static Result<Schema> compile(json::value const& schema);
  Schema(Schema&&) noexcept;
  Schema& operator=(Schema&&) noexcept;
  ~Schema();

  // Every problem found, at most 20; empty if the value conforms.
  std::vector<SchemaProblem> check(json::value const& value) const;
  // The first problem as an error: invalidInput, field = pointer.
  Result<void> require(json::value const& value, std::string_view what) const;

private:
  struct Impl;
  explicit Schema(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

} // namespace garland
