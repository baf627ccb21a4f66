// Any bytes: read without fault, and what was read is the same after it was written.
#include "host/csv/csv.h"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(unsigned char const* data, std::size_t size) {
  using namespace garland;
  auto const table = csv::read({reinterpret_cast<char const*>(data), size});
  if (!table) return 0;
  csv::Writer writer;
  writer.add(table->header);
  for (auto const& row : table->rows) writer.add(row.cells);
  auto const again = csv::read(writer.take());
  if (!again || again->header != table->header || !again->uneven.empty()) std::abort();
  if (again->rows.size() != table->rows.size()) std::abort();
  for (std::size_t i = 0; i < table->rows.size(); ++i)
    if (again->rows[i].cells != table->rows[i].cells) std::abort();
  return 0;
}
