// Routes as data, and the path from a Request to its handler: is there such a route, who asks and may they,
// are parameters and body what the route says. The OpenAPI document is made from the same table, so what
// is checked here is what is described there.
#pragma once

#include "host/access/access.h"
#include "host/api/http.h"
#include "host/base/log.h"
#include "host/base/schema.h"
#include "host/base/task.h"

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace garland::api {

enum class ParameterType { text, integer, flag, time };

struct QueryParameter {
  std::string_view name;
  ParameterType type;
  bool required;
  std::string_view description;
  std::int64_t minimum = 0; // of integers
  std::int64_t maximum = 0;
};

using Handler = std::function<Task<Response>(Request)>;

struct Route {
  std::string_view method;
  std::string_view pattern; // "/api/integrations/vendors/{vendor}/plugins"
  std::string_view operation_id;
  std::string_view summary; // one sentence
  int success = 200;
  std::string_view answer = ""; // schema of the answer's body (components/schemas), "" = none
  Handler handler = nullptr;
  std::string_view body = ""; // schema of the request's body, "" = none is taken
  std::vector<QueryParameter> query = {};
  bool open = false;     // no API key needed
  bool if_match = false; // takes the header If-Match; 412 if the record is at another version
  int other_success = 0; // a second status with the same body, 0: none
  std::string_view answer_type = "application/json";
  std::string_view raw_body = ""; // type of a body that is no JSON and is handed over as it came
  // Whether the query parameter "ticket", if it has this value, stands for the key now; none: it never does.
  // The handler redeems it.
  std::function<bool(std::string_view)> ticket = nullptr;
  // Taken as strangers send it: any Host (it comes through a proxy), any query, any body. The handler judges
  // it.
  bool as_it_comes = false;
};

struct Guard {
  std::string api_key_hash; // of the key in the daemon's key file
  std::string address;      // we listen here: a Host header must name it, localhost or the loopback address
  unsigned short port = 0;
  // How clients on this machine reach it, without the port; told whoever called it by another name.
  std::string origin = "http://127.0.0.1";
  std::vector<std::string> names = {}; // of the certificate; filled for whoever called it by none of them
};

class AuditWatch;
class Ownership;
class SignIn;

// Who stands at the door; they outlive the router. `watch` may be null.
struct Doorkeepers {
  SignIn& sign_in;
  Ownership& ownership;
  AuditWatch* watch = nullptr;
};

class Router {
public:
  // `components`: the document with "/components/schemas" that body names refer to. invalidInput if there is
  // a route of which the table of permissions does not say who may call it.
  static Result<Router> create(std::vector<Route> routes, json::value const& components, Log const& log,
                               Doorkeepers keepers);

  // Where a request goes by its path and method.
  struct Match {
    std::vector<Route const*> fitting; // whose pattern the path fits; first in the table, first here
    Route const* route = nullptr;      // of those, the one that serves the method
    // "" if none: the label of its metrics.
    std::string_view pattern() const { return route == nullptr ? std::string_view() : route->pattern; }
    // Whoever sends it is judged by the handler alone, so that no Guard is looked at.
    bool isForStrangers() const { return route != nullptr && route->open && route->as_it_comes; }
  };
  Match match(Request const& request) const;
  // Always answers; whatever goes wrong is a problem document. `request` outlives the answer, and is the
  // handler's.
  asio::awaitable<Response> dispatch(Match match, Request* request, Guard guard);
  std::vector<Route> const& routes() const { return routes_; }

private:
  Router(std::vector<Route> routes, Log const& log, Doorkeepers keepers);
  asio::awaitable<Response> run(Route const* route, Request* request);
  asio::awaitable<Response> serve(Route const* route, Request* request, Guard guard);
  Result<void> checkHost(Request const& request, Guard const& guard, Response& refusal) const;
  Result<Route const*> select(Match const& match, Request const& request, Guard const& guard,
                              Response& refusal) const;
  Result<void> checkRole(Route const& route, Request const& request, access::Caller const& caller) const;
  Task<void> checkOwner(Route const* route, Request const* request, access::Caller const* caller);
  Result<void> checkQuery(Route const& route, Request& request) const;
  Result<void> checkBody(Route const& route, Request& request, int& status) const;
  void tellRefused(Route const* route, Request const& request, int status, std::string why,
                   std::string key_id = {}) const;

  std::vector<Route> routes_;
  std::vector<std::vector<std::string_view>> parts_; // of each one's pattern
  std::map<std::string, Schema, std::less<>> bodies_;
  Log const* log_;
  Doorkeepers keepers_;
};

// What is said of a path that nobody serves.
Error nothingThere();

// True if "Host" names this machine's loopback and our port: a page of another origin that rebinds its
// name to 127.0.0.1 sends its own name.
bool hostIsOurs(std::string_view host, Guard const& guard);

} // namespace garland::api
