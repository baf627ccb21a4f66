// Any bytes as a packed body: they unpack to no more than the limit, or are refused.
#include "host/api/packed_body.h"

#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::string_view const body(reinterpret_cast<char const*>(data), size);
  auto const out = garland::api::unpacked("gzip", body);
  if (out && out->size() > garland::api::kMostUnpacked) std::abort();
  return 0;
}
