// What egress reports, as rows of the audit chain: a connection's when the call that asked for it has ended,
// others as they come.
#pragma once

#include "host/sync/context.h"

#include <map>
#include <string>
#include <vector>

namespace garland::sync {

class AuditTrail {
public:
  // Listens to egress as long as the engine lives.
  explicit AuditTrail(Context& context);
  ~AuditTrail();
  AuditTrail(AuditTrail const&) = delete;
  AuditTrail& operator=(AuditTrail const&) = delete;

  // Writes what egress reported for this connection since the last call, durably.
  Task<void> save(std::string vendor_id, std::string connection_id, std::string operation);

private:
  audit::Event eventOf(egress::AuditEntry const& entry) const;

  Context& context_;
  std::map<std::string, std::vector<audit::Event>, std::less<>> waiting_; // by connection
};

} // namespace garland::sync
