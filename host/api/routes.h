// The handlers, one file per subject. A handler gets a Request whose parameters and body conform to
// its route, asks the engine and shapes the answer; it decides nothing else.
#pragma once

#include "host/api/api.h"
#include "host/api/hooks.h"
#include "host/api/http.h"
#include "host/api/router.h"
#include "host/api/sign_in_door.h"
#include "host/api/stream_door.h"
#include "host/api/webhook_door.h"

#include <memory>
#include <string>
#include <vector>

namespace garland::api {

// Of a body that is a ConnectInput. Passwords in it are moved into Secrets, and wiped there.
sync::ConnectRequest readConnect(json::value& body);

// [loop thread] Outlives every request.
class Routes {
public:
  Routes(Dependencies dependencies, Milliseconds wait_limit, StreamOptions streams = {})
      : with_(std::move(dependencies)), hooks_(with_), webhook_door_(with_), stream_door_(with_, streams),
        sign_in_door_(with_), wait_limit_(wait_limit) {}

  // The whole table. The OpenAPI document is built from it by the server and handed back here.
  std::vector<Route> table();
  void serveDocument(std::string text) { document_ = std::move(text); }
  void serveRoles(json::value matrix) { role_matrix_ = std::move(matrix); }
  void countConnections(std::function<std::size_t()> open) { open_connections_ = std::move(open); }
  void listensOn(std::function<unsigned short()> port) { port_ = std::move(port); }
  Dependencies const& dependencies() const { return with_; }
  StreamDoor& streams() { return stream_door_; }

private:
  using Method = Task<Response> (Routes::*)(Request);
  Handler bind(Method method);
  // Puts a route into the table with the method that answers it.
  std::function<void(Route, Method)> adder(std::vector<Route>& table);

  void addSystemRoutes(std::vector<Route>& table);
  void addVendorRoutes(std::vector<Route>& table);
  void addConnectionRoutes(std::vector<Route>& table);
  void addAuthorizeRoutes(std::vector<Route>& table);
  void addSyncRoutes(std::vector<Route>& table);
  void addRecordRoutes(std::vector<Route>& table);
  void addActionRoutes(std::vector<Route>& table);
  void addIntakeRoutes(std::vector<Route>& table);
  void addMailboxRoutes(std::vector<Route>& table);
  void addWebhookRoutes(std::vector<Route>& table);
  void addEndpointRoutes(std::vector<Route>& table);
  void addImportRoutes(std::vector<Route>& table);
  void addStreamRoutes(std::vector<Route>& table);
  void addVaultRoutes(std::vector<Route>& table);
  void addBackupRoutes(std::vector<Route>& table);
  void addAuditRoutes(std::vector<Route>& table);
  void addKeyRoutes(std::vector<Route>& table);
  void addSignInRoutes(std::vector<Route>& table);
  void addPrivacyRoutes(std::vector<Route>& table);

  // routes_system.cpp
  Task<Response> health(Request request);
  Task<Response> metrics(Request request);
  Task<Response> document(Request request);
  Task<Response> sandbox(Request request);
  Task<Response> listNodes(Request request);
  // routes_vendors.cpp
  Task<Response> addVendor(Request request);
  Task<Response> listVendors(Request request);
  Task<Response> listPlugins(Request request);
  Task<Response> showPlugin(Request request);
  Task<Response> rescanPlugins(Request request);
  Task<Response> installPlugin(Request request);
  Task<Response> releasePlugin(Request request);
  Task<Response> enablePlugin(Request request);
  Task<Response> disablePlugin(Request request);
  Task<Response> listEnabled(Request request);
  // routes_connections.cpp
  Task<Response> connectVendor(Request request);
  Task<Response> listConnections(Request request);
  Task<Response> changeSettings(Request request);
  Task<Response> showConnection(Request request);
  Task<Response> disconnect(Request request);
  Task<Response> confirmDeletes(Request request);
  Task<Response> testConnection(Request request);
  Task<Response> rotateConnection(Request request);
  Task<Response> revokeConnection(Request request);
  Task<Response> pauseConnection(Request request);
  Task<Response> resumeConnection(Request request);
  Task<Response> resyncConnection(Request request);
  Task<Response> retryConnection(Request request);
  // routes_authorize.cpp
  Task<Response> authorize(Request request);
  Task<Response> authorizeDevice(Request request);
  Result<sync::ConnectRequest> wishOf(json::value& body) const;
  Task<Response> showAuthorization(Request request);
  Task<Response> wayToProvider(Request request);
  Task<std::string> sessionOf(Request const* request);
  Task<Response> comeBack(Request request);
  // routes_sync.cpp
  Task<Response> startSync(Request request);
  Task<Response> hint(Request request);
  Task<Response> status(Request request);
  Task<sync::Run> waited(sync::Run run);
  // routes_records.cpp
  Task<Response> listRecords(Request request);
  Task<Response> showRecord(Request request);
  Task<Response> addRecord(Request request);
  Task<Response> putRecord(Request request);
  Task<Response> deleteRecord(Request request);
  Task<Response> retryRecord(Request request);
  Task<Response> occurrences(Request request);
  Task<Response> listChanges(Request request);
  Task<Response> listConflicts(Request request);
  // routes_actions.cpp
  Task<Response> acceptAction(Request request);
  Task<Response> listActions(Request request);
  Task<Response> showAction(Request request);
  Task<Response> settleAction(Request request);
  // routes_intake.cpp
  Task<Response> takeHook(Request request);
  Task<Response> openHook(Request request);
  Task<Response> listItems(Request request);
  Task<Response> showItem(Request request);
  Task<Response> retryItem(Request request);
  Task<Response> retryItems(Request request);
  Task<Response> acceptItem(Request request);
  Task<Response> dismissItem(Request request);
  // routes_mailbox.cpp
  Task<Response> openMailbox(Request request);
  Task<Response> watchMailbox(Request request);
  Task<Response> showMailbox(Request request);
  Task<Response> unwatchMailbox(Request request);

  // routes_webhooks.cpp
  Task<Response> takeWebhook(Request request);
  Task<Response> setUpWebhook(Request request);
  Task<Response> listWebhooks(Request request);
  Task<Response> listRefusedWebhooks(Request request);
  Task<Response> showWebhook(Request request);
  Task<Response> replayWebhook(Request request);
  Task<Response> replayWebhooks(Request request);
  Task<Response> dropWebhook(Request request);

  // routes_endpoints.cpp
  Task<Response> addEndpoint(Request request);
  Task<Response> listEndpoints(Request request);
  Task<Response> showEndpoint(Request request);
  Task<Response> changeEndpoint(Request request);
  Task<Response> removeEndpoint(Request request);
  Task<Response> rotateEndpoint(Request request);
  Task<Response> enableEndpoint(Request request);
  Task<Response> disableEndpoint(Request request);
  Task<Response> listEndpointDeliveries(Request request);
  Task<Response> showEndpointDelivery(Request request);
  Task<Response> resendDelivery(Request request);
  Task<Response> resendDeliveries(Request request);
  Result<notify::Notifier*> notifier(Request const& request) const;

  // routes_stream.cpp
  Task<Response> openStream(Request request);
  Task<Response> issueTicket(Request request);

  // routes_vault.cpp
  Task<Response> vaultStatus(Request request);
  Task<Response> rekeyVault(Request request);
  Task<Response> exportVault(Request request);
  Task<Response> importVault(Request request);
  Task<Response> makeBackup(Request request);
  Result<custody::Custody*> custody() const;

  // routes_audit.cpp
  Task<Response> showAudit(Request request);
  Task<Response> listAuditRows(Request request);
  Task<Response> listAuditCheckpoints(Request request);
  Task<Response> sealAudit(Request request);
  Task<Response> findPseudonym(Request request);
  Result<audit::Book*> book() const;

  // routes_keys.cpp
  Task<Response> listRoles(Request request);
  Task<Response> addKey(Request request);
  Task<Response> listKeys(Request request);
  Task<Response> rotateKey(Request request);
  Task<Response> revokeKey(Request request);
  Result<access::Keys*> keys(Request const& request) const;

  // routes_sign_in.cpp
  Task<Response> signIn(Request request);
  Task<Response> finishSignIn(Request request);
  Task<Response> showSession(Request request);
  Task<Response> signOut(Request request);
  Task<Response> listSessions(Request request);
  Task<Response> endSession(Request request);
  Task<access::Session> ownSession(std::string cookie);
  Result<access::Sessions*> sessions() const;

  // routes_privacy.cpp
  Task<Response> exportPersonalData(Request request);
  Task<Response> erasePersonalData(Request request);
  Result<privacy::Office*> privacyOffice() const;

  // routes_import.cpp
  Task<Response> importCsv(Request request);
  Task<json::array> rehearsed(std::vector<sync::Delivery> deliveries);
  Result<void> requireKind(std::string const& plugin_id, std::string const& kind) const;

  Result<runtime::PluginInfo const*> plugin(std::string const& name) const;
  // Those that take calls; unsupported if no build of it can.
  Result<runtime::PluginInfo const*> usablePlugin(std::string const& name) const;
  std::vector<std::string> troubledPlugins() const;
  std::vector<std::string> uncertifiedPlugins() const;

  Dependencies with_;
  Hooks hooks_;
  WebhookDoor webhook_door_;
  StreamDoor stream_door_;
  SignInDoor sign_in_door_;
  Milliseconds wait_limit_;
  std::string document_;
  json::value role_matrix_;
  std::function<std::size_t()> open_connections_;
  std::function<unsigned short()> port_ = [] { return static_cast<unsigned short>(0); };
};

} // namespace garland::api
