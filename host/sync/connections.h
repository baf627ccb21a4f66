// Connections: an account of a vendor at a provider, with its sealed credentials.
#pragma once

#include "host/sync/call_host.h"
#include "host/sync/vendors.h"

#include <optional>

namespace garland::sync {

class Connections {
public:
  Connections(Context& context, Vendors& vendors, AuditTrail& audit)
      : context_(context), vendors_(vendors), audit_(audit) {}

  Task<Connection> connect(ConnectRequest request);
  Task<std::vector<Connection>> all(std::string vendor_id); // "" = of every vendor
  Task<Connection> one(std::string id);                     // notFound
  // Forgets everything but the records. No run may be in flight.
  Task<void> forget(std::string id);
  Task<void> confirmDeletes(std::string id);

  // Everything a run needs; forbidden or notFound if the plugin may not be used any more.
  Task<Session> open(std::string id);

private:
  Task<void> refuseDouble(Connection const* connection, std::string account_key);
  Task<std::string> tryAccount(Session const* session);

  Context& context_;
  Vendors& vendors_;
  AuditTrail& audit_;
};

// What the request may say, by the manifest: invalidInput with a pointer into the request.
Result<void> checkConnectRequest(runtime::Manifest const& manifest, ConnectRequest const& request);

} // namespace garland::sync
