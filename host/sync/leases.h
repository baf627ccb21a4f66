// Which connections are this daemon's, while several daemons share a database: says that this one lives,
// takes what is free, gives away what others ask for, and sees to it that what was begun under one lease has
// ended before anything begins under the next. What it means to run a connection is told by the Owning
// functions. See decision 0041. [loop thread]
#pragma once

#include "host/sync/lease_table.h"
#include "host/sync/waiting.h"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace garland::sync {

class Leases {
public:
  // What an owner does. `recover` settles what a former one left, before anything begins. `end`: nothing of
  // it begins any more (holds() says no), so it ends what is under way, and answers when nothing is.
  struct Owning {
    std::function<Task<void>(Owner)> recover;
    std::function<void(Owner const&)> begin;
    std::function<Task<void>(Owner)> end;
  };
  Leases(Context& context, NodeName name, Owning owning);

  Task<void> start();
  // When all work has ended: others may take everything.
  Task<void> stop();
  // Not later than now, because something has happened.
  void look();

  // Work of it may begin here.
  bool holds(std::string const& connection_id) const;
  // Its provider may be asked something. No more, if this daemon is so late that others may think it gone.
  bool mayAsk(std::string const& connection_id) const;
  // Under which what its owner does is kept; also while that ends.
  std::optional<Lease> leaseOf(std::string const& connection_id) const;
  // A unit that showed this lease was refused. False: because it is not ours any more.
  Task<bool> hasStill(Lease lease);
  LeaseTable const& table() const { return table_; }
  Task<std::vector<Node>> nodes() { return table_.nodes(); }

  // What needs one daemon and no lease: the one of those that live whose hash with the name is the highest.
  bool caresFor(std::string_view name) const;

  // A connection was made here, with its first lease; it is gone, and so is that.
  void made(Owner const& owner);
  void gone(std::string const& connection_id);

  // While it lives the connection stays here.
  class Pin {
  public:
    Pin() = default; // of a daemon that is alone
    Pin(Leases& leases, std::string connection_id)
        : leases_(&leases), place_(leases.pinned_.insert(std::move(connection_id))) {}
    Pin(Pin&& other) noexcept : leases_(std::exchange(other.leases_, nullptr)), place_(other.place_) {}
    Pin& operator=(Pin&&) = delete;
    ~Pin() {
      if (leases_ != nullptr) leases_->pinned_.erase(place_);
    }

  private:
    Leases* leases_ = nullptr;
    std::multiset<std::string>::iterator place_;
  };
  // Answers when the connection is this daemon's, which its owner is asked for. transient: the owner has not
  // let go of it in time.
  Task<Pin> claim(Owner owner);

private:
  enum class State {
    taken,    // nothing has begun
    settling, // recover() is under way
    held,
    leaving, // end() is under way; what ends is kept
    lost,    // the same, and nothing is kept
  };
  struct Entry {
    Lease lease;
    State state = State::taken;
  };

  Task<void> loop();
  Task<void> pass();
  Task<void> takeFree();
  Task<void> giveStrange();
  Task<void> compare();
  void received(Lease lease);
  void settleTaken();
  Task<void> settle(Lease lease);
  void lose(Lease const& lease);
  Task<void> endLost(Lease lease);
  void handOver(std::string const& connection_id, std::string to_node);
  Task<void> endAndGive(Lease lease, std::string to_node);
  void ended(Lease const& lease);
  void shareWith(std::vector<std::string> const& nodes);
  bool isIdle(std::string const& connection_id, Entry const& entry) const;
  bool isIn(Lease const& lease, State state) const;
  bool agrees(Pulse const& pulse) const;
  void tellClock(TimePoint database_now);
  void tellWaiting();

  Context& context_;
  LeaseTable table_;
  Owning owning_;
  Nursery nursery_;
  std::map<std::string, Entry> leases_; // by connection
  std::map<std::string, Lease>
      next_leases_; // to be taken when what is under way under an earlier one has ended
  std::multiset<std::string> pinned_;
  std::vector<std::string> nodes_;          // that live, by the last pulse
  std::map<std::string, std::size_t> owed_; // node -> how many it is still to get, because it has come
  Monotonic valid_until_{};                 // nobody thinks that this node is gone
  Monotonic next_look_for_strange_{};
  bool may_lack_leases_ = true;  // some connections may
  bool look_for_strange_ = true; // connections whose connector another node has, and this one has not
  bool failing_ = false;
  bool clock_told_ = false;
  bool stopping_ = false;
  std::shared_ptr<Event> woken_;
  std::shared_ptr<Event> loop_ended_; // null: never started
  std::vector<std::shared_ptr<Event>> waiting_;
};

} // namespace garland::sync
