#include "host/cli/event_source.h"

#include <algorithm>

namespace garland::cli {

Result<bool> readEvents(Client& client, std::string const& path,
                        std::function<bool(ServerEvent const&)> const& take) {
  EventReader reader;
  bool wanted = true;
  auto const read = client.read(path, "text/event-stream", [&](std::string_view bytes) {
    auto const events = reader.feed(bytes);
    wanted = std::ranges::all_of(events, take); // ends with the first that is refused
    return wanted && !reader.tooLong();
  });
  if (!wanted) return false;
  if (!read) return read.error();
  if (reader.tooLong())
    return Error(ErrorKind::providerBug, "an event of the daemon's is longer than a megabyte");
  return true;
}

} // namespace garland::cli
