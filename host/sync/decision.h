// Decides, item by item, what a batch does to records and links. No I/O: it turns what was read into
// writes and outcomes, so that reading again and deciding again is always safe.
#pragma once

#include "host/sync/known.h"
#include "host/sync/merge.h"
#include "host/sync/writes.h"

#include <set>

namespace garland::sync {

// What was lost against a provider, in words; the rows of the list of conflicts are in `writes`.
struct Evidence {
  std::string members; // "title, location"
  std::string ours;    // "({...}) ", or nothing if that is long
};
Evidence keepEvidence(Writes& writes, std::string const& record_id, std::string const& connection_id,
                      std::vector<GroupConflict> const& conflicts);

class Decision {
public:
  Decision(Place const& place, Knowledge const& knowledge, Writes& writes)
      : place_(place), knowledge_(knowledge), writes_(writes) {}

  void take(RemoteItem const& item);
  void leave(RemoteItem const& item) { result_.outcomes.emplace_back(item.id, Outcome::unchanged); }
  BatchResult result() && { return std::move(result_); }

private:
  Outcome decide(RemoteItem const& item);
  Outcome gone(Known const& known);
  Outcome sameAsBase(RemoteItem const& item, Known const& known);
  Outcome revive(RemoteItem const& item, Known const& known, Projection const& remote);
  Outcome mergeInto(RemoteItem const& item, Known const& known, Projection const& remote);
  void takeOwnWrite(RecordState const& record, Projection const& remote, json::object& base) const;
  Outcome unknownItem(RemoteItem const& item, Projection const& remote);
  Outcome adopt(RemoteItem const& item, RecordState const& record, Projection const& remote);
  Candidate const* candidateFor(RemoteItem const& item, Projection const& remote) const;

  Link linkTo(RemoteItem const& item, std::string record_id, Projection const& remote,
              std::int64_t bytes_before = 0) const;
  bool store(RecordState const& record, Merged const& merged);
  void keepConflicts(RecordState const& record, std::vector<GroupConflict> const& conflicts,
                     std::string const& where);
  void wholeRecordConflict(RecordState const& record, json::value local, json::value remote,
                           std::string const& where, std::string sentence);

  Place const& place_;
  Knowledge const& knowledge_;
  Writes& writes_;
  BatchResult result_;
  std::set<std::string> adopted_; // records that this batch has linked already
};

} // namespace garland::sync
