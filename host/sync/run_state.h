// A run in flight: what is counted, each thing once, and who waits for its end.
#pragma once

#include "host/sync/inbound.h"
#include "host/sync/waiting.h"

#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace garland::sync {

class RunState {
public:
  RunState(asio::any_io_executor const& executor, Run first, std::string vendor_id)
      : run(std::move(first)), vendor_id(std::move(vendor_id)), ended(std::make_shared<Event>(executor)) {}

  // An item that a restarted pull brings again was counted already; if it has really changed since,
  // that is what counts.
  void count(std::string const& kind, std::string const& remote_id, Outcome outcome);
  void count(std::string const& kind, BatchResult const& batch);
  // One problem per place and kind. `failed`: count the item as not taken.
  void problem(ItemProblem item, bool failed);

  Run run;
  std::string vendor_id;
  std::string connector;                // the plugin's id
  Priority priority = Priority::normal; // beside runs of other connections
  std::shared_ptr<Event> ended;
  bool stop_requested = false;

  // What is still to be done: everything, or only the records that are hinted at.
  bool whole = false;
  std::vector<Hint> hints;
  bool ending = false;    // what is asked for now needs another run
  bool was_whole = false; // everything was asked for, so the end is the connection's, too
  bool store_failed = false;
  int kinds_synced = 0;
  std::vector<std::pair<std::string, Error>> kinds_failed; // the run went on without them
  bool to_the_end = false;                                 // every kind was tried
  bool partly = false;                                     // ... and some went well
  void failedKind(std::string const& kind, Error error);   // a pull and a hint of it may both fail
  // Kinds that need a setting which was not given, by the sentence that says which.
  std::map<std::string, std::map<std::string, Error>> kinds_left_out;
  void leftOut(std::string const& kind, Error error);
  Result<void> verdict() const;
  void tellKinds(); // as problems, if there was more than one kind
  // No hints: everything.
  void ask(std::vector<Hint> more);

  // The approval of deletions, which holds for one run: a kind was pulled with it, and records were deleted.
  bool approval_pulled = false;
  bool approval_deleted = false;
  Milliseconds quiet{0};                // for which the provider wants to be left alone
  std::int64_t credential_version = -1; // of the session; -1: there was none

private:
  std::unordered_map<std::string, Outcome> counted_;
  std::set<std::string> problem_places_;
};

json::value toDocument(Run const& run);
Run runFromDocument(json::value const& document);
json::value toDocument(Error const& error);
Error errorFromDocument(json::value const& document);

} // namespace garland::sync
