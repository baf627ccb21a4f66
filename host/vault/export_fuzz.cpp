// An export comes from wherever it was kept: any bytes are met.
#include "host/vault/export_file.h"
#include "host/vault/vault.h"

#include <cstdlib>

using namespace garland;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::string_view const bytes(reinterpret_cast<char const*>(data), size);
  auto const file = vault::readExportFile(bytes);
  if (!file) return 0;
  // There is one way to write each.
  if (vault::write(*file) != bytes) std::abort();
  // Nobody without the passphrase can make one that opens; what takes long is left to the tests.
  static SystemRandom random;
  if (file->cost == vault::kLeastCost &&
      vault::ExportKey::open(bytes, Secret("correct horse battery"), random))
    std::abort();
  return 0;
}
