#include "host/sync/action_store.h"

#include "host/sync/commits.h"
#include "host/sync/forgetting.h"
#include "host/sync/leases.h"
#include "host/sync/run_state.h"

namespace garland::sync {
namespace {

constexpr char const* kColumns =
    "SELECT action_id, vendor_id, connection_id, operation, idempotency_key, provider_key, input, state, "
    "known_by, output, error, attempts, lookups, lookup_problem, revision, next_attempt, created, "
    "first_sent, "
    "last_sent, finished FROM actions ";

store::Value timeValue(std::optional<TimePoint> when) {
  if (!when) return nullptr;
  return toMillis(*when);
}

std::string errorText(std::optional<Error> const& error) {
  return error ? json::serialize(toDocument(*error)) : std::string();
}

Action actionFrom(store::Row const& row) {
  Action action;
  action.id = row.text(0);
  action.vendor_id = row.text(1);
  action.connection_id = row.text(2);
  action.operation = row.text(3);
  action.key = row.text(4);
  action.provider_key = row.text(5);
  action.input = readJson(row.text(6));
  action.state = actionStateNamed(row.text(7)).value_or(ActionState::unknown);
  action.known_by = row.text(8);
  action.output = readJson(row.text(9));
  if (!row.text(10).empty()) action.error = errorFromDocument(readJson(row.text(10)));
  action.attempts = row.integer(11);
  action.lookups = row.integer(12);
  action.lookup_problem = row.text(13);
  action.revision = row.integer(14);
  action.next_attempt = timeAt(row, 15);
  action.created = fromMillis(row.integer(16));
  action.first_sent = timeAt(row, 17);
  action.last_sent = timeAt(row, 18);
  action.finished = timeAt(row, 19);
  return action;
}

// "action.sent" is durable before a byte of it leaves.
store::Statement tellOf(Context const& context, Action const& action) {
  json::object facts{{"operation", action.operation}};
  return told(context, "action." + std::string(name(action.state)), action.vendor_id, action.connection_id,
              action.id, std::move(facts));
}

Error daemonEnded() {
  return Error(ErrorKind::cancelled, "garlandd ended before the connector's answer was there")
      .withEffect(Effect::unknown);
}

Error disconnected() {
  return Error(ErrorKind::cancelled, "its connection was disconnected before it was done");
}

} // namespace

// One whose connection is being forgotten by another daemon is either ended with it or not kept.
Task<void> ActionStore::insert(Action action) {
  store::Unit unit;
  if (context_.leases)
    unit.push_back(context_.leases->table().stays(Owner{action.vendor_id, action.connection_id}));
  unit.emplace_back(
      "INSERT INTO actions (vendor_id,action_id,connection_id,operation,idempotency_key,provider_key,input,"
      "state,known_by,output,error,attempts,lookups,lookup_problem,revision,next_attempt,created,first_sent,"
      "last_sent,finished) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,'','null','',0,0,'',0,$9,$10,NULL,NULL,NULL)",
      Values{action.vendor_id, action.id, action.connection_id, action.operation, action.key,
             action.provider_key, json::serialize(action.input), std::string(name(action.state)),
             timeValue(action.next_attempt), toMillis(action.created)});
  unit.push_back(tellOf(context_, action));
  CO_TRY_VOID(
      co_await commitTelling(&context_, std::move(unit),
                             newsFor(context_, NewsKind::actions, action.vendor_id, action.connection_id)));
  co_return Result<void>();
}

store::Statement ActionStore::update(Action const& action) {
  return store::Statement(
             "UPDATE actions SET state=$1, known_by=$2, output=$3, error=$4, attempts=$5, lookups=$6, "
             "lookup_problem=$7, next_attempt=$8, first_sent=$9, last_sent=$10, finished=$11, "
             "revision=revision+1 WHERE vendor_id=$12 AND action_id=$13 AND revision=$14",
             {std::string(name(action.state)), action.known_by, json::serialize(action.output),
              errorText(action.error), action.attempts, action.lookups, action.lookup_problem,
              timeValue(action.next_attempt), timeValue(action.first_sent), timeValue(action.last_sent),
              timeValue(action.finished), action.vendor_id, action.id, action.revision})
      .expecting(1);
}

Task<void> ActionStore::save(Action action) {
  store::Unit unit;
  unit.push_back(update(action));
  unit.push_back(tellOf(context_, action));
  CO_TRY_VOID(
      co_await commitTelling(&context_, std::move(unit),
                             newsFor(context_, NewsKind::actions, action.vendor_id, action.connection_id)));
  co_return Result<void>();
}

Task<void> ActionStore::saveOwned(Action action) {
  Owner owner{action.vendor_id, action.connection_id};
  store::Unit unit;
  unit.push_back(update(action));
  unit.push_back(tellOf(context_, action));
  CO_TRY_VOID(co_await commitOwned(&context_, std::move(owner), std::move(unit)));
  co_return Result<void>();
}

Task<Action> ActionStore::one(std::string id) {
  store::Statement query(std::string(kColumns) + "WHERE action_id=$1", {id});
  CO_TRY(rows, co_await context_.doors.store.read(std::move(query)));
  if (rows.rows.empty())
    co_return Error(ErrorKind::notFound,
                    "there is no action \"" + id + "\"; `garland actions ls` shows those there are");
  co_return actionFrom(rows.rows[0]);
}

Task<std::optional<Action>> ActionStore::byKey(std::string vendor_id, std::string connection_id,
                                               std::string key) {
  store::Statement query(std::string(kColumns) +
                             "WHERE vendor_id=$1 AND connection_id=$2 AND idempotency_key=$3",
                         {std::move(vendor_id), std::move(connection_id), std::move(key)});
  CO_TRY(rows, co_await context_.doors.store.read(std::move(query)));
  std::optional<Action> found;
  if (!rows.rows.empty()) found = actionFrom(rows.rows[0]);
  co_return found;
}

Task<std::vector<Action>> ActionStore::list(ActionQuery query) {
  auto statement = pageOf(std::string(kColumns), "action_id", query);
  CO_TRY(rows, co_await context_.doors.store.read(std::move(statement)));
  std::vector<Action> actions;
  for (auto const& row : rows.rows) actions.push_back(actionFrom(row));
  co_return actions;
}

Task<std::vector<Due>> ActionStore::due(TimePoint now, std::size_t most) {
  Queues queues("actions", "action_id", "next_attempt, action_id");
  queues.signs_in = true;
  return firstOfEach(&context_, std::move(queues), now, most);
}

Task<std::map<std::string, std::string>> ActionStore::withoutSignIn(std::vector<std::string> connection_ids) {
  std::map<std::string, std::string> reasons;
  if (connection_ids.empty()) co_return reasons;
  Values args;
  auto const which = inList(args, connection_ids);
  store::Statement query("SELECT connection_id, state_reason FROM connections WHERE paused=0 AND state IN "
                         "('reconnect needed','revoked') AND connection_id IN (" +
                             which + ")",
                         std::move(args));
  CO_TRY(rows, co_await context_.doors.store.read(std::move(query)));
  for (auto const& row : rows.rows) reasons.emplace(row.text(0), row.text(1));
  co_return reasons;
}

Task<std::optional<TimePoint>> ActionStore::nextDue(TimePoint after) {
  Values args{toMillis(after)};
  auto const which = andMine(context_, "actions", args);
  store::Statement query("SELECT MIN(next_attempt) FROM actions WHERE next_attempt>$1" + which,
                         std::move(args));
  CO_TRY(rows, co_await context_.doors.store.read(std::move(query)));
  co_return timeAt(rows.rows[0], 0);
}

Task<void> ActionStore::recover(TimePoint now, std::optional<Owner> of) {
  Values left{errorText(daemonEnded()), toMillis(now)};
  Values unknown{toMillis(now)};
  std::string of_left, of_unknown;
  if (of) {
    of_left = ofOne(of->vendor_id, of->connection_id, left);
    of_unknown = ofOne(of->vendor_id, of->connection_id, unknown);
  }
  store::Unit unit;
  unit.emplace_back("UPDATE actions SET state='unknown', error=$1, next_attempt=$2, revision=revision+1 "
                    "WHERE state='sent'" +
                        of_left,
                    std::move(left));
  unit.emplace_back("UPDATE actions SET next_attempt=$1, revision=revision+1 WHERE state='unknown' AND "
                    "next_attempt IS NULL" +
                        of_unknown,
                    std::move(unknown));
  if (of) {
    CO_TRY_VOID(co_await commitOwned(&context_, std::move(*of), std::move(unit)));
  } else {
    CO_TRY_VOID(co_await context_.doors.store.commit(std::move(unit)));
  }
  co_return Result<void>();
}

Task<std::int64_t> ActionStore::open(std::string vendor_id, std::string connection_id) {
  store::Statement query("SELECT COUNT(*) FROM actions WHERE vendor_id=$1 AND connection_id=$2 AND state IN "
                         "('waiting','sent','unknown')",
                         {std::move(vendor_id), std::move(connection_id)});
  CO_TRY(rows, co_await context_.doors.store.read(std::move(query)));
  co_return rows.rows[0].integer(0);
}

Task<std::int64_t> ActionStore::forget(TimePoint before) {
  co_return co_await forgetEnded(&context_, "actions", "action_id", before);
}

store::Unit ActionStore::ends(Owner const& owner, TimePoint now) const {
  store::Unit unit;
  unit.emplace_back("UPDATE actions SET state='failed', known_by='host', error=$1, finished=$2, "
                    "next_attempt=NULL, revision=revision+1 WHERE vendor_id=$3 AND connection_id=$4 AND "
                    "state='waiting'",
                    Values{errorText(disconnected()), toMillis(now), owner.vendor_id, owner.connection_id});
  unit.emplace_back("UPDATE actions SET next_attempt=NULL, revision=revision+1 WHERE vendor_id=$1 AND "
                    "connection_id=$2 AND state='unknown'",
                    Values{owner.vendor_id, owner.connection_id});
  return unit;
}

} // namespace garland::sync
