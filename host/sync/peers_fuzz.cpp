// What a daemon hears from others, who may be of another version, or strangers who write to the same NATS:
// nothing, or news that would be heard alike if they were told again.
#include "host/nats/lines.h"
#include "host/sync/peers.h"

#include <cstdlib>

using namespace garland;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::string const message(reinterpret_cast<char const*>(data), size);
  std::string again;
  for (auto const& line : nats::linesOf(message)) {
    again += line + "\n";
    auto const news = sync::heard("nod_here", line);
    if (!news) continue;
    auto const told = std::get<std::string>(sync::telling("nod_there", *news).args.at(0));
    auto const same = sync::heard("nod_here", told);
    bool const alike = same && same->kind == news->kind && same->vendor_id == news->vendor_id &&
                       same->connection_id == news->connection_id;
    if (!alike) std::abort();
  }
  if (again != message + "\n") std::abort();
  return 0;
}
