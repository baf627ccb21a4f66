// Values on their way to PostgreSQL and back. Arguments travel in binary (nothing needs quoting and a
// zero byte cannot cut a text short), results as text, which fits every type that SQL may compute.
#pragma once

#include "host/store/store.h"

#include <array>

#include <libpq-fe.h>

namespace garland::store {

// NULL has no type of its own: it fits whatever the statement was prepared with.
bool fits(std::vector<Oid> const& types, std::vector<Value> const& args);
std::vector<Oid> mergeTypes(std::vector<Oid> const& types, std::vector<Value> const& args);

// The arrays that libpq wants. The arguments must outlive it.
class PgParameters {
public:
  explicit PgParameters(std::vector<Value> const& args);
  PgParameters(PgParameters const&) = delete;
  PgParameters& operator=(PgParameters const&) = delete;

  int count() const { return static_cast<int>(values_.size()); }
  char const* const* values() const { return values_.data(); }
  int const* lengths() const { return lengths_.data(); }
  int const* formats() const { return formats_.data(); }

private:
  std::vector<std::array<char, 8>> integers_;
  std::vector<char const*> values_;
  std::vector<int> lengths_;
  std::vector<int> formats_;
};

// invalidInput if a column has a type that the store does not carry. `what` names the statement.
Result<Rows> rowsOf(PGresult const* result, std::string_view what);

} // namespace garland::store
