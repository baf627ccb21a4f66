#include "host/notify/deliveries.h"

#include "host/notify/endpoints.h"
#include "host/notify/message.h"
#include "host/notify/rows.h"

#include <algorithm>
#include <array>

namespace garland::notify {
namespace {

constexpr std::int64_t kForgottenAtOnce = 1'000;

constexpr std::array<std::pair<DeliveryState, std::string_view>, 4> kStates = {
    {{DeliveryState::waiting, "waiting"},
     {DeliveryState::delivered, "delivered"},
     {DeliveryState::failed, "failed"},
     {DeliveryState::dropped, "dropped"}}};

constexpr char const* kColumns =
    "SELECT vendor_id, endpoint_id, sequence, record_id, type, state, attempts, status, problem, created, "
    "next_attempt, finished, body FROM notify_deliveries ";
constexpr std::size_t kBody = 12;

constexpr char const* kOne = "WHERE vendor_id=$1 AND endpoint_id=$2 AND sequence=$3";

// No later attempt has begun, and nobody has asked for one, with which the tries begin anew: the end of this
// one decides.
std::string ifTheLast(Values& args, Due const& due) {
  args.emplace_back(due.attempt);
  args.emplace_back(due.tries);
  auto const count = args.size();
  return " AND attempts=$" + std::to_string(count - 1) + " AND tries=$" + std::to_string(count);
}

// An attempt that is on its way waits as long as before: it began after the first one.
store::Waiting waiting() {
  return {"notify_deliveries", "next_attempt", "COALESCE(first_sent,created)", "tries=0"};
}

Values keyOf(Endpoint const& endpoint, std::int64_t sequence) {
  Values key;
  key.emplace_back(endpoint.vendor_id);
  key.emplace_back(endpoint.id);
  key.emplace_back(sequence);
  return key;
}

Delivery deliveryFrom(store::Row const& row) {
  Delivery delivery;
  delivery.vendor_id = row.text(0);
  delivery.endpoint_id = row.text(1);
  delivery.sequence = row.integer(2);
  delivery.id = idOf(delivery.endpoint_id, delivery.sequence);
  delivery.record_id = row.text(3);
  delivery.type = row.text(4);
  delivery.state = deliveryStateNamed(row.text(5)).value_or(DeliveryState::failed);
  delivery.attempts = row.integer(6);
  delivery.status = static_cast<int>(row.integer(7));
  delivery.problem = row.text(8);
  delivery.created = fromMillis(row.integer(9));
  delivery.next_attempt = timeAt(row, 10);
  delivery.finished = timeAt(row, 11);
  return delivery;
}

store::Statement attemptEnded(Endpoint const& endpoint, Due const& due, Outcome const& outcome) {
  auto args = keyOf(endpoint, due.sequence);
  args.emplace_back(due.attempt);
  args.emplace_back(std::int64_t{outcome.took.count()});
  args.emplace_back(std::int64_t{outcome.status});
  args.emplace_back(outcome.problem);
  return {"UPDATE notify_attempts SET took=$5, status=$6, problem=$7 " + std::string(kOne) +
              " AND attempt=$4",
          std::move(args)};
}

std::string dueSql(bool ordered) {
  std::string sql = "SELECT sequence, attempts, tries, first_sent, body FROM notify_deliveries d "
                    "WHERE vendor_id=$1 AND endpoint_id=$2 AND next_attempt<=$3 ";
  if (ordered)
    sql += "AND NOT EXISTS (SELECT 1 FROM notify_deliveries e WHERE e.vendor_id=d.vendor_id "
           "AND e.endpoint_id=d.endpoint_id AND e.record_id=d.record_id AND e.state='waiting' "
           "AND e.sequence<d.sequence) ";
  return sql + "ORDER BY next_attempt, sequence LIMIT $4";
}

} // namespace

std::string_view name(DeliveryState state) {
  return std::ranges::find(kStates, state, [](auto const& one) { return one.first; })->second;
}

std::optional<DeliveryState> deliveryStateNamed(std::string_view name) {
  for (auto const& [state, word] : kStates)
    if (word == name) return state;
  return std::nullopt;
}

Task<std::int64_t> Deliveries::take(Endpoint endpoint, std::vector<sync::Change> changes) {
  auto const now = toMillis(with_.clock.now());
  store::Unit unit;
  unit.push_back(
      store::Statement(
          "UPDATE notify_endpoints SET place=$3 WHERE vendor_id=$1 AND endpoint_id=$2 "
          "AND place=$4 AND revision=$5 AND enabled=1",
          {endpoint.vendor_id, endpoint.id, changes.back().sequence, endpoint.place, endpoint.revision})
          .expecting(1));
  if (auto const next = changes.front().sequence; next > endpoint.place + 1)
    unit.emplace_back("UPDATE notify_endpoints SET missed_first=COALESCE(missed_first,$3), missed_last=$4, "
                      "missed_at=$5 WHERE vendor_id=$1 AND endpoint_id=$2",
                      Values{endpoint.vendor_id, endpoint.id, endpoint.place + 1, next - 1, now});
  auto const before = unit.size();
  for (auto const& change : changes) {
    auto type = typeOf(change);
    if (!wants(endpoint.events, type)) continue;
    auto args = keyOf(endpoint, change.sequence);
    args.emplace_back(change.record_id);
    args.emplace_back(std::move(type));
    args.emplace_back(bodyOf(change));
    args.emplace_back(now);
    unit.emplace_back(
        "INSERT INTO notify_deliveries (vendor_id,endpoint_id,sequence,record_id,type,body,state,"
        "attempts,tries,status,problem,created,next_attempt) "
        "VALUES ($1,$2,$3,$4,$5,$6,'waiting',0,0,0,'',$7,$7) "
        "ON CONFLICT (vendor_id,endpoint_id,sequence) DO NOTHING",
        std::move(args));
  }
  auto const made = static_cast<std::int64_t>(unit.size() - before);
  CO_TRY_VOID(co_await with_.store.commit(std::move(unit)));
  co_return made;
}

Task<std::int64_t> Deliveries::countWaiting(Endpoint endpoint) {
  store::Statement query(
      "SELECT COUNT(*) FROM notify_deliveries WHERE vendor_id=$1 AND endpoint_id=$2 AND state='waiting'",
      {endpoint.vendor_id, endpoint.id});
  CO_TRY(rows, co_await with_.store.read(std::move(query)));
  co_return rows.rows[0].integer(0);
}

Task<std::int64_t> Deliveries::countAllWaiting() {
  store::Statement query("SELECT COUNT(*) FROM notify_deliveries WHERE state='waiting'");
  CO_TRY(rows, co_await with_.store.read(std::move(query)));
  co_return rows.rows[0].integer(0);
}

Task<std::vector<Due>> Deliveries::begin(Endpoint endpoint, std::int64_t count, TimePoint again) {
  auto const now = with_.clock.now();
  store::Statement query(dueSql(endpoint.ordered), {endpoint.vendor_id, endpoint.id, toMillis(now), count});
  CO_TRY(rows, co_await with_.store.read(std::move(query)));
  std::vector<Due> all;
  store::Unit unit;
  for (auto const& row : rows.rows) {
    Due due;
    due.sequence = row.integer(0);
    due.attempt = row.integer(1) + 1;
    due.tries = row.integer(2) + 1;
    due.first_sent = timeAt(row, 3).value_or(now);
    due.body = row.text(4);
    auto args = keyOf(endpoint, due.sequence);
    args.emplace_back(toMillis(again));
    args.emplace_back(toMillis(due.first_sent));
    args.emplace_back(due.attempt);
    args.emplace_back(due.tries);
    unit.push_back(store::Statement("UPDATE notify_deliveries SET attempts=$6, tries=$7, next_attempt=$4, "
                                    "first_sent=$5 " +
                                        std::string(kOne) +
                                        " AND attempts=$6-1 AND tries=$7-1 AND next_attempt IS NOT NULL",
                                    std::move(args))
                       .expecting(1));
    auto attempt = keyOf(endpoint, due.sequence);
    attempt.emplace_back(due.attempt);
    attempt.emplace_back(toMillis(now));
    unit.emplace_back(
        "INSERT INTO notify_attempts (vendor_id,endpoint_id,sequence,attempt,at,status,problem) "
        "VALUES ($1,$2,$3,$4,$5,0,'')",
        std::move(attempt));
    all.push_back(std::move(due));
  }
  if (all.empty()) co_return all;
  if (with_.shared)
    unit.push_back(
        store::Statement("SELECT 1 FROM notify_endpoints WHERE vendor_id=$1 AND endpoint_id=$2 AND "
                         "revision=$3 AND enabled=1",
                         {endpoint.vendor_id, endpoint.id, endpoint.revision})
            .expecting(1));
  CO_TRY_VOID(co_await with_.store.commit(std::move(unit)));
  co_return all;
}

Task<std::int64_t> Deliveries::countMoments(Endpoint endpoint, TimePoint since) {
  store::Statement query("SELECT COUNT(DISTINCT at/3600000), (SELECT COALESCE(MAX(times),0) FROM "
                         "(SELECT COUNT(*) AS times FROM notify_attempts WHERE vendor_id=$1 AND "
                         "endpoint_id=$2 AND at>=$3 GROUP BY sequence) AS per_delivery) "
                         "FROM notify_attempts WHERE vendor_id=$1 AND endpoint_id=$2 AND at>=$3",
                         {endpoint.vendor_id, endpoint.id, toMillis(since)});
  CO_TRY(rows, co_await with_.store.read(std::move(query)));
  co_return std::max(rows.rows[0].integer(0), rows.rows[0].integer(1));
}

Task<std::optional<TimePoint>> Deliveries::nextDue(Endpoint endpoint) {
  store::Statement query(
      "SELECT MIN(next_attempt) FROM notify_deliveries WHERE vendor_id=$1 AND endpoint_id=$2 "
      "AND next_attempt IS NOT NULL",
      {endpoint.vendor_id, endpoint.id});
  CO_TRY(rows, co_await with_.store.read(std::move(query)));
  co_return timeAt(rows.rows[0], 0);
}

Task<std::vector<std::string>> Deliveries::waitTooLong() {
  store::Statement query("SELECT DISTINCT endpoint_id" + store::waitsTooLong(waiting()),
                         {toMillis(with_.clock.now())});
  CO_TRY(rows, co_await with_.store.read(std::move(query)));
  std::vector<std::string> endpoints;
  for (auto const& row : rows.rows) endpoints.push_back(row.text(0));
  co_return endpoints;
}

Task<void> Deliveries::bringForward(Endpoint endpoint) {
  store::Unit unit;
  unit.emplace_back(store::bringForward(waiting()) + " AND vendor_id=$2 AND endpoint_id=$3",
                    Values{toMillis(with_.clock.now()), endpoint.vendor_id, endpoint.id});
  CO_TRY_VOID(co_await with_.store.commit(std::move(unit)));
  co_return Result<void>();
}

// Whoever took the last attempt has taken it, even if its delivery was given up or dropped meanwhile.
Task<void> Deliveries::delivered(Endpoint endpoint, Due due, Outcome outcome) {
  auto const now = toMillis(with_.clock.now());
  auto args = keyOf(endpoint, due.sequence);
  args.emplace_back(now);
  args.emplace_back(std::int64_t{outcome.status});
  auto const condition = std::string(kOne) + ifTheLast(args, due);
  store::Unit unit;
  unit.emplace_back(
      "UPDATE notify_deliveries SET state='delivered', next_attempt=NULL, finished=$4, status=$5, "
      "problem='' " +
          condition,
      std::move(args));
  unit.push_back(attemptEnded(endpoint, due, outcome));
  unit.emplace_back("UPDATE notify_endpoints SET failing_since=NULL, last_success=$3 "
                    "WHERE vendor_id=$1 AND endpoint_id=$2",
                    Values{endpoint.vendor_id, endpoint.id, now});
  CO_TRY_VOID(co_await with_.store.commit(std::move(unit)));
  co_return Result<void>();
}

Task<std::optional<TimePoint>> Deliveries::failed(Endpoint endpoint, Due due, Outcome outcome,
                                                  TimePoint next) {
  auto args = keyOf(endpoint, due.sequence);
  args.emplace_back(toMillis(next));
  args.emplace_back(std::int64_t{outcome.status});
  args.emplace_back(outcome.problem);
  auto const condition = std::string(kOne) + ifTheLast(args, due) + " AND state='waiting'";
  store::Unit unit;
  unit.emplace_back(
      "UPDATE notify_deliveries SET status=$5, problem=$6, next_attempt=CASE WHEN (SELECT enabled "
      "FROM notify_endpoints WHERE vendor_id=$1 AND endpoint_id=$2)=1 THEN CAST($4 AS BIGINT) "
      "ELSE NULL END " +
          condition,
      std::move(args));
  unit.push_back(attemptEnded(endpoint, due, outcome));
  unit.emplace_back("UPDATE notify_endpoints SET failing_since=COALESCE(failing_since,$3) "
                    "WHERE vendor_id=$1 AND endpoint_id=$2 RETURNING failing_since",
                    Values{endpoint.vendor_id, endpoint.id, toMillis(with_.clock.now())});
  CO_TRY(done, co_await with_.store.commit(std::move(unit)));
  if (done[2].rows.empty()) co_return std::optional<TimePoint>();
  co_return timeAt(done[2].rows[0], 0);
}

Task<void> Deliveries::giveUp(Endpoint endpoint, Due due) {
  auto args = keyOf(endpoint, due.sequence);
  args.emplace_back(toMillis(with_.clock.now()));
  auto const condition = std::string(kOne) + ifTheLast(args, due) + " AND state='waiting'";
  store::Unit unit;
  unit.emplace_back("UPDATE notify_deliveries SET state='failed', next_attempt=NULL, finished=$4 " +
                        condition,
                    std::move(args));
  CO_TRY_VOID(co_await with_.store.commit(std::move(unit)));
  co_return Result<void>();
}

Task<std::vector<Delivery>> Deliveries::list(DeliveryQuery query, std::string vendor_id) {
  constexpr int most = 1'001; // a page, and one more by which it is known whether there is another
  if (query.limit < 1 || query.limit > most)
    co_return Error(ErrorKind::invalidInput, "a page has 1 to 1000 deliveries", "?limit");
  Values args;
  args.emplace_back(std::move(vendor_id));
  args.emplace_back(query.endpoint_id);
  args.emplace_back(query.after);
  args.emplace_back(std::int64_t{query.limit});
  std::string sql = std::string(kColumns) + "WHERE vendor_id=$1 AND endpoint_id=$2 AND sequence>$3 ";
  if (query.state) {
    args.emplace_back(std::string(name(*query.state)));
    sql += "AND state=$5 ";
  }
  store::Statement statement(sql + "ORDER BY sequence LIMIT $4", std::move(args));
  CO_TRY(rows, co_await with_.store.read(std::move(statement)));
  std::vector<Delivery> all;
  for (auto const& row : rows.rows) all.push_back(deliveryFrom(row));
  co_return all;
}

Task<DeliveryDetail> Deliveries::one(Endpoint endpoint, std::int64_t sequence) {
  store::Statement query(std::string(kColumns) + kOne, keyOf(endpoint, sequence));
  CO_TRY(rows, co_await with_.store.read(std::move(query)));
  if (rows.rows.empty())
    co_return Error(ErrorKind::notFound, "the endpoint has no delivery " + idOf(endpoint.id, sequence));
  DeliveryDetail detail;
  detail.delivery = deliveryFrom(rows.rows[0]);
  detail.body = rows.rows[0].text(kBody);
  store::Statement tried("SELECT attempt, at, took, status, problem FROM notify_attempts " +
                             std::string(kOne) + " ORDER BY attempt",
                         keyOf(endpoint, sequence));
  CO_TRY(attempts, co_await with_.store.read(std::move(tried)));
  for (auto const& row : attempts.rows) {
    Attempt attempt;
    attempt.number = row.integer(0);
    attempt.at = fromMillis(row.integer(1));
    if (!row.isNull(2)) attempt.took = Milliseconds(row.integer(2));
    attempt.status = static_cast<int>(row.integer(3));
    attempt.problem = row.text(4);
    detail.attempts.push_back(std::move(attempt));
  }
  co_return detail;
}

namespace {

constexpr char const* kAgain =
    "UPDATE notify_deliveries SET state='waiting', next_attempt=$1, finished=NULL, "
    "tries=0, first_sent=NULL, problem='' WHERE vendor_id=$2 AND endpoint_id=$3";

} // namespace

Task<std::int64_t> Deliveries::resend(Endpoint endpoint, std::int64_t sequence) {
  store::Unit unit;
  unit.push_back(
      store::Statement(std::string(kAgain) + " AND sequence=$4",
                       Values{toMillis(with_.clock.now()), endpoint.vendor_id, endpoint.id, sequence})
          .expecting(1));
  unit.push_back(auditOf(with_, endpoint, "endpoint.resend", idOf(endpoint.id, sequence)));
  auto const done = co_await with_.store.commit(std::move(unit));
  if (!done && done.error().kind == ErrorKind::conflict) co_return std::int64_t{0}; // just forgotten
  if (!done) co_return done.error();
  co_return std::int64_t{1};
}

Task<std::vector<std::int64_t>> Deliveries::resendSome(Endpoint endpoint, ResendRange range,
                                                       std::int64_t limit) {
  Values args{toMillis(with_.clock.now()), endpoint.vendor_id, endpoint.id};
  std::string which;
  auto const also = [&](char const* condition, store::Value value) {
    args.push_back(std::move(value));
    which += std::string(condition) + "$" + std::to_string(args.size());
  };
  also(" AND sequence>", range.after);
  if (range.state) also(" AND state=", std::string(name(*range.state)));
  if (range.from) also(" AND created>=", toMillis(*range.from));
  if (range.until) also(" AND created<", toMillis(*range.until));
  also(" ORDER BY sequence LIMIT ", limit);
  store::Unit unit;
  unit.emplace_back(std::string(kAgain) +
                        " AND sequence IN (SELECT sequence FROM notify_deliveries WHERE vendor_id=$2 AND "
                        "endpoint_id=$3 AND state<>'waiting'" +
                        which + ") RETURNING sequence",
                    std::move(args));
  unit.push_back(auditOf(with_, endpoint, "endpoint.resend",
                         "at most " + std::to_string(limit) + " after " + std::to_string(range.after)));
  CO_TRY(done, co_await with_.store.commit(std::move(unit)));
  std::vector<std::int64_t> sequences;
  for (auto const& row : done[0].rows) sequences.push_back(row.integer(0));
  std::ranges::sort(sequences);
  co_return sequences;
}

Task<bool> Deliveries::forget(TimePoint before) {
  constexpr char const* some =
      "(SELECT vendor_id, endpoint_id, sequence FROM notify_deliveries WHERE finished<$1 "
      "ORDER BY finished, vendor_id, endpoint_id, sequence LIMIT $2)";
  store::Statement query(std::string("SELECT COUNT(*) FROM ") + some + " AS old",
                         {toMillis(before), kForgottenAtOnce});
  CO_TRY(old, co_await with_.store.read(std::move(query)));
  auto const count = old.rows[0].integer(0);
  if (count == 0) co_return false; // who has nothing to forget writes nothing
  store::Unit unit;
  unit.push_back(
      ownActOf(with_, "", "retention.forget", "deliveries", json::object{{"count", count}, {"why", "old"}}));
  for (auto const* table : {"notify_attempts", "notify_deliveries"})
    unit.emplace_back("DELETE FROM " + std::string(table) + " WHERE (vendor_id, endpoint_id, sequence) IN " +
                          some,
                      Values{toMillis(before), kForgottenAtOnce});
  unit.back().expected_rows = count;
  auto const done = co_await with_.store.commit(std::move(unit));
  if (!done && done.error().kind == ErrorKind::conflict) co_return true; // one was just asked for again
  if (!done) co_return done.error();
  co_return count >= kForgottenAtOnce;
}

} // namespace garland::notify
