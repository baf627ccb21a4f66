#include "host/sync/records.h"

#include "host/sync/commits.h"
#include "host/sync/writes.h"

#include <algorithm>
#include <map>

namespace garland::sync {
namespace {

constexpr int kEditAttempts = 5;

Record recordFrom(store::Row const& row) {
  Record record;
  record.id = row.text(0);
  record.vendor_id = row.text(1);
  record.kind = row.text(2);
  record.data = readJson(row.text(3));
  record.version = row.integer(4);
  record.deleted = row.integer(5) != 0;
  record.updated = fromMillis(row.integer(6));
  return record;
}

constexpr char const* kColumns =
    "SELECT record_id, vendor_id, kind, data, version, deleted, updated FROM records ";

Error changedMeanwhile(Record const& record) {
  Error error(ErrorKind::conflict, "the record " + record.id + " was changed meanwhile; it is at version " +
                                       std::to_string(record.version) + " now: read it again");
  json::object detail;
  detail["version"] = record.version;
  error.detail = std::move(detail);
  return error;
}

// What it is known by elsewhere is no member to be edited: a provider would take it for another thing.
Result<void> checkIdentity(KindEntry const& kind, Record const& before, json::value const& data) {
  auto const known_as = kind.identityOf(before.data);
  if (known_as.empty() || kind.identityOf(data) == known_as) return {};
  auto const& member = kind.kind.identity_member;
  return Error(ErrorKind::invalidInput,
               member + " cannot be edited: providers know the record by it; delete this one and add another",
               "/data" + member);
}

Result<void> checkData(KindEntry const& kind, json::value const& data) {
  auto checked = kind.check(data);
  if (checked) return checked;
  auto error = std::move(checked).error();
  error.field = "/data" + error.field;
  return error;
}

// Nobody could ever write it, and those that bring it in have it as it was. What came in by itself, such as a
// lead, is nobody's but Garland's: it may be edited.
Result<void> refuseOnlyRead(std::vector<std::shared_ptr<runtime::PluginInfo const>> const& holders,
                            Kind const& kind, bool deletes) {
  auto const& operation = deletes ? kind.delete_operation : kind.upsert_operation;
  std::string reader;
  for (auto const& holder : holders) {
    if (writes(holder->manifest, kind, operation)) return {};
    if (brings(holder->manifest, kind)) reader = holder->manifest.name;
  }
  if (reader.empty()) return {};
  std::string const what = deletes ? "delete it there, and the next sync deletes it here"
                                   : "change it there, and the next sync brings the change in";
  return Error(ErrorKind::unsupported, reader + " only brings in " + kind.name + ": " + what);
}

bool differs(json::value const& before, json::value const& data, std::string const& member) {
  auto const* was = find(before, member);
  auto const* is = find(data, member);
  return was == nullptr || is == nullptr ? was != is : canonicalJson(*was) != canonicalJson(*is);
}

// A member that one holder brings in and none of them writes: there it would be lost with the next sync.
Result<void> refuseReadOnlyMember(std::vector<std::shared_ptr<runtime::PluginInfo const>> const& holders,
                                  Kind const& kind, json::value const& before, json::value const& data) {
  std::map<std::string, std::string> readers; // by member
  bool first = true;
  for (auto const& holder : holders) {
    if (!writes(holder->manifest, kind, kind.upsert_operation)) continue;
    auto const members = onlyRead(holder->manifest, kind);
    if (first)
      for (auto const& member : members) readers.emplace(member, holder->manifest.name);
    std::erase_if(readers, [&](auto const& reader) { return !members.contains(reader.first); });
    first = false;
  }
  for (auto const& [member, reader] : readers)
    if (differs(before, data, member))
      return Error(ErrorKind::unsupported,
                   member + " cannot be written: " + reader + " only brings it in; change it there",
                   "/data" + member);
  return {};
}

Result<std::int64_t> pageSize(int limit) {
  if (limit < 1 || limit > kMostListed) return Error(ErrorKind::invalidInput, "limit is 1 to 1000", "/limit");
  return std::int64_t{limit};
}

} // namespace

Result<KindEntry const*> Records::kindOf(std::string const& name) const {
  auto const* kind = context_.kind(name);
  if (kind != nullptr) return kind;
  std::string kinds;
  for (auto const& entry : context_.kinds()) kinds += (kinds.empty() ? "" : ", ") + entry.kind.name;
  return Error(ErrorKind::invalidInput,
               "there are no records of kind \"" + name + "\"; the kinds are: " + kinds, "/kind");
}

Task<std::vector<Record>> Records::list(RecordQuery query) {
  CO_TRY_VOID(co_await vendors_.require(query.vendor_id));
  CO_TRY(limit, pageSize(query.limit));
  if (!query.kind.empty()) {
    CO_TRY_VOID(kindOf(query.kind));
  }
  store::Statement page(
      std::string(kColumns) + "WHERE vendor_id=$1 AND record_id>$2 AND ($3='' OR kind=$3) "
                              "AND deleted<=$4 ORDER BY record_id LIMIT $5",
      {query.vendor_id, query.after_id, query.kind, std::int64_t{query.include_deleted}, limit});
  CO_TRY(rows, co_await context_.doors.store.read(std::move(page)));
  std::vector<Record> records;
  for (auto const& row : rows.rows) records.push_back(recordFrom(row));
  CO_TRY_VOID(co_await addWaiting(query.vendor_id, &records));
  CO_TRY_VOID(co_await addLinks(query.vendor_id, &records));
  co_return records;
}

Task<void> Records::addWaiting(std::string vendor_id, std::vector<Record>* records) {
  if (records->empty()) co_return Result<void>();
  store::Statement query(
      "SELECT p.record_id, p.connection_id, p.state, p.reason, p.kind, c.plugin_id FROM pushes p "
      "JOIN records r ON r.vendor_id=p.vendor_id AND r.record_id=p.record_id "
      "JOIN connections c ON c.vendor_id=p.vendor_id AND c.connection_id=p.connection_id "
      "WHERE p.vendor_id=$1 AND p.record_id>=$2 AND p.record_id<=$3 AND " +
          std::string(kWritesSomething) + " ORDER BY p.record_id, p.connection_id",
      {vendor_id, records->front().id, records->back().id});
  CO_TRY(rows, co_await context_.doors.store.read(std::move(query)));
  auto record = records->begin();
  std::map<std::pair<std::string, std::string>, bool> takers; // plugin, kind
  for (auto const& row : rows.rows) {
    while (record != records->end() && record->id < row.text(0)) ++record;
    if (record == records->end()) break;
    if (record->id != row.text(0)) continue; // not on this page
    std::pair const asked(row.text(5), row.text(4));
    if (!takers.contains(asked)) {
      CO_TRY(may_take, co_await mayTake(vendor_id, asked.first, asked.second));
      takers.emplace(asked, may_take);
    }
    if (!takers.at(asked)) continue;
    bool const parked = row.text(2) == "parked";
    record->waiting.push_back(
        WaitingWrite{row.text(1), parked ? "set aside" : "waiting", parked ? row.text(3) : std::string()});
  }
  co_return Result<void>();
}

// False: records of this kind are never written there. One that cannot be used now may take them later.
Task<bool> Records::mayTake(std::string vendor_id, std::string plugin_id, std::string kind_name) {
  auto const* const kind = context_.kind(kind_name);
  if (kind == nullptr) co_return true;
  auto const plugin = co_await vendors_.usable(vendor_id, plugin_id);
  if (!plugin) co_return true;
  auto const& manifest = (*plugin)->manifest;
  co_return writes(manifest, kind->kind, kind->kind.upsert_operation) ||
      writes(manifest, kind->kind, kind->kind.delete_operation);
}

Task<void> Records::addLinks(std::string vendor_id, std::vector<Record>* records) {
  if (records->empty()) co_return Result<void>();
  store::Statement query("SELECT record_id, connection_id, remote_id FROM links "
                         "WHERE vendor_id=$1 AND record_id>=$2 AND record_id<=$3 AND state<>'deleted' "
                         "ORDER BY record_id, connection_id, remote_id",
                         {vendor_id, records->front().id, records->back().id});
  CO_TRY(rows, co_await context_.doors.store.read(std::move(query)));
  auto record = records->begin();
  for (auto const& row : rows.rows) {
    while (record != records->end() && record->id < row.text(0)) ++record;
    if (record == records->end()) break;
    if (record->id == row.text(0)) record->links.push_back(RecordLink{row.text(1), row.text(2)});
  }
  co_return Result<void>();
}

Task<Record> Records::whole(Record record) {
  std::vector<Record> records;
  auto const vendor_id = record.vendor_id;
  records.push_back(std::move(record));
  CO_TRY_VOID(co_await addWaiting(vendor_id, &records));
  CO_TRY_VOID(co_await addLinks(vendor_id, &records));
  co_return std::move(records.front());
}

Task<Record> Records::one(std::string vendor_id, std::string id) {
  CO_TRY(record, co_await read(vendor_id, id));
  co_return co_await whole(std::move(record));
}

Task<Record> Records::read(std::string vendor_id, std::string id) {
  store::Statement query(std::string(kColumns) + "WHERE vendor_id=$1 AND record_id=$2", {vendor_id, id});
  CO_TRY(rows, co_await context_.doors.store.read(std::move(query)));
  if (rows.rows.empty()) co_return Error(ErrorKind::notFound, "this vendor has no record \"" + id + "\"");
  co_return recordFrom(rows.rows[0]);
}

Task<Record> Records::put(std::string vendor_id, std::string id, json::value data, std::int64_t if_version) {
  for (int attempt = 1;; ++attempt) {
    CO_TRY(before, co_await read(vendor_id, id));
    if (before.deleted) co_return Error(ErrorKind::notFound, "the record " + id + " was deleted");
    CO_TRY(kind, kindOf(before.kind));
    CO_TRY_VOID(checkData(*kind, data));
    CO_TRY_VOID(checkIdentity(*kind, before, data));
    if (if_version != 0 && before.version != if_version) co_return changedMeanwhile(before);
    if (canonicalJson(before.data) == canonicalJson(data)) co_return co_await whole(std::move(before));
    CO_TRY(holders, co_await this->holders(&before));
    CO_TRY_VOID(refuseOnlyRead(holders, kind->kind, false));
    CO_TRY_VOID(refuseReadOnlyMember(holders, kind->kind, before.data, data));
    auto const edited = co_await edit(before, kind, data, false);
    if (edited) co_return co_await whole(*edited);
    if (edited.error().kind != ErrorKind::conflict || attempt == kEditAttempts) co_return edited;
  }
}

Task<void> Records::remove(std::string vendor_id, std::string id, std::int64_t if_version) {
  for (int attempt = 1;; ++attempt) {
    CO_TRY(before, co_await read(vendor_id, id));
    if (before.deleted) co_return Result<void>();
    CO_TRY(kind, kindOf(before.kind));
    if (if_version != 0 && before.version != if_version) co_return changedMeanwhile(before);
    CO_TRY(holders, co_await this->holders(&before));
    CO_TRY_VOID(refuseOnlyRead(holders, kind->kind, true));
    auto const edited = co_await edit(before, kind, before.data, true);
    if (edited) co_return Result<void>();
    if (edited.error().kind != ErrorKind::conflict || attempt == kEditAttempts) co_return edited.error();
  }
}

Task<Records::Holders> Records::holders(Record const* record) {
  store::Statement query(
      "SELECT DISTINCT c.plugin_id FROM links l JOIN connections c ON "
      "c.vendor_id=l.vendor_id AND c.connection_id=l.connection_id "
      "WHERE l.vendor_id=$1 AND l.record_id=$2 AND l.state<>'deleted' ORDER BY c.plugin_id",
      {record->vendor_id, record->id});
  CO_TRY(rows, co_await context_.doors.store.read(std::move(query)));
  Holders all;
  for (auto const& row : rows.rows) {
    auto plugin = co_await vendors_.usable(record->vendor_id, row.text(0));
    if (!plugin) co_return Holders(); // it may write once it can be used again
    all.push_back(std::move(*plugin));
  }
  co_return all;
}

Task<Record> Records::edit(Record before, KindEntry const* kind, json::value data, bool deleted) {
  Writes writes(context_, before.vendor_id, std::string(kLocal));
  RecordWrite write;
  write.id = before.id;
  write.kind = before.kind;
  write.identity = kind->identityOf(data);
  write.data = data;
  write.old_version = before.version;
  write.deleted = deleted;
  write.action = deleted ? "deleted" : "updated";
  writes.updateRecord(write);
  writes.flow(before.id, before.kind, before.version + 1, "");
  // One that is still to be created has no link yet, but its operation must see the edit.
  writes.add(
      store::Statement("UPDATE pushes SET record_version=$1, state=CASE WHEN state='parked' THEN 'pending' "
                       "ELSE state END WHERE vendor_id=$2 AND record_id=$3",
                       {before.version + 1, before.vendor_id, before.id}));
  CO_TRY_VOID(co_await commitWrites(&context_, std::move(writes)));
  Record after = before;
  after.data = std::move(data);
  after.version = before.version + 1;
  after.deleted = deleted;
  after.updated = context_.now();
  co_return after;
}

Task<Record> Records::add(std::string vendor_id, std::string kind_name, json::value data,
                          std::optional<Session> at) {
  CO_TRY_VOID(co_await vendors_.require(vendor_id));
  CO_TRY(kind, kindOf(kind_name));
  CO_TRY_VOID(checkData(*kind, data));
  auto const identity = kind->identityOf(data);
  CO_TRY_VOID(co_await refuseDouble(vendor_id, kind_name, identity));
  if (at && at->connection.vendor_id != vendor_id)
    co_return Error(ErrorKind::notFound, "this vendor has no connection \"" + at->connection.id + "\"",
                    "/connection");
  if (at && !writes(at->plugin->manifest, kind->kind, kind->kind.upsert_operation))
    co_return Error(ErrorKind::unsupported,
                    at->plugin->manifest.name + " cannot create records of kind " + kind_name, "/connection");
  Holders future;
  if (at) future.push_back(at->plugin);
  CO_TRY_VOID(refuseReadOnlyMember(future, kind->kind, json::value(), data));
  Writes writes(context_, vendor_id, std::string(kLocal));
  Record record;
  record.id = writes.insertRecord(kind_name, identity, data);
  if (!identity.empty()) writes.requireOnly(kind_name, identity);
  if (at) writes.addPush(at->connection.id, record.id, kind_name, 1);
  auto const added = co_await commitWrites(&context_, std::move(writes));
  if (!added && added.error().kind == ErrorKind::conflict) {
    CO_TRY_VOID(co_await refuseDouble(vendor_id, kind_name, identity)); // of two at this moment the later
  }
  if (!added) co_return added.error();
  record.vendor_id = vendor_id;
  record.kind = kind_name;
  record.data = std::move(data);
  record.version = 1;
  record.updated = context_.now();
  co_return co_await whole(std::move(record));
}

Task<void> Records::refuseDouble(std::string vendor_id, std::string kind, std::string identity) {
  if (identity.empty()) co_return Result<void>();
  store::Statement query("SELECT record_id FROM records WHERE vendor_id=$1 AND kind=$2 AND identity=$3 "
                         "AND deleted=0 ORDER BY record_id LIMIT 1",
                         {vendor_id, kind, identity});
  CO_TRY(rows, co_await context_.doors.store.read(std::move(query)));
  if (rows.rows.empty()) co_return Result<void>();
  auto const id = rows.rows[0].text(0);
  auto const member = "/data" + context_.kind(kind)->kind.identity_member;
  Error error(ErrorKind::conflict,
              "the record " + id + " has this " + member + " already; edit that one, or choose another",
              member);
  json::object detail;
  detail["record"] = id;
  error.detail = std::move(detail);
  co_return error;
}

Task<Record> Records::retry(std::string vendor_id, std::string id) {
  CO_TRY(record, co_await read(vendor_id, id));
  store::Unit unit;
  unit.emplace_back("UPDATE pushes SET state='pending', dispatches=0 "
                    "WHERE vendor_id=$1 AND record_id=$2 AND state='parked'",
                    Values{vendor_id, id});
  unit.push_back(told(context_, "record.retry", vendor_id, "", id));
  CO_TRY(done, co_await context_.doors.store.commit(std::move(unit)));
  if (done[0].affected == 0)
    co_return Error(ErrorKind::conflict, "no write of the record " + id + " is set aside");
  CO_TRY(retried, co_await whole(std::move(record)));
  std::vector<News> news;
  for (auto const& write : retried.waiting) {
    context_.doors.supervisor.retryParked(write.connection_id);
    for (auto& one : newsFor(context_, NewsKind::retry, vendor_id, write.connection_id))
      news.push_back(std::move(one));
  }
  if (!news.empty()) {
    CO_TRY_VOID(co_await commitTelling(&context_, store::Unit(), std::move(news)));
  }
  co_return std::move(retried);
}

Task<std::vector<Conflict>> Records::conflicts(std::string vendor_id, int limit) {
  CO_TRY_VOID(co_await vendors_.require(vendor_id));
  CO_TRY(count, pageSize(limit));
  store::Statement query(
      "SELECT conflict_id, record_id, connection_id, members, decision, base, local, remote, at "
      "FROM conflicts WHERE vendor_id=$1 ORDER BY conflict_id DESC LIMIT $2",
      {vendor_id, count});
  CO_TRY(rows, co_await context_.doors.store.read(std::move(query)));
  std::vector<Conflict> conflicts;
  for (auto const& row : rows.rows) {
    Conflict conflict;
    conflict.id = row.text(0);
    conflict.vendor_id = vendor_id;
    conflict.record_id = row.text(1);
    conflict.connection_id = row.text(2);
    auto const members = readJson(row.text(3));
    if (auto const* names = members.if_array())
      for (auto const& member : *names) conflict.members.emplace_back(member.as_string());
    conflict.decision = row.text(4);
    conflict.base = readJson(row.text(5));
    conflict.local = readJson(row.text(6));
    conflict.remote = readJson(row.text(7));
    conflict.at = fromMillis(row.integer(8));
    conflicts.push_back(std::move(conflict));
  }
  co_return conflicts;
}

} // namespace garland::sync
