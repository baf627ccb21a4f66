// Who has a place at the listener. When all are taken, the client that has rested longest gives way to a
// newcomer; one with a request under way never does.
#pragma once

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
};

// [loop thread]
class Places {
public:
  Places(std::size_t most, std::size_t most_turned_away) : most_(most), most_turned_away_(most_turned_away) {}

  // False: there is no place to be had, and enough are waiting already to be told so.
  bool admits() const;
  // Whose place the newcomer gets: null if one was free, or none was to be had.
  Connection* enter(Connection& newcomer);
  // Nothing of a next request has come.
  void rest(Connection& connection);
  void wake(Connection& connection);
  void leave(Connection& connection);

private:
  bool full() const { return held_ >= most_; }

  std::size_t most_;
  std::size_t most_turned_away_;
  std::size_t held_ = 0;
  std::size_t turned_away_ = 0;
  std::uint64_t rests_ = 0;
  std::map<std::uint64_t, Connection*> resting_; // the longest first; of those that hold a place
};

} // namespace garland::api
