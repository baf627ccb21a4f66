// Bytes to a table. libcsv takes the lines apart; which separator it is, and which rows fit, is decided here.
#include "host/csv/formula.h"
#include "host/csv/table.h"
#include "host/csv/text.h"

#include <csv.h>

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <optional>

namespace garland::csv {
namespace {

constexpr std::array<char, 3> kSeparators = {',', ';', '\t'};
constexpr std::size_t kLooked = 64U << 10U; // bytes by which the separator is found out
constexpr std::size_t kLookedRows = 50;

// What a row that libcsv completed is good for: false ends the reading.
using OnRow = std::function<bool(std::int64_t number, Cells cells)>;

// [one reading] One pass of libcsv over a text.
class Parser {
public:
  // What is read otherwise as it stands is an error if `strict`: a quotation mark amid a cell that has none
  // around it, or anything but a separator behind one that closes.
  Parser(char separator, OnRow on_row, bool strict = false) : on_row_(std::move(on_row)) {
    auto const whole = static_cast<unsigned char>(CSV_REPALL_NL);
    csv_init(&parser_, strict ? static_cast<unsigned char>(whole | CSV_STRICT) : whole);
    csv_set_delim(&parser_, static_cast<unsigned char>(separator));
  }
  ~Parser() { csv_free(&parser_); }
  Parser(Parser const&) = delete;
  Parser& operator=(Parser const&) = delete;

  // In pieces, so that it can be left early.
  Result<void> run(std::string_view text) {
    constexpr std::size_t kPiece = 16U << 10U;
    for (; !text.empty() && !ended_; text.remove_prefix(std::min(text.size(), kPiece))) {
      auto const piece = text.substr(0, kPiece);
      if (csv_parse(&parser_, piece.data(), piece.size(), &Parser::cell, &Parser::row, this) == piece.size())
        continue;
      careless_ = csv_error(&parser_) == CSV_EPARSE;
      if (careless_) return Error(ErrorKind::invalidInput, "there are quotation marks in odd places");
      return Error(ErrorKind::hostLimit, "there is no memory left for reading a CSV file");
    }
    if (ended_) return {};
    // Strict only now: that the last quotation mark is closed. Anything else of the kind is read as it
    // stands.
    csv_set_opts(&parser_, CSV_STRICT | CSV_STRICT_FINI);
    if (csv_fini(&parser_, &Parser::cell, &Parser::row, this) == 0) return {};
    return Error(ErrorKind::invalidInput, "row " + std::to_string(number_ + 1) + ", column " +
                                              std::to_string(cells_.size() + 1) +
                                              ": a quotation mark is opened there and never closed");
  }

  // Strict, and so ended.
  bool isCareless() const { return careless_; }

private:
  static void cell(void* text, std::size_t size, void* self) {
    auto& parser = *static_cast<Parser*>(self);
    parser.cells_.emplace_back(text == nullptr ? "" : static_cast<char const*>(text), size);
  }
  static void row(int ended_by, void* self) {
    auto& parser = *static_cast<Parser*>(self);
    bool const second_half = parser.cells_.empty() && ended_by == '\n' && parser.ended_by_ == '\r';
    parser.ended_by_ = second_half ? 0 : ended_by;
    if (second_half || parser.ended_) return;
    ++parser.number_;
    parser.ended_ = !parser.on_row_(parser.number_, std::exchange(parser.cells_, {}));
  }

  csv_parser parser_{};
  OnRow on_row_;
  Cells cells_;
  std::int64_t number_ = 0;
  int ended_by_ = 0;
  bool ended_ = false;
  bool careless_ = false;
};

bool isBlank(Cells const& cells) {
  return std::all_of(cells.begin(), cells.end(), [](std::string const& cell) { return cell.empty(); });
}

std::size_t widthOf(Cells const& cells) {
  std::size_t width = cells.size();
  while (width > 0 && cells[width - 1].empty()) --width;
  return width;
}

// Connectors tell columns apart by their words, not by case or by spaces around them.
std::string plainName(std::string_view name) {
  constexpr std::string_view spaces = " \t\r\n";
  auto const first = std::min(name.find_first_not_of(spaces), name.size());
  std::string plain(name.substr(first, name.find_last_not_of(spaces) + 1 - first));
  for (auto& c : plain)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return plain;
}

// Of two columns of one name only one could be kept.
std::optional<Error> sameName(Cells const& header) {
  std::map<std::string, std::size_t> first;
  for (std::size_t i = 0; i < header.size(); ++i) {
    auto const [there, is_new] = first.try_emplace(plainName(header[i]), i);
    if (!is_new)
      return Error(ErrorKind::invalidInput, "columns " + std::to_string(there->second + 1) + " and " +
                                                std::to_string(i + 1) + " are both called \"" + header[i] +
                                                "\": rename one or take it out");
  }
  return std::nullopt;
}

// "sep=;", by which Excel is told; nothing if the text does not begin so.
std::optional<char> statedSeparator(std::string_view text) {
  if (text.size() < 5 || !(text.starts_with("sep=") || text.starts_with("SEP="))) return std::nullopt;
  bool const alone = text.size() == 5 || text[5] == '\r' || text[5] == '\n';
  bool const known = std::find(kSeparators.begin(), kSeparators.end(), text[4]) != kSeparators.end();
  return alone && known ? std::optional(text[4]) : std::nullopt;
}

// How well the first rows fit together under a separator: the width that most have, and how many these are.
struct Fit {
  std::size_t rows = 0;
  std::size_t width = 0;
};

Fit fitOf(std::string_view start, char separator, bool strict) {
  Fit fit;
  std::size_t header = 0;
  auto const look = [&](std::int64_t number, Cells const& cells) {
    bool const more = number < static_cast<std::int64_t>(kLookedRows);
    if (isBlank(cells)) return more;
    if (header == 0) header = cells.size();
    fit.rows += cells.size() == header ? 1 : 0;
    return more;
  };
  Parser parser(separator, look, strict);
  static_cast<void>(parser.run(start));
  if (parser.isCareless()) return {};
  fit.width = header;
  return fit;
}

// The separator under which the text is a table of several columns; nothing if it is none.
std::optional<char> bestOf(std::string_view start, bool strict) {
  std::optional<char> best;
  Fit most;
  for (char const separator : kSeparators) {
    auto const fit = fitOf(start, separator, strict);
    bool const better = fit.width > 1 && (!best || fit.rows * fit.width > most.rows * most.width);
    if (!better) continue;
    best = separator;
    most = fit;
  }
  return best;
}

char separatorOf(std::string_view text) {
  auto start = text.substr(0, kLooked);
  // Not the half of a row.
  if (start.size() < text.size() && start.rfind('\n') != std::string_view::npos)
    start = start.substr(0, start.rfind('\n'));
  // Under a wrong one, quotation marks do not fit, unless whoever wrote it was careless with them.
  auto const best = bestOf(start, true);
  return best ? *best : bestOf(start, false).value_or(kSeparators.front());
}

// Rows into a table; the first that is not blank is the header.
class Filling {
public:
  Filling(Table& table, Limits const& limits) : table_(table), limits_(limits) {}

  bool take(std::int64_t number, Cells cells) {
    if (isBlank(cells)) return true;
    if (table_.header.empty()) return takeHeader(number, std::move(cells));
    auto const columns = table_.header.size();
    auto const width = widthOf(cells);
    if (cells.size() >= columns && width <= columns) {
      cells.resize(columns);
      for (auto& cell : cells) unguard(cell);
      table_.rows.push_back({number, std::move(cells)});
    } else {
      table_.uneven.push_back({number, std::min(width, columns) + 1, cells.size()});
    }
    if (table_.rows.size() + table_.uneven.size() > limits_.rows)
      error_.emplace(ErrorKind::hostLimit, "the file has more than " + std::to_string(limits_.rows) +
                                               " rows; divide it into several files");
    return !error_;
  }

  std::optional<Error> const& error() const { return error_; }

private:
  bool takeHeader(std::int64_t number, Cells cells) {
    cells.resize(widthOf(cells));
    if (cells.size() > limits_.columns)
      error_.emplace(ErrorKind::hostLimit, "the header in row " + std::to_string(number) + " has " +
                                               std::to_string(cells.size()) + " columns; " +
                                               std::to_string(limits_.columns) + " are allowed");
    for (std::size_t i = 0; i < cells.size(); ++i) {
      unguard(cells[i]);
      if (cells[i].empty()) cells[i] = "column " + std::to_string(i + 1);
    }
    if (!error_) error_ = sameName(cells);
    table_.header = std::move(cells);
    table_.header_row = number;
    return !error_;
  }

  Table& table_;
  Limits const& limits_;
  std::optional<Error> error_;
};

} // namespace

std::string_view name(Encoding encoding) {
  if (encoding == Encoding::utf16) return "UTF-16";
  return encoding == Encoding::utf8 ? "UTF-8" : "Windows-1252";
}

Result<Table> read(std::string_view bytes, Limits const& limits) {
  if (bytes.size() > limits.bytes)
    return Error(ErrorKind::hostLimit, "the file has " + std::to_string(bytes.size()) + " bytes; " +
                                           std::to_string(limits.bytes) +
                                           " are allowed: divide it into several files");
  TRY(text, textOf(bytes));
  Table table;
  table.encoding = text.encoding;
  auto const stated = statedSeparator(text.utf8);
  table.separator = stated ? *stated : separatorOf(text.utf8);
  Filling filling(table, limits);
  bool skip = stated.has_value();
  Parser parser(table.separator, [&](std::int64_t number, Cells cells) {
    return std::exchange(skip, false) || filling.take(number, std::move(cells));
  });
  auto const parsed = parser.run(text.utf8);
  if (filling.error()) return *filling.error();
  if (!parsed) return parsed.error();
  if (table.header.empty())
    return Error(ErrorKind::invalidInput, "the file is empty: its first row must name the columns");
  return table;
}

std::vector<Table> partsOf(Table const& table) {
  constexpr std::size_t kMostRows = 200;
  constexpr std::size_t kMostBytes = 256U << 10U;
  std::vector<Table> parts;
  std::size_t bytes = 0;
  for (auto const& row : table.rows) {
    std::size_t size = 0;
    for (auto const& cell : row.cells) size += cell.size();
    bool const begins = parts.empty() || parts.back().rows.back().number + 1 != row.number ||
                        parts.back().rows.size() == kMostRows || bytes + size > kMostBytes;
    if (begins) {
      parts.emplace_back();
      parts.back().header = table.header;
      bytes = 0;
    }
    parts.back().rows.push_back(row);
    bytes += size;
  }
  return parts;
}

std::string describe(Uneven const& uneven, Table const& table) {
  return "row " + std::to_string(uneven.row) + " has " + std::to_string(uneven.cells) +
         " cells, but the header " + std::to_string(table.header.size()) + " columns; look at column " +
         std::to_string(uneven.column);
}

json::object toJson(Table const& table) {
  json::array uneven;
  for (auto const& row : table.uneven)
    uneven.push_back(
        json::object{{"row", row.row}, {"column", row.column}, {"message", describe(row, table)}});
  json::object out{{"encoding", name(table.encoding)},
                   {"separator", table.separator == '\t' ? "tab" : std::string(1, table.separator)},
                   {"rows", table.rows.size()}};
  out["columns"] = json::array(table.header.begin(), table.header.end());
  out["uneven"] = std::move(uneven);
  return out;
}

} // namespace garland::csv
