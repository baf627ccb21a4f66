#include "host/sync/webhook_store.h"

#include "host/sync/commits.h"
#include "host/sync/forgetting.h"

#include <algorithm>
#include <array>

namespace garland::sync {
namespace {

constexpr std::int64_t kMostBytesAtOnce = 4 << 20; // of bodies in memory for one connection
constexpr char const* kWasDead = "nobody could read it, and it came again";

constexpr char const* kColumns =
    "SELECT webhook_id, vendor_id, connection_id, dedupe_key, bytes, received, state, reason, event, hints, "
    "attempts, revision, next_attempt, finished FROM webhooks ";
constexpr std::size_t kColumnCount = 14;

constexpr std::array<std::pair<WebhookState, std::string_view>, 4> kStates{
    {{WebhookState::waiting, "waiting"},
     {WebhookState::done, "done"},
     {WebhookState::dead, "dead"},
     {WebhookState::dropped, "dropped"}}};

store::Value timeValue(std::optional<TimePoint> when) {
  if (!when) return nullptr;
  return toMillis(*when);
}

Webhook webhookFrom(store::Row const& row) {
  Webhook webhook;
  webhook.id = row.text(0);
  webhook.vendor_id = row.text(1);
  webhook.connection_id = row.text(2);
  webhook.key = row.text(3);
  webhook.bytes = row.integer(4);
  webhook.received = fromMillis(row.integer(5));
  webhook.state = webhookStateNamed(row.text(6)).value_or(WebhookState::dead);
  webhook.reason = row.text(7);
  webhook.event = row.text(8);
  webhook.hints = row.integer(9);
  webhook.attempts = row.integer(10);
  webhook.revision = row.integer(11);
  webhook.next_attempt = timeAt(row, 12);
  webhook.finished = timeAt(row, 13);
  return webhook;
}

// One row for each connection of a batch, not one for each delivery: what came is in the table itself.
std::vector<audit::Event> cameIn(std::vector<WebhookRow> const& rows) {
  std::map<std::string, std::size_t> places;
  std::vector<std::int64_t> counts;
  std::vector<audit::Event> events;
  for (auto const& row : rows) {
    auto const [place, first] = places.emplace(row.webhook.connection_id, events.size());
    if (first) {
      auto& event = events.emplace_back();
      event.kind = audit::Kind::count;
      event.act = "webhooks.received";
      event.vendor_id = row.webhook.vendor_id;
      event.connection_id = row.webhook.connection_id;
      counts.push_back(0);
    }
    ++counts[place->second];
  }
  for (std::size_t i = 0; i < events.size(); ++i) events[i].facts["times"] = counts[i];
  return events;
}

bool isByBytes(std::string_view key) { return key.starts_with("bytes "); }

// The last column is next_attempt; those that are not named have their defaults.
constexpr char const* kInsert =
    "INSERT INTO webhooks (vendor_id,connection_id,dedupe_key,webhook_id,received,shown,"
    "body,bytes,next_attempt) VALUES";
constexpr std::size_t kInserted = 9;

// RETURNING costs a delivery a quarter of its insert (0058), so only those pay for it that may be read again.
std::string const kReadAgain =
    "ON CONFLICT (vendor_id,connection_id,dedupe_key) DO UPDATE SET state='waiting', attempts=0, "
    "reason=CASE WHEN webhooks.state='dead' THEN '" +
    std::string(kWasDead) +
    "' ELSE '' END, received=excluded.received, next_attempt=excluded.next_attempt, finished=NULL, "
    "revision=webhooks.revision+1 WHERE webhooks.state<>'waiting' "
    "RETURNING connection_id, dedupe_key, reason, revision";

Values valuesOf(WebhookRow row) {
  auto& webhook = row.webhook;
  auto const bytes = static_cast<std::int64_t>(webhook.body.size());
  auto const received = toMillis(row.received);
  return {std::move(webhook.vendor_id),
          std::move(webhook.connection_id),
          std::move(webhook.key),
          std::move(row.id),
          received,
          std::move(webhook.shown),
          Bytes(webhook.body.begin(), webhook.body.end()),
          bytes,
          received};
}

WebhookContent contentFrom(store::Row const& row, std::size_t shown) {
  WebhookContent content;
  content.shown = readJson(row.text(shown));
  auto const& body = row.bytes(shown + 1);
  content.body.assign(body.begin(), body.end());
  return content;
}

} // namespace

std::string_view name(WebhookState state) {
  for (auto const& [one, word] : kStates)
    if (one == state) return word;
  return "dead";
}

std::optional<WebhookState> webhookStateNamed(std::string_view name) {
  for (auto const& [one, word] : kStates)
    if (word == name) return one;
  return std::nullopt;
}

Task<std::vector<Freshness>> WebhookStore::insert(std::vector<WebhookRow> rows) {
  BulkInsert by_id(kInsert, kInserted, "ON CONFLICT (vendor_id,connection_id,dedupe_key) DO NOTHING");
  BulkInsert by_bytes(kInsert, kInserted, kReadAgain);
  std::map<std::string, std::string> owners; // connection -> vendor
  for (auto const& row : rows) owners.emplace(row.webhook.connection_id, row.webhook.vendor_id);
  auto came = cameIn(rows);
  std::vector<News> news;
  for (auto const& [connection, vendor] : owners)
    for (auto& one : newsFor(context_, NewsKind::webhooks, vendor, connection))
      news.push_back(std::move(one));
  std::vector<std::string> ids;              // of those with an id of their provider's
  std::vector<std::size_t> places;           // of these, in `rows`
  std::map<std::string, std::size_t> others; // key -> place in `rows`
  for (std::size_t i = 0; i < rows.size(); ++i) {
    auto& row = rows[i];
    if (isByBytes(row.webhook.key)) {
      others.emplace(row.webhook.connection_id + ' ' + row.webhook.key, i);
      by_bytes.add(valuesOf(std::move(row)));
    } else {
      ids.push_back(row.id);
      places.push_back(i);
      by_id.add(valuesOf(std::move(row)));
    }
  }
  store::Unit unit;
  std::move(by_id).into(unit);
  auto const of_ids = unit.size();
  std::move(by_bytes).into(unit);
  for (auto& event : came) unit.push_back(context_.doors.audit.row(std::move(event)));
  CO_TRY(done, co_await commitTelling(&context_, std::move(unit), std::move(news)));

  std::vector<Freshness> fresh(rows.size(), Freshness::isKnown);
  std::int64_t inserted = 0;
  for (std::size_t i = 0; i < of_ids; ++i) inserted += done[i].affected;
  if (inserted == static_cast<std::int64_t>(ids.size())) {
    for (auto const place : places) fresh[place] = Freshness::isNew;
  } else {
    // They are durable whatever this answers; without an answer nobody counts them as open.
    auto const here = co_await present(ids);
    for (std::size_t i = 0; here && i < ids.size(); ++i)
      if (here->contains(ids[i])) fresh[places[i]] = Freshness::isNew;
  }
  for (std::size_t i = of_ids; i < done.size(); ++i)
    for (auto const& row : done[i].rows) {
      auto const again = row.text(2) == kWasDead ? Freshness::wasOpen : Freshness::isAgain;
      auto const place = others.at(row.text(0) + ' ' + row.text(1));
      fresh[place] = row.integer(3) == 0 ? Freshness::isNew : again;
    }
  co_return fresh;
}

Task<std::set<std::string>> WebhookStore::present(std::vector<std::string> ids) {
  std::string sql("SELECT webhook_id FROM webhooks WHERE webhook_id IN (");
  Values args;
  for (auto& id : ids) {
    args.push_back(std::move(id));
    sql += (args.size() == 1 ? "$" : ",$") + std::to_string(args.size());
  }
  store::Statement query(sql + ')', std::move(args));
  CO_TRY(rows, co_await context_.doors.store.read(std::move(query)));
  std::set<std::string> here;
  for (auto const& row : rows.rows) here.insert(row.text(0));
  co_return here;
}

store::Statement WebhookStore::update(Webhook const& webhook) const {
  return store::Statement("UPDATE webhooks SET state=$1, reason=$2, event=$3, hints=$4, attempts=$5, "
                          "next_attempt=$6, finished=$7, revision=revision+1 "
                          "WHERE vendor_id=$8 AND webhook_id=$9 AND revision=$10",
                          {std::string(name(webhook.state)), webhook.reason, webhook.event, webhook.hints,
                           webhook.attempts, timeValue(webhook.next_attempt), timeValue(webhook.finished),
                           webhook.vendor_id, webhook.id, webhook.revision});
}

Task<void> WebhookStore::save(Webhook webhook) {
  store::Unit unit;
  unit.push_back(update(webhook).expecting(1));
  auto news =
      newsFor(context_, NewsKind::webhooks, std::move(webhook.vendor_id), std::move(webhook.connection_id));
  CO_TRY_VOID(co_await commitTelling(&context_, std::move(unit), std::move(news)));
  co_return Result<void>();
}

// Behind its update, and only if that has changed it.
void WebhookStore::tellDead(store::Unit& unit, Webhook const& webhook) const {
  if (webhook.state != WebhookState::dead) return;
  auto row = told(context_, "webhook.dead", webhook.vendor_id, webhook.connection_id, webhook.id,
                  json::object{{"by", "host"}});
  unit.push_back(audit::onlyIf(std::move(row),
                               "EXISTS (SELECT 1 FROM webhooks WHERE vendor_id=? AND webhook_id=? AND "
                               "revision=? AND state='dead')",
                               {webhook.vendor_id, webhook.id, webhook.revision + 1}));
}

Task<void> WebhookStore::saveOwned(Webhook webhook) {
  Owner owner{webhook.vendor_id, webhook.connection_id};
  store::Unit unit;
  unit.push_back(update(webhook).expecting(1));
  tellDead(unit, webhook);
  CO_TRY_VOID(co_await commitOwned(&context_, std::move(owner), std::move(unit)));
  co_return Result<void>();
}

void WebhookStore::addHints(store::Unit& unit, Owner const& owner, HintStamps const& hints) {
  BulkInsert bulk(
      "INSERT INTO hints (vendor_id,connection_id,kind,external_id,stamp) VALUES", 5,
      "ON CONFLICT (vendor_id,connection_id,kind,external_id) DO UPDATE SET stamp=excluded.stamp");
  for (auto const& [what, stamp] : hints)
    bulk.add(Values{owner.vendor_id, owner.connection_id, what.first, what.second, stamp});
  std::move(bulk).into(unit);
}

Task<Webhook> WebhookStore::one(std::string id) {
  store::Statement query(std::string(kColumns) + "WHERE webhook_id=$1", {id});
  CO_TRY(rows, co_await context_.doors.store.read(std::move(query)));
  if (rows.rows.empty())
    co_return Error(ErrorKind::notFound,
                    "there is no webhook \"" + id + "\"; `garland webhooks ls` shows those there are");
  co_return webhookFrom(rows.rows[0]);
}

Task<WebhookContent> WebhookStore::contentOf(std::string id) {
  store::Statement query("SELECT shown, body FROM webhooks WHERE webhook_id=$1", {id});
  CO_TRY(rows, co_await context_.doors.store.read(std::move(query)));
  if (rows.rows.empty()) co_return Error(ErrorKind::notFound, "there is no webhook \"" + id + "\"");
  co_return contentFrom(rows.rows[0], 0);
}

Task<std::vector<Webhook>> WebhookStore::list(WebhookQuery query) {
  auto statement = pageOf(kColumns, "webhook_id", query);
  CO_TRY(rows, co_await context_.doors.store.read(std::move(statement)));
  std::vector<Webhook> webhooks;
  for (auto const& row : rows.rows) webhooks.push_back(webhookFrom(row));
  co_return webhooks;
}

Task<WebhookCounts> WebhookStore::counts() {
  store::Statement query("SELECT (SELECT COUNT(*) FROM webhooks WHERE next_attempt IS NOT NULL), "
                         "(SELECT COUNT(*) FROM webhooks WHERE state='dead')");
  CO_TRY(rows, co_await context_.doors.store.read(std::move(query)));
  WebhookCounts counts;
  counts.waiting = rows.rows[0].integer(0);
  counts.dead = rows.rows[0].integer(1);
  co_return counts;
}

// How many of the first are read together, by how much there is to them.
Task<std::int64_t> WebhookStore::countDue(Owner owner, TimePoint now, std::int64_t most) {
  store::Statement query("SELECT bytes FROM webhooks WHERE vendor_id=$1 AND connection_id=$2 AND "
                         "next_attempt<=$3 ORDER BY next_attempt, webhook_id LIMIT $4",
                         {owner.vendor_id, owner.connection_id, toMillis(now), most});
  CO_TRY(rows, co_await context_.doors.store.read(std::move(query)));
  std::int64_t count = 0;
  std::int64_t bytes = 0;
  for (auto const& row : rows.rows) {
    bytes += row.integer(0);
    if (count > 0 && bytes > kMostBytesAtOnce) break;
    ++count;
  }
  co_return count;
}

Task<std::vector<DueWebhook>> WebhookStore::due(Owner owner, TimePoint now, std::int64_t most) {
  CO_TRY(count, co_await countDue(owner, now, most));
  if (count == 0) co_return std::vector<DueWebhook>();
  std::string sql = kColumns;
  sql.replace(sql.find(" FROM"), 0, ", shown, body");
  store::Statement query(sql + "WHERE vendor_id=$1 AND connection_id=$2 AND next_attempt<=$3 "
                               "ORDER BY next_attempt, webhook_id LIMIT $4",
                         {owner.vendor_id, owner.connection_id, toMillis(now), count});
  CO_TRY(rows, co_await context_.doors.store.read(std::move(query)));
  std::vector<DueWebhook> due;
  for (auto const& row : rows.rows) {
    DueWebhook one;
    one.webhook = webhookFrom(row);
    one.content = contentFrom(row, kColumnCount);
    due.push_back(std::move(one));
  }
  co_return due;
}

Task<std::optional<TimePoint>> WebhookStore::nextDue(Owner owner) {
  store::Statement query("SELECT MIN(next_attempt) FROM webhooks WHERE vendor_id=$1 AND connection_id=$2 AND "
                         "next_attempt IS NOT NULL",
                         {owner.vendor_id, owner.connection_id});
  CO_TRY(rows, co_await context_.doors.store.read(std::move(query)));
  co_return timeAt(rows.rows[0], 0);
}

Task<std::vector<WebhookBacklog>> WebhookStore::backlogs() {
  // Each part by the index of its own: what is dead is not grouped, or SQLite would go through all that there
  // is in the order of the groups.
  store::Statement query(
      "SELECT vendor_id, connection_id, CAST(SUM(many) AS BIGINT), CAST(SUM(bytes) AS BIGINT), MIN(next) "
      "FROM ("
      "SELECT vendor_id, connection_id, COUNT(*) AS many, SUM(bytes) AS bytes, MIN(next_attempt) AS next "
      "FROM webhooks WHERE next_attempt IS NOT NULL GROUP BY vendor_id, connection_id UNION ALL "
      "SELECT vendor_id, connection_id, 1, bytes, NULL FROM webhooks WHERE state='dead') AS parts "
      "GROUP BY vendor_id, connection_id");
  CO_TRY(rows, co_await context_.doors.store.read(std::move(query)));
  std::vector<WebhookBacklog> all;
  for (auto const& row : rows.rows) {
    WebhookBacklog one;
    one.owner = Owner{row.text(0), row.text(1)};
    one.count = row.integer(2);
    one.bytes = row.integer(3);
    one.next_attempt = timeAt(row, 4);
    all.push_back(std::move(one));
  }
  co_return all;
}

Task<std::int64_t> WebhookStore::reopen(WebhookRange range, TimePoint now) {
  Where where;
  where.args.emplace_back(toMillis(now));
  if (!range.connection_id.empty()) where.also("connection_id=", range.connection_id);
  if (range.from) where.also("received>=", toMillis(*range.from));
  if (range.until) where.also("received<", toMillis(*range.until));
  if (range.state) where.also("state=", std::string(name(*range.state)));
  store::Unit unit;
  unit.emplace_back(
      "UPDATE webhooks SET state='waiting', attempts=0, reason='', finished=NULL, next_attempt=$1, "
      "revision=revision+1 " +
          where.text + " AND state<>'waiting'",
      std::move(where.args));
  unit.push_back(told(context_, "webhooks.replay", "", range.connection_id));
  std::vector<News> news;
  news.emplace_back(NewsKind::webhooks, std::string()); // whose they are is not known
  CO_TRY(done, co_await commitTelling(&context_, std::move(unit), std::move(news)));
  co_return done[0].affected;
}

Task<std::int64_t> WebhookStore::forget(TimePoint before) {
  if (context_.leases) {
    CO_TRY_VOID(co_await forgetOrphans());
  }
  co_return co_await forgetEnded(&context_, "webhooks", "webhook_id", before);
}

// What another daemon took in while its connection was being forgotten: nobody is there to read it. That the
// connection went is told.
Task<void> WebhookStore::forgetOrphans() {
  store::Unit unit;
  for (std::string const open : {"next_attempt IS NOT NULL", "state='dead'"})
    unit.emplace_back("DELETE FROM webhooks WHERE " + open +
                          " AND NOT EXISTS (SELECT 1 FROM connections c WHERE "
                          "c.vendor_id=webhooks.vendor_id AND c.connection_id=webhooks.connection_id)",
                      Values());
  CO_TRY_VOID(co_await context_.doors.store.commit(std::move(unit)));
  co_return Result<void>();
}

Task<void> WebhookStore::forgetAll(std::string connection_id) {
  store::Unit unit;
  for (auto const* table : {"webhooks", "hints", "webhook_endpoints"})
    unit.emplace_back("DELETE FROM " + std::string(table) + " WHERE connection_id=$1", Values{connection_id});
  CO_TRY_VOID(co_await context_.doors.store.commit(std::move(unit)));
  co_return Result<void>();
}

Task<HintStamps> WebhookStore::hintsOf(Owner owner, std::int64_t most) {
  store::Statement query("SELECT kind, external_id, stamp FROM hints WHERE vendor_id=$1 AND connection_id=$2 "
                         "ORDER BY kind, external_id LIMIT $3",
                         {owner.vendor_id, owner.connection_id, most});
  CO_TRY(rows, co_await context_.doors.store.read(std::move(query)));
  HintStamps hints;
  for (auto const& row : rows.rows) hints[{row.text(0), row.text(1)}] = row.text(2);
  co_return hints;
}

Task<void> WebhookStore::followed(Owner owner, HintStamps hints) {
  store::Unit unit;
  for (auto const& [what, stamp] : hints)
    unit.emplace_back(
        "DELETE FROM hints WHERE vendor_id=$1 AND connection_id=$2 AND kind=$3 AND external_id=$4 "
        "AND stamp=$5",
        Values{owner.vendor_id, owner.connection_id, what.first, what.second, stamp});
  CO_TRY_VOID(co_await commitOwned(&context_, std::move(owner), std::move(unit)));
  co_return Result<void>();
}

Task<std::vector<Owner>> WebhookStore::withHints() {
  store::Statement query("SELECT DISTINCT vendor_id, connection_id FROM hints");
  CO_TRY(rows, co_await context_.doors.store.read(std::move(query)));
  std::vector<Owner> owners;
  for (auto const& row : rows.rows) owners.push_back(Owner{row.text(0), row.text(1)});
  co_return owners;
}

Task<bool> WebhookStore::hasConnection(Owner owner) {
  store::Statement query("SELECT 1 FROM connections WHERE vendor_id=$1 AND connection_id=$2",
                         {owner.vendor_id, owner.connection_id});
  CO_TRY(rows, co_await context_.doors.store.read(std::move(query)));
  co_return !rows.rows.empty();
}

} // namespace garland::sync
