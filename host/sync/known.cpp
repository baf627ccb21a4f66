#include "host/sync/known.h"

#include <set>

namespace garland::sync {
namespace {

Known knownFrom(store::Row const& row, Place const& place) {
  Known known;
  known.link.connection_id = place.connection_id;
  known.link.kind = place.kind->kind.name;
  known.link.remote_id = row.text(0);
  known.link.record_id = row.text(1);
  known.link.scope = row.text(2);
  known.link.base = row.text(3);
  known.link.base_hash = row.text(4);
  known.link.remote_version = row.text(5);
  known.link.state = row.text(6);
  known.link.pushed_run = row.text(7);
  known.record.id = row.text(1);
  known.record.data = row.text(8);
  known.record.version = row.integer(9);
  known.record.deleted = row.integer(10) != 0;
  known.record.push_state = row.text(11);
  known.record.push_payload = row.text(12);
  known.link.bytes_before = row.integer(13);
  return known;
}

store::Statement linksOf(Place const& place, std::vector<std::string> const& ids) {
  Values args = {place.vendor_id, place.connection_id, place.kind->kind.name};
  auto const list = inList(args, ids);
  return store::Statement("SELECT l.remote_id, l.record_id, l.scope, l.base, l.base_hash, l.remote_version, "
                          "l.state, l.pushed_run, "
                          "r.data, r.version, r.deleted, p.state, p.payload, l.bytes FROM links l "
                          "JOIN records r ON r.vendor_id=l.vendor_id AND r.record_id=l.record_id "
                          "LEFT JOIN pushes p ON p.vendor_id=l.vendor_id AND p.connection_id=l.connection_id "
                          "AND p.record_id=l.record_id "
                          "WHERE l.vendor_id=$1 AND l.connection_id=$2 AND l.kind=$3 AND l.remote_id IN (" +
                              list + ")",
                          std::move(args));
}

store::Statement candidatesOf(Place const& place, std::vector<std::string> const& identities) {
  Values args = {place.vendor_id, place.connection_id, place.kind->kind.name};
  auto const list = inList(args, identities);
  return store::Statement(
      "SELECT r.record_id, r.identity, r.data, r.version, p.state, p.payload, "
      "(SELECT COUNT(*) FROM links a WHERE a.vendor_id=r.vendor_id AND a.record_id=r.record_id "
      "AND a.connection_id=$2 AND a.state<>'deleted'), "
      "(SELECT COUNT(*) FROM links b WHERE b.vendor_id=r.vendor_id AND b.record_id=r.record_id "
      "AND b.connection_id<>$2 AND b.state<>'deleted') FROM records r "
      "LEFT JOIN pushes p ON p.vendor_id=r.vendor_id AND p.connection_id=$2 AND p.record_id=r.record_id "
      "WHERE r.vendor_id=$1 AND r.kind=$3 AND r.deleted=0 AND r.identity IN (" +
          list + ") ORDER BY r.record_id",
      std::move(args));
}

Candidate candidateFrom(store::Row const& row) {
  Candidate candidate;
  candidate.record.id = row.text(0);
  candidate.record.data = row.text(2);
  candidate.record.version = row.integer(3);
  candidate.record.push_state = row.text(4);
  candidate.record.push_payload = row.text(5);
  candidate.links_here = row.integer(6);
  candidate.links_elsewhere = row.integer(7);
  return candidate;
}

std::vector<std::string> newIdentities(Place const& place, std::vector<RemoteItem> const& items,
                                       Knowledge const& knowledge) {
  std::set<std::string> found;
  for (auto const& item : items) {
    if (item.deleted || knowledge.by_remote_id.contains(item.id)) continue;
    if (auto identity = place.kind->identityOf(item.data); !identity.empty())
      found.insert(std::move(identity));
  }
  return std::vector<std::string>(found.begin(), found.end());
}

} // namespace

Task<Knowledge> readKnowledge(Context& context, Place const& place, std::vector<RemoteItem> const& items) {
  Knowledge knowledge;
  std::vector<std::string> ids;
  ids.reserve(items.size());
  for (auto const& item : items) ids.push_back(item.id);
  if (ids.empty()) co_return knowledge;

  auto links = linksOf(place, ids);
  CO_TRY(linked, co_await context.doors.store.read(std::move(links)));
  for (auto const& row : linked.rows) knowledge.by_remote_id.emplace(row.text(0), knownFrom(row, place));

  auto const identities = newIdentities(place, items, knowledge);
  if (identities.empty()) co_return knowledge;
  auto records = candidatesOf(place, identities);
  CO_TRY(candidates, co_await context.doors.store.read(std::move(records)));
  for (auto const& row : candidates.rows) knowledge.by_identity.emplace(row.text(1), candidateFrom(row));
  co_return knowledge;
}

} // namespace garland::sync
