#include "host/sync/decision.h"

namespace garland::sync {
namespace {

constexpr std::size_t kMostShown = 300; // bytes of a lost value in a sentence

std::string joined(std::vector<std::string> const& words) {
  std::string text;
  for (auto const& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

} // namespace

Evidence keepEvidence(Writes& writes, std::string const& record_id, std::string const& connection_id,
                      std::vector<GroupConflict> const& conflicts) {
  std::vector<std::string> members;
  json::object lost;
  for (auto const& conflict : conflicts) {
    for (auto const& member : conflict.members) {
      auto const* ours = conflict.local.if_contains(member);
      auto const* theirs = conflict.remote.if_contains(member);
      bool const same = ours != nullptr && theirs != nullptr ? *ours == *theirs : ours == theirs;
      if (same) continue;
      members.push_back(member);
      if (ours != nullptr) lost[member] = *ours;
    }
    Conflict row;
    row.record_id = record_id;
    row.connection_id = connection_id;
    row.members = conflict.members;
    row.decision = "remote";
    row.base = conflict.base;
    row.local = conflict.local;
    row.remote = conflict.remote;
    writes.addConflict(row);
  }
  auto const shown = json::serialize(lost);
  return {joined(members), shown.size() <= kMostShown ? "(" + shown + ") " : std::string()};
}

void Decision::take(RemoteItem const& item) { result_.outcomes.emplace_back(item.id, decide(item)); }

Outcome Decision::decide(RemoteItem const& item) {
  auto const found = knowledge_.by_remote_id.find(item.id);
  if (item.deleted) return found == knowledge_.by_remote_id.end() ? Outcome::absent : gone(found->second);

  auto const remote = projectionOf(place_.kind->kind, item.data);
  if (found == knowledge_.by_remote_id.end()) return unknownItem(item, remote);
  auto const& known = found->second;
  bool const same = remote.hash == known.link.base_hash;
  if (known.link.state == "deleted")
    return known.record.deleted ? revive(item, known, remote) : mergeInto(item, known, remote);
  if (same) return sameAsBase(item, known);
  return known.record.deleted ? revive(item, known, remote) : mergeInto(item, known, remote);
}

// The provider says that it is gone.
Outcome Decision::gone(Known const& known) {
  auto link = known.link;
  if (link.state == "deleted" && link.pushed_run.empty()) return Outcome::unchanged;
  bool const echo = link.state == "deleted";
  link.state = "deleted";
  link.pushed_run.clear();
  writes_.updateLink(link);
  writes_.dropPush(place_.connection_id, known.record.id, known.record.version);
  if (echo) return Outcome::echo;
  if (known.record.deleted) return Outcome::unchanged;

  auto data = readJson(known.record.data);
  if (!known.record.push_state.empty())
    wholeRecordConflict(
        known.record, data, nullptr, link.remote_id,
        "it was deleted at the provider while it was changed here; it was deleted here too, and "
        "the change is kept in the list of conflicts");
  RecordWrite write{
      known.record.id, link.kind, place_.kind->identityOf(data), std::move(data), known.record.version, true,
      "deleted"};
  writes_.updateRecord(write);
  writes_.flow(known.record.id, link.kind, known.record.version + 1, place_.connection_id);
  return Outcome::deleted;
}

// Nothing that we map has changed; the provider's version and place may have.
Outcome Decision::sameAsBase(RemoteItem const& item, Known const& known) {
  auto link = known.link;
  bool const echo = !link.pushed_run.empty() && link.remote_version == item.version;
  link.remote_version = item.version;
  link.scope = item.scope;
  link.state = "live";
  link.pushed_run.clear();
  bool const same = link.remote_version == known.link.remote_version && link.scope == known.link.scope &&
                    link.state == known.link.state && link.pushed_run == known.link.pushed_run;
  if (!same) writes_.updateLink(link);
  return echo ? Outcome::echo : Outcome::unchanged;
}

// A tombstone here, alive there: the provider's latest word counts. Versions of providers are not
// ordered, so a late message cannot be told from a new one.
Outcome Decision::revive(RemoteItem const& item, Known const& known, Projection const& remote) {
  if (known.link.state != "deleted")
    wholeRecordConflict(known.record, nullptr, item.data, item.id,
                        "it was deleted here while it was changed at the provider; it was brought back");
  writes_.updateLink(linkTo(item, known.record.id, remote, known.link.bytes_before));
  writes_.dropPush(place_.connection_id, known.record.id, known.record.version);
  RecordWrite write{known.record.id, known.link.kind,      place_.kind->identityOf(item.data),
                    item.data,       known.record.version, false,
                    "created"};
  writes_.updateRecord(write);
  writes_.flow(known.record.id, known.link.kind, known.record.version + 1, place_.connection_id);
  return Outcome::created;
}

// A write whose answer never came may have happened. What stands there as we wrote it is nobody else's edit:
// it is what both sides had.
void Decision::takeOwnWrite(RecordState const& record, Projection const& remote, json::object& base) const {
  auto const payload = readJson(record.push_payload);
  auto const* data = find(payload, "/data");
  if (data == nullptr || !data->is_object()) return;
  for (auto const& member : projectionOf(place_.kind->kind, *data).fields) {
    auto const* there = remote.fields.if_contains(member.key());
    if (there != nullptr && *there == member.value()) base[member.key()] = member.value();
  }
}

Outcome Decision::mergeInto(RemoteItem const& item, Known const& known, Projection const& remote) {
  MergeInput input;
  input.base = projectionFrom(known.link.base).fields;
  takeOwnWrite(known.record, remote, input.base);
  input.local = readJson(known.record.data);
  input.remote = item.data;
  // Without an edit that waits to be written, whatever differs is the provider's way of writing it.
  input.local_changed = !known.record.push_state.empty();
  auto const merged = merge(place_.kind->kind, input);

  keepConflicts(known.record, merged.conflicts, item.id);
  writes_.updateLink(linkTo(item, known.record.id, remote, known.link.bytes_before));
  bool const changed = store(known.record, merged);
  if (!merged.differs_from_remote)
    writes_.dropPush(place_.connection_id, known.record.id, known.record.version);
  else if (known.record.push_state == "sent")
    writes_.reopenPush(place_.connection_id, known.record.id);
  else if (known.link.state == "deleted")
    writes_.addPush(place_.connection_id, known.record.id, known.link.kind,
                    known.record.version + (changed ? 1 : 0));
  return changed ? Outcome::updated : Outcome::unchanged;
}

Outcome Decision::unknownItem(RemoteItem const& item, Projection const& remote) {
  if (auto const* candidate = candidateFor(item, remote)) {
    adopted_.insert(candidate->record.id);
    return adopt(item, candidate->record, remote);
  }
  auto const id = writes_.insertRecord(place_.kind->kind.name, place_.kind->identityOf(item.data), item.data);
  writes_.insertLink(linkTo(item, id, remote));
  return Outcome::created;
}

// In this order: a record that we are creating there (our own write, whose answer was lost); one that
// no connection holds (the account was connected before); one elsewhere that says exactly the same.
// Anything less sure stays a record of its own: joining two is hard to undo.
Candidate const* Decision::candidateFor(RemoteItem const& item, Projection const& remote) const {
  auto const identity = place_.kind->identityOf(item.data);
  if (identity.empty()) return nullptr;
  Candidate const* best = nullptr;
  int best_rank = 0;
  auto const [first, last] = knowledge_.by_identity.equal_range(identity);
  for (auto at = first; at != last; ++at) {
    auto const& candidate = at->second;
    if (candidate.links_here > 0 || adopted_.contains(candidate.record.id)) continue;
    int rank = 0;
    if (!candidate.record.push_state.empty())
      rank = 3;
    else if (candidate.links_elsewhere == 0)
      rank = 2;
    else if (projectionOf(place_.kind->kind, readJson(candidate.record.data)).hash == remote.hash)
      rank = 1;
    if (rank > best_rank) {
      best = &candidate;
      best_rank = rank;
    }
  }
  return best;
}

Outcome Decision::adopt(RemoteItem const& item, RecordState const& record, Projection const& remote) {
  MergeInput input;
  input.local = readJson(record.data);
  input.remote = item.data;
  input.local_changed = true;
  if (record.push_state == "sent") {
    // What was written is what both sides had.
    auto const payload = readJson(record.push_payload);
    if (auto const* sent = find(payload, "/data")) input.base = projectionOf(place_.kind->kind, *sent).fields;
  } else if (!record.push_state.empty()) {
    input.base = remote.fields;
  }
  auto const merged = merge(place_.kind->kind, input);
  keepConflicts(record, merged.conflicts, item.id);
  writes_.insertLink(linkTo(item, record.id, remote));
  bool const changed = store(record, merged);
  if (!merged.differs_from_remote)
    writes_.dropPush(place_.connection_id, record.id, record.version);
  else if (!record.push_state.empty())
    writes_.reopenPush(place_.connection_id, record.id);
  return changed ? Outcome::updated : Outcome::unchanged;
}

Link Decision::linkTo(RemoteItem const& item, std::string record_id, Projection const& remote,
                      std::int64_t bytes_before) const {
  Link link;
  link.connection_id = place_.connection_id;
  link.kind = place_.kind->kind.name;
  link.remote_id = item.id;
  link.record_id = std::move(record_id);
  link.scope = item.scope;
  link.base = remote.text;
  link.base_hash = remote.hash;
  link.remote_version = item.version;
  auto const bytes = link.base.size() + json::serialize(item.data).size() + link.remote_id.size() +
                     link.scope.size() + link.remote_version.size();
  link.bytes = static_cast<std::int64_t>(bytes);
  link.bytes_before = bytes_before;
  return link;
}

// Writes the record if the merge changed it, and lets the change flow on.
bool Decision::store(RecordState const& record, Merged const& merged) {
  if (!merged.differs_from_local) {
    writes_.requireVersion(record.id, record.version);
    return false;
  }
  RecordWrite write{record.id,   place_.kind->kind.name, place_.kind->identityOf(merged.data),
                    merged.data, record.version,         false,
                    "updated"};
  writes_.updateRecord(write);
  writes_.flow(record.id, place_.kind->kind.name, record.version + 1, place_.connection_id);
  return true;
}

void Decision::keepConflicts(RecordState const& record, std::vector<GroupConflict> const& conflicts,
                             std::string const& where) {
  if (conflicts.empty()) return;
  auto const lost = keepEvidence(writes_, record.id, place_.connection_id, conflicts);
  ++result_.conflicts;
  result_.problems.push_back(
      ItemProblem{where, "conflict",
                  lost.members +
                      " was not the same here and at the provider; the provider's value was kept, "
                      "ours " +
                      lost.ours + "is in the list of conflicts"});
}

void Decision::wholeRecordConflict(RecordState const& record, json::value local, json::value remote,
                                   std::string const& where, std::string sentence) {
  Conflict row;
  row.record_id = record.id;
  row.connection_id = place_.connection_id;
  row.decision = "remote";
  row.local = std::move(local);
  row.remote = std::move(remote);
  writes_.addConflict(row);
  ++result_.conflicts;
  result_.problems.push_back(ItemProblem{where, "conflict", std::move(sentence)});
}

} // namespace garland::sync
