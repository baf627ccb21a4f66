// A table to bytes.
#include "host/csv/formula.h"
#include "host/csv/table.h"

#include <csv.h>

namespace garland::csv {

Writer::Writer() : out_("\xEF\xBB\xBF") {}

void Writer::add(Cells const& cells) {
  bool first = true;
  for (auto cell : cells) {
    guard(cell);
    if (!std::exchange(first, false)) out_ += ',';
    auto const at = out_.size();
    out_.resize(at + csv_write(nullptr, 0, cell.data(), cell.size()));
    csv_write(out_.data() + at, out_.size() - at, cell.data(), cell.size());
  }
  out_ += "\r\n";
}

} // namespace garland::csv
