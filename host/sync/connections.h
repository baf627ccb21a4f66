// Connections: an account of a vendor at a provider, with its sealed credentials. Connecting an account
// again gives its connection another credential; whatever else it has stays.
#pragma once

#include "host/sync/call_host.h"
#include "host/sync/storage.h"
#include "host/sync/vendors.h"

#include <optional>

namespace garland::sync {

class Connections {
public:
  Connections(Context& context, Vendors& vendors, AuditTrail& audit)
      : context_(context), vendors_(vendors), audit_(audit) {}

  Task<Connected> connect(ConnectRequest request);
  Task<std::vector<Connection>> all(std::string vendor_id); // "" = of every vendor
  Task<Connection> one(std::string id);                     // notFound
  Task<Connection> withStorage(std::string id);             // the same, and how much it stores
  // `conflict` if edits made here wait to be written there.
  Task<void> refuseLoss(std::string id);
  // Forgets everything but the records. No run may be in flight.
  // `ends`: what else comes to its end in the same unit.
  Task<void> forget(std::string id, bool discard, store::Unit ends);
  Task<void> confirmDeletes(std::string id);
  // The next run brings everything in anew. Nothing of the connection may be in flight.
  Task<void> forgetCursors(Owner owner);
  // Other settings for the same account, tried first; the next run brings everything in anew. No run may be
  // in flight, and it is the caller's turn at the connection. Only with its credential, typed again, it may
  // be at another host.
  Task<Connection> changeSettings(std::string id, json::object changes, Credentials credentials);
  Task<Trial> test(std::string id);
  Task<Connection> rotate(std::string id);
  // Nothing of the connection may be in flight, and it is the caller's turn at it.
  Task<Connection> revoke(std::string id, std::string by);
  // Lets the next run try again what was set aside; how much that was. `conflict` if nothing.
  Task<std::int64_t> retry(std::string id);

  // Everything a run needs; forbidden or notFound if the plugin may not be used any more.
  Task<Session> open(std::string id);

private:
  Result<Session> trialOf(std::shared_ptr<runtime::PluginInfo const> plugin, ConnectRequest request);
  Result<void> seal(Session& session, Credentials const& credentials);
  Task<Connected> keep(Session* session);
  Task<void> forgetTrial(Session const* session);
  Task<void> tryAccount(Session* session);
  Task<std::optional<Connection>> sameAccount(Session const* session);
  Task<Connected> keepNew(Session const* session);
  Task<Connected> replaceCredential(Connection existing, Session const* session);
  store::Unit replaceSettings(Session const& session) const;
  static void replaceCredentials(Session const& session, store::Unit& unit);
  void tellMove(Connection const& before, Session const& session, store::Unit& unit);
  Task<void> forgetOnce(Connection const* connection, bool discard, store::Unit ends);

  Context& context_;
  Vendors& vendors_;
  AuditTrail& audit_;
};

// `conflict`, with what to type; also of one that was revoked.
Result<void> refuseIfPaused(Connection const& connection);
// Whether it is paused as well or not.
bool isRevoked(Connection const& connection);
// Nothing of it goes on before its account is connected again.
bool needsReconnect(Connection const& connection);
// Which account it is, where its connector tells no id.
std::string keyOfAccountName(std::string const& name);
// What the settings may say, by the manifest: invalidInput with a pointer, /settings/...
Result<void> checkSettings(runtime::Manifest const& manifest, json::value const& settings);
// What the request may say, by the manifest: invalidInput with a pointer into the request.
Result<void> checkConnectRequest(runtime::Manifest const& manifest, ConnectRequest const& request);

} // namespace garland::sync
