// Other settings for a connection that stays what it is: the same account, credential, links and records.
#include "host/sync/connections.h"

#include "host/sync/commits.h"
#include "host/sync/sign_ins.h"

#include <algorithm>

namespace garland::sync {
namespace {

json::value changed(json::value const& settings, json::object const& changes) {
  auto out = settings.is_object() ? settings.get_object() : json::object();
  for (auto const& change : changes) {
    if (change.value().is_null())
      out.erase(change.key());
    else
      out[change.key()] = change.value();
  }
  return out;
}

bool isElsewhere(runtime::Manifest const& manifest, json::value const& before, json::value const& after) {
  return manifest.allowedHosts(before) != manifest.allowedHosts(after) ||
         tokenAddresses(manifest, before) != tokenAddresses(manifest, after);
}

// The credential goes to where it was typed for and to no other host.
Error otherHosts(std::string const& id) {
  return Error(ErrorKind::invalidInput,
               "the host that the credential is sent to is changed only by who gives the credential again: "
               "garland connections set " +
                   id + R"( --set NAME=VALUE --credential (the API: "credentials" beside the settings))",
               "/settings");
}

// The trial would use up what was typed before it is known to be any good, and what is there with it.
Error connectInstead() {
  return Error(
      ErrorKind::unsupported,
      "an account that signs in by OAuth 2 gets another sign-in by connecting it again, with the settings "
      "that it has",
      "/credentials");
}

std::string inWords(std::vector<std::string> const& hosts) {
  std::string out;
  for (auto const& host : hosts) out += (out.empty() ? "" : ", ") + host;
  return out;
}

Error otherAccount(std::string const& before, std::string const& after) {
  return Error(ErrorKind::conflict,
               "with these settings the account is " + after + " and no longer " + before +
                   "; connect that one as an account of its own",
               "/settings");
}

} // namespace

Task<Connection> Connections::changeSettings(std::string id, json::object changes, Credentials credentials) {
  CO_TRY(session, co_await open(id));
  auto const before = session.connection;
  auto const& manifest = session.plugin->manifest;
  auto settings = changed(before.settings, changes);
  CO_TRY_VOID(checkSettings(manifest, settings));
  bool const typed = !credentials.empty();
  bool const moves = !manifest.auth.empty() && isElsewhere(manifest, before.settings, settings);
  if (moves && !typed) co_return otherHosts(id);
  if (!typed && canonicalJson(settings) == canonicalJson(before.settings)) co_return before;
  if (typed && std::ranges::any_of(manifest.auth, isSignIn)) co_return connectInstead();
  if (typed) {
    ConnectRequest request;
    request.settings = settings;
    request.credentials = std::move(credentials);
    CO_TRY_VOID(checkConnectRequest(manifest, request));
    CO_TRY_VOID(seal(session, request.credentials));
  }
  session.connection.settings = settings;
  session.trial = true;
  auto const key_before = session.account_key;
  CO_TRY_VOID(co_await tryAccount(&session));
  auto const& account = session.connection.account_name;
  // One that was kept by its name, before its connector told an id, is known by that.
  bool const by_name = key_before == keyOfAccountName(before.account_name) && account == before.account_name;
  if (session.account_key != key_before && !by_name) co_return otherAccount(before.account_name, account);
  auto unit = replaceSettings(session);
  if (typed) replaceCredentials(session, unit);
  if (moves) tellMove(before, session, unit);
  json::object facts{{"credential_given", typed}};
  unit.push_back(told(context_, "connection.change", before.vendor_id, before.id, "", std::move(facts)));
  Owner owner{before.vendor_id, before.id};
  CO_TRY_VOID(co_await commitOwned(&context_, std::move(owner), std::move(unit)));
  co_return co_await one(id);
}

store::Unit Connections::replaceSettings(Session const& session) const {
  auto const& connection = session.connection;
  store::Unit unit;
  // Whoever changed it meanwhile has made another version of it.
  unit.push_back(
      store::Statement("UPDATE connections SET settings=$1, state='connected', state_reason='', next_due=$2, "
                       "credential_version=credential_version+1, account_key=$6, account_name=$7 "
                       "WHERE vendor_id=$3 AND connection_id=$4 AND credential_version=$5",
                       {json::serialize(connection.settings), toMillis(context_.now()), connection.vendor_id,
                        connection.id, session.credential_version, session.account_key,
                        connection.account_name})
          .expecting(1));
  // What was read by the former settings may read otherwise now: links and records stay, everything comes
  // anew.
  unit.emplace_back("DELETE FROM cursors WHERE vendor_id=$1 AND connection_id=$2",
                    Values{connection.vendor_id, connection.id});
  return unit;
}

void Connections::replaceCredentials(Session const& session, store::Unit& unit) {
  auto const& connection = session.connection;
  unit.emplace_back("DELETE FROM credentials WHERE vendor_id=$1 AND connection_id=$2",
                    Values{connection.vendor_id, connection.id});
  for (auto const& [slot, sealed] : session.sealed)
    unit.emplace_back("INSERT INTO credentials (vendor_id,connection_id,slot,sealed) VALUES ($1,$2,$3,$4)",
                      Values{connection.vendor_id, connection.id, slot, sealed});
}

void Connections::tellMove(Connection const& before, Session const& session, store::Unit& unit) {
  auto const& manifest = session.plugin->manifest;
  auto const detail = "its credential goes to " +
                      inWords(manifest.allowedHosts(session.connection.settings)) + " now, and went to " +
                      inWords(manifest.allowedHosts(before.settings));
  PersonAct act;
  act.vendor_id = before.vendor_id;
  act.connection_id = before.id;
  act.act = "connection.move";
  act.subject = before.id;
  act.detail = detail;
  unit.push_back(auditOf(std::move(act), context_.doors.audit));
  context_.doors.log.info("a connection was moved: " + detail, json::object{{"connection", before.id}});
}

} // namespace garland::sync
