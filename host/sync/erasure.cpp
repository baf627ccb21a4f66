#include "host/sync/erasure.h"

#include "host/sync/merge.h"
#include "host/sync/storage.h"

namespace garland::sync {
namespace {

constexpr int kAttempts = 5;

// Ids are not folded as names are: two that differ in their case are two.
std::string gravestone(Context const& context, std::string const& remote_id) {
  return context.doors.audit.pseudonym(vault::sha256Hex(remote_id));
}

// The end of a write that is under way would bring back what it has sent, under an id that nobody could bury.
store::Statement noneIsSent(std::string const& vendor_id, std::string const& id) {
  return store::Statement("SELECT 1 FROM pushes WHERE vendor_id=$1 AND record_id=$2 AND state='sent'",
                          {vendor_id, id})
      .expecting(0);
}

bool comesAgain(Error const& error, int attempt) {
  return error.kind == ErrorKind::conflict && attempt < kAttempts;
}

} // namespace

Task<ErasedRecord> Erasure::erase(std::string vendor_id, std::string id) {
  for (int attempt = 1;; ++attempt) {
    auto const erased = co_await eraseOnce(vendor_id, id);
    if (erased || !comesAgain(erased.error(), attempt)) co_return erased;
  }
}

Task<bool> Erasure::rewrite(std::string vendor_id, std::string id, Rewriter rewriter) {
  for (int attempt = 1;; ++attempt) {
    // Not const: a const result of bool would be returned as whether it is one.
    auto rewritten = co_await rewriteOnce(vendor_id, id, &rewriter);
    if (rewritten || !comesAgain(rewritten.error(), attempt)) co_return rewritten;
  }
}

Task<std::optional<Erasure::Kept>> Erasure::read(std::string vendor_id, std::string id) {
  Values const which = {vendor_id, id};
  store::Statement record(
      "SELECT kind, data, version, deleted FROM records WHERE vendor_id=$1 AND record_id=$2", which);
  CO_TRY(found, co_await context_.doors.store.read(std::move(record)));
  if (found.rows.empty()) co_return std::optional<Kept>();
  store::Statement links("SELECT connection_id, kind, remote_id, base, bytes FROM links "
                         "WHERE vendor_id=$1 AND record_id=$2 ORDER BY connection_id, kind, remote_id",
                         which);
  CO_TRY(linked, co_await context_.doors.store.read(std::move(links)));
  Kept kept;
  kept.kind = found.rows[0].text(0);
  kept.data = readJson(found.rows[0].text(1));
  kept.version = found.rows[0].integer(2);
  kept.deleted = found.rows[0].integer(3) != 0;
  for (auto const& row : linked.rows) {
    Link link;
    link.connection_id = row.text(0);
    link.kind = row.text(1);
    link.remote_id = row.text(2);
    link.base = row.text(3);
    link.bytes_before = row.integer(4);
    kept.links.push_back(std::move(link));
  }
  co_return std::optional<Kept>(std::move(kept));
}

// Whoever reads the feed is told, but for what was deleted before. Either way an edit that was decided on
// before comes too late.
void Erasure::put(Writes& writes, std::string const& id, Kept const& kept, json::value data,
                  bool goes) const {
  auto const* entry = context_.kind(kept.kind);
  auto identity = entry == nullptr || goes ? std::string() : entry->identityOf(data);
  if (!kept.deleted) {
    RecordWrite write{id, kept.kind, std::move(identity), std::move(data), kept.version, goes, "updated"};
    if (goes) write.action = "deleted";
    return writes.updateRecord(write);
  }
  writes.add(store::Statement("UPDATE records SET data=$1, identity=$2, day='', version=version+1 WHERE "
                              "vendor_id=$3 AND record_id=$4 AND version=$5",
                              {json::serialize(data), std::move(identity), writes.vendor(), id, kept.version})
                 .expecting(1));
}

void Erasure::bury(Writes& writes, Link const& link) const {
  auto const& vendor = writes.vendor();
  if (link.bytes_before > 0) { // else only a write has made it, and it was never counted
    Storage shrinks;
    shrinks.records = -1;
    shrinks.record_bytes = -link.bytes_before;
    writes.add(recordsGrow(Owner{vendor, link.connection_id}, shrinks, context_.doors.limits));
  }
  writes.add(store::Statement(
      "INSERT INTO erased (vendor_id,connection_id,kind,pseudonym,at) VALUES ($1,$2,$3,$4,$5) "
      "ON CONFLICT (vendor_id,connection_id,kind,pseudonym) DO NOTHING",
      {vendor, link.connection_id, link.kind, gravestone(context_, link.remote_id),
       toMillis(context_.now())}));
}

Task<ErasedRecord> Erasure::eraseOnce(std::string vendor_id, std::string id) {
  ErasedRecord out;
  CO_TRY(found, co_await read(vendor_id, id));
  if (!found) co_return out;
  Writes writes(context_, vendor_id, std::string(kLocal));
  writes.add(noneIsSent(vendor_id, id));
  put(writes, id, *found, json::object(), true);
  Values const which = {vendor_id, id};
  for (auto const& link : found->links) {
    bury(writes, link);
    out.links.push_back(RecordLink{link.connection_id, link.remote_id});
  }
  writes.add(store::Statement("DELETE FROM links WHERE vendor_id=$1 AND record_id=$2", which)
                 .expecting(std::ssize(found->links)));
  for (auto const* table : {"pushes", "conflicts"})
    writes.add(store::Statement("DELETE FROM " + std::string(table) + " WHERE vendor_id=$1 AND record_id=$2",
                                which));
  CO_TRY_VOID(co_await commitWrites(&context_, std::move(writes)));
  out.existed = true;
  co_return out;
}

// The hash of a base stays: an item that the provider has not changed is still known as the same.
Task<bool> Erasure::rewriteOnce(std::string vendor_id, std::string id, Rewriter const* rewriter) {
  CO_TRY(found, co_await read(vendor_id, id));
  if (!found) co_return false;
  Writes writes(context_, vendor_id, std::string(kLocal));
  auto data = (*rewriter)(found->data);
  bool changed = canonicalJson(data) != canonicalJson(found->data);
  if (changed) put(writes, id, *found, std::move(data), false);
  for (auto const& link : found->links) {
    auto const base = canonicalJson((*rewriter)(readJson(link.base)));
    if (base == link.base) continue;
    changed = true;
    writes.add(
        store::Statement("UPDATE links SET base=$1 WHERE vendor_id=$2 AND connection_id=$3 AND kind=$4 "
                         "AND remote_id=$5 AND base=$6",
                         {base, vendor_id, link.connection_id, link.kind, link.remote_id, link.base})
            .expecting(1));
  }
  if (!changed) co_return false;
  writes.add(noneIsSent(vendor_id, id));
  CO_TRY_VOID(co_await commitWrites(&context_, std::move(writes)));
  co_return true;
}

Task<std::set<std::string>> erasedAmong(Context* context, Place const* place,
                                        std::vector<RemoteItem> const* items) {
  std::set<std::string> found;
  Values args = {place->vendor_id, place->connection_id, place->kind->kind.name};
  std::string const of_place = "FROM erased WHERE vendor_id=$1 AND connection_id=$2 AND kind=$3 ";
  store::Statement any("SELECT pseudonym " + of_place + "LIMIT 1", args);
  CO_TRY(first, co_await context->doors.store.read(std::move(any)));
  if (first.rows.empty() || items->empty()) co_return found;
  std::map<std::string, std::string> ids; // by pseudonym
  std::vector<std::string> pseudonyms;
  for (auto const& item : *items) {
    pseudonyms.push_back(gravestone(*context, item.id));
    ids[pseudonyms.back()] = item.id;
  }
  auto const list = inList(args, pseudonyms);
  store::Statement query("SELECT pseudonym " + of_place + "AND pseudonym IN (" + list + ")", std::move(args));
  CO_TRY(rows, co_await context->doors.store.read(std::move(query)));
  for (auto const& row : rows.rows) found.insert(ids[row.text(0)]);
  co_return found;
}

} // namespace garland::sync
