#include "host/runtime/elf_image.h"

extern "C" int LLVMFuzzerTestOneInput(unsigned char const* data, std::size_t size) {
  static_cast<void>(garland::runtime::readElf({reinterpret_cast<char const*>(data), size}));
  return 0;
}
