// Records as rows: one column for each value that a kind's JSON Schema has, in the schema's order.
//
// A column is called by its path, "phones.mobile"; lists are JSON in one cell. Members that a schema leaves
// open (custom fields) have a column for each name that occurs.
#pragma once

#include "host/base/json.h"
#include "host/csv/table.h"

namespace garland::csv {

struct Column {
  enum class Form { text, integer, boolean, json };
  std::string name;
  std::vector<std::string> path;
  Form form = Form::text;
  bool required = false; // an empty cell is an empty text, not an absent member
};

// `records`: the data of all that will be written, for the names of open members.
std::vector<Column> columnsOf(json::value const& schema, std::vector<json::value> const& records);
// For a header that was read: as above, with open members by their names. invalidInput: a column that the
// schema does not have, by its name.
Result<std::vector<Column>> columnsOf(json::value const& schema, Cells const& header);

Cells cellsOf(json::value const& record, std::vector<Column> const& columns);
// Empty cells are absent members. invalidInput with the column's name: a cell that does not say what it must.
Result<json::value> recordOf(Cells const& cells, std::vector<Column> const& columns);

} // namespace garland::csv
