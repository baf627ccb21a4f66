// Brings durable hints to the runs that follow them. A hint is gone when a run that began after it was read
// has ended well for its kind; one that is given again meanwhile stays, and is followed once more. [loop
// thread]
#pragma once

#include "host/sync/rounds.h"
#include "host/sync/runs.h"
#include "host/sync/webhook_store.h"

#include <map>
#include <string>

namespace garland::sync {

// How rounds name a connection.
std::string roundName(Owner const& owner);
Owner ownerNamed(std::string const& name);

class HintCourier {
public:
  HintCourier(Context& context, Connections& connections, WebhookStore& store, Runs& runs);

  Task<void> start();
  // All hints that there are: followed now, even where a failure has put them off.
  Task<void> wake();
  // Only those that nobody is about to follow.
  Task<void> catchUp();
  Task<void> stop() { return rounds_.stop(); }
  void due(Owner const& owner) { rounds_.due(roundName(owner), context_.now()); }
  Rounds& rounds() { return rounds_; }

private:
  struct Failing {
    std::int64_t runs = 0; // in a row
    TimePoint last;
    TimePoint again;
  };
  Task<std::optional<TimePoint>> round(std::string name);
  // What nobody can follow is taken out, and told.
  Task<HintStamps> brought(Owner owner, HintStamps hints);
  Task<Runs::Ended> follow(Owner owner, HintStamps hints);
  Task<std::optional<TimePoint>> failed(Owner owner, HintStamps hints, Error error);
  Failing const& failedOnceMore(std::string const& connection_id, Error const& error);

  Context& context_;
  Connections& connections_;
  WebhookStore& store_;
  Runs& runs_;
  Rounds rounds_;
  std::map<std::string, Failing> failing_; // by connection
};

} // namespace garland::sync
