// What the router tells the audit chain: who was let in, who was not, and what was asked that changes
// something.
#pragma once

#include "host/api/router.h"
#include "host/audit/audit.h"

#include <optional>

namespace garland::api {

class AuditWatch {
public:
  // null: nobody is told anything.
  AuditWatch(audit::Book* book, Clock const& clock) : book_(book), clock_(clock) {}

  // A request that did not get in; `route` is null if it is not known which one it was for.
  void refused(Route const* route, int status);
  // The key was right. Told once for as long as it goes on.
  void letIn();
  // What may change something is durable in the chain before it begins. An error: it must not begin.
  Task<void> asked(Route const* route, Request const* request);
  // ... and told again if it was refused or failed.
  void ended(Route const& route, std::string const& request_id, int status);

private:
  audit::Book* book_;
  Clock const& clock_;
  std::optional<Monotonic> last_let_in_;
};

// Whether requests of this route can change something here.
bool changesSomething(Route const& route);

} // namespace garland::api
