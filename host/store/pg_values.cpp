#include "host/store/pg_values.h"

#include <boost/endian/conversion.hpp>

#include <charconv>
#include <cstring>

namespace garland::store {
namespace {

// Numbers of pg_type, fixed for ever: they are in PostgreSQL's wire format.
enum : Oid {
  kBool = 16,
  kBytea = 17,
  kInt8 = 20,
  kInt2 = 21,
  kInt4 = 23,
  kText = 25,
  kFloat4 = 700,
  kFloat8 = 701,
  kNumeric = 1700,
  kUnspecified = 0
};

constexpr std::array kTypeOfAlternative = {Oid{kUnspecified}, Oid{kInt8}, Oid{kText}, Oid{kBytea}};
static_assert(kTypeOfAlternative.size() == std::variant_size_v<Value>);

Oid typeOf(Value const& value) { return kTypeOfAlternative[value.index()]; }

std::optional<std::int64_t> integerOf(std::string_view text) {
  std::int64_t number = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<Value> bytesOf(char const* text) {
  std::size_t length = 0;
  auto* const raw = PQunescapeBytea(reinterpret_cast<unsigned char const*>(text), &length);
  if (raw == nullptr) return std::nullopt;
  Bytes bytes(raw, raw + length);
  PQfreemem(raw);
  return Value(std::move(bytes));
}

// Nothing if the store does not carry such a value.
std::optional<Value> valueOf(Oid type, char const* text, std::size_t length) {
  switch (type) {
  case kInt8:
  case kInt4:
  case kInt2:
  case kNumeric: // what sum() over BIGINT gives; carried while it is whole and fits
    if (auto const number = integerOf(std::string_view(text, length))) return Value(*number);
    return std::nullopt;
  case kBool: return Value(std::int64_t{*text == 't' ? 1 : 0});
  case kBytea: return bytesOf(text);
  case kFloat4:
  case kFloat8: return std::nullopt;
  default: return Value(std::string(text, length));
  }
}

std::int64_t affectedRows(PGresult const* result) {
  // The count in "SELECT 5" is of rows read.
  auto* const mutable_result = const_cast<PGresult*>(result); // libpq's signature; it only reads
  if (std::string_view(PQcmdStatus(mutable_result)).starts_with("SELECT")) return 0;
  return integerOf(PQcmdTuples(mutable_result)).value_or(0);
}

} // namespace

bool fits(std::vector<Oid> const& types, std::vector<Value> const& args) {
  if (types.size() != args.size()) return false;
  for (std::size_t i = 0; i < args.size(); ++i)
    if (auto const type = typeOf(args[i]); type != kUnspecified && type != types[i]) return false;
  return true;
}

std::vector<Oid> mergeTypes(std::vector<Oid> const& types, std::vector<Value> const& args) {
  std::vector<Oid> merged(args.size(), kUnspecified);
  for (std::size_t i = 0; i < args.size(); ++i) {
    merged[i] = typeOf(args[i]);
    if (merged[i] == kUnspecified && i < types.size()) merged[i] = types[i];
  }
  return merged;
}

PgParameters::PgParameters(std::vector<Value> const& args)
    : integers_(args.size()), values_(args.size()), lengths_(args.size()), formats_(args.size(), 1) {
  for (std::size_t i = 0; i < args.size(); ++i) {
    if (auto const* number = std::get_if<std::int64_t>(&args[i])) {
      auto const ordered = boost::endian::native_to_big(*number);
      std::memcpy(integers_[i].data(), &ordered, sizeof ordered);
      values_[i] = integers_[i].data();
      lengths_[i] = sizeof ordered;
    } else if (auto const* text = std::get_if<std::string>(&args[i])) {
      values_[i] = text->data();
      lengths_[i] = static_cast<int>(text->size());
    } else if (auto const* bytes = std::get_if<Bytes>(&args[i])) {
      // An empty vector's data() may be null, which libpq would take for NULL.
      values_[i] = bytes->empty() ? "" : reinterpret_cast<char const*>(bytes->data());
      lengths_[i] = static_cast<int>(bytes->size());
    }
  }
}

Result<Rows> rowsOf(PGresult const* result, std::string_view what) {
  Rows rows;
  rows.affected = affectedRows(result);
  int const columns = PQnfields(result);
  int const count = PQntuples(result);
  rows.rows.reserve(static_cast<std::size_t>(count));
  for (int line = 0; line < count; ++line) {
    std::vector<Value> row;
    row.reserve(static_cast<std::size_t>(columns));
    for (int column = 0; column < columns; ++column) {
      if (PQgetisnull(result, line, column) != 0) {
        row.emplace_back(nullptr);
        continue;
      }
      auto const length = static_cast<std::size_t>(PQgetlength(result, line, column));
      auto value = valueOf(PQftype(result, column), PQgetvalue(result, line, column), length);
      if (!value)
        return Error(
            ErrorKind::invalidInput,
            std::string(what) + ": column " + std::to_string(column + 1) +
                " is a number that is not whole or too large; the store carries TEXT, BIGINT and BYTEA");
      row.push_back(std::move(*value));
    }
    rows.rows.emplace_back(std::move(row));
  }
  return rows;
}

} // namespace garland::store
