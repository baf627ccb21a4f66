// Any bytes into both decoders and, as payloads, into every decode(): nothing may crash, and whatever decodes
// must encode to something that decodes alike.
#include "host/runtime/wire.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace {

using namespace garland::runtime;

template <class Payload> void payload(std::string_view bytes) {
  auto const first = wire::decode<Payload>(bytes);
  if (!first) return;
  auto const again = wire::encode(*first);
  auto const second = wire::decode<Payload>(again);
  if (!second || wire::encode(*second) != again) std::abort();
}

void stream(wire::Direction direction, std::string_view bytes, std::size_t piece) {
  wire::Decoder decoder(direction);
  while (!bytes.empty()) {
    decoder.feed(bytes.substr(0, piece));
    bytes.remove_prefix(std::min(piece, bytes.size()));
    while (true) {
      auto const message = decoder.next();
      if (!message) return;
      if (!*message) break;
      if (!wire::goes((*message)->kind, direction) || (*message)->payload.size() > wire::kMaxMessage)
        std::abort();
    }
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::string_view const bytes(reinterpret_cast<char const*>(data), size);
  std::size_t const piece = 1 + size % 97;
  stream(wire::Direction::hostToWorker, bytes, piece);
  stream(wire::Direction::workerToHost, bytes, piece);
  payload<wire::Config>(bytes);
  payload<wire::Call>(bytes);
  payload<wire::HttpAnswer>(bytes);
  payload<wire::KvAnswer>(bytes);
  payload<wire::Ack>(bytes);
  payload<wire::EmitCredit>(bytes);
  payload<wire::Closed>(bytes);
  payload<wire::Hello>(bytes);
  payload<wire::LoadFailed>(bytes);
  payload<wire::HttpAsk>(bytes);
  payload<wire::KvGet>(bytes);
  payload<wire::KvPut>(bytes);
  payload<wire::Emit>(bytes);
  payload<wire::Checkpoint>(bytes);
  payload<wire::Log>(bytes);
  payload<wire::Progress>(bytes);
  payload<wire::Done>(bytes);
  payload<wire::Dying>(bytes);
  payload<wire::Stack>(bytes);
  payload<wire::Refused>(bytes);
  payload<wire::ExportState>(bytes);
  return 0;
}
