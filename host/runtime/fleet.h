// All workers of a supervisor: which slot a call goes to, when an idle worker is ended, and how the workers
// of a build that was replaced leave. Which build a call runs in is decided before (releases.h).
#pragma once

#include "host/runtime/plugin_slot.h"
#include "host/runtime/releases.h"

#include <boost/asio/cancellation_signal.hpp>

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace garland::runtime {

// [loop thread]
class Fleet : public std::enable_shared_from_this<Fleet> {
  struct Place;

public:
  Fleet(asio::any_io_executor executor, Clock& clock, Random& random, Log const& log,
        SupervisorOptions options);
  ~Fleet();

  // One call's hold on a slot: its worker is neither idle nor let go before the lease ends.
  class Lease {
  public:
    Lease(std::shared_ptr<Fleet> fleet, std::shared_ptr<Place> place);
    Lease(Lease&&) noexcept = default;
    Lease& operator=(Lease&&) = delete;
    ~Lease();
    std::shared_ptr<PluginSlot> const& slot() const;
    // What an older build handed on for the account, once; "" if nothing.
    std::string takeState(std::string const& account_id) const;

  private:
    std::shared_ptr<Fleet> fleet_;
    std::shared_ptr<Place> place_;
  };
  Lease lease(Build const& build, std::string const& vendor_id, std::string const& account_id);

  // Starts a worker of the build. The error says why it can take no calls.
  Task<void> tryOut(Build build);
  // The build takes no new calls. Its workers end after their last call; before, their instances hand their
  // state to `heir`, if there is one.
  void retire(Build const& build, Build const& heir);
  // Builds that may not run any more: their calls are cancelled, and none is begun. retire() ends the
  // workers.
  void withdraw(std::function<Result<void>(PluginInfo const&)> const& may_run);
  // Quarantines and half-open states of the plugin are forgotten; false if there is none.
  bool release(std::string_view plugin_id);

  // A call was answered: the build works for this vendor.
  void answered(Build const& build, std::string const& vendor_id);
  // Whether the build has worked for another vendor of late, so that it is not all to blame.
  bool worksForOthers(std::string const& digest, std::string const& vendor_id) const;

  std::vector<WorkerStatus> workers() const;
  std::size_t busy() const; // leases, and workers that hand their state on
  void refuseCalls();
  void cancelCalls();
  Task<void> end();
  void drop(); // all at once, without farewell

  std::uint64_t nextCall() { return next_call_++; }

private:
  struct States { // of one plugin, on their way to its current build
    Build heir;
    std::map<std::string, std::string> by_account; // JSON
    std::size_t bytes = 0;
  };
  using Key = std::pair<std::string, std::string>; // digest and share, or digest and vendor
  struct Ward {                                    // the workers for one call each of a vendor
    Build build;
    std::shared_ptr<WorkerRecord> record;
  };
  struct Witness {
    std::string vendor_id;
    Monotonic at{0};
  };

  Isolation isolationOf(std::string const& plugin_id) const;
  std::shared_ptr<Place> placeFor(Build const& build, std::string const& vendor_id);
  std::shared_ptr<WorkerRecord> wardOf(Build const& build, std::string const& vendor_id);
  void forgetCleanWards();
  static WorkerStatus statusOf(Ward const& ward, std::string const& vendor_id);
  void release(std::shared_ptr<Place> const& place);
  void letGo(std::shared_ptr<Place> place);
  std::vector<std::shared_ptr<Place>> all() const;

  void watchIdle();
  void stopWatching();
  void restIdle();
  Milliseconds untilNextIdle() const;
  static asio::awaitable<void> watch(std::weak_ptr<Fleet> fleet, Clock* clock,
                                     std::shared_ptr<asio::cancellation_signal> stop);

  // handover.cpp
  static asio::awaitable<void> leave(std::shared_ptr<Fleet> self, std::shared_ptr<Place> place);
  static asio::awaitable<void> handOver(std::shared_ptr<Fleet> self, std::shared_ptr<Place> place);
  void keepState(Place const& place, std::string const& account_id, std::string text);
  std::string takeState(Build const& build, std::string const& account_id);
  void redirectStates(Build const& from, Build const& heir);

  asio::any_io_executor executor_;
  Clock& clock_;
  Random& random_;
  Log const& log_;
  SupervisorOptions options_;
  Spawner spawner_; // must outlive the slots
  std::map<Key, std::shared_ptr<Place>> places_;
  std::vector<std::shared_ptr<Place>> leaving_;
  std::map<Key, Ward> wards_;
  std::map<std::string, std::array<Witness, 2>> witnesses_; // by digest; the newest two vendors, newest first
  std::map<std::string, States> states_;                    // by plugin id
  std::shared_ptr<asio::cancellation_signal> stop_watching_;
  bool watching_ = false;
  bool stopping_ = false;
  std::size_t handing_over_ = 0;
  std::uint64_t next_call_ = 1;
  std::uint64_t next_share_ = 1;
};

// A slot and who uses it.
struct Fleet::Place {
  Place(asio::any_io_executor const& executor, Build build_in, std::string share_in)
      : build(std::move(build_in)), share(std::move(share_in)), unused(executor) {}

  Build build;
  std::string share; // a vendor's id; "" shared by all; "#7" for one call only
  std::shared_ptr<PluginSlot> slot;
  Milliseconds idle{0}; // how long its worker may be without a call
  Monotonic used_at{0};
  std::size_t users = 0;
  std::set<std::string> accounts; // that its worker may have instances of
  bool leaving = false;
  Build heir;   // of the instances' state, while leaving
  Latch unused; // leaving, and the last user is gone
};

} // namespace garland::runtime
