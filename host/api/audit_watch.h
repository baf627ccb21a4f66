// What the router tells the audit chain: who was let in, who was not, and what was asked that changes
// something.
#pragma once

#include "host/access/access.h"
#include "host/api/router.h"
#include "host/audit/audit.h"

#include <string>

namespace garland::api {

// Why a request did not get in, or not to that.
struct Refusal {
  explicit Refusal(std::string why_in, std::string key_id_in = {})
      : why(std::move(why_in)), key_id(std::move(key_id_in)) {}
  std::string why;     // a word: "wrong_key"
  std::string key_id;  // of a key that is known; "" if none is
  std::string address; // where it came from: kept as a pseudonym
};

class AuditWatch {
public:
  // null: nobody is told anything.
  explicit AuditWatch(audit::Book* book) : book_(book) {}

  // `route` is null if it is not known which one the request was for.
  void refused(Route const* route, int status, Refusal refusal);
  // Who showed no client certificate that counts; `address` as in Refusal.
  void turnedAway(std::string address);
  // The key was right.
  void letIn(access::Caller const& caller);
  // What may change something is durable in the chain before it begins. An error: it must not begin. What is
  // pointed to must outlive the task; no caller: whoever holds a ticket.
  Task<void> asked(Route const* route, Request const* request, access::Caller const* caller);
  // ... and told again if it was refused or failed.
  void ended(Route const& route, std::string const& request_id, int status);

private:
  audit::Book* book_;
};

// Whether requests of this route can change something here.
bool changesSomething(Route const& route);

} // namespace garland::api
