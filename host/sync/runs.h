// Runs: one sync of one connection at a time, its story from the first request to the row that stays.
#pragma once

#include "host/sync/call_host.h"
#include "host/sync/connections.h"
#include "host/sync/run_state.h"
#include "host/sync/storage.h"

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace garland::sync {

class Push;

inline constexpr std::string_view kRunColumns =
    "SELECT run_id, connection_id, state, document, started, finished FROM runs ";
Run runFrom(store::Row const& row);
// As connections.next_due: a person asked for it, whatever the connection's state.
inline constexpr std::int64_t kAskedFor = -1;

class Runs {
public:
  Runs(Context& context, Connections& connections, AuditTrail& audit);

  // Or joins the one in flight. `priority`: interactive if somebody waits for it.
  Task<Run> start(std::string connection_id, Priority priority);
  Task<Run> hint(std::string connection_id, std::vector<Hint> hints);
  Task<Run> one(std::string run_id);
  Task<std::optional<Run>> last(std::string connection_id);
  Task<Run> wait(std::string run_id);
  // The same for a run that is partly failed: also which kinds it went on without. None: that is not known.
  struct Ended {
    Run run;
    std::set<std::string> kinds_failed;
  };
  Task<Ended> waitForKinds(std::string run_id);

  // Ends the run of a connection at its next checkpoint and answers when it has ended.
  Task<void> stopOf(std::string connection_id);

  // While it lives no run of this connection starts: it is being disconnected.
  class Closing {
  public:
    Closing(Runs& runs, std::string connection_id)
        : runs_(runs), place_(runs.closing_.insert(std::move(connection_id))) {}
    Closing(Closing const&) = delete;
    Closing& operator=(Closing const&) = delete;
    ~Closing() { runs_.closing_.erase(place_); }

  private:
    Runs& runs_;
    std::multiset<std::string>::iterator place_;
  };
  // Marks what a crash left; those connections are due at once. None named: of all.
  Task<void> recover(std::optional<Owner> of);
  // Ends the rows of runs whose end could not be saved, once they can be; those connections are due at once.
  // Called often.
  Task<void> tick();
  Task<void> drained();

  bool isInFlight(std::string const& connection_id) const { return in_flight_.contains(connection_id); }
  std::size_t inFlight() const { return in_flight_.size(); } // queued ones, too
  std::size_t queued() const { return context_.run_places.waiting(); }

private:
  using State = std::shared_ptr<RunState>;

  Task<Run> begin(std::string connection_id, std::vector<Hint> hints, Priority priority);
  Task<Run> queue(Connection connection, std::vector<Hint> hints, Priority priority);
  // run_elsewhere.cpp
  Task<Run> elsewhere(Connection connection, std::vector<Hint> hints);
  using Known = std::optional<std::set<std::string>>; // ids of runs, once they were looked at
  Task<std::optional<Run>> begunElsewhere(Connection const* connection, bool everything, Known* known);
  Task<void> askElsewhere(Owner owner, std::vector<Hint> hints);
  Task<Run> waitElsewhere(std::string run_id);
  Task<void> carryOut(State state);
  Task<void> sync(State state, Session const* session);
  Task<void> everything(State state, Session const* session);
  Task<void> hinted(State state, Session const* session);
  Result<void> judge(RunState* state, Session const* session, KindEntry const* kind,
                     Result<void> outcome) const;
  Task<void> syncKind(State state, Session const* session, KindEntry const* kind);
  Task<void> pushAndPull(State state, Session const* session, KindEntry const* kind, Push* push);
  Task<void> pull(State state, Session const* session, KindEntry const* kind);
  Task<std::vector<std::string>> missedBefore(State state, Session const* session, KindEntry const* kind);
  Result<void> judgeMissed(RunState* state, KindEntry const* kind, Result<void> outcome) const;
  Task<void> fetch(State state, Session const* session, KindEntry const* kind, std::vector<std::string> ids);
  Task<void> bring(State state, Session const* session, KindEntry const* kind, std::vector<std::string> ids);
  Error setAside(Error error, std::string const& connection_id) const;
  Task<void> tellHeld(State state, Session const* session, KindEntry const* kind);
  Task<json::value> input(Session const* session, KindEntry const* kind, std::vector<std::string> ids);
  Task<void> finish(State state, Result<void> outcome, Milliseconds poll_every);
  Task<void> endOpen(std::optional<Owner> of, std::string why);
  Task<void> settle(std::optional<Owner> of, store::Unit unit);
  void addStanding(RunState const& state, Milliseconds poll_every, store::Unit* unit) const;
  void addHintsAgain(RunState const& state, store::Unit* unit) const;
  void addApproval(RunState const& state, store::Unit* unit) const;
  store::Statement row(RunState const& state) const;
  State inFlight(std::string const& run_id) const;

  Context& context_;
  Connections& connections_;
  AuditTrail& audit_;
  Nursery nursery_;
  std::map<std::string, State> in_flight_; // by connection
  std::map<std::string, Owner> unsaved_;   // by connection: whose rows may tell of a run that is no more
  std::multiset<std::string> closing_;
};

} // namespace garland::sync
