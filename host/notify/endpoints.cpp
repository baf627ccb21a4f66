#include "host/notify/endpoints.h"

#include "host/base/json.h"
#include "host/base/userinfo.h"
#include "host/notify/rows.h"

#include <algorithm>

namespace garland::notify {
namespace {

constexpr std::size_t kMostUrl = 2'000;

constexpr char const* kColumns =
    "SELECT vendor_id, endpoint_id, url, description, events, ordered, private_network, enabled, reason, "
    "disabled_at, place, failing_since, last_success, old_secret_until, created, revision, sealed, "
    "missed_first, missed_last, missed_at FROM notify_endpoints";

std::string eventsText(std::vector<std::string> const& events) {
  return json::serialize(json::array(events.begin(), events.end()));
}

std::vector<std::string> eventsFrom(std::string const& text) {
  std::vector<std::string> events;
  auto const list = parseJson(text);
  if (!list || !list->is_array()) return events;
  for (auto const& one : list->get_array())
    if (auto const* event = one.if_string()) events.emplace_back(*event);
  return events;
}

KeptEndpoint keptFrom(store::Row const& row) {
  KeptEndpoint kept;
  auto& endpoint = kept.endpoint;
  endpoint.vendor_id = row.text(0);
  endpoint.id = row.text(1);
  endpoint.url = row.text(2);
  endpoint.description = row.text(3);
  endpoint.events = eventsFrom(row.text(4));
  endpoint.ordered = row.integer(5) != 0;
  endpoint.allow_private_network = row.integer(6) != 0;
  endpoint.enabled = row.integer(7) != 0;
  endpoint.reason = row.text(8);
  endpoint.disabled_at = timeAt(row, 9);
  endpoint.place = row.integer(10);
  endpoint.failing_since = timeAt(row, 11);
  endpoint.last_success = timeAt(row, 12);
  endpoint.old_secret_until = timeAt(row, 13);
  endpoint.created = fromMillis(row.integer(14));
  endpoint.revision = row.integer(15);
  kept.sealed = row.text(16);
  if (auto const at = timeAt(row, 19)) endpoint.missed = Missed{row.integer(17), row.integer(18), *at};
  return kept;
}

std::string placeOf(Endpoint const& endpoint) { return endpoint.vendor_id + "/" + endpoint.id + "/notify"; }

// Not the whole address, which may be as good as a password.
std::string hostOf(std::string const& url) {
  auto const begin = url.find("://") + 3;
  return url.substr(begin, url.find_first_of("/?", begin) - begin);
}

// $1 to $7 of what is written: whose it is, and what its owner chose.
Values chosenValues(Endpoint const& endpoint) {
  return Values{endpoint.vendor_id,
                endpoint.id,
                endpoint.url,
                endpoint.description,
                eventsText(endpoint.events),
                std::int64_t{endpoint.ordered},
                std::int64_t{endpoint.allow_private_network}};
}

// The secrets stand one under the other; none has a line break in it.
constexpr char kBetween = '\n';

} // namespace

Task<std::vector<KeptEndpoint>> Endpoints::list(std::string vendor_id) {
  store::Statement query(kColumns);
  if (!vendor_id.empty()) {
    query.sql += " WHERE vendor_id=$1";
    query.args.emplace_back(std::move(vendor_id));
  }
  query.sql += " ORDER BY endpoint_id";
  CO_TRY(rows, co_await with_.store.read(std::move(query)));
  std::vector<KeptEndpoint> all;
  for (auto const& row : rows.rows) all.push_back(keptFrom(row));
  co_return all;
}

Task<KeptEndpoint> Endpoints::one(std::string id) {
  Values args;
  args.emplace_back(id);
  store::Statement query(std::string(kColumns) + " WHERE endpoint_id=$1", std::move(args));
  CO_TRY(rows, co_await with_.store.read(std::move(query)));
  if (rows.rows.empty()) co_return Error(ErrorKind::notFound, "there is no endpoint " + id);
  co_return keptFrom(rows.rows[0]);
}

Task<void> Endpoints::insert(KeptEndpoint kept) {
  auto const& endpoint = kept.endpoint;
  auto args = chosenValues(endpoint);
  args.emplace_back(endpoint.place);
  args.emplace_back(kept.sealed);
  args.emplace_back(toMillis(endpoint.created));
  args.emplace_back(std::int64_t{with_.limits.endpoints});
  store::Unit unit;
  unit.push_back(
      store::Statement(
          "INSERT INTO notify_endpoints "
          "(vendor_id,endpoint_id,url,description,events,ordered,private_network,"
          "enabled,by_itself,reason,place,sealed,created,revision) "
          "SELECT $1,$2,$3,$4,$5,CAST($6 AS BIGINT),CAST($7 AS BIGINT),1,0,'',CAST($8 AS BIGINT),$9,"
          "CAST($10 AS BIGINT),1 "
          "WHERE (SELECT COUNT(*) FROM notify_endpoints WHERE vendor_id=$1)<$11",
          std::move(args))
          .expecting(1));
  unit.push_back(auditOf(with_, endpoint, "endpoint.add", "at " + hostOf(endpoint.url)));
  auto const done = co_await with_.store.commit(std::move(unit));
  if (done) co_return Result<void>();
  if (done.error().kind != ErrorKind::conflict) co_return done.error();
  co_return Error(ErrorKind::quota, "the vendor has " + std::to_string(with_.limits.endpoints) +
                                        " endpoints, which is as many as it may ([endpoints] per_vendor); "
                                        "remove one first");
}

Task<void> Endpoints::save(KeptEndpoint kept, std::string act, std::string detail) {
  auto const& endpoint = kept.endpoint;
  auto args = chosenValues(endpoint);
  args.emplace_back(kept.sealed);
  args.push_back(valueOf(endpoint.old_secret_until));
  args.emplace_back(endpoint.revision);
  store::Unit unit;
  unit.push_back(
      store::Statement("UPDATE notify_endpoints SET url=$3, description=$4, events=$5, ordered=$6, "
                       "private_network=$7, sealed=$8, old_secret_until=$9, revision=revision+1 "
                       "WHERE vendor_id=$1 AND endpoint_id=$2 AND revision=$10",
                       std::move(args))
          .expecting(1));
  unit.push_back(auditOf(with_, endpoint, std::move(act), std::move(detail)));
  auto const done = co_await with_.store.commit(std::move(unit));
  if (done) co_return Result<void>();
  if (done.error().kind != ErrorKind::conflict) co_return done.error();
  co_return Error(ErrorKind::conflict, "the endpoint was changed this very moment; try again");
}

Task<void> Endpoints::remove(Endpoint endpoint) {
  store::Unit unit;
  for (auto const* table : {"notify_attempts", "notify_deliveries", "notify_endpoints"})
    unit.emplace_back("DELETE FROM " + std::string(table) + " WHERE vendor_id=$1 AND endpoint_id=$2",
                      Values{endpoint.vendor_id, endpoint.id});
  unit.push_back(auditOf(with_, endpoint, "endpoint.remove", "at " + hostOf(endpoint.url)));
  CO_TRY_VOID(co_await with_.store.commit(std::move(unit)));
  co_return Result<void>();
}

// `why` may quote what a stranger answered: the audit chain has the cause alone.
Task<void> Endpoints::disable(Endpoint endpoint, std::string why, std::string cause) {
  bool const by_itself = !cause.empty();
  store::Unit unit;
  if (by_itself)
    unit.push_back(ownActOf(with_, endpoint.vendor_id, "endpoint.disable", endpoint.id,
                            json::object{{"why", std::move(cause)}}));
  else
    unit.push_back(auditOf(with_, endpoint, "endpoint.disable", ""));
  unit.push_back(
      store::Statement("UPDATE notify_endpoints SET enabled=0, by_itself=$3, reason=$4, disabled_at=$5, "
                       "revision=revision+1 WHERE vendor_id=$1 AND endpoint_id=$2 AND enabled=1",
                       Values{endpoint.vendor_id, endpoint.id, std::int64_t{by_itself}, std::move(why),
                              toMillis(with_.clock.now())})
          .expecting(1)); // to disable it again is no act
  unit.emplace_back("UPDATE notify_deliveries SET next_attempt=NULL WHERE vendor_id=$1 AND endpoint_id=$2 "
                    "AND state='waiting'",
                    Values{endpoint.vendor_id, endpoint.id});
  auto const done = co_await with_.store.commit(std::move(unit));
  if (!done && done.error().kind != ErrorKind::conflict) co_return done.error();
  co_return Result<void>();
}

Task<void> Endpoints::enable(Endpoint endpoint, std::optional<std::int64_t> place) {
  auto const now = toMillis(with_.clock.now());
  store::Unit unit;
  Values args{endpoint.vendor_id, endpoint.id, nullptr};
  if (place) args.back() = *place;
  // Another daemon may have moved the place on since it was read: it never goes back.
  unit.push_back(store::Statement("UPDATE notify_endpoints SET enabled=1, by_itself=0, reason='', "
                                  "disabled_at=NULL, failing_since=NULL, revision=revision+1, "
                                  "missed_first=NULL, missed_last=NULL, missed_at=NULL, "
                                  "place=CASE WHEN CAST($3 AS BIGINT)>place THEN CAST($3 AS BIGINT) "
                                  "ELSE place END WHERE vendor_id=$1 AND endpoint_id=$2 AND enabled=0",
                                  std::move(args))
                     .expecting(1));
  if (place)
    unit.emplace_back("UPDATE notify_deliveries SET state='dropped', finished=$3 WHERE vendor_id=$1 "
                      "AND endpoint_id=$2 AND state='waiting'",
                      Values{endpoint.vendor_id, endpoint.id, now});
  else
    unit.emplace_back("UPDATE notify_deliveries SET next_attempt=$3, tries=0, first_sent=NULL "
                      "WHERE vendor_id=$1 AND endpoint_id=$2 AND state='waiting'",
                      Values{endpoint.vendor_id, endpoint.id, now});
  unit.push_back(auditOf(with_, endpoint, "endpoint.enable", place ? "from now on" : "where it stopped"));
  auto const done = co_await with_.store.commit(std::move(unit));
  if (done) co_return Result<void>();
  if (done.error().kind != ErrorKind::conflict) co_return done.error();
  co_return Error(ErrorKind::conflict, "the endpoint " + endpoint.id + " is enabled already");
}

Task<std::int64_t> Endpoints::countDisabled() {
  store::Statement query("SELECT COUNT(*) FROM notify_endpoints WHERE enabled=0 AND by_itself=1");
  CO_TRY(rows, co_await with_.store.read(std::move(query)));
  co_return rows.rows[0].integer(0);
}

Result<std::string> Endpoints::sealed(Secret const& newest, Secret const* older,
                                      Endpoint const& endpoint) const {
  std::string text; // grown once: no copy stays behind
  text.reserve(newest.reveal().size() + (older != nullptr ? older->reveal().size() + 1 : 0));
  text += newest.reveal();
  if (older != nullptr) text.append(1, kBetween).append(older->reveal());
  Secret const both(std::move(text));
  return with_.vault.seal(both, placeOf(endpoint));
}

Result<std::vector<Secret>> Endpoints::secretsOf(KeptEndpoint const& kept) const {
  TRY(both, with_.vault.open(kept.sealed, placeOf(kept.endpoint)));
  auto const text = both.reveal();
  auto const end = text.find(kBetween);
  std::vector<Secret> secrets;
  secrets.emplace_back(std::string(text.substr(0, end)));
  auto const& until = kept.endpoint.old_secret_until;
  if (end != std::string_view::npos && until && *until > with_.clock.now())
    secrets.emplace_back(std::string(text.substr(end + 1)));
  return secrets;
}

store::Statement auditOf(Dependencies& with, Endpoint const& endpoint, std::string act, std::string detail) {
  sync::PersonAct done;
  done.vendor_id = endpoint.vendor_id;
  done.act = std::move(act);
  done.subject = endpoint.id;
  done.detail = std::move(detail);
  return sync::auditOf(std::move(done), with.audit);
}

store::Statement ownActOf(Dependencies& with, std::string vendor_id, std::string act, std::string subject,
                          json::object facts) {
  audit::Event event;
  event.kind = audit::Kind::change;
  event.act = std::move(act);
  event.vendor_id = std::move(vendor_id);
  event.subject = std::move(subject);
  event.facts = std::move(facts);
  event.facts["by"] = "host";
  return with.audit.row(std::move(event));
}

Task<bool> holdsSecrets(store::Store& store) {
  store::Statement query("SELECT 1 FROM notify_endpoints LIMIT 1");
  CO_TRY(rows, co_await store.read(std::move(query)));
  co_return !rows.rows.empty();
}

Result<void> checkUrl(std::string const& url, bool allow_private_network) {
  auto const bad = [](std::string why) { return Error(ErrorKind::invalidInput, std::move(why), "/url"); };
  bool const plain = url.starts_with("http://");
  auto const scheme = url.find("://");
  if (!plain && !url.starts_with("https://"))
    return bad("must be an address such as https://example.com/hooks");
  if (plain && !allow_private_network)
    return bad("must be an https address; http is for private networks, which have to be allowed "
               "(allow_private_network)");
  if (url.size() > kMostUrl) return bad("is longer than 2000 bytes");
  bool const ordinary = std::ranges::all_of(url, [](char c) { return c > 0x20 && c < 0x7F && c != '#'; });
  if (!ordinary) return bad("must be printable ASCII without blanks and without a fragment (#...)");
  if (url.find_first_of("/?", scheme + 3) == scheme + 3 || url.size() == scheme + 3)
    return bad("names no host");
  if (hasUserinfo(url)) return bad("must have no user name or password in it: the signature is the proof");
  return {};
}

} // namespace garland::notify
