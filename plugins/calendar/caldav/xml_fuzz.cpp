// Whatever the bytes: the reader ends, with a tree or with a refusal.
#include "xml.h"

#include <garland/sdk/error.hpp>

#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::string_view const text(reinterpret_cast<char const*>(data), size);
  static_cast<void>(garland::sdk::attempt([&] { garland::caldav::parseXml(text); }));
  return 0;
}
