// The trail of requests to the outside: what egress reports is written as rows, by connection.
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
  Context& context_;
  std::map<std::string, std::vector<egress::AuditEntry>, std::less<>> waiting_; // by connection
};

} // namespace garland::sync
