#include "host/runtime/runtime.h"

extern "C" int LLVMFuzzerTestOneInput(unsigned char const* data, std::size_t size) {
  auto const manifest = garland::runtime::parseManifest({reinterpret_cast<char const*>(data), size});
  if (manifest) static_cast<void>(manifest->allowedHosts(manifest->document));
  return 0;
}
