#include "host/oauth/grants.h"

namespace garland::oauth {
namespace {

using Values = std::vector<store::Value>;

constexpr char const* kColumns =
    "SELECT sealed, lineage, expires, due, state, cause, by_whom, since, failures, next_try, attempt, "
    "attempt_node, attempt_begun, attempt_until, doubt, doubt_by, epoch FROM oauth_grants";
constexpr char const* kThisGrant = " WHERE vendor_id=$1 AND connection_id=$2 AND slot=$3";

std::int64_t millis(TimePoint when) { return when.time_since_epoch().count(); }
store::Value millis(std::optional<TimePoint> when) {
  if (!when) return nullptr;
  return millis(*when);
}
TimePoint timeOf(store::Row const& row, std::size_t column) {
  return TimePoint(Milliseconds(row.integer(column)));
}
std::optional<TimePoint> timeAt(store::Row const& row, std::size_t column) {
  if (row.isNull(column)) return std::nullopt;
  return timeOf(row, column);
}

std::string contextOf(Place const& place, std::string_view what) {
  return place.vendor_id + "/" + place.connection_id + "/" + place.slot + "/" + std::string(what);
}

// Its first bytes would do to tell tokens apart; whoever has it has no token.
std::string lineageOf(Secret const& renewal) { return vault::sha256Hex(renewal.reveal()); }

Values keysOf(Place const& place) { return {place.vendor_id, place.connection_id, place.slot}; }

Values with(Values values, Values more) {
  for (auto& one : more) values.push_back(std::move(one));
  return values;
}

} // namespace

// What was being asked then is nobody's any more.
store::Unit afterRestore(TimePoint made) {
  store::Unit unit;
  unit.emplace_back("UPDATE oauth_grants SET doubt=$1, doubt_by='host', attempt='', epoch=epoch+1 "
                    "WHERE state<>'reconnect needed'",
                    Values{"this host was restored from a backup of " + rfc3339(made) +
                           ", and what was renewed since then is lost"});
  return unit;
}

std::vector<store::Waiting> waits() {
  return {{"oauth_grants", "due", "attempt_begun"},
          {"oauth_grants", "next_try", "attempt_begun"},
          {"oauth_grants", "attempt_until", "attempt_begun"}};
}

Result<std::string> Grants::sealed(Place const& place, Secret const& access, Secret const& renewal,
                                   Redemption const* redemption) const {
  json::object out;
  if (redemption != nullptr) {
    out["verifier"] = redemption->verifier.reveal();
    out["redirect_uri"] = redemption->redirect_uri;
  }
  out["access"] = access.reveal();
  out["renewal"] = renewal.reveal();
  Secret const text(json::serialize(out));
  for (auto& member : out) wipe(member.value().get_string().data(), member.value().get_string().size());
  return vault_.seal(text, contextOf(place, "tokens"));
}

Result<Grant> Grants::grantFrom(Place place, store::Row const& row) const {
  TRY(opened, vault_.open(row.text(0), contextOf(place, "tokens")));
  TRY(tokens, parseJson(opened.reveal()));
  Grant grant;
  grant.place = std::move(place);
  grant.access = Secret(textOr(tokens, "/access", ""));
  grant.renewal = Secret(textOr(tokens, "/renewal", ""));
  if (find(tokens, "/redirect_uri") != nullptr) {
    grant.redemption.emplace();
    grant.redemption->verifier = Secret(textOr(tokens, "/verifier", ""));
    grant.redemption->redirect_uri = textOr(tokens, "/redirect_uri", "");
  }
  wipeTexts(tokens);
  grant.lineage = row.text(1);
  grant.expires = timeAt(row, 2);
  grant.due = timeAt(row, 3);
  grant.status.state = row.text(4);
  grant.status.cause = row.text(5);
  grant.status.by = row.text(6);
  grant.status.since = timeOf(row, 7);
  grant.failures = row.integer(8);
  if (row.integer(9) != 0) grant.status.next_try = timeOf(row, 9);
  grant.attempt.id = row.text(10);
  grant.attempt.node = row.text(11);
  grant.attempt.begun = timeOf(row, 12);
  grant.attempt.until = timeOf(row, 13);
  grant.doubt = row.text(14);
  grant.doubt_by = row.text(15);
  grant.epoch = row.integer(16);
  return grant;
}

Task<Grant> Grants::read(Place place) {
  store::Statement query(std::string(kColumns) + kThisGrant, keysOf(place));
  CO_TRY(rows, co_await store_.read(std::move(query)));
  if (rows.rows.empty())
    co_return Error(ErrorKind::notFound, "the connection " + place.connection_id +
                                             " has no sign-in for the slot \"" + place.slot +
                                             "\"; connect the account again");
  co_return grantFrom(std::move(place), rows.rows[0]);
}

Task<std::vector<Standing>> Grants::standings(std::string vendor_id, std::string connection_id) {
  std::string sql =
      "SELECT vendor_id, connection_id, slot, state, cause, by_whom, since, next_try FROM oauth_grants";
  Values args;
  if (!vendor_id.empty()) {
    sql += " WHERE vendor_id=$1";
    args.emplace_back(std::move(vendor_id));
    if (!connection_id.empty()) {
      sql += " AND connection_id=$2";
      args.emplace_back(std::move(connection_id));
    }
  }
  store::Statement query(sql + " ORDER BY vendor_id, connection_id, slot", std::move(args));
  CO_TRY(rows, co_await store_.read(std::move(query)));
  std::vector<Standing> all;
  for (auto const& row : rows.rows) {
    Standing one;
    one.place.vendor_id = row.text(0);
    one.place.connection_id = row.text(1);
    one.place.slot = row.text(2);
    one.status.state = row.text(3);
    one.status.cause = row.text(4);
    one.status.by = row.text(5);
    one.status.since = timeOf(row, 6);
    if (row.integer(7) != 0) one.status.next_try = timeOf(row, 7);
    all.push_back(std::move(one));
  }
  co_return all;
}

Task<bool> Grants::begin(Grant const* grant, Attempt attempt) {
  store::Unit unit;
  unit.emplace_back(
      "UPDATE oauth_grants SET attempt=$6, attempt_node=$7, attempt_begun=$8, attempt_until=$9, "
      "doubt=$10, doubt_by=$11, epoch=epoch+1" +
          std::string(kThisGrant) + " AND lineage=$4 AND epoch=$5",
      with(keysOf(grant->place),
           Values{grant->lineage, grant->epoch, attempt.id, attempt.node, millis(attempt.begun),
                  millis(attempt.until), grant->doubt, grant->doubt_by}));
  CO_TRY(done, co_await store_.commit(std::move(unit)));
  co_return done[0].affected == 1;
}

Task<void> Grants::keep(Grant const* grant, Reply reply) {
  auto const& attempt = grant->attempt;
  auto const text = textOf(reply);
  wipe(reply.body.data(), reply.body.size());
  CO_TRY(kept, vault_.seal(text, contextOf(grant->place, "reply " + attempt.id)));
  store::Unit unit;
  Values args = {attempt.id, grant->lineage, millis(attempt.begun), std::move(kept)};
  unit.emplace_back(
      "INSERT INTO oauth_replies (vendor_id,connection_id,slot,attempt,lineage,asked,sealed) "
      "VALUES ($1,$2,$3,$4,$5,$6,$7) ON CONFLICT (vendor_id,connection_id,slot,attempt) DO NOTHING",
      with(keysOf(grant->place), std::move(args)));
  CO_TRY_VOID(co_await store_.commit(std::move(unit)));
  co_return Result<void>();
}

Task<std::vector<Kept>> Grants::kept(Grant const* grant) {
  store::Statement query("SELECT attempt, sealed, asked FROM oauth_replies" + std::string(kThisGrant) +
                             " AND lineage=$4 ORDER BY asked, attempt",
                         with(keysOf(grant->place), Values{grant->lineage}));
  CO_TRY(rows, co_await store_.read(std::move(query)));
  std::vector<Kept> all;
  for (auto const& row : rows.rows) {
    CO_TRY(text, vault_.open(row.text(1), contextOf(grant->place, "reply " + row.text(0))));
    CO_TRY(reply, replyFrom(text));
    Kept kept;
    kept.attempt = row.text(0);
    kept.reply = std::move(reply);
    kept.asked = timeOf(row, 2);
    all.push_back(std::move(kept));
  }
  co_return all;
}

// In front of the update, which counts under the same conditions.
void Grants::tellNewState(Grant const& grant, std::string const& attempt, After const& after,
                          store::Unit& unit) const {
  if (!told_) return;
  std::string changes =
      "EXISTS (SELECT 1 FROM oauth_grants WHERE vendor_id=? AND connection_id=? AND slot=? AND lineage=? "
      "AND state<>?";
  auto values = with(keysOf(grant.place), Values{grant.lineage, after.status.state});
  if (!after.given) {
    changes += " AND attempt=?";
    values.emplace_back(attempt);
  }
  Standing const now{grant.place, after.status};
  unit.push_back(told_(now, changes + ")", std::move(values)));
}

Task<bool> Grants::close(Grant const* grant, std::string attempt, After after, std::string app) {
  auto const& status = after.status;
  Values args =
      with(keysOf(grant->place),
           Values{grant->lineage, status.state, status.cause, status.by, millis(status.since), after.failures,
                  status.next_try ? millis(*status.next_try) : std::int64_t{0}, after.doubt, after.doubt_by});
  std::string sql =
      "UPDATE oauth_grants SET state=$5, cause=$6, by_whom=$7, since=$8, failures=$9, next_try=$10, "
      "doubt=$11, doubt_by=$12, attempt='', epoch=epoch+1";
  if (after.given) {
    CO_TRY(tokens, sealed(grant->place, after.access, after.renewal));
    sql += ", sealed=$13, lineage=$14, expires=$15, due=$16";
    args = with(std::move(args), Values{std::move(tokens), lineageOf(after.renewal), millis(after.expires),
                                        millis(after.due)});
    sql += std::string(kThisGrant) + " AND lineage=$4";
  } else {
    args.emplace_back(attempt);
    sql += std::string(kThisGrant) + " AND lineage=$4 AND attempt=$13";
  }
  store::Unit unit;
  tellNewState(*grant, attempt, after, unit);
  auto const update = unit.size();
  unit.emplace_back(std::move(sql), std::move(args));
  // What other attempts brought is of no use beside what was given, unless the grant stands on another token
  // by now: an answer to that one may hold what is to come.
  std::string forget = "DELETE FROM oauth_replies" + std::string(kThisGrant);
  forget += after.given ? " AND (lineage=$4 OR lineage<>(SELECT lineage FROM oauth_grants" +
                              std::string(kThisGrant) + "))"
                        : " AND attempt=$4";
  unit.emplace_back(std::move(forget),
                    with(keysOf(grant->place), Values{after.given ? grant->lineage : attempt}));
  if (after.given) unit.emplace_back("DELETE FROM oauth_apps WHERE app=$1", Values{app});
  CO_TRY(done, co_await store_.commit(std::move(unit)));
  co_return done[update].affected == 1;
}

Task<bool> Grants::dueAtOnce(Grant const* grant, TimePoint now, bool refused) {
  std::string sql = "UPDATE oauth_grants SET due=$6, epoch=epoch+1";
  if (refused) sql += ", expires=$6";
  store::Unit unit;
  unit.emplace_back(sql + kThisGrant + " AND lineage=$4 AND epoch=$5",
                    with(keysOf(grant->place), Values{grant->lineage, grant->epoch, millis(now)}));
  CO_TRY(done, co_await store_.commit(std::move(unit)));
  co_return done[0].affected == 1;
}

Result<store::Statement> Grants::first(Place const& place, Secret const& token, Redemption const* redemption,
                                       TimePoint now) const {
  TRY(tokens, sealed(place, Secret(), token, redemption));
  return store::Statement(
      "INSERT INTO oauth_grants "
      "(vendor_id,connection_id,slot,sealed,lineage,expires,due,state,cause,by_whom,since,"
      "failures,next_try,attempt,attempt_node,attempt_begun,attempt_until,doubt,doubt_by,epoch) "
      "VALUES ($1,$2,$3,$4,$5,NULL,NULL,'connected','','',$6,0,0,'','',0,0,'','',1) "
      "ON CONFLICT (vendor_id,connection_id,slot) DO UPDATE SET sealed=excluded.sealed, "
      "lineage=excluded.lineage, "
      "expires=NULL, due=NULL, state='connected', cause='', by_whom='', since=excluded.since, failures=0, "
      "next_try=0, attempt='', doubt='', doubt_by='', epoch=oauth_grants.epoch+1",
      with(keysOf(place), Values{std::move(tokens), lineageOf(token), millis(now)}));
}

Result<store::Unit> Grants::given(Place const& place, After const& after, TimePoint now) const {
  TRY(made, first(place, after.renewal, nullptr, now));
  TRY(tokens, sealed(place, after.access, after.renewal));
  store::Unit unit;
  unit.push_back(std::move(made));
  unit.emplace_back("UPDATE oauth_grants SET sealed=$4, expires=$5, due=$6" + std::string(kThisGrant),
                    with(keysOf(place), Values{std::move(tokens), millis(after.expires), millis(after.due)}));
  return unit;
}

Result<store::Unit> Grants::moved(Grant const& grant, Place const& to) const {
  auto const* redemption = grant.redemption ? &*grant.redemption : nullptr;
  TRY(made, first(to, grant.renewal, redemption, grant.status.since));
  TRY(tokens, sealed(to, grant.access, grant.renewal, redemption));
  store::Unit unit;
  unit.emplace_back("DELETE FROM oauth_replies" + std::string(kThisGrant), keysOf(to));
  unit.push_back(std::move(made));
  unit.emplace_back("UPDATE oauth_grants SET sealed=$4, expires=$5, due=$6" + std::string(kThisGrant),
                    with(keysOf(to), Values{std::move(tokens), millis(grant.expires), millis(grant.due)}));
  // Only as it was read: a renewal that began since then would be lost.
  unit.push_back(store::Statement("DELETE FROM oauth_grants" + std::string(kThisGrant) +
                                      " AND lineage=$4 AND attempt=''",
                                  with(keysOf(grant.place), Values{grant.lineage}))
                     .expecting(1));
  return unit;
}

Task<std::optional<TimePoint>> Grants::refusedUntil(std::string app) {
  store::Statement query("SELECT refused_until FROM oauth_apps WHERE app=$1", Values{std::move(app)});
  CO_TRY(rows, co_await store_.read(std::move(query)));
  std::optional<TimePoint> until;
  if (!rows.rows.empty()) until = timeOf(rows.rows[0], 0);
  co_return until;
}

Task<void> Grants::refuse(std::string app, TimePoint until) {
  store::Unit unit;
  unit.emplace_back(
      "INSERT INTO oauth_apps (app,refused_until) VALUES ($1,$2) ON CONFLICT (app) DO UPDATE SET "
      "refused_until=excluded.refused_until",
      Values{std::move(app), millis(until)});
  CO_TRY_VOID(co_await store_.commit(std::move(unit)));
  co_return Result<void>();
}

} // namespace garland::oauth
