#include "host/runtime/elf_image.h"

extern "C" int LLVMFuzzerTestOneInput(unsigned char const* data, std::size_t size) {
  std::string_view const bytes{reinterpret_cast<char const*>(data), size};
  static_cast<void>(garland::runtime::readElf(bytes));
  static_cast<void>(garland::runtime::gnuBuildId(bytes));
  return 0;
}
