#include "host/custody/document.h"

#include "host/base/json.h"

#include <algorithm>

namespace garland::custody {
namespace {

constexpr std::int64_t kVersion = 1;
constexpr std::size_t kLongest = std::size_t{256} << 20U; // bytes

Error damaged(std::string const& where) {
  return {ErrorKind::invalidInput, "the export holds something that is no row of " + where};
}

json::value valueOf(store::Row const& row, std::size_t column, bool integer) {
  if (row.isNull(column)) return nullptr;
  if (integer) return row.integer(column);
  return json::value(row.text(column));
}

// Keys and the secret are texts and are there; whether another column may be NULL is the database's to say.
bool isInteger(Table const& table, std::size_t column) {
  auto const first = table.keys.size();
  return column >= first && column < first + table.columns.size() && table.columns[column - first].integer;
}

bool mayBeNull(Table const& table, std::size_t column) {
  auto const first = table.keys.size();
  return column >= first && column < first + table.columns.size();
}

json::array rowsOf(TableRows const& content) {
  auto const count = columnsOf(*content.table).size();
  json::array rows;
  for (auto const& row : content.rows) {
    json::array values;
    for (std::size_t i = 0; i < count; ++i) values.push_back(valueOf(row, i, isInteger(*content.table, i)));
    rows.push_back(std::move(values));
  }
  return rows;
}

Result<store::Row> rowFrom(json::value const& value, Table const& table, std::size_t count) {
  auto const* list = value.if_array();
  if (list == nullptr || list->size() != count) return damaged(table.name);
  std::vector<store::Value> values;
  for (std::size_t i = 0; i < count; ++i) {
    auto const& one = (*list)[i];
    bool const integer = isInteger(table, i);
    if (one.is_null() && mayBeNull(table, i))
      values.emplace_back(nullptr);
    else if (integer && one.is_int64())
      values.emplace_back(one.get_int64());
    else if (!integer && one.is_string())
      values.emplace_back(std::string(one.get_string()));
    else
      return damaged(table.name);
  }
  return store::Row(std::move(values));
}

// Those of an export that was made before some came to it.
std::vector<std::string> formerColumnsOf(Table const& table) {
  auto names = columnsOf(table);
  for (auto const& column : table.columns)
    if (column.formerly) std::erase(names, column.name);
  return names;
}

// A row of such an export, with the others in their places.
json::value filledUp(json::value row, Table const& table) {
  auto* list = row.if_array();
  if (list == nullptr || list->size() != formerColumnsOf(table).size()) return nullptr;
  auto at = table.keys.size();
  for (auto const& column : table.columns) {
    if (column.formerly) list->insert(list->begin() + at, json::value(*column.formerly));
    ++at;
  }
  return row;
}

Result<TableRows> tableFrom(json::value const& value, Table const& table) {
  auto const names = columnsOf(table);
  auto const* columns = find(value, "/columns");
  auto const* rows = find(value, "/rows");
  if (columns == nullptr || rows == nullptr || !rows->is_array()) return damaged(table.name);
  auto const former = formerColumnsOf(table);
  bool const is_former =
      former != names && *columns == json::value(json::array(former.begin(), former.end()));
  if (!is_former && *columns != json::value(json::array(names.begin(), names.end())))
    return Error(ErrorKind::unsupported,
                 "the export has other columns of " + table.name +
                     " than this garlandd knows; import it with the version that wrote it");
  TableRows out;
  out.table = &table;
  for (auto const& one : rows->get_array()) {
    TRY(row, rowFrom(is_former ? filledUp(one, table) : one, table, names.size()));
    out.rows.push_back(std::move(row));
  }
  return out;
}

} // namespace

std::vector<std::string> columnsOf(Table const& table) {
  auto names = table.keys;
  for (auto const& column : table.columns) names.push_back(column.name);
  if (table.sealed) names.emplace_back("sealed");
  return names;
}

std::string writeDocument(std::vector<TableRows> const& content, TimePoint made) {
  json::object tables;
  for (auto const& one : content) {
    auto const names = columnsOf(*one.table);
    json::object table;
    table["columns"] = json::array(names.begin(), names.end());
    table["rows"] = rowsOf(one);
    tables[one.table->name] = std::move(table);
  }
  json::object document;
  document["version"] = kVersion;
  document["made"] = rfc3339(made);
  document["tables"] = std::move(tables);
  return json::serialize(document);
}

Result<std::vector<TableRows>> readDocument(std::string_view text, std::vector<Table> const& tables) {
  JsonLimits limits;
  limits.max_bytes = kLongest;
  TRY(document, parseJson(text, limits));
  auto const* content = find(document, "/tables");
  if (integerOr(document, "/version", 0) != kVersion || content == nullptr || !content->is_object())
    return Error(ErrorKind::unsupported, "the export is of a version that this garlandd does not know");
  for (auto const& one : content->get_object())
    if (std::ranges::none_of(tables, [&](Table const& table) { return table.name == one.key(); }))
      return Error(ErrorKind::unsupported,
                   "the export has the table " + std::string(one.key()) +
                       ", which this garlandd does not know; import it with a newer one");
  std::vector<TableRows> out;
  for (auto const& table : tables) {
    auto const* found = content->get_object().if_contains(table.name);
    if (found == nullptr) continue;
    TRY(rows, tableFrom(*found, table));
    out.push_back(std::move(rows));
  }
  return out;
}

} // namespace garland::custody
