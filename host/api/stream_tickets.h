// Tickets for browsers, which cannot send a key when they open a WebSocket: for one stream of one vendor,
// good once and for a short time. They live in memory only; a restart loses them.
#pragma once

#include "host/base/clock.h"
#include "host/base/random.h"
#include "host/base/secret.h"
#include "host/realtime/realtime.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace garland::api {

class StreamTickets {
public:
  StreamTickets(Clock& clock, Random& random, Milliseconds life)
      : clock_(clock), random_(random), life_(life) {}

  struct Ticket {
    Ticket(Secret text_in, TimePoint expires_in) : text(std::move(text_in)), expires(expires_in) {}
    Secret text;
    TimePoint expires;
  };
  // `quota` if too many are waiting to be used.
  Result<Ticket> issue(realtime::Filter filter);
  // Whether redeem() would take it.
  bool knows(std::string_view text);
  // What it was issued for; nothing if it is none, was used, or is too old.
  std::optional<realtime::Filter> redeem(std::string_view text);

private:
  struct Waiting {
    Waiting(realtime::Filter filter_in, Monotonic until_in) : filter(std::move(filter_in)), until(until_in) {}
    realtime::Filter filter;
    Monotonic until;
  };
  void dropOld();

  Clock& clock_;
  Random& random_;
  Milliseconds life_;
  std::map<std::string, Waiting, std::less<>> waiting_; // by the digest: finding one tells nothing of another
};

} // namespace garland::api
