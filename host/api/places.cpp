#include "host/api/places.h"

#include "host/api/listener.h"

namespace garland::api {

bool Places::admits() const { return !full() || somebodyRests() || turned_away_ < most_turned_away_; }

// Null: nobody does.
Connection* Places::giving() {
  if (!silent_.empty()) {
    auto* const first = silent_.begin()->second;
    if (clock_.monotonic() - first->place.since >= kGreetingTime) return first;
  }
  if (!between_.empty()) return between_.begin()->second;
  if (silent_.empty()) return nullptr;
  auto const latest = silent_.rbegin()->first;
  auto const half = (latest - silent_.begin()->first) / 2 + 1;
  return silent_.lower_bound(latest - random_.next() % half)->second;
}

Connection* Places::enter(Connection& newcomer) {
  Connection* const victim = full() ? giving() : nullptr;
  if (full() && victim == nullptr) {
    newcomer.place.state = Place::State::turnedAway;
    ++turned_away_;
    return nullptr;
  }
  if (victim != nullptr) {
    leave(*victim);
    victim->place.state = Place::State::given;
  }
  newcomer.place.state = Place::State::held;
  ++held_;
  rest(newcomer);
  return victim;
}

void Places::rest(Connection& connection) {
  if (connection.place.state != Place::State::held || connection.place.resting != 0) return;
  connection.place.resting = ++rests_;
  connection.place.since = clock_.monotonic();
  (connection.heard ? between_ : silent_).emplace(connection.place.resting, &connection);
}

void Places::wake(Connection& connection) {
  silent_.erase(connection.place.resting);
  between_.erase(connection.place.resting);
  connection.place.resting = 0;
}

void Places::leave(Connection& connection) {
  wake(connection);
  if (connection.place.state == Place::State::held) --held_;
  if (connection.place.state == Place::State::turnedAway) --turned_away_;
  connection.place.state = Place::State::none;
}

} // namespace garland::api
