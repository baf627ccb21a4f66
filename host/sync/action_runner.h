// Takes actions in and does them: one loop that starts what is due, one call at a time for each connection.
#pragma once

#include "host/sync/action_rule.h"
#include "host/sync/action_store.h"
#include "host/sync/call_host.h"
#include "host/sync/connections.h"
#include "host/sync/retry.h"
#include "host/sync/waiting.h"

#include <boost/asio/cancellation_signal.hpp>

#include <map>
#include <memory>
#include <set>
#include <string>

namespace garland::sync {

class ActionRunner final : public Actions {
public:
  ActionRunner(Context& context, Connections& connections, AuditTrail& audit);

  Task<AcceptedAction> accept(ActionRequest request) override;
  Task<Action> one(std::string id) override;
  Task<std::vector<Action>> list(ActionQuery query) override;
  Task<Action> settle(std::string id, Settlement settlement) override;

  // Forgets what has long had its end, and its key with it. Called often, it does so now and then.
  Task<void> tick();
  // What an earlier owner left; none named: of all connections.
  Task<void> recover(std::optional<Owner> of) { return store_.recover(context_.now(), std::move(of)); }
  // Something may be due.
  void look() { wake(); }
  // Takes over what an earlier process left, unless its connections are still to be leased, and begins.
  Task<void> start();
  // After Context::stopping is set: starts nothing more and answers when every call has ended.
  Task<void> stop();

  // While it lives none of this connection's actions is begun.
  class Hold {
  public:
    Hold(ActionRunner& runner, std::string connection_id)
        : runner_(runner), place_(runner.held_.insert(std::move(connection_id))) {}
    Hold(Hold const&) = delete;
    Hold& operator=(Hold const&) = delete;
    ~Hold() {
      runner_.held_.erase(place_);
      runner_.wake();
    }

  private:
    ActionRunner& runner_;
    std::multiset<std::string>::iterator place_;
  };
  // A hold during which nothing is accepted either.
  class Closing {
  public:
    Closing(ActionRunner& runner, std::string const& connection_id)
        : hold_(runner, connection_id), runner_(runner), place_(runner.closing_.insert(connection_id)) {}
    Closing(Closing const&) = delete;
    Closing& operator=(Closing const&) = delete;
    ~Closing() { runner_.closing_.erase(place_); }

  private:
    Hold hold_;
    ActionRunner& runner_;
    std::multiset<std::string>::iterator place_;
  };
  // Syncs of this connection need not wait for an action that the provider's rate limit keeps waiting.
  void letPass(std::string const& connection_id) { kept_.erase(connection_id); }
  // `conflict` if the connection has actions without an end.
  Task<void> refuseLoss(std::string connection_id);
  // Answers when no call of this connection's actions is in flight. Under a Closing.
  Task<void> quiet(std::string connection_id);
  // Ends what waits: for the unit that forgets the connection. Under a Closing, and quiet.
  store::Unit ends(Owner const& owner) const { return store_.ends(owner, context_.now()); }

private:
  // actions.cpp
  Result<Action> newAction(Session const& session, ActionRequest request);
  Task<AcceptedAction> insertOrFind(Action action);
  Result<void> checkSettlement(Action const& action, Settlement const& settlement);

  // action_runner.cpp
  Task<void> loop();
  Task<std::optional<TimePoint>> startDue();
  void begin(Due due);
  // In flight as long as it lives. What could not be saved stays in flight: its row says less than is known.
  struct Flight {
    Flight(ActionRunner& runner_in, std::string id_in) : runner(runner_in), id(std::move(id_in)) {}
    Flight(Flight const&) = delete;
    Flight& operator=(Flight const&) = delete;
    ~Flight();
    ActionRunner& runner;
    std::string id;
    bool well = false;
  };
  // What is to be written if a call ends without anything being kept of its end, as by an exception: nobody
  // knows what became of it, and that is looked into at once.
  struct Doubt {
    Doubt(ActionRunner& runner_in, Action action);
    Doubt(Doubt const&) = delete;
    Doubt& operator=(Doubt const&) = delete;
    ~Doubt() { runner.unsaved_.merge(unsaved); } // whatever is known is left as it is
    ActionRunner& runner;
    std::map<std::string, Action> unsaved;
  };
  Task<void> carryOut(Due due);
  Task<void> inTurn(Due due);
  Task<void> step(std::string id);
  Task<void> attempt(Action action, Session const* session, ActionRule rule);
  Task<void> resolve(Action action, Session const* session, ActionRule rule);
  Task<json::value> lookUp(Action const* action, Session const* session, std::string lookup);
  Task<void> lost(Action action, Error error);
  Task<void> keep(Action action);
  Task<void> keepUnsaved();
  bool isOthers(Action const& action) const;
  void tellLate(Action const& action) const;
  Task<void> tellSignIn(Session const* session, Error error);
  void tell(Action const& action) const;
  ActionCourse course(ActionRule rule) { return {std::move(rule), context_.now(), context_.doors.random}; }
  std::optional<TimePoint> dropKept();
  void release(std::string const& id);
  // `without_sign_in`: connections whose account has to be connected again, and why.
  std::string waitsFor(Action const& action, std::map<std::string, std::string> const& without_sign_in) const;
  void wake();

  Context& context_;
  Connections& connections_;
  AuditTrail& audit_;
  ActionStore store_;
  Nursery nursery_;
  std::shared_ptr<Event> woken_;      // set: the loop looks again
  std::shared_ptr<Event> loop_ended_; // null: never started
  std::shared_ptr<Event> call_ended_; // set and replaced whenever a call has ended
  Rest rest_;                         // the store had trouble
  Monotonic next_sweep_{};
  std::map<std::string, std::string> in_flight_; // action -> connection
  std::map<std::string, std::size_t> busy_;      // connection -> how many of them
  std::set<std::string> queued_;                 // of those in flight, who wait for their connection
  // The provider named a moment from which it takes an action: until then no sync uses up what it grants.
  struct Kept {
    Lanes::Place turn;
    int times = 0; // in a row
    std::optional<Rest> until;
  };
  std::map<std::string, Kept> kept_;         // by connection
  std::map<std::string, TimePoint> limited_; // action -> when the provider takes it
  std::map<std::string, Action> unsaved_;    // what rows should say that could not be written
  std::multiset<std::string> held_, closing_;
};

} // namespace garland::sync
