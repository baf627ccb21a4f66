// How many runs are at work at once: all together, which is for this daemon's memory and its database, and of
// one connector, which is for its worker. A run that only waits for its provider lends its place to others,
// and goes on without waiting for one again, so for a moment there may be more. See decision 0052.
#pragma once

#include "host/sync/priority.h"
#include "host/sync/sync.h"
#include "host/sync/waiting.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace garland::sync {

// [loop thread] Of each connection there is one run at a time.
class RunPlaces {
public:
  RunPlaces(asio::any_io_executor executor, RunsAtOnce most) : executor_(std::move(executor)), most_(most) {}
  RunPlaces(RunPlaces const&) = delete;
  RunPlaces& operator=(RunPlaces const&) = delete;

  // Or the place in the queue for one; given back when it dies.
  class Place {
  public:
    Place() = default;
    Place(RunPlaces& places, std::string connection_id)
        : places_(&places), connection_id_(std::move(connection_id)) {}
    Place(Place&& other) noexcept
        : places_(std::exchange(other.places_, nullptr)), connection_id_(std::move(other.connection_id_)) {}
    Place& operator=(Place&& other) noexcept {
      std::swap(places_, other.places_);
      std::swap(connection_id_, other.connection_id_);
      return *this;
    }
    ~Place() {
      if (places_ != nullptr) places_->leave(connection_id_);
    }

  private:
    RunPlaces* places_ = nullptr;
    std::string connection_id_;
  };
  // Answers when the connection's run may begin; `cancelled` if it was called off before.
  Task<Place> enter(std::string connection_id, std::string connector, Priority priority);
  // Whoever waits goes by this priority from now on, if that is higher.
  void hasten(std::string const& connection_id, Priority priority);
  void callOff(std::string const& connection_id);

  // While it lives the connection's run, if it has one, waits for its provider: for its limit or its answer.
  class Rest {
  public:
    Rest(RunPlaces& places, std::string const& connection_id, Monotonic now)
        : places_(places), connection_id_(connection_id) {
      places_.rests(connection_id_, now);
    }
    Rest(Rest const&) = delete;
    Rest& operator=(Rest const&) = delete;
    ~Rest() { end(); }
    void end() { places_.goesOn(connection_id_); }

  private:
    RunPlaces& places_;
    std::string connection_id_;
  };
  // From time to time: who has rested for a while lends its place, if others wait for one.
  void look(Monotonic now);

  std::size_t waiting() const { return waiting_.size(); }

private:
  struct Turn {
    Turn(asio::any_io_executor const& executor, std::string connector_in)
        : called(executor), connector(std::move(connector_in)) {}
    Event called;
    std::string connector;
    bool has_place = false;
    bool has_lent_it = false;
    std::optional<Monotonic> rests_since;
  };
  using Shared = std::shared_ptr<Turn>;
  struct Connector {
    std::size_t at_work = 0;
    std::size_t begun = 0;
  };

  void rests(std::string const& connection_id, Monotonic now);
  void goesOn(std::string const& connection_id);
  void takeBack(Turn& turn);
  void leave(std::string const& connection_id);
  bool hasRoom(Turn const& turn) const;
  void admit();

  asio::any_io_executor executor_;
  RunsAtOnce const most_;
  std::map<std::string, Shared> turns_; // by connection
  std::map<std::string, Connector> connectors_;
  PriorityQueue<Shared> waiting_;
  std::size_t at_work_ = 0;
};

} // namespace garland::sync
