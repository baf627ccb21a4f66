// Shared objects come from outside: whatever their bytes are, reading them ends.
#include "certification/elf_facts.h"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  auto const facts = garland::certification::readElfFacts({reinterpret_cast<char const*>(data), size});
  return facts || !facts.error().message.empty() ? 0 : 1;
}
