// A backup from outside: read without a crash, and what passes says what it says.
#include "host/backup/backup.h"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  using namespace garland;
  std::string_view const bytes(reinterpret_cast<char const*>(data), size);
  (void)backup::verifyBytes(bytes);
  auto const manifest = backup::manifestFrom(bytes);
  if (!manifest) return 0;
  auto const again = backup::manifestFrom(canonicalJson(backup::toJson(*manifest)));
  if (!again || *again != *manifest) std::abort();
  return 0;
}
