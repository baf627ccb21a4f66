// A file as a table, and a table as a file.
//
// Read is what people have: UTF-8, UTF-16 with a byte order mark or Windows-1252, separated by commas,
// semicolons or tabs, with line breaks in quoted cells. Written is one form only. What the columns mean is
// nobody's business here. [any thread]
#pragma once

#include "host/base/json.h"
#include "host/base/result.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace garland::csv {

enum class Encoding { utf8, utf16, windows1252 };
std::string_view name(Encoding encoding); // "UTF-8"

struct Limits {
  std::size_t bytes = 32U << 20U;
  std::size_t rows = 200'000;
  std::size_t columns = 500;
};

using Cells = std::vector<std::string>; // UTF-8

struct Row {
  std::int64_t number = 0; // as a spreadsheet shows it, if the file starts at row 1; the header is a row
  Cells cells;             // as many as the header has
};

// A row that is left out, because it is not as wide as the header: a comma in it was not quoted, say.
struct Uneven {
  std::int64_t row = 0;
  std::size_t column = 0; // the first that is missing or has no name, from 1
  std::size_t cells = 0;
};

struct Table {
  Encoding encoding = Encoding::utf8;
  char separator = ',';
  Cells header; // a column without a name is "column N"
  std::int64_t header_row = 1;
  std::vector<Row> rows; // without those that are blank
  std::vector<Uneven> uneven;
};

// invalidInput: no text, a quotation mark that is never closed, no header, two columns of one name (whatever
// its case); hostLimit: too large. Empty cells at the end of a row may be too many. The apostrophe that
// Writer puts before a formula is taken away.
Result<Table> read(std::string_view bytes, Limits const& limits = Limits());

// The same in parts of at most 200 rows that stand one after another, each with the header.
std::vector<Table> partsOf(Table const& table);

// "row 17 has 7 cells, but the header 6 columns: ..."
std::string describe(Uneven const& uneven, Table const& table);

// What was found out about the file, without the cells of its rows: {"encoding", "separator": "," or "tab",
// "rows": how many, "columns": [names], "uneven": [{"row", "column", "message"}]}.
json::object toJson(Table const& table);

// A file in UTF-8 with a byte order mark, since Excel takes any other for Windows-1252; commas, every cell
// quoted. A cell that a spreadsheet would run as a formula (it begins with =, +, -, @, a tab or a line break;
// a plain negative number does not) gets an apostrophe before it. read(write(x)) is x.
class Writer {
public:
  Writer();
  void add(Cells const& cells);
  // What was written and not yet taken.
  std::string take() { return std::exchange(out_, {}); }

private:
  std::string out_;
};

} // namespace garland::csv
