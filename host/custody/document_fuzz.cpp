// Whoever has the passphrase can write any document into an export.
#include "host/custody/document.h"

#include <cstdlib>

using namespace garland;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  static std::vector<custody::Table> const tables = [] {
    std::vector<custody::Table> all(1);
    all[0].name = "t";
    all[0].keys = {"a", "b"};
    all[0].columns = {custody::Column("c"), custody::Column("d", true)};
    return all;
  }();
  auto const read = custody::readDocument({reinterpret_cast<char const*>(data), size}, tables);
  if (!read) return 0;
  auto const text = custody::writeDocument(*read, TimePoint());
  auto const again = custody::readDocument(text, tables);
  if (!again || custody::writeDocument(*again, TimePoint()) != text) std::abort();
  return 0;
}
