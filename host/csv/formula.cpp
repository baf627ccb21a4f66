#include "host/csv/formula.h"

#include <algorithm>

namespace garland::csv {
namespace {

constexpr std::string_view kStarts = "=+-@\t\r\n";

bool isDigit(char c) { return c >= '0' && c <= '9'; }

// "-12.50" is what it says, in every spreadsheet.
bool isNegativeNumber(std::string_view cell) {
  if (cell.size() < 2 || cell[0] != '-' || !isDigit(cell[1]) || !isDigit(cell.back())) return false;
  return std::all_of(cell.begin() + 1, cell.end(), [](char c) { return isDigit(c) || c == '.'; }) &&
         std::count(cell.begin(), cell.end(), '.') <= 1;
}

bool startsAsFormula(std::string_view cell) {
  bool const bare = !cell.starts_with('\'');
  while (cell.starts_with('\'')) cell.remove_prefix(1);
  return !cell.empty() && kStarts.find(cell[0]) != std::string_view::npos &&
         !(bare && isNegativeNumber(cell));
}

} // namespace

void guard(std::string& cell) {
  if (startsAsFormula(cell)) cell.insert(cell.begin(), '\'');
}

void unguard(std::string& cell) {
  if (cell.starts_with('\'') && startsAsFormula(cell)) cell.erase(cell.begin());
}

} // namespace garland::csv
