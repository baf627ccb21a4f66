// Symbol tables and stacks of a hostile plugin: any bytes are read without harm.
#include "host/runtime/stack_trace.h"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::string_view const bytes(reinterpret_cast<char const*>(data), size);
  auto const frames = bytes.substr(0, bytes.size() / 4);
  for (auto const& frame : garland::runtime::symbolise(frames, bytes.substr(frames.size())))
    static_cast<void>(frame.describe());
  for (auto const& frame :
       garland::runtime::symbolise("plugin 0\nplugin 1000\nplugin ffffffffffffffff\n", bytes))
    static_cast<void>(frame.describe());
  return 0;
}
