// Whether an account can still be reached, another token for it, and taking its sign-in back.
#include "host/sync/connections.h"

#include "host/sync/commits.h"
#include "host/sync/sign_ins.h"

namespace garland::sync {
namespace {

// "" if the provider has taken back all that it was asked to; else what it has not, and why.
Task<std::string> takenBackThere(Context* context, Session const* session) {
  std::string left;
  for (auto const& slot : session->plugin->manifest.auth) {
    if (!isSignIn(slot) || !session->sealed.contains(slot.name)) continue;
    auto const revoked = co_await revokeSignIn(context, session, slot.name);
    if (revoked || revoked.error().kind == ErrorKind::notFound) continue;
    left += (left.empty() ? "" : "; ") + slot.name + ": " + revoked.error().message;
  }
  co_return left;
}

bool signsIn(runtime::Manifest const& manifest) {
  for (auto const& slot : manifest.auth)
    if (isSignIn(slot)) return true;
  return false;
}

// Once: the day, and what the provider said to it, stay those of that time. An import may have left a
// credential here of an account that was revoked where it came from.
Result<void> refuseAgain(Session const& session) {
  auto const& connection = session.connection;
  if (!isRevoked(connection) || !session.sealed.empty()) return {};
  return Error(ErrorKind::conflict, "nothing was changed: the sign-in of connection \"" + connection.id +
                                        "\" is taken back already (" + connection.state_reason + ")");
}

} // namespace

Task<Trial> Connections::test(std::string id) {
  CO_TRY(session, co_await open(std::move(id)));
  CO_TRY_VOID(refuseIfPaused(session.connection));
  auto const key = session.account_key;
  auto const name = session.connection.account_name;
  auto const tried = co_await tryAccount(&session);
  Trial trial;
  if (!tried) {
    trial.error = tried.error();
    co_return trial;
  }
  trial.account = session.connection.account_name;
  trial.ok = session.account_key == key || key == keyOfAccountName(trial.account);
  if (!trial.ok)
    trial.error = Error(ErrorKind::conflict, "its credential is now that of the account " + trial.account +
                                                 " and no longer of " + name);
  co_return trial;
}

Task<Connection> Connections::rotate(std::string id) {
  CO_TRY(session, co_await open(id));
  CO_TRY_VOID(refuseIfPaused(session.connection));
  auto const& manifest = session.plugin->manifest;
  if (!signsIn(manifest))
    co_return Error(ErrorKind::unsupported,
                    "this account signs in with what was typed: make another one at the "
                    "provider, and connect the account again with that");
  for (auto const& slot : manifest.auth) {
    if (!isSignIn(slot) || !session.sealed.contains(slot.name)) continue;
    auto const renewed = co_await renewSignIn(&context_, &session, slot.name);
    CO_TRY_VOID(co_await audit_.save(session.connection.vendor_id, session.connection.id, "oauth.rotate"));
    if (!renewed) co_return renewed.error();
  }
  store::Unit unit;
  unit.push_back(told(context_, "connection.rotate", session.connection.vendor_id, session.connection.id));
  CO_TRY_VOID(co_await context_.doors.store.commit(std::move(unit)));
  co_return co_await withStorage(std::move(id));
}

// Here it ends even if the provider cannot be asked: the connection says that it was not.
Task<Connection> Connections::revoke(std::string id, std::string by) {
  CO_TRY(session, co_await open(id));
  CO_TRY_VOID(refuseAgain(session));
  CO_TRY(left, co_await takenBackThere(&context_, &session));
  auto const& connection = session.connection;
  CO_TRY_VOID(co_await audit_.save(connection.vendor_id, connection.id, "oauth.revoke"));
  std::string reason = "its sign-in was taken back here on " + rfc3339(context_.now());
  if (!left.empty())
    reason += ", but not at the provider (" + left + "): take it back there as well";
  else if (signsIn(session.plugin->manifest))
    reason += " and at the provider";
  else
    reason += "; the provider still takes the password, token or key: change it there as well";
  auto unit = oauth::Tokens::forget(connection.vendor_id, connection.id);
  unit.emplace_back("DELETE FROM credentials WHERE vendor_id=$1 AND connection_id=$2",
                    Values{connection.vendor_id, connection.id});
  unit.emplace_back("UPDATE connections SET state='revoked', state_reason=$1, revoked_by=$4, "
                    "revoked_version=credential_version+1, credential_version=credential_version+1 "
                    "WHERE vendor_id=$2 AND connection_id=$3",
                    Values{reason, connection.vendor_id, connection.id, std::move(by)});
  json::object facts{{"at_provider", left.empty()}};
  unit.push_back(
      told(context_, "connection.revoke", connection.vendor_id, connection.id, "", std::move(facts)));
  Owner owner{connection.vendor_id, connection.id};
  CO_TRY_VOID(co_await commitOwned(&context_, std::move(owner), std::move(unit)));
  co_return co_await one(std::move(id));
}

} // namespace garland::sync
