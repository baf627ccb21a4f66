// One pull call: checks what the plugin emits, gathers it into batches, and makes it durable at each
// checkpoint. Restarting a pull that died is the business of runs.cpp.
#pragma once

#include "host/sync/call_host.h"
#include "host/sync/inbound.h"
#include "host/sync/missed.h"
#include "host/sync/run_state.h"

#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace garland::sync {

class PullSink final : public EmitSink {
public:
  // `asked`: the ids that a call was made for, if it was made for some.
  PullSink(Context& context, Session const& session, KindEntry const& kind, RunState& run,
           std::vector<std::string> const& asked = {});

  Task<void> emit(std::string kind, std::string record_json) override;
  Task<void> checkpoint(std::string cursor_json) override;
  void progress(std::uint64_t done, std::uint64_t total) override;
  void restarted() override;

  // After the call, however it ended: what came since the last checkpoint is good, so it is kept.
  Task<void> finish();

  // After finish(), if the call went well: what was asked for and is not bad is well, or gone.
  Task<void> wasWhole();

  // After finish(), if the call ended early: which of the ids that were asked for did not come. The first of
  // them, at which it may have ended, is looked at last the next time; what came and is not bad is well.
  Task<std::vector<std::string>> wasCut();

  // The store's own error, which outranks whatever the plugin made of it.
  std::optional<Error> const& storeError() const { return store_error_; }
  bool movedOn() const { return moved_on_; }
  // It was ended at a checkpoint because an action waits; the rest is pulled after that.
  bool gaveWay() const { return gave_way_; }

private:
  Task<void> take(std::string kind, std::string record_json);
  Result<void> takeRecord(json::value const& record);
  Result<void> takeProblem(json::value const& record);
  Result<void> takeListing(json::value const& record);
  void refuse(json::value const& record, Error const& error);
  void notTaken(std::string const& id);
  Task<void> flush(std::optional<std::string> cursor);
  Task<void> sweepListings();
  Task<void> stored(Result<BatchResult> result);

  // A call that goes on in another worker may list only the rest once more, so ids stay to the call's end.
  struct Listing {
    std::set<std::string> ids;
    bool complete = false; // and not swept yet
  };

  Context& context_;
  Session const& session_;
  KindEntry const& kind_;
  RunState& run_;
  Inbound inbound_;
  Missed missed_;
  bool can_look_again_;
  bool by_ids_;                     // there is no cursor
  std::set<std::string> not_taken_; // since the last checkpoint
  std::vector<std::string> wanted_; // all that was asked for
  std::set<std::string> asked_;     // ... and is not known to be bad
  std::set<std::string> came_;      // ... and came, good or bad
  Semaphore turn_;                  // calls may overlap, batches may not
  std::vector<RemoteItem> buffer_;
  std::unordered_map<std::string, std::size_t> places_; // id -> index: the last word of a batch counts
  std::size_t buffered_bytes_ = 0;
  std::map<std::string, Listing> listings_; // by scope
  std::optional<Error> store_error_;
  bool moved_on_ = false;
  bool gave_way_ = false;
};

} // namespace garland::sync
