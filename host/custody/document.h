// What an export holds, as JSON: rows of tables, with their secrets as sealed text.
#pragma once

#include "host/custody/custody.h"

#include <string>
#include <string_view>
#include <vector>

namespace garland::custody {

struct TableRows {
  Table const* table = nullptr;
  std::vector<store::Row> rows; // values: keys, columns, and the secret if the table has one
};

// The columns in this order.
std::vector<std::string> columnsOf(Table const& table);

std::string writeDocument(std::vector<TableRows> const& content, TimePoint made);
// In the order of `tables`. invalidInput: it is none; unsupported: of a table, or with columns, that are not
// known here.
Result<std::vector<TableRows>> readDocument(std::string_view text, std::vector<Table> const& tables);

} // namespace garland::custody
