#include "host/sync/writes.h"

#include "host/sync/commits.h"

#include "host/sync/storage.h"

namespace garland::sync {
namespace {

// "2026-06-13" of a wedding that says when it is.
std::string dayOf(Context const& context, std::string_view kind, json::value const& data) {
  auto const* entry = context.kind(kind);
  if (entry == nullptr || entry->kind.day_member.empty()) return {};
  return textOr(data, entry->kind.day_member, "").substr(0, 10);
}

} // namespace

Writes::Writes(Context& context, std::string vendor_id, std::string origin)
    : context_(context), vendor_id_(std::move(vendor_id)), origin_(std::move(origin)),
      now_(toMillis(context.now())),
      records_(
          "INSERT INTO records (vendor_id,record_id,kind,identity,data,version,deleted,updated,day) VALUES",
          9),
      links_("INSERT INTO links (vendor_id,connection_id,kind,remote_id,record_id,scope,base,base_hash,"
             "remote_version,state,pushed_run,bytes) VALUES",
             12) {}

std::string Writes::insertRecord(std::string_view kind, std::string_view identity, json::value const& data) {
  auto id = context_.newId("rec");
  Values row = {vendor_id_,
                id,
                std::string(kind),
                std::string(identity),
                json::serialize(data),
                std::int64_t{1},
                std::int64_t{0},
                now_,
                dayOf(context_, kind, data)};
  records_.add(std::move(row));
  addChange(id, kind, "created", 1);
  return id;
}

void Writes::updateRecord(RecordWrite const& write) {
  auto day = write.deleted ? std::string() : dayOf(context_, write.kind, write.data);
  add(store::Statement("UPDATE records SET data=$1, identity=$2, deleted=$3, updated=$4, version=version+1, "
                       "day=$8 WHERE vendor_id=$5 AND record_id=$6 AND version=$7",
                       {json::serialize(write.data), write.identity, std::int64_t{write.deleted}, now_,
                        vendor_id_, write.id, write.old_version, std::move(day)})
          .expecting(1));
  addChange(write.id, write.kind, write.action, write.old_version + 1);
}

void Writes::requireVersion(std::string_view record_id, std::int64_t version) {
  add(store::Statement(
          "UPDATE records SET version=version WHERE vendor_id=$1 AND record_id=$2 AND version=$3",
          {vendor_id_, std::string(record_id), version})
          .expecting(1));
}

void Writes::requireOnly(std::string_view kind, std::string_view identity) {
  add(store::Statement("UPDATE counters SET value=value WHERE vendor_id=$1 AND name='changes' AND "
                       "(SELECT COUNT(*) FROM records WHERE vendor_id=$1 AND kind=$2 AND identity=$3 "
                       "AND deleted=0)=1",
                       {vendor_id_, std::string(kind), std::string(identity)})
          .expecting(1));
}

void Writes::insertLink(Link const& link) {
  Values row = {vendor_id_,          link.connection_id, link.kind,       link.remote_id,
                link.record_id,      link.scope,         link.base,       link.base_hash,
                link.remote_version, link.state,         link.pushed_run, link.bytes.value_or(0)};
  links_.add(std::move(row));
  if (!link.bytes) return;
  ++growth_.records;
  growth_.record_bytes += *link.bytes;
}

void Writes::updateLink(Link const& link) {
  std::string sql =
      "UPDATE links SET record_id=$1, scope=$2, base=$3, base_hash=$4, remote_version=$5, state=$6, "
      "pushed_run=$7";
  Values args = {link.record_id,      link.scope, link.base,       link.base_hash,
                 link.remote_version, link.state, link.pushed_run, vendor_id_,
                 link.connection_id,  link.kind,  link.remote_id};
  if (link.bytes) {
    sql += ", bytes=$12";
    args.emplace_back(*link.bytes);
    growth_.record_bytes += *link.bytes - link.bytes_before;
    if (link.bytes_before == 0) ++growth_.records; // only a write had made it until now
  }
  sql += " WHERE vendor_id=$8 AND connection_id=$9 AND kind=$10 AND remote_id=$11";
  add(store::Statement(std::move(sql), std::move(args)).expecting(1));
}

namespace {

constexpr std::string_view kPushColumns =
    "INSERT INTO pushes (vendor_id,connection_id,record_id,kind,state,op_id,action,payload,record_version,"
    "sent_version,dispatches,created) ";

// An operation that is under way stays what it is: its end sees that the record is younger.
constexpr std::string_view kPushAgain =
    " ON CONFLICT (vendor_id,connection_id,record_id) DO UPDATE SET record_version=excluded.record_version, "
    "state=CASE WHEN pushes.state='parked' THEN 'pending' ELSE pushes.state END";

} // namespace

void Writes::addPush(std::string_view connection_id, std::string_view record_id, std::string_view kind,
                     std::int64_t record_version) {
  add(store::Statement(std::string(kPushColumns) + "VALUES ($1,$2,$3,$4,'pending','','','',$5,0,0,$6)" +
                           std::string(kPushAgain),
                       {vendor_id_, std::string(connection_id), std::string(record_id), std::string(kind),
                        record_version, now_}));
}

void Writes::flow(std::string_view record_id, std::string_view kind, std::int64_t record_version,
                  std::string_view except) {
  after_.emplace_back(
      std::string(kPushColumns) +
          "SELECT vendor_id, connection_id, record_id, CAST($4 AS TEXT), 'pending', '', '', '', "
          "CAST($5 AS BIGINT), 0, 0, CAST($6 AS BIGINT) FROM links "
          "WHERE vendor_id=$1 AND record_id=$2 AND connection_id<>$3 AND state<>'deleted'" +
          std::string(kPushAgain),
      Values{vendor_id_, std::string(record_id), std::string(except), std::string(kind), record_version,
             now_});
}

void Writes::dropPush(std::string_view connection_id, std::string_view record_id,
                      std::int64_t up_to_version) {
  add(store::Statement(
      "DELETE FROM pushes WHERE vendor_id=$1 AND connection_id=$2 AND record_id=$3 AND record_version<=$4",
      {vendor_id_, std::string(connection_id), std::string(record_id), up_to_version}));
}

void Writes::reopenPush(std::string_view connection_id, std::string_view record_id) {
  add(store::Statement("UPDATE pushes SET state='pending', dispatches=0 "
                       "WHERE vendor_id=$1 AND connection_id=$2 AND record_id=$3",
                       {vendor_id_, std::string(connection_id), std::string(record_id)}));
}

void Writes::beginPushAnew(std::string_view connection_id, std::string_view record_id) {
  add(store::Statement("UPDATE pushes SET state='pending', op_id='', action='', payload='', sent_version=0, "
                       "dispatches=0 WHERE vendor_id=$1 AND connection_id=$2 AND record_id=$3",
                       {vendor_id_, std::string(connection_id), std::string(record_id)}));
}

void Writes::addConflict(Conflict const& conflict) {
  json::array members(conflict.members.begin(), conflict.members.end());
  add(store::Statement(
      "INSERT INTO conflicts (vendor_id,conflict_id,record_id,connection_id,members,decision,base,"
      "local,remote,at) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10)",
      {vendor_id_, context_.newId("cfl"), conflict.record_id, conflict.connection_id,
       json::serialize(members), conflict.decision, json::serialize(conflict.base),
       json::serialize(conflict.local), json::serialize(conflict.remote), now_}));
}

void Writes::saveCursor(std::string_view connection_id, std::string_view kind, std::string_view cursor_json) {
  add(store::Statement(
      "INSERT INTO cursors (vendor_id,connection_id,kind,cursor_json) VALUES ($1,$2,$3,$4) "
      "ON CONFLICT (vendor_id,connection_id,kind) DO UPDATE SET cursor_json=excluded.cursor_json",
      {vendor_id_, std::string(connection_id), std::string(kind), std::string(cursor_json)}));
}

void Writes::add(store::Statement statement) { others_.push_back(std::move(statement)); }

void Writes::addChange(std::string_view record_id, std::string_view kind, std::string_view action,
                       std::int64_t version) {
  Values row = {std::string(record_id), std::string(kind), std::string(action), version};
  changes_.push_back(std::move(row));
}

bool Writes::empty() const {
  return others_.empty() && after_.empty() && changes_.empty() && records_.size() == 0 && links_.size() == 0;
}

// One row for all of them: which ones stands in the change feed.
store::Statement Writes::tellOfChanges() const {
  json::object facts;
  for (auto const& change : changes_) {
    auto& times = facts[std::get<std::string>(change[2])];
    times = (times.is_int64() ? times.get_int64() : 0) + 1;
  }
  bool const local = origin_ == kLocal;
  auto subject = changes_.size() == 1 ? std::get<std::string>(changes_[0][0]) : std::string();
  return told(context_, "records.change", vendor_id_, local ? "" : origin_, std::move(subject),
              std::move(facts));
}

store::Unit Writes::take() && {
  store::Unit unit;
  // First, so that whoever counts for this connection takes its row before any other.
  if (most_ && (growth_.records != 0 || growth_.record_bytes != 0))
    unit.push_back(recordsGrow(Owner{vendor_id_, origin_}, growth_, *most_));
  // Next, so that two daemons that change the same records of a vendor do so one after the other.
  auto const count = static_cast<std::int64_t>(changes_.size());
  if (count > 0)
    unit.push_back(
        store::Statement("UPDATE counters SET value=value+$1 WHERE vendor_id=$2 AND name='changes'",
                         {count, vendor_id_})
            .expecting(1)
            .contendingFor(vendor_id_));
  std::move(records_).into(unit);
  std::move(links_).into(unit);
  for (auto& statement : others_) unit.push_back(std::move(statement));
  for (auto& statement : after_) unit.push_back(std::move(statement));
  if (count > 0) unit.push_back(tellOfChanges());
  for (std::int64_t i = 0; i < count; ++i) {
    auto& change = changes_[static_cast<std::size_t>(i)];
    unit.push_back(store::Statement(
        "INSERT INTO changes (vendor_id,sequence,record_id,kind,action,record_version,origin,at) VALUES ($1,"
        "(SELECT value FROM counters WHERE vendor_id=$1 AND name='changes')-$2,$3,$4,$5,$6,$7,$8)",
        {vendor_id_, count - 1 - i, std::move(change[0]), std::move(change[1]), std::move(change[2]),
         std::move(change[3]), origin_, now_}));
  }
  return unit;
}

Task<void> commitWrites(Context* context, Writes writes) {
  std::string const vendor = writes.changesSomething() ? writes.vendor() : std::string();
  std::vector<News> news;
  if (!vendor.empty()) news.emplace_back(NewsKind::feed, vendor);
  Owner owner{writes.vendor(), writes.origin()};
  auto unit = std::move(writes).take();
  if (owner.connection_id == kLocal) {
    CO_TRY_VOID(co_await commitTelling(context, std::move(unit), std::move(news)));
  } else {
    CO_TRY_VOID(co_await commitOwned(context, std::move(owner), std::move(unit), std::move(news)));
  }
  if (vendor.empty()) co_return Result<void>();
  tellFeedListeners(*context, vendor);
  co_return Result<void>();
}

} // namespace garland::sync
