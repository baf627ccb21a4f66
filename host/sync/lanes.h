// Whose turn it is at a connection. Calls of one account do not overlap in its worker: a second one would
// only wait there and use up its time. So every call waits here, before its time begins, and an action goes
// before the next piece of a sync. Only an account that is tried for the first time has no lane: nothing else
// calls it.
#pragma once

#include "host/base/clock.h"
#include "host/base/task.h"
#include "host/sync/waiting.h"

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace garland::sync {

// [loop thread]
class Lanes : public std::enable_shared_from_this<Lanes> {
public:
  // action: somebody waits for it. bulk: a piece of work that comes by itself, such as a page of a sync.
  enum class Traffic { action, bulk };
  // So many actions go one after the other while a sync waits; then a piece of that.
  static constexpr int kInARow = 8;

  explicit Lanes(asio::any_io_executor executor) : executor_(std::move(executor)) {}

private:
  struct Turn {
    Turn(asio::any_io_executor const& executor, std::string for_what)
        : called(executor), what(std::move(for_what)) {}
    Event called;
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
  Task<Place> enter(std::string connection_id, Traffic traffic, std::string what);
  // An action waits for whoever has the turn: what can end early does, as a pull at its next checkpoint.
  bool actionWaits(std::string const& connection_id) const;
  // Who has the turn; "" if nobody has.
  std::string holder(std::string const& connection_id) const;

  // The provider asked to be left alone until then.
  void limited(std::string const& connection_id, TimePoint now, TimePoint until);
  std::optional<TimePoint> limitedUntil(std::string const& connection_id, TimePoint now) const;

private:
  struct Lane {
    std::shared_ptr<Turn> holder;
    std::deque<std::shared_ptr<Turn>> actions, bulk;
    int row = 0; // actions that went while a sync waited
  };

  void leave(std::string const& connection_id, std::shared_ptr<Turn> const& turn);
  void admit(std::string const& connection_id);

  asio::any_io_executor executor_;
  std::map<std::string, Lane> lanes_;
  std::map<std::string, TimePoint> limited_;
};

} // namespace garland::sync
