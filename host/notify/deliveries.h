// The rows of deliveries and their attempts.
#pragma once

#include "host/notify/notify.h"

#include <optional>
#include <string>
#include <vector>

namespace garland::notify {

// One that is to be sent now.
struct Due {
  std::int64_t sequence = 0;
  std::int64_t attempt = 0; // the number that this one has
  std::int64_t tries = 0;   // ... since it was made, resent or taken up again
  TimePoint first_sent;     // of these tries
  std::string body;
};

// How an attempt ended.
struct Outcome {
  bool delivered = false;
  bool gone = false; // the receiver says that nobody is to be told any more
  int status = 0;
  std::string problem;
  std::optional<Milliseconds> retry_after;
  Milliseconds took{0};
};

class Deliveries {
public:
  explicit Deliveries(Dependencies& with) : with_(with) {}

  // Makes deliveries of what the endpoint wants of these changes, which follow its place, and moves the place
  // past them all; what the feed has lost between the two is kept as missed. How many; `conflict` if it is
  // not at that place any more, or wants something else by now.
  Task<std::int64_t> take(Endpoint endpoint, std::vector<sync::Change> changes);
  Task<std::int64_t> countWaiting(Endpoint endpoint);
  Task<std::int64_t> countAllWaiting();

  // What is due, at most so many, with the attempt committed: as long as nobody says how it ended it is due
  // again at `again`. Of an ordered endpoint, nothing before which something of the same record still waits.
  Task<std::vector<Due>> begin(Endpoint endpoint, std::int64_t count, TimePoint again);
  Task<std::optional<TimePoint>> nextDue(Endpoint endpoint);
  // Endpoints of which something waits for a time of day that was set back, and one of them mended
  // (store::bringForward).
  Task<std::vector<std::string>> waitTooLong();
  Task<void> bringForward(Endpoint endpoint);
  // How often it was tried since: in how many hours, or one delivery, whichever is more. Many deliveries do
  // not make many tries of a few minutes.
  Task<std::int64_t> countMoments(Endpoint endpoint, TimePoint since);

  Task<void> delivered(Endpoint endpoint, Due due, Outcome outcome);
  // Since when all attempts of the endpoint have failed; none: it is gone.
  Task<std::optional<TimePoint>> failed(Endpoint endpoint, Due due, Outcome outcome, TimePoint next);
  Task<void> giveUp(Endpoint endpoint, Due due);

  Task<std::vector<Delivery>> list(DeliveryQuery query, std::string vendor_id);
  Task<DeliveryDetail> one(Endpoint endpoint, std::int64_t sequence);
  Task<std::int64_t> resend(Endpoint endpoint, std::int64_t sequence);
  // The first so many of the range; their sequences, ascending.
  Task<std::vector<std::int64_t>> resendSome(Endpoint endpoint, ResendRange range, std::int64_t limit);
  // What was finished before, some of it; whether there may be more.
  Task<bool> forget(TimePoint before);

private:
  Dependencies& with_;
};

} // namespace garland::notify
