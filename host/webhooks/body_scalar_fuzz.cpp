// Any bytes at all: where a document can be made of them, what is found in passing is what stands in it.
#include "host/base/json.h"
#include "host/webhooks/body_scalar.h"

#include <cstdlib>

using namespace garland;

// A pointer, a line break, the body.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::string_view const text(reinterpret_cast<char const*>(data), size);
  auto const line = std::min(text.find('\n'), text.size());
  auto const pointer = text.substr(0, line);
  auto const body = text.substr(std::min(line + 1, text.size()));
  auto const passed = webhooks::bodyScalar(body, pointer);
  auto const document = parseJson(body, JsonLimits{std::size_t{1} << 20U, 64});
  if (!document) return 0;
  auto const* there = find(*document, pointer);
  std::optional<std::string> expected;
  if (there != nullptr && !pointer.empty()) {
    if (auto const* word = there->if_string()) expected = std::string(*word);
    if (auto const* number = there->if_int64()) expected = std::to_string(*number);
    if (auto const* large = there->if_uint64()) expected = std::to_string(*large);
  }
  if (passed != expected) std::abort();
  return 0;
}
