#include "host/store/values.h"

#include <boost/nowide/utf/utf.hpp>

#include <stdexcept>

namespace garland::store {
namespace {

constexpr std::size_t kShownSql = 60;
constexpr std::size_t kMaxArguments = 32766;

// Without a branch for each byte, since nearly all text is no more than that.
bool isAscii(std::string_view text) {
  unsigned char all = 0;
  for (char const c : text) all |= static_cast<unsigned char>(c);
  return all < 0x80;
}

bool isUtf8(std::string_view text) {
  if (isAscii(text)) return true;
  namespace utf = boost::nowide::utf;
  auto at = text.begin();
  while (at != text.end())
    if (!utf::is_valid_codepoint(utf::utf_traits<char>::decode(at, text.end()))) return false;
  return true;
}

Error badText(std::size_t index, std::string_view why) {
  return Error(ErrorKind::invalidInput,
               "the text for placeholder $" + std::to_string(index + 1) + " " + std::string(why));
}

Value const& valueAt(std::vector<Value> const& values, std::size_t column) {
  if (column < values.size()) return values[column];
  throw std::logic_error("a row of " + std::to_string(values.size()) + " columns has no column " +
                         std::to_string(column));
}

template <class T> T const& readAs(std::vector<Value> const& values, std::size_t column) {
  static T const nothing{};
  auto const& value = valueAt(values, column);
  if (std::holds_alternative<std::nullptr_t>(value)) return nothing;
  if (auto const* found = std::get_if<T>(&value)) return *found;
  throw std::logic_error("column " + std::to_string(column) + " was read as another type than it holds");
}

} // namespace

Result<void> checkArguments(Statement const& statement) {
  if (statement.args.size() > kMaxArguments)
    return Error(ErrorKind::invalidInput, "a statement can have " + std::to_string(kMaxArguments) +
                                              " arguments at most; split it into several");
  for (std::size_t i = 0; i < statement.args.size(); ++i) {
    auto const* text = std::get_if<std::string>(&statement.args[i]);
    if (text == nullptr) continue;
    if (text->find('\0') != std::string::npos) return badText(i, "holds a zero byte, which TEXT cannot keep");
    if (!isUtf8(*text)) return badText(i, "is not UTF-8");
  }
  return {};
}

std::string describe(std::string_view sql, std::size_t index) {
  auto shown = std::string(sql.substr(0, kShownSql));
  if (sql.size() > kShownSql) shown += " ...";
  return "statement " + std::to_string(index + 1) + " (" + shown + ")";
}

std::int64_t countedRows(Rows const& rows) {
  return rows.rows.empty() ? rows.affected : static_cast<std::int64_t>(rows.rows.size());
}

Error expectationFailed(Statement const& statement, std::size_t index, Rows const& rows) {
  return Error(ErrorKind::conflict, describe(statement.sql, index) + " met " +
                                        std::to_string(countedRows(rows)) + " rows where " +
                                        std::to_string(statement.expected_rows.value_or(0)) +
                                        " were expected: somebody else changed the data; read it again");
}

std::string const& Row::text(std::size_t column) const { return readAs<std::string>(values_, column); }

std::int64_t Row::integer(std::size_t column) const { return readAs<std::int64_t>(values_, column); }

Bytes const& Row::bytes(std::size_t column) const { return readAs<Bytes>(values_, column); }

bool Row::isNull(std::size_t column) const {
  return std::holds_alternative<std::nullptr_t>(valueAt(values_, column));
}

} // namespace garland::store
