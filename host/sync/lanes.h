// Whose turn it is at a connection. Calls of one account do not overlap in its worker: a second one would
// only wait there and use up its time. So every call waits here, before its time begins, and what somebody
// waits for goes before the next piece of a sync. Only an account that is tried for the first time has no
// lane: nothing else calls it.
#pragma once

#include "host/base/task.h"
#include "host/sync/priority.h"
#include "host/sync/waiting.h"

#include <map>
#include <memory>
#include <string>

namespace garland::sync {

// [loop thread]
class Lanes : public std::enable_shared_from_this<Lanes> {
public:
  explicit Lanes(asio::any_io_executor executor) : executor_(std::move(executor)) {}

private:
  struct Turn {
    Turn(asio::any_io_executor const& executor, Priority as, std::string for_what)
        : called(executor), priority(as), what(std::move(for_what)) {}
    Event called;
    Priority priority;
    std::string what;
  };

public:
  // A turn, or the place in the queue for one; given back when it dies.
  class Place {
  public:
    Place() = default;
    Place(std::weak_ptr<Lanes> lanes, std::string connection_id, std::shared_ptr<Turn> turn)
        : lanes_(std::move(lanes)), connection_id_(std::move(connection_id)), turn_(std::move(turn)) {}
    Place(Place&& other) noexcept = default;
    Place& operator=(Place&& other) noexcept;
    Place(Place const&) = delete;
    Place& operator=(Place const&) = delete;
    ~Place() { reset(); }
    void reset();
    bool isTaken() const { return turn_ != nullptr; }

  private:
    std::weak_ptr<Lanes> lanes_;
    std::string connection_id_;
    std::shared_ptr<Turn> turn_;
  };

  // Answers when it is its turn. `what`: for whoever has to wait for it.
  Task<Place> enter(std::string connection_id, Priority priority, std::string what);
  // Something that somebody waits for waits for whoever has the turn: what can end early does, as a pull at
  // its next checkpoint.
  bool somebodyWaits(std::string const& connection_id) const;
  // Who has the turn; "" if nobody has.
  std::string holder(std::string const& connection_id) const;
  // Of whoever has the turn; an account that has no lane is one that somebody connects.
  Priority priority(std::string const& connection_id) const;

  // Only a connection that is being called, or waits for that, has a lane.
  std::size_t busy() const { return lanes_.size(); }
  std::size_t waiting() const { return waiting_; }

private:
  struct Lane {
    std::shared_ptr<Turn> holder;
    PriorityQueue<std::shared_ptr<Turn>> waiting;
  };

  void leave(std::string const& connection_id, std::shared_ptr<Turn> const& turn);
  void admit(std::string const& connection_id);

  asio::any_io_executor executor_;
  std::map<std::string, Lane> lanes_;
  std::size_t waiting_ = 0; // in all lanes
};

} // namespace garland::sync
