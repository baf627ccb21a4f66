// Other settings for a connection that stays what it is: the same account, credential, links and records.
#include "host/sync/connections.h"

#include "host/sync/sql.h"

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

// The credential goes to where it was typed for and to no other host.
Result<void> refuseOtherHosts(runtime::Manifest const& manifest, json::value const& before,
                              json::value const& after) {
  if (manifest.auth.empty() || manifest.allowedHosts(before) == manifest.allowedHosts(after)) return {};
  return Error(ErrorKind::invalidInput,
               "the host that the credential is sent to cannot be changed without the credential: "
               "disconnect the account, and connect it there",
               "/settings");
}

Error otherAccount(std::string const& before, std::string const& after) {
  return Error(ErrorKind::conflict,
               "with these settings the account is " + after + " and no longer " + before +
                   "; connect that one as an account of its own",
               "/settings");
}

} // namespace

Task<Connection> Connections::changeSettings(std::string id, json::object changes) {
  CO_TRY(session, co_await open(id));
  auto const before = session.connection;
  auto const& manifest = session.plugin->manifest;
  auto settings = changed(before.settings, changes);
  CO_TRY_VOID(checkSettings(manifest, settings));
  CO_TRY_VOID(refuseOtherHosts(manifest, before.settings, settings));
  if (canonicalJson(settings) == canonicalJson(before.settings)) co_return before;
  session.connection.settings = settings;
  session.trial = true;
  auto const key_before = session.account_key;
  CO_TRY_VOID(co_await tryAccount(&session));
  auto const& account = session.connection.account_name;
  // One that was kept by its name, before its connector told an id, is known by that.
  bool const by_name = key_before == keyOfAccountName(before.account_name) && account == before.account_name;
  if (session.account_key != key_before && !by_name) co_return otherAccount(before.account_name, account);
  store::Unit unit;
  // Whoever changed it meanwhile has made another version of it.
  unit.push_back(
      store::Statement("UPDATE connections SET settings=$1, state='connected', state_reason='', next_due=$2, "
                       "credential_version=credential_version+1, account_key=$6, account_name=$7 "
                       "WHERE vendor_id=$3 AND connection_id=$4 AND credential_version=$5",
                       {json::serialize(settings), toMillis(context_.now()), before.vendor_id, before.id,
                        session.credential_version, session.account_key, account})
          .expecting(1));
  // What was read by the former settings may read otherwise now: links and records stay, everything comes
  // anew.
  unit.emplace_back("DELETE FROM cursors WHERE vendor_id=$1 AND connection_id=$2",
                    Values{before.vendor_id, before.id});
  CO_TRY_VOID(co_await context_.doors.store.commit(std::move(unit)));
  co_return co_await one(id);
}

} // namespace garland::sync
