#include "host/sync/intake_store.h"

#include "host/sync/commits.h"

#include <array>

namespace garland::sync {
namespace {

constexpr char const* kColumns =
    "SELECT item_id, vendor_id, connection_id, source, dedupe_key, summary, bytes, received, state, reason, "
    "attempts, records, revision, next_attempt, finished, acceptable, accepted_by, accepted FROM inbox ";

constexpr std::array<std::pair<IntakeSource, std::string_view>, 3> kSources{
    {{IntakeSource::hook, "hook"}, {IntakeSource::mail, "mail"}, {IntakeSource::csv, "csv"}}};

constexpr std::array<std::pair<IntakeState, std::string_view>, 5> kStates{
    {{IntakeState::waiting, "waiting"},
     {IntakeState::taken, "taken"},
     {IntakeState::ignored, "ignored"},
     {IntakeState::review, "review"},
     {IntakeState::dismissed, "dismissed"}}};

template <class Table, class Value> std::string_view nameIn(Table const& table, Value value) {
  for (auto const& [one, word] : table)
    if (one == value) return word;
  return {};
}

template <class Value, std::size_t Size>
std::optional<Value> valueIn(std::array<std::pair<Value, std::string_view>, Size> const& table,
                             std::string_view name) {
  for (auto const& [one, word] : table)
    if (word == name) return one;
  return std::nullopt;
}

store::Value timeValue(std::optional<TimePoint> when) {
  if (!when) return nullptr;
  return toMillis(*when);
}

IntakeItem itemFrom(store::Row const& row) {
  IntakeItem item;
  item.id = row.text(0);
  item.vendor_id = row.text(1);
  item.connection_id = row.text(2);
  item.source = intakeSourceNamed(row.text(3)).value_or(IntakeSource::hook);
  item.dedupe_key = row.text(4);
  item.summary = row.text(5);
  item.bytes = row.integer(6);
  item.received = fromMillis(row.integer(7));
  item.state = intakeStateNamed(row.text(8)).value_or(IntakeState::review);
  item.reason = row.text(9);
  item.attempts = row.integer(10);
  item.records = row.integer(11);
  item.revision = row.integer(12);
  item.next_attempt = timeAt(row, 13);
  item.finished = timeAt(row, 14);
  item.acceptable = row.integer(15) != 0;
  item.accepted_by = row.text(16);
  item.accepted = timeAt(row, 17);
  return item;
}

} // namespace

std::string_view name(IntakeSource source) { return nameIn(kSources, source); }
std::string_view name(IntakeState state) { return nameIn(kStates, state); }
std::optional<IntakeSource> intakeSourceNamed(std::string_view name) { return valueIn(kSources, name); }
std::optional<IntakeState> intakeStateNamed(std::string_view name) { return valueIn(kStates, name); }

Task<void> IntakeStore::insert(IntakeItem item, IntakeContent content, std::optional<TimePoint> keys_since) {
  store::Unit unit;
  unit.push_back(itemsGrow(Owner{item.vendor_id, item.connection_id}, item.bytes, context_.doors.limits));
  if (keys_since)
    unit.emplace_back("UPDATE inbox SET dedupe_key=dedupe_key || ' of ' || item_id WHERE vendor_id=$1 AND "
                      "connection_id=$2 AND dedupe_key=$3 AND received<$4",
                      Values{item.vendor_id, item.connection_id, item.dedupe_key, toMillis(*keys_since)});
  unit.emplace_back(
      "INSERT INTO inbox (vendor_id,item_id,connection_id,source,dedupe_key,content_key,summary,content,raw,"
      "bytes,received,state,reason,attempts,records,revision,next_attempt,finished) VALUES "
      "($1,$2,$3,$4,$5,'',$6,$7,$8,$9,$10,$11,'',0,0,0,$12,NULL)",
      Values{item.vendor_id, item.id, item.connection_id, std::string(name(item.source)), item.dedupe_key,
             item.summary, json::serialize(content.content), Bytes(content.raw.begin(), content.raw.end()),
             item.bytes, toMillis(item.received), std::string(name(item.state)),
             timeValue(item.next_attempt)});
  unit.push_back(told(context_, "intake.received", item.vendor_id, item.connection_id, item.id));
  CO_TRY_VOID(co_await commitTelling(&context_, std::move(unit),
                                     newsFor(context_, NewsKind::items, item.vendor_id, item.connection_id)));
  co_return Result<void>();
}

store::Statement IntakeStore::update(IntakeItem const& item) const {
  return store::Statement("UPDATE inbox SET state=$1, reason=$2, attempts=$3, records=$4, next_attempt=$5, "
                          "finished=$6, acceptable=$7, accepted_by=$8, accepted=$9, revision=revision+1 "
                          "WHERE vendor_id=$10 AND item_id=$11 AND revision=$12",
                          {std::string(name(item.state)), item.reason, item.attempts, item.records,
                           timeValue(item.next_attempt), timeValue(item.finished),
                           std::int64_t{item.acceptable ? 1 : 0}, item.accepted_by, timeValue(item.accepted),
                           item.vendor_id, item.id, item.revision})
      .expecting(1);
}

store::Statement IntakeStore::update(IntakeItem const& item, std::string content_key) const {
  auto statement = update(item);
  statement.sql.replace(statement.sql.find(" WHERE "), 0, ", content_key=$13");
  statement.args.emplace_back(std::move(content_key));
  return statement;
}

store::Statement IntakeStore::toldReview(IntakeItem const& item) const {
  return told(context_, "intake.review", item.vendor_id, item.connection_id, item.id,
              json::object{{"by", "host"}});
}

Task<void> IntakeStore::save(IntakeItem item) {
  store::Unit unit;
  unit.push_back(update(item));
  CO_TRY_VOID(co_await commitTelling(&context_, std::move(unit),
                                     newsFor(context_, NewsKind::items, item.vendor_id, item.connection_id)));
  co_return Result<void>();
}

Task<void> IntakeStore::saveOwned(IntakeItem item) {
  Owner owner{item.vendor_id, item.connection_id};
  store::Unit unit;
  unit.push_back(update(item));
  if (item.state == IntakeState::review) unit.push_back(toldReview(item));
  CO_TRY_VOID(co_await commitOwned(&context_, std::move(owner), std::move(unit)));
  co_return Result<void>();
}

Task<void> IntakeStore::saveWithWord(IntakeItem item, Word word) {
  store::Unit unit;
  unit.push_back(update(item));
  PersonAct act;
  act.vendor_id = item.vendor_id;
  act.connection_id = item.connection_id;
  act.who = std::move(word.who);
  act.act = std::move(word.act);
  act.subject = item.id;
  unit.push_back(auditOf(std::move(act), context_.doors.audit));
  CO_TRY_VOID(co_await commitTelling(&context_, std::move(unit),
                                     newsFor(context_, NewsKind::items, item.vendor_id, item.connection_id)));
  co_return Result<void>();
}

Task<IntakeItem> IntakeStore::one(std::string id) {
  store::Statement query(std::string(kColumns) + "WHERE item_id=$1", {id});
  CO_TRY(rows, co_await context_.doors.store.read(std::move(query)));
  if (rows.rows.empty())
    co_return Error(ErrorKind::notFound,
                    "there is no item \"" + id + "\"; `garland intake ls` shows those there are");
  co_return itemFrom(rows.rows[0]);
}

Task<IntakeContent> IntakeStore::contentOf(std::string id) {
  store::Statement query("SELECT content, raw FROM inbox WHERE item_id=$1", {id});
  CO_TRY(rows, co_await context_.doors.store.read(std::move(query)));
  if (rows.rows.empty()) co_return Error(ErrorKind::notFound, "there is no item \"" + id + "\"");
  IntakeContent content;
  content.content = readJson(rows.rows[0].text(0));
  auto const& raw = rows.rows[0].bytes(1);
  content.raw.assign(raw.begin(), raw.end());
  co_return content;
}

Task<std::optional<IntakeItem>> IntakeStore::byKey(std::string vendor_id, std::string connection_id,
                                                   std::string key) {
  store::Statement query(std::string(kColumns) + "WHERE vendor_id=$1 AND connection_id=$2 AND dedupe_key=$3",
                         {std::move(vendor_id), std::move(connection_id), std::move(key)});
  CO_TRY(rows, co_await context_.doors.store.read(std::move(query)));
  std::optional<IntakeItem> found;
  if (!rows.rows.empty()) found = itemFrom(rows.rows[0]);
  co_return found;
}

Task<std::string> IntakeStore::otherWith(IntakeItem const* item, std::string content_key) {
  store::Statement query("SELECT item_id FROM inbox WHERE vendor_id=$1 AND connection_id=$2 AND "
                         "content_key=$3 AND item_id<>$4 AND state='taken'",
                         {item->vendor_id, item->connection_id, std::move(content_key), item->id});
  CO_TRY(rows, co_await context_.doors.store.read(std::move(query)));
  std::string other;
  if (!rows.rows.empty()) other = rows.rows[0].text(0);
  co_return other;
}

Task<std::vector<IntakeItem>> IntakeStore::list(IntakeQuery query) {
  auto statement = pageOf(kColumns, "item_id", query);
  CO_TRY(rows, co_await context_.doors.store.read(std::move(statement)));
  std::vector<IntakeItem> items;
  for (auto const& row : rows.rows) items.push_back(itemFrom(row));
  co_return items;
}

Task<IntakeCounts> IntakeStore::counts(std::string connection_id) {
  std::string sql = "SELECT state, COUNT(*), MIN(received) FROM inbox WHERE state IN ('waiting','review')";
  Values args;
  if (!connection_id.empty()) {
    sql += " AND connection_id=$1";
    args.emplace_back(std::move(connection_id));
  }
  store::Statement query(sql + " GROUP BY state", std::move(args));
  CO_TRY(rows, co_await context_.doors.store.read(std::move(query)));
  IntakeCounts counts;
  for (auto const& row : rows.rows) {
    bool const waits = row.text(0) == name(IntakeState::waiting);
    (waits ? counts.waiting : counts.review) = row.integer(1);
    (waits ? counts.oldest_waiting : counts.oldest_review) = timeAt(row, 2);
  }
  co_return counts;
}

// In the order in which they came, so that what is said later counts; one that is to be tried later holds
// back nobody.
Task<std::vector<Due>> IntakeStore::due(TimePoint now, std::size_t most) {
  Queues queues("inbox", "item_id", "item_id");
  return firstOfEach(&context_, std::move(queues), now, most);
}

Task<std::optional<TimePoint>> IntakeStore::nextDue(TimePoint after) {
  Values args{toMillis(after)};
  auto const which = andMine(context_, "inbox", args);
  store::Statement query("SELECT MIN(next_attempt) FROM inbox WHERE next_attempt>$1" + which,
                         std::move(args));
  CO_TRY(rows, co_await context_.doors.store.read(std::move(query)));
  co_return timeAt(rows.rows[0], 0);
}

Task<std::int64_t> IntakeStore::reopen(std::string vendor_id, std::string connection_id, TimePoint now) {
  store::Unit unit;
  unit.emplace_back("UPDATE inbox SET state='waiting', attempts=0, next_attempt=$1, acceptable=0, "
                    "revision=revision+1 WHERE vendor_id=$2 AND connection_id=$3 AND state='review'",
                    Values{toMillis(now), vendor_id, connection_id});
  unit.push_back(told(context_, "intake.retry", vendor_id, connection_id));
  CO_TRY(done, co_await commitTelling(&context_, std::move(unit),
                                      newsFor(context_, NewsKind::items, vendor_id, connection_id)));
  co_return done[0].affected;
}

Task<std::int64_t> IntakeStore::open(std::string vendor_id, std::string connection_id) {
  store::Statement query("SELECT COUNT(*) FROM inbox WHERE vendor_id=$1 AND connection_id=$2 AND state IN "
                         "('waiting','review')",
                         {std::move(vendor_id), std::move(connection_id)});
  CO_TRY(rows, co_await context_.doors.store.read(std::move(query)));
  co_return rows.rows[0].integer(0);
}

} // namespace garland::sync
