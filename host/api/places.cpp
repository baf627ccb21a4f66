#include "host/api/places.h"

#include "host/api/listener.h"

namespace garland::api {

bool Places::admits() const { return !full() || !resting_.empty() || turned_away_ < most_turned_away_; }

Connection* Places::enter(Connection& newcomer) {
  Connection* giving = nullptr;
  if (full() && resting_.empty()) {
    newcomer.place.state = Place::State::turnedAway;
    ++turned_away_;
    return nullptr;
  }
  if (full()) {
    giving = resting_.begin()->second;
    leave(*giving);
    giving->place.state = Place::State::given;
  }
  newcomer.place.state = Place::State::held;
  ++held_;
  rest(newcomer);
  return giving;
}

void Places::rest(Connection& connection) {
  if (connection.place.state != Place::State::held || connection.place.resting != 0) return;
  connection.place.resting = ++rests_;
  resting_.emplace(connection.place.resting, &connection);
}

void Places::wake(Connection& connection) {
  resting_.erase(connection.place.resting);
  connection.place.resting = 0;
}

void Places::leave(Connection& connection) {
  wake(connection);
  if (connection.place.state == Place::State::held) --held_;
  if (connection.place.state == Place::State::turnedAway) --turned_away_;
  connection.place.state = Place::State::none;
}

} // namespace garland::api
