// Who has a place at the listener. When all are taken, a newcomer gets that of a client that has said nothing
// for a while; or else of the one that has rested longest between two requests; or else of one that has only
// just come. One with a request under way never gives way.
//
// Of those that have just come it is one of the later half, by chance. The longest-silent one would be wrong:
// where more come within the time of a TLS handshake than there are places, each would push out the one
// before it, and nobody be served. To turn the newcomer away would be, too: silent clients could shut the
// door.
#pragma once

#include "host/base/clock.h"
#include "host/base/random.h"

#include <cstddef>
#include <cstdint>
#include <map>

namespace garland::api {

struct Connection; // listener.h

// What a connection has of the places.
struct Place {
  enum class State {
    none, // it has not come in yet, or is gone
    held,
    given,      // to a newcomer: it may end what it began meanwhile, and no more
    turnedAway, // there was none: it gets one 503
  };
  State state = State::none;
  std::uint64_t resting = 0; // counted, when it began to; 0: it does not
  Monotonic since{0};        // it rests
};

// [loop thread]
class Places {
public:
  // Who has said nothing has only just come for so long: enough for a handshake with a client far away.
  static constexpr Milliseconds kGreetingTime{1'000};

  // `random` must outlive it.
  Places(std::size_t most, std::size_t most_turned_away, Clock const& clock, Random& random)
      : most_(most), most_turned_away_(most_turned_away), clock_(clock), random_(random) {}

  // False: there is no place to be had, and enough are waiting already to be told so.
  bool admits() const;
  // Whose place the newcomer gets: null if one was free, or none was to be had.
  Connection* enter(Connection& newcomer);
  // Nothing of a next request has come, or nothing at all.
  void rest(Connection& connection);
  void wake(Connection& connection);
  void leave(Connection& connection);

private:
  using Resting = std::map<std::uint64_t, Connection*>; // the longest first; of those that hold a place

  bool full() const { return held_ >= most_; }
  bool somebodyRests() const { return !silent_.empty() || !between_.empty(); }
  Connection* giving();

  std::size_t most_;
  std::size_t most_turned_away_;
  Clock const& clock_;
  Random& random_;
  std::size_t held_ = 0;
  std::size_t turned_away_ = 0;
  std::uint64_t rests_ = 0;
  Resting silent_;  // nothing has come from them
  Resting between_; // two requests
};

} // namespace garland::api
