#include "host/sync/connections.h"

#include "host/sync/sql.h"

namespace garland::sync {
namespace {

constexpr Milliseconds kTrialDeadline{60'000};

constexpr char const* kColumns =
    "SELECT connection_id, vendor_id, plugin_id, account_name, settings, "
    "allow_private_network, state, state_reason, created, last_success, confirm_deletes "
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
  return connection;
}

Error noConnection(std::string const& id) {
  return Error(ErrorKind::notFound,
               "there is no connection \"" + id + "\"; `garland connections` shows those there are");
}

// Which account this is: two connections of one vendor may not be the same. The settings do not count:
// one account may be reached by several addresses.
std::string accountKey(Connection const& connection) { return vault::sha256Hex(connection.account_name); }

} // namespace

Task<Connection> Connections::connect(ConnectRequest request) {
  CO_TRY_VOID(co_await vendors_.require(request.vendor_id));
  CO_TRY(plugin, co_await vendors_.usable(request.vendor_id, request.plugin_id));
  if (request.settings.is_null()) request.settings = json::object();
  CO_TRY_VOID(checkConnectRequest(plugin->manifest, request));

  Session session;
  session.plugin = plugin;
  session.trial = true;
  auto& connection = session.connection;
  connection.id = context_.newId("con");
  connection.vendor_id = request.vendor_id;
  connection.plugin_id = plugin->manifest.id;
  connection.settings = std::move(request.settings);
  connection.allow_private_network = request.allow_private_network;
  connection.state = "connected";
  connection.created = context_.now();
  for (auto const& [slot, fields] : request.credentials) {
    json::object typed;
    for (auto const& [field, secret] : fields) typed[field] = secret.reveal();
    Secret const text(json::serialize(typed));
    for (auto& member : typed) wipe(member.value().get_string().data(), member.value().get_string().size());
    CO_TRY(sealed, context_.doors.vault.seal(text, credentialContext(connection, slot)));
    session.sealed.emplace(slot, std::move(sealed));
  }
  request.credentials.clear();

  CO_TRY(account, co_await tryAccount(&session));
  connection.account_name = std::move(account);
  auto const key = accountKey(connection);
  CO_TRY_VOID(co_await refuseDouble(&connection, key));

  store::Unit unit;
  unit.emplace_back(
      "INSERT INTO connections (vendor_id,connection_id,plugin_id,account_name,account_key,settings,"
      "allow_private_network,state,state_reason,created,last_success,next_due,confirm_deletes) "
      "VALUES ($1,$2,$3,$4,$5,$6,$7,'connected','',$8,NULL,$9,0)",
      Values{connection.vendor_id, connection.id, connection.plugin_id, connection.account_name, key,
             json::serialize(connection.settings), std::int64_t{connection.allow_private_network},
             toMillis(connection.created), toMillis(connection.created + plugin->manifest.poll_every)});
  for (auto const& [slot, sealed] : session.sealed)
    unit.emplace_back("INSERT INTO credentials (vendor_id,connection_id,slot,sealed) VALUES ($1,$2,$3,$4)",
                      Values{connection.vendor_id, connection.id, slot, sealed});
  auto const kept = co_await context_.doors.store.commit(std::move(unit));
  if (!kept && kept.error().kind == ErrorKind::conflict) {
    // Two requests for one account at the same moment: the unique key let one of them through.
    CO_TRY_VOID(co_await refuseDouble(&connection, key));
  }
  if (!kept) co_return kept.error();
  co_return connection;
}

// The account's name at the provider; read-only.
Task<std::string> Connections::tryAccount(Session const* session) {
  std::string const operation = "health.check/1";
  if (!offers(session->plugin->manifest, operation)) co_return std::string();
  json::object nothing;
  CO_TRY(output, co_await callPlugin(&context_, &audit_, session, operation, std::move(nothing), nullptr,
                                     kTrialDeadline));
  co_return textOr(output, "/account", "");
}

Task<void> Connections::refuseDouble(Connection const* connection, std::string account_key) {
  store::Statement query(
      "SELECT connection_id FROM connections WHERE vendor_id=$1 AND plugin_id=$2 AND account_key=$3",
      {connection->vendor_id, connection->plugin_id, account_key});
  CO_TRY(rows, co_await context_.doors.store.read(std::move(query)));
  if (rows.rows.empty()) co_return Result<void>();
  auto const id = rows.rows[0].text(0);
  Error error(ErrorKind::conflict, "this account is connected already, as " + id +
                                       "; to connect it anew, disconnect that one first");
  json::object detail;
  detail["connection"] = id;
  error.detail = std::move(detail);
  co_return error;
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
  co_return connections;
}

Task<Connection> Connections::one(std::string id) {
  store::Statement query(std::string(kColumns) + "WHERE connection_id=$1", {id});
  CO_TRY(rows, co_await context_.doors.store.read(std::move(query)));
  if (rows.rows.empty()) co_return noConnection(id);
  co_return connectionFrom(rows.rows[0]);
}

Task<Session> Connections::open(std::string id) {
  store::Statement query(std::string(kColumns) + "WHERE connection_id=$1", {id});
  CO_TRY(rows, co_await context_.doors.store.read(std::move(query)));
  if (rows.rows.empty()) co_return noConnection(id);
  Session session;
  session.connection = connectionFrom(rows.rows[0]);
  session.confirm_deletes = rows.rows[0].integer(10) != 0;
  CO_TRY(plugin, co_await vendors_.usable(session.connection.vendor_id, session.connection.plugin_id));
  session.plugin = plugin;
  store::Statement slots("SELECT slot, sealed FROM credentials WHERE vendor_id=$1 AND connection_id=$2",
                         {session.connection.vendor_id, id});
  CO_TRY(sealed, co_await context_.doors.store.read(std::move(slots)));
  for (auto const& row : sealed.rows) session.sealed.emplace(row.text(0), row.text(1));
  co_return session;
}

Task<void> Connections::forget(std::string id) {
  CO_TRY(connection, co_await one(id));
  store::Unit unit;
  for (auto const* table : {"credentials", "links", "cursors", "pushes", "plugin_kv", "runs", "connections"})
    unit.emplace_back("DELETE FROM " + std::string(table) + " WHERE vendor_id=$1 AND connection_id=$2",
                      Values{connection.vendor_id, id});
  CO_TRY_VOID(co_await context_.doors.store.commit(std::move(unit)));
  co_return Result<void>();
}

Task<void> Connections::confirmDeletes(std::string id) {
  CO_TRY(connection, co_await one(id));
  store::Unit unit;
  unit.push_back(
      store::Statement("UPDATE connections SET confirm_deletes=1 WHERE vendor_id=$1 AND connection_id=$2",
                       {connection.vendor_id, id})
          .expecting(1));
  CO_TRY_VOID(co_await context_.doors.store.commit(std::move(unit)));
  co_return Result<void>();
}

} // namespace garland::sync
