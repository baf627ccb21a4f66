// Any text: whoever was taken out of it is not found in it any more.
#include "host/privacy/subject.h"

#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  using namespace garland;
  static auto const subject = [] {
    privacy::Subject one("psn_0123456789abcdef0123456789abcdef");
    for (auto const* text : {"rosa@x.example", "+34600123456", "Rosa Alvarez"}) one.add(text).value();
    return one;
  }();
  std::string_view const text(reinterpret_cast<char const*>(data), size);
  auto const without = subject.without(text);
  if (subject.isNamedIn(std::string_view(without))) std::abort();
  if (!subject.isNamedIn(text) && without != text) std::abort();
  return 0;
}
