// What a WebSocket's client sends: pieces must not matter, and memory has a bound.
#include "host/api/stream_codec.h"

#include <cstdint>
#include <cstdlib>

using namespace garland::api;

namespace {

struct Heard {
  std::size_t frames = 0, bytes = 0;
  bool operator==(Heard const&) const = default;
};

Heard listen(FrameReader& reader, std::string_view bytes) {
  Heard heard;
  for (auto const& frame : reader.feed(bytes)) {
    if (frame.payload.size() > FrameReader::most_payload) std::abort();
    (void)pongFrame(frame.payload);
    ++heard.frames;
    heard.bytes += frame.payload.size();
  }
  return heard;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::string_view const bytes(reinterpret_cast<char const*>(data), size);
  (void)webSocketAccept(bytes);
  FrameReader whole;
  auto const at_once = listen(whole, bytes);
  FrameReader pieces;
  Heard in_pieces;
  for (std::size_t at = 0; at < size; at += 5) {
    auto const heard = listen(pieces, bytes.substr(at, 5));
    in_pieces.frames += heard.frames;
    in_pieces.bytes += heard.bytes;
  }
  if (!(at_once == in_pieces) || whole.failed() != pieces.failed()) std::abort();
  return 0;
}
