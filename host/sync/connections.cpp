#include "host/sync/connections.h"

#include "host/sync/commits.h"
#include "host/sync/leases.h"
#include "host/sync/sign_ins.h"

#include <algorithm>

namespace garland::sync {
namespace {

constexpr Milliseconds kTrialDeadline{60'000};
constexpr int kAttempts = 5;

constexpr char const* kColumns = "SELECT connection_id, vendor_id, plugin_id, account_name, settings, "
                                 "allow_private_network, CASE WHEN paused=1 THEN 'paused' ELSE state END, "
                                 "state_reason, created, last_success, confirm_deletes, "
                                 "credential_version, account_key, resumed, next_due, state, "
                                 "CASE WHEN paused=1 AND paused_after=resumed THEN paused_by ELSE '' END, "
                                 "CASE WHEN state='revoked' AND revoked_version=credential_version THEN "
                                 "revoked_by ELSE '' END "
                                 "FROM connections ";

Connection connectionFrom(store::Row const& row) {
  Connection connection;
  connection.id = row.text(0);
  connection.vendor_id = row.text(1);
  connection.plugin_id = row.text(2);
  connection.account_name = row.text(3);
  connection.settings = readJson(row.text(4));
  connection.allow_private_network = row.integer(5) != 0;
  connection.state = row.text(6);
  connection.state_reason = row.text(7);
  connection.created = fromMillis(row.integer(8));
  connection.last_success = timeAt(row, 9);
  connection.next_due = fromMillis(row.integer(14));
  if (connection.state == "paused") connection.paused_from = row.text(15);
  connection.paused_by = row.text(16);
  connection.revoked_by = row.text(17);
  return connection;
}

Error noConnection(std::string const& id) {
  return Error(ErrorKind::notFound,
               "there is no connection \"" + id + "\"; `garland connections ls` shows those there are");
}

// Which account this is: two connections of one vendor may not be the same. The settings do not count:
// one account may be reached by several addresses.
std::string keyOf(std::string const& name, std::string const& id) {
  return id.empty() ? keyOfAccountName(name) : vault::sha256Hex("id\n" + id);
}

Error otherSettings(Connection const& existing) {
  Error error(ErrorKind::conflict,
              "this account is connected already, as " + existing.id + ", with the settings " +
                  json::serialize(existing.settings) +
                  "; connect it with the same to give it another credential, or change them with: garland "
                  "connections set " +
                  existing.id + " --set NAME=VALUE",
              "/settings");
  json::object detail;
  detail["connection"] = existing.id;
  error.detail = std::move(detail);
  return error;
}

Error wouldBeLost(Connection const& connection, std::int64_t writes) {
  Error error(ErrorKind::conflict, std::to_string(writes) +
                                       (writes == 1 ? " unsent change" : " unsent changes") +
                                       " would be lost; sync first (garland sync run " + connection.id +
                                       "), or repeat with --discard (the API: ?discard=true)");
  json::object detail;
  detail["unsent"] = writes;
  error.detail = std::move(detail);
  return error;
}

struct WaitingCount {
  std::int64_t rows = 0;
  std::int64_t real = 0; // those that would write something
};

Task<WaitingCount> waitingWrites(Context* context, Connection const* connection) {
  store::Statement query("SELECT COUNT(*), SUM(CASE WHEN " + std::string(kWritesSomething) +
                             " THEN 1 ELSE 0 END) FROM pushes p JOIN records r ON r.vendor_id=p.vendor_id "
                             "AND r.record_id=p.record_id WHERE p.vendor_id=$1 AND p.connection_id=$2",
                         {connection->vendor_id, connection->id});
  CO_TRY(rows, co_await context->doors.store.read(std::move(query)));
  co_return WaitingCount{rows.rows[0].integer(0), rows.rows[0].integer(1)};
}

} // namespace

Result<void> refuseIfPaused(Connection const& connection) {
  if (isRevoked(connection))
    return Error(ErrorKind::conflict, "the sign-in of connection \"" + connection.id +
                                          "\" was taken back; connect the account again");
  if (connection.state != "paused") return {};
  return Error(ErrorKind::conflict, "connection \"" + connection.id +
                                        "\" is paused; let it go on with: garland connections resume " +
                                        connection.id);
}

bool isRevoked(Connection const& connection) {
  return connection.state == "revoked" || connection.paused_from == "revoked";
}

bool needsReconnect(Connection const& connection) {
  return connection.state == "reconnect needed" || connection.state == "revoked";
}

std::string keyOfAccountName(std::string const& name) { return vault::sha256Hex(name); }

Task<Connected> Connections::connect(ConnectRequest request) {
  CO_TRY_VOID(co_await vendors_.require(request.vendor_id));
  CO_TRY(plugin, co_await vendors_.usable(request.vendor_id, request.plugin_id));
  if (request.settings.is_null()) request.settings = json::object();
  CO_TRY_VOID(checkConnectRequest(plugin->manifest, request));
  CO_TRY(session, trialOf(plugin, std::move(request)));
  bool const signs_in = !session.sign_ins.empty();
  auto kept = co_await keep(&session);
  bool const is_its_own = kept && kept->connection.id == session.connection.id;
  if (!signs_in || is_its_own) co_return kept;
  auto const forgotten = co_await forgetTrial(&session);
  if (kept && !forgotten) co_return forgotten.error();
  co_return kept;
}

Task<Connected> Connections::keep(Session* tried) {
  auto& session = *tried;
  // The trial may use up what was typed, so what comes in its place has to be kept before.
  if (!session.sign_ins.empty()) {
    CO_TRY_VOID(co_await context_.doors.store.commit(std::move(session.sign_ins)));
  }
  if (!session.signs_in.empty()) {
    auto const redeemed = co_await redeem(&context_, &session, session.signs_in);
    CO_TRY_VOID(co_await audit_.save(session.connection.vendor_id, session.connection.id, "oauth.redeem"));
    if (!redeemed) co_return redeemed.error();
  }
  CO_TRY_VOID(co_await tryAccount(&session));
  // The other of two requests at one moment wins the unique key, or disconnects what was found.
  for (int attempt = 1;; ++attempt) {
    CO_TRY(existing, co_await sameAccount(&session));
    auto kept = Result<Connected>(Error());
    if (existing && canonicalJson(existing->settings) != canonicalJson(session.connection.settings))
      co_return otherSettings(*existing);
    if (existing)
      kept = co_await replaceCredential(std::move(*existing), &session);
    else
      kept = co_await keepNew(&session);
    if (kept || kept.error().kind != ErrorKind::conflict || attempt == kAttempts) co_return kept;
  }
}

// A session as it would be, with the credentials sealed; nothing of it is stored.
Result<Session> Connections::trialOf(std::shared_ptr<runtime::PluginInfo const> plugin,
                                     ConnectRequest request) {
  Session session;
  session.plugin = std::move(plugin);
  session.trial = true;
  auto& connection = session.connection;
  connection.id = context_.newId("con");
  connection.vendor_id = request.vendor_id;
  connection.plugin_id = session.plugin->manifest.id;
  connection.settings = std::move(request.settings);
  connection.allow_private_network = request.allow_private_network;
  connection.state = "connected";
  connection.created = context_.now();
  TRY_VOID(seal(session, request.credentials));
  TRY(sign_ins, firstSignIns(context_, session.plugin->manifest, connection, request));
  for (auto& taken : request.takes) sign_ins.push_back(std::move(taken));
  session.signs_in = std::move(request.signs_in);
  session.sign_ins = std::move(sign_ins);
  return session;
}

// Its tokens are another connection's now, or of no use.
Task<void> Connections::forgetTrial(Session const* session) {
  auto unit = oauth::Tokens::forget(session->connection.vendor_id, session->connection.id);
  CO_TRY_VOID(co_await context_.doors.store.commit(std::move(unit)));
  co_return Result<void>();
}

// In the place of those that the session has.
Result<void> Connections::seal(Session& session, Credentials const& credentials) {
  session.sealed.clear();
  for (auto const& [slot, fields] : credentials) {
    auto const& declared = *std::ranges::find(session.plugin->manifest.auth, slot, &runtime::AuthSlot::name);
    json::object typed;
    for (auto const& [field, secret] : fields)
      if (!isKeptApart(declared, field)) typed[field] = secret.reveal();
    Secret const text(json::serialize(typed));
    for (auto& member : typed) wipe(member.value().get_string().data(), member.value().get_string().size());
    TRY(sealed, context_.doors.vault.seal(text, credentialContext(session.connection, slot)));
    session.sealed.emplace(slot, std::move(sealed));
  }
  return Result<void>();
}

Task<Connected> Connections::keepNew(Session const* session) {
  auto const& connection = session->connection;
  store::Unit unit;
  unit.emplace_back(
      "INSERT INTO connections (vendor_id,connection_id,plugin_id,account_name,account_key,settings,"
      "allow_private_network,state,state_reason,created,last_success,next_due,confirm_deletes) "
      "VALUES ($1,$2,$3,$4,$5,$6,$7,'connected','',$8,NULL,$9,0)",
      Values{connection.vendor_id, connection.id, connection.plugin_id, connection.account_name,
             session->account_key, json::serialize(connection.settings),
             std::int64_t{connection.allow_private_network}, toMillis(connection.created),
             toMillis(connection.created + session->plugin->manifest.poll_every)});
  unit.emplace_back(
      "INSERT INTO connection_storage (vendor_id,connection_id,records,record_bytes,stored_values,"
      "value_bytes) VALUES ($1,$2,0,0,0,0)",
      Values{connection.vendor_id, connection.id});
  for (auto const& [slot, sealed] : session->sealed)
    unit.emplace_back("INSERT INTO credentials (vendor_id,connection_id,slot,sealed) VALUES ($1,$2,$3,$4)",
                      Values{connection.vendor_id, connection.id, slot, sealed});
  Owner const owner{connection.vendor_id, connection.id};
  unit.push_back(told(context_, "connection.add", connection.vendor_id, connection.id, connection.plugin_id));
  if (context_.leases) unit.push_back(context_.leases->table().first(owner));
  CO_TRY_VOID(co_await context_.doors.store.commit(std::move(unit)));
  if (context_.leases) context_.leases->made(owner);
  Connected connected;
  connected.connection = connection;
  co_return connected;
}

// The account was tried with it, so it is connected now, and due: what waits is written soon.
Task<Connected> Connections::replaceCredential(Connection existing, Session const* session) {
  store::Unit unit;
  unit.push_back(
      store::Statement("UPDATE connections SET state='connected', state_reason='', allow_private_network=$1, "
                       "next_due=$2, resumed=$2, credential_version=credential_version+1, account_key=$5, "
                       "account_name=$6 WHERE vendor_id=$3 AND connection_id=$4",
                       {std::int64_t{session->connection.allow_private_network}, toMillis(context_.now()),
                        existing.vendor_id, existing.id, session->account_key,
                        session->connection.account_name})
          .expecting(1));
  unit.emplace_back("DELETE FROM credentials WHERE vendor_id=$1 AND connection_id=$2",
                    Values{existing.vendor_id, existing.id});
  for (auto const& [slot, sealed] : session->sealed) {
    // Sealed text is bound to its place, and the trial's was another.
    CO_TRY(secret, context_.doors.vault.open(sealed, credentialContext(session->connection, slot)));
    CO_TRY(moved, context_.doors.vault.seal(secret, credentialContext(existing, slot)));
    unit.emplace_back("INSERT INTO credentials (vendor_id,connection_id,slot,sealed) VALUES ($1,$2,$3,$4)",
                      Values{existing.vendor_id, existing.id, slot, std::move(moved)});
  }
  CO_TRY(moved, co_await moveSignIns(&context_, session, existing));
  for (auto& one : moved) unit.push_back(std::move(one));
  unit.push_back(told(context_, "connection.reconnect", existing.vendor_id, existing.id));
  auto news = newsFor(context_, NewsKind::webhooks, existing.vendor_id, existing.id);
  CO_TRY_VOID(co_await commitTelling(&context_, std::move(unit), std::move(news)));
  Connected connected;
  connected.connection = std::move(existing);
  connected.connection.state = "connected";
  connected.connection.state_reason.clear();
  connected.connection.allow_private_network = session->connection.allow_private_network;
  connected.connection.account_name = session->connection.account_name;
  connected.again = true;
  co_return connected;
}

// Puts into the session which account it is at the provider; read-only.
Task<void> Connections::tryAccount(Session* session) {
  std::string const operation = "health.check/1";
  json::value output;
  if (offers(session->plugin->manifest, operation)) {
    json::object nothing;
    CO_TRY(answer, co_await callPlugin(&context_, &audit_, session, operation, std::move(nothing), nullptr,
                                       kTrialDeadline));
    output = std::move(answer);
  }
  session->connection.account_name = textOr(output, "/account", "");
  session->account_key = keyOf(session->connection.account_name, textOr(output, "/id", ""));
  co_return Result<void>();
}

// By its name, too: before its connector told an id, it was kept by that.
Task<std::optional<Connection>> Connections::sameAccount(Session const* session) {
  auto const& wanted = session->connection;
  store::Statement query(
      std::string(kColumns) + "WHERE vendor_id=$1 AND plugin_id=$2 AND account_key IN ($3,$4) "
                              "ORDER BY CASE WHEN account_key=$3 THEN 0 ELSE 1 END",
      {wanted.vendor_id, wanted.plugin_id, session->account_key, keyOfAccountName(wanted.account_name)});
  CO_TRY(rows, co_await context_.doors.store.read(std::move(query)));
  std::optional<Connection> found;
  if (!rows.rows.empty()) found = connectionFrom(rows.rows[0]);
  co_return found;
}

Task<std::vector<Connection>> Connections::all(std::string vendor_id) {
  std::string sql = std::string(kColumns) + "ORDER BY connection_id";
  Values args;
  if (!vendor_id.empty()) {
    CO_TRY_VOID(co_await vendors_.require(vendor_id));
    sql = std::string(kColumns) + "WHERE vendor_id=$1 ORDER BY connection_id";
    args.emplace_back(vendor_id);
  }
  store::Statement query(std::move(sql), std::move(args));
  CO_TRY(rows, co_await context_.doors.store.read(std::move(query)));
  std::vector<Connection> connections;
  for (auto const& row : rows.rows) connections.push_back(connectionFrom(row));
  CO_TRY_VOID(co_await addSignIns(&context_, std::move(vendor_id), &connections));
  co_return connections;
}

Task<Connection> Connections::one(std::string id) {
  store::Statement query(std::string(kColumns) + "WHERE connection_id=$1", {id});
  CO_TRY(rows, co_await context_.doors.store.read(std::move(query)));
  if (rows.rows.empty()) co_return noConnection(id);
  co_return connectionFrom(rows.rows[0]);
}

Task<Connection> Connections::withStorage(std::string id) {
  CO_TRY(connection, co_await one(std::move(id)));
  Owner owner{connection.vendor_id, connection.id};
  CO_TRY(stored, co_await storedFor(&context_, std::move(owner)));
  connection.stored = stored;
  connection.may_store = context_.doors.limits;
  CO_TRY(sign_ins, co_await signInsOf(&context_, &connection));
  connection.sign_ins = std::move(sign_ins);
  co_return connection;
}

Task<Session> Connections::open(std::string id) {
  store::Statement query(std::string(kColumns) + "WHERE connection_id=$1", {id});
  CO_TRY(rows, co_await context_.doors.store.read(std::move(query)));
  if (rows.rows.empty()) co_return noConnection(id);
  Session session;
  session.connection = connectionFrom(rows.rows[0]);
  session.confirm_deletes = rows.rows[0].integer(10) != 0;
  session.credential_version = rows.rows[0].integer(11);
  session.account_key = rows.rows[0].text(12);
  session.resumed = fromMillis(rows.rows[0].integer(13));
  CO_TRY(plugin, co_await vendors_.usable(session.connection.vendor_id, session.connection.plugin_id));
  session.plugin = std::move(plugin);
  store::Statement slots("SELECT slot, sealed FROM credentials WHERE vendor_id=$1 AND connection_id=$2",
                         {session.connection.vendor_id, id});
  CO_TRY(sealed, co_await context_.doors.store.read(std::move(slots)));
  for (auto const& row : sealed.rows) session.sealed.emplace(row.text(0), row.text(1));
  co_return session;
}

Task<void> Connections::refuseLoss(std::string id) {
  CO_TRY(connection, co_await one(id));
  CO_TRY(writes, co_await waitingWrites(&context_, &connection));
  if (writes.real == 0) co_return Result<void>();
  co_return wouldBeLost(connection, writes.real);
}

Task<void> Connections::forget(std::string id, bool discard, store::Unit ends) {
  CO_TRY(connection, co_await one(id));
  for (int attempt = 1;; ++attempt) {
    if (!discard) {
      CO_TRY_VOID(co_await refuseLoss(id));
    }
    auto const forgotten = co_await forgetOnce(&connection, discard, ends);
    if (forgotten || forgotten.error().kind != ErrorKind::conflict || attempt == kAttempts)
      co_return forgotten;
  }
}

// `conflict` if an edit came in since the writes were counted. The lease goes before all else: an action that
// another daemon takes in locks it, so what ends comes after that action or that one finds no connection.
Task<void> Connections::forgetOnce(Connection const* connection, bool discard, store::Unit ends) {
  store::Unit unit;
  Values const which = {connection->vendor_id, connection->id};
  if (!discard) {
    CO_TRY(writes, co_await waitingWrites(&context_, connection));
    if (writes.real > 0) co_return Error(ErrorKind::conflict, "a record was edited meanwhile; try again");
    unit.push_back(store::Statement("DELETE FROM pushes WHERE vendor_id=$1 AND connection_id=$2", which)
                       .expecting(writes.rows));
  }
  unit.emplace_back("DELETE FROM leases WHERE vendor_id=$1 AND connection_id=$2", which);
  for (auto& end : ends) unit.push_back(std::move(end));
  for (auto const* table : {"pushes", "credentials", "links", "cursors", "missed", "plugin_kv",
                            "connection_storage", "inbox", "intake_doors", "mailboxes", "webhooks", "hints",
                            "webhook_endpoints", "runs", "erased", "connections"})
    unit.emplace_back("DELETE FROM " + std::string(table) + " WHERE vendor_id=$1 AND connection_id=$2",
                      which);
  for (auto& end : oauth::Tokens::forget(connection->vendor_id, connection->id))
    unit.push_back(std::move(end));
  unit.push_back(told(context_, "connection.remove", connection->vendor_id, connection->id));
  Owner owner{connection->vendor_id, connection->id};
  std::vector<News> news;
  news.emplace_back(NewsKind::known, connection->vendor_id, connection->id);
  CO_TRY_VOID(co_await commitOwned(&context_, std::move(owner), std::move(unit), std::move(news)));
  co_return Result<void>();
}

Task<void> Connections::confirmDeletes(std::string id) {
  CO_TRY(connection, co_await one(id));
  store::Unit unit;
  unit.push_back(
      store::Statement("UPDATE connections SET confirm_deletes=1 WHERE vendor_id=$1 AND connection_id=$2",
                       {connection.vendor_id, id})
          .expecting(1));
  unit.push_back(told(context_, "connection.confirm_deletes", connection.vendor_id, id));
  CO_TRY_VOID(co_await context_.doors.store.commit(std::move(unit)));
  co_return Result<void>();
}

Task<void> Connections::forgetCursors(Owner owner) {
  store::Unit unit;
  unit.emplace_back("DELETE FROM cursors WHERE vendor_id=$1 AND connection_id=$2",
                    Values{owner.vendor_id, owner.connection_id});
  unit.push_back(told(context_, "connection.resync", owner.vendor_id, owner.connection_id));
  CO_TRY_VOID(co_await commitOwned(&context_, std::move(owner), std::move(unit)));
  co_return Result<void>();
}

Task<std::int64_t> Connections::retry(std::string id) {
  CO_TRY(connection, co_await one(id));
  store::Unit unit;
  unit.emplace_back("UPDATE pushes SET state='pending', dispatches=0 "
                    "WHERE vendor_id=$1 AND connection_id=$2 AND state='parked'",
                    Values{connection.vendor_id, id});
  unit.push_back(told(context_, "connection.retry", connection.vendor_id, id));
  auto news = newsFor(context_, NewsKind::retry, connection.vendor_id, id);
  CO_TRY(done, co_await commitTelling(&context_, std::move(unit), std::move(news)));
  auto const calls = context_.doors.supervisor.retryParked(id);
  auto const writes = static_cast<std::int64_t>(done[0].affected);
  // A write that is set aside is usually a call that is set aside, too.
  auto const count = std::max(writes, static_cast<std::int64_t>(calls));
  // Which calls of it are set aside elsewhere is known there.
  if (count == 0 && mine(context_, id))
    co_return Error(ErrorKind::conflict, "nothing of the connection " + id + " is set aside");
  co_return count;
}

Task<bool> holdsCredentials(store::Store& store) {
  store::Statement query("SELECT (SELECT COUNT(*) FROM credentials) + (SELECT COUNT(*) FROM mailboxes) + "
                         "(SELECT COUNT(*) FROM webhook_endpoints) + "
                         "(SELECT COUNT(*) FROM intake_doors WHERE sealed<>'')");
  CO_TRY(rows, co_await store.read(std::move(query)));
  co_return rows.rows[0].integer(0) > 0;
}

} // namespace garland::sync
