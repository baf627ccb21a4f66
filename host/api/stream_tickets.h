// Tickets for browsers, which cannot send a key when they open a WebSocket: for one stream of one vendor,
// good once and for a short time, and no longer than the key that asked for them. They live in memory only; a
// restart loses them.
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
  // What a ticket stands for.
  struct Leave {
    Leave(realtime::Filter filter_in, std::string key_id_in)
        : filter(std::move(filter_in)), key_id(std::move(key_id_in)) {}
    realtime::Filter filter;
    std::string key_id; // that asked for it
  };
  // `quota` if too many are waiting to be used.
  Result<Ticket> issue(Leave leave);
  // Whether redeem() would take it.
  bool knows(std::string_view text);
  // What it was issued for; nothing if it is none, was used, or is too old.
  std::optional<Leave> redeem(std::string_view text);

private:
  struct Waiting {
    Waiting(Leave leave_in, Monotonic until_in) : leave(std::move(leave_in)), until(until_in) {}
    Leave leave;
    Monotonic until;
  };
  void dropOld();

  Clock& clock_;
  Random& random_;
  Milliseconds life_;
  std::map<std::string, Waiting, std::less<>> waiting_; // by the digest: finding one tells nothing of another
};

} // namespace garland::api
