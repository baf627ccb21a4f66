// Who asks: by the key that a request shows, or the cookie of somebody who signed in. Wrong ones are slowed
// down, and every refusal is told.
#pragma once

#include "host/access/access.h"
#include "host/api/audit_watch.h"
#include "host/api/router.h"

#include <map>
#include <memory>
#include <optional>
#include <string>

namespace garland::api {

// What a request got: a caller, or why it got none.
struct Admitted {
  std::optional<access::Caller> caller;
  int status = 0;             // of the problem
  std::optional<Error> error; // one of the two is there
};

// [loop thread]
class SignIn {
public:
  // `keys`: null: there is the key of the file only. `watch`: null: nobody is told anything. `sessions`:
  // null: nobody comes with a cookie; `origin`: of the pages that may, "https://garland.example.com".
  SignIn(Clock const& clock, access::Keys* keys, AuditWatch* watch, access::Sessions* sessions = nullptr,
         std::string origin = {})
      : clock_(clock), keys_(keys), watch_(watch), sessions_(sessions), origin_(std::move(origin)),
        lookups_(newLookups(clock)) {}

  // The request must outlive it. `file_hash`: of the key in the daemon's key file.
  asio::awaitable<Admitted> admit(Route const* route, Request const* request, std::string file_hash);

private:
  struct Lookups;
  class Lookup;
  static std::shared_ptr<Lookups> newLookups(Clock const& clock);
  asio::awaitable<Milliseconds> waitOf(std::string place, std::string hash);
  Admitted letIn(access::Caller caller, std::string const& hash);
  Admitted refuse(Route const& route, Request const& request, Refusal refusal, int status, Error error);
  Admitted refuseWrong(Route const& route, Request const& request);
  Admitted judge(Route const& route, Request const& request, access::Admission admission,
                 std::string const& hash);
  asio::awaitable<Admitted> admitSession(Route const* route, Request const* request, std::string cookie);
  Admitted judge(Route const& route, Request const& request, access::SessionAdmission admission,
                 std::string const& hash);
  bool comesFromOurPages(Request const& request) const;
  bool isFamiliar(std::string const& hash) const;

  Clock const& clock_;
  access::Keys* keys_;
  AuditWatch* watch_;
  access::Sessions* sessions_;
  std::string origin_;
  std::shared_ptr<Lookups> const lookups_;
  std::map<std::string, Monotonic> let_in_; // by the key's hash, when it was last
};

// Whether the request shows a ticket, good or not.
bool namesTicket(Request const& request);

// What wrong keys are counted by: an IPv4 address, or the network of an IPv6 address, since whoever has one
// of its addresses has them all.
std::string placeOf(std::string const& address);

} // namespace garland::api
