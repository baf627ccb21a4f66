// Takes items in and has them read: one loop that gives what is due to the connectors, one item at a time
// for each connection, in the order in which they came.
#pragma once

#include "host/sync/connections.h"
#include "host/sync/intake_doors.h"
#include "host/sync/intake_records.h"
#include "host/sync/intake_store.h"
#include "host/sync/retry.h"
#include "host/sync/waiting.h"

#include <map>
#include <memory>
#include <set>
#include <string>

namespace garland::sync {

// Of intake.parse/1.
inline constexpr Milliseconds kIntakeDeadline{60'000};
json::value inputFor(IntakeItem const& item, json::value content);
Result<void> checkSource(runtime::Manifest const& manifest, IntakeSource source);
// What keeps an item that was taken from being done: what its connector told, and what was found wrong.
std::vector<std::string> problemsOf(IntakeSink const& sink, std::vector<std::string> const& wrong);
// One sentence of at most some thousand characters; "" of none.
std::string sentenceOf(std::vector<std::string> const& problems);

class IntakeRunner final : public Intake {
public:
  IntakeRunner(Context& context, Connections& connections, AuditTrail& audit);

  Task<AcceptedItem> accept(Delivery delivery) override;
  Task<Rehearsal> rehearse(Delivery delivery) override;
  Task<IntakeItem> one(std::string id) override { return store_.one(std::move(id)); }
  Task<IntakeContent> contentOf(std::string id) override { return store_.contentOf(std::move(id)); }
  Task<std::vector<IntakeItem>> list(IntakeQuery query) override { return store_.list(std::move(query)); }
  Task<IntakeCounts> counts(std::string connection_id) override {
    return store_.counts(std::move(connection_id));
  }
  Task<IntakeItem> retry(std::string id) override;
  Task<std::int64_t> retryAll(std::string connection_id) override;
  Task<IntakeItem> acceptAsGenuine(std::string id, std::string who) override;
  Task<IntakeItem> dismiss(std::string id, std::string why) override;
  Task<OpenedDoor> openDoor(std::string connection_id, IntakeSource source, bool rotate) override;
  Task<IntakeDoor> sign(std::string connection_id, json::value scheme, Secret secret) override;
  std::optional<IntakeDoor> findDoor(IntakeSource source, std::string_view token) override {
    return doors_.find(source, token);
  }
  Task<Secret> signingSecret(IntakeDoor door) override { return doors_.signingSecret(std::move(door)); }

  Task<void> start();
  // After Context::stopping is set: starts nothing more and answers when every call has ended.
  Task<void> stop();
  // Something may be due.
  void look() { wake(); }
  // Another daemon has changed addresses.
  Task<void> renew() { return doors_.load(); }

  // While it lives none of this connection's items is begun.
  class Hold {
  public:
    Hold(IntakeRunner& runner, std::string connection_id)
        : runner_(runner), place_(runner.held_.insert(std::move(connection_id))) {}
    Hold(Hold const&) = delete;
    Hold& operator=(Hold const&) = delete;
    ~Hold() {
      runner_.held_.erase(place_);
      runner_.wake();
    }

  private:
    IntakeRunner& runner_;
    std::multiset<std::string>::iterator place_;
  };
  // A hold during which nothing is accepted either.
  class Closing {
  public:
    Closing(IntakeRunner& runner, std::string const& connection_id)
        : hold_(runner, connection_id), runner_(runner), place_(runner.closing_.insert(connection_id)) {}
    Closing(Closing const&) = delete;
    Closing& operator=(Closing const&) = delete;
    ~Closing() { runner_.closing_.erase(place_); }

  private:
    Hold hold_;
    IntakeRunner& runner_;
    std::multiset<std::string>::iterator place_;
  };
  // `conflict` if items of the connection were not read.
  Task<void> refuseLoss(std::string connection_id);
  // Answers when none of its items is being read. Under a Closing.
  Task<void> quiet(std::string connection_id);
  // The connection is gone, and its rows with it.
  void forget(std::string const& connection_id) { doors_.forget(connection_id); }

private:
  // intake.cpp
  Result<IntakeItem> newItem(Connection const& connection, Delivery const& delivery);
  Task<AcceptedItem> insertOrFind(IntakeItem item, IntakeContent content, Milliseconds same_for);
  Task<std::optional<std::string>> known(IntakeItem const* item, std::optional<TimePoint> keys_since);
  Result<void> mayBeSettled(IntakeItem const& item, std::string const& what) const;
  Result<void> mayBeAccepted(IntakeItem const& item) const;
  void waitAgain(IntakeItem& item) const;

  // intake_rehearsal.cpp
  Rehearsal rehearsalOf(json::value const& output, IntakeSink const& sink,
                        IntakeWriter::Judgement judgement) const;

  // intake_runner.cpp
  Task<void> loop();
  Task<std::optional<TimePoint>> startDue();
  void begin(Due due);
  // In flight as long as it lives; then its connection goes on, or rests if that did not go well.
  struct Reading {
    Reading(IntakeRunner& runner_in, std::string connection)
        : runner(runner_in), connection_id(std::move(connection)) {}
    Reading(Reading const&) = delete;
    Reading& operator=(Reading const&) = delete;
    ~Reading();
    IntakeRunner& runner;
    std::string connection_id;
    bool well = false;
  };
  Task<void> carryOut(Due due);
  Task<void> inTurn(Due due);
  Task<void> putOff(std::string id, Error error);
  Task<void> step(std::string id);
  Task<void> read(IntakeItem item, Session const* session);
  Task<void> answered(IntakeItem item, Session const* session, json::value output, IntakeSink const* sink);
  Task<void> take(IntakeItem item, Session const* session, std::string content_key, IntakeSink const* sink);
  Task<void> failed(IntakeItem item, Error error);
  Task<void> review(IntakeItem item, std::string reason, bool acceptable = false);
  Task<void> settle(IntakeItem item, IntakeState state, std::string reason);
  Task<void> saved(IntakeItem item, Result<void> result);
  void wake();

  Context& context_;
  Connections& connections_;
  AuditTrail& audit_;
  IntakeStore store_;
  IntakeDoors doors_;
  Nursery nursery_;
  std::shared_ptr<Event> woken_;                 // set: the loop looks again
  std::shared_ptr<Event> loop_ended_;            // null: never started
  std::shared_ptr<Event> call_ended_;            // set and replaced whenever a call has ended
  Rest rest_;                                    // what is due could not be read
  std::map<std::string, Rest> resting_;          // by connection; what came of its items was not stored
  std::map<std::string, std::string> in_flight_; // connection -> item; "" until its turn has come
  std::multiset<std::string> held_, closing_;
};

} // namespace garland::sync
