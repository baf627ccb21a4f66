// Whatever stands at the daemon's address may send anything: pieces must not matter, and memory has a bound.
#include "host/cli/event_reader.h"

#include <cstdint>
#include <cstdlib>

using namespace garland::cli;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::string_view const bytes(reinterpret_cast<char const*>(data), size);
  EventReader whole;
  auto const events = whole.feed(bytes);
  EventReader pieces;
  std::size_t seen = 0;
  for (std::size_t at = 0; at < size; at += 7) seen += pieces.feed(bytes.substr(at, 7)).size();
  if (seen != events.size()) std::abort();
  for (auto const& event : events)
    if ((event.type.empty() && !event.data.empty()) || event.data.size() > EventReader::longest) std::abort();
  return 0;
}
