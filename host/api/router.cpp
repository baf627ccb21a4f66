// Order of the checks: Host, route, method, key, role, query, body, owner. Each refusal says what to change.
#include "host/api/router.h"

#include "host/api/audit_watch.h"
#include "host/api/ownership.h"
#include "host/api/permissions.h"
#include "host/api/problem.h"
#include "host/api/sign_in.h"
#include "host/base/clock.h"
#include "host/base/secret.h"

#include <algorithm>
#include <charconv>
#include <exception>

namespace garland::api {

namespace {

std::vector<std::string_view> split(std::string_view pattern) {
  std::vector<std::string_view> parts;
  while (!pattern.empty()) {
    pattern.remove_prefix(1); // the slash
    auto const end = std::min(pattern.find('/'), pattern.size());
    parts.push_back(pattern.substr(0, end));
    pattern.remove_prefix(end);
  }
  return parts;
}

bool isPlaceholder(std::string_view part) { return part.size() > 2 && part.front() == '{'; }

bool fits(std::vector<std::string_view> const& parts, std::vector<std::string> const& segments) {
  if (parts.size() != segments.size()) return false;
  for (std::size_t i = parts.size(); i-- > 0;) { // nearly all of them begin alike
    if (isPlaceholder(parts[i]) ? segments[i].empty() : parts[i] != segments[i]) return false;
  }
  return true;
}

void takePathParameters(std::string_view pattern, Request& request) {
  auto const parts = split(pattern);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (isPlaceholder(parts[i]))
      request.parameters.emplace(parts[i].substr(1, parts[i].size() - 2), request.segments[i]);
  }
}

bool methodFits(std::string_view method, std::string_view asked) {
  return method == asked || (method == "GET" && asked == "HEAD");
}

// Each that is named has to be good: the handler sees only one of them.
bool hasTicket(Route const& route, Request const& request) {
  return route.ticket && namesTicket(request) &&
         std::ranges::all_of(request.query, [&](auto const& parameter) {
           return parameter.first != "ticket" || route.ticket(parameter.second);
         });
}

bool hasControl(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

Error badParameter(std::string_view name, std::string_view why) {
  return Error(ErrorKind::invalidInput, "query parameter \"" + std::string(name) + "\" " + std::string(why),
               "?" + std::string(name));
}

Result<void> checkInteger(QueryParameter const& parameter, std::string_view value) {
  std::int64_t number = 0;
  auto const [end, code] = std::from_chars(value.data(), value.data() + value.size(), number);
  bool const whole = code == std::errc() && end == value.data() + value.size();
  if (whole && number >= parameter.minimum && number <= parameter.maximum) return {};
  return badParameter(parameter.name, "must be a whole number from " + std::to_string(parameter.minimum) +
                                          " to " + std::to_string(parameter.maximum));
}

Result<void> checkValue(QueryParameter const& parameter, std::string_view value) {
  switch (parameter.type) {
  case ParameterType::integer: return checkInteger(parameter, value);
  case ParameterType::flag:
    if (value == "1" || value == "true" || value == "0" || value == "false") return {};
    return badParameter(parameter.name, "must be 1, true, 0 or false");
  case ParameterType::time:
    if (parseRfc3339(value)) return {};
    return badParameter(parameter.name, "must be a time such as 2026-06-13T12:00:00Z");
  case ParameterType::text: break;
  }
  if (value.size() <= 512) return {};
  return badParameter(parameter.name, "is longer than 512 bytes");
}

bool isJson(std::string_view content_type) {
  auto const type = content_type.substr(0, content_type.find(';'));
  auto const end = type.find_last_not_of(' ');
  constexpr std::string_view json_type = "application/json";
  auto const trimmed = end == std::string_view::npos ? std::string_view() : type.substr(0, end + 1);
  return std::equal(trimmed.begin(), trimmed.end(), json_type.begin(), json_type.end(),
                    [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; });
}

asio::awaitable<Response> saying(Response response) { co_return response; }

std::string joined(std::vector<std::string> const& words) {
  std::string out;
  for (auto const& word : words) out += (out.empty() ? "" : ", ") + word;
  return out;
}

} // namespace

Error nothingThere() {
  return Error(ErrorKind::notFound, "there is nothing at this path; GET /openapi.json lists what there is");
}

bool hostIsOurs(std::string_view host, Guard const& guard) {
  auto const port = ":" + std::to_string(guard.port);
  auto const bracketed =
      guard.address.find(':') == std::string::npos ? guard.address : "[" + guard.address + "]";
  for (std::string_view name : {std::string_view("localhost"), std::string_view("127.0.0.1"),
                                std::string_view("[::1]"), std::string_view(bracketed)}) {
    if (host.size() < name.size()) continue;
    bool const same = std::equal(name.begin(), name.end(), host.begin(),
                                 [](char a, char b) { return a == (b >= 'A' && b <= 'Z' ? b + 32 : b); });
    auto const rest = host.substr(name.size());
    if (same && (rest == port || (rest.empty() && guard.port == 80))) return true;
  }
  return false;
}

Router::Router(std::vector<Route> routes, Log const& log, Doorkeepers keepers)
    : routes_(std::move(routes)), log_(&log), keepers_(keepers) {
  for (Route const& route : routes_) parts_.push_back(split(route.pattern));
}

Router::Match Router::match(Request const& request) const {
  Match match;
  for (std::size_t i = 0; i < routes_.size(); ++i) {
    if (!fits(parts_[i], request.segments)) continue;
    match.fitting.push_back(&routes_[i]);
    // A fixed segment wins over a placeholder because the table lists it first.
    if (match.route == nullptr && methodFits(routes_[i].method, request.method)) match.route = &routes_[i];
  }
  return match;
}

Result<Router> Router::create(std::vector<Route> routes, json::value const& components, Log const& log,
                              Doorkeepers keepers) {
  TRY_VOID(checkPermissions(routes));
  Router router(std::move(routes), log, keepers);
  for (Route const& route : router.routes_) {
    if (route.body.empty() || router.bodies_.contains(route.body)) continue;
    json::object schema = components.as_object();
    json::array all_of;
    all_of.push_back(json::object{{"$ref", "#/components/schemas/" + std::string(route.body)}});
    schema["allOf"] = std::move(all_of);
    TRY(compiled, Schema::compile(schema));
    router.bodies_.emplace(std::string(route.body), std::move(compiled));
  }
  return router;
}

Result<void> Router::checkHost(Request const& request, Guard const& guard, Response& refusal) const {
  auto const* host = request.header("host");
  if (host == nullptr || !hostIsOurs(*host, guard)) {
    refusal.status = 421;
    auto const named = guard.names.empty() ? "" : ", or by a name of its certificate: " + joined(guard.names);
    return Error(ErrorKind::forbidden, "the Host header does not name this daemon: use " + guard.origin +
                                           ":" + std::to_string(guard.port) + " or localhost" + named);
  }
  return {};
}

// The route, nullptr with `refusal` set for answers that are no problem (OPTIONS), or the problem.
Result<Route const*> Router::select(Match const& match, Request const& request, Guard const& guard,
                                    Response& refusal) const {
  bool const any_host = std::ranges::any_of(match.fitting, &Route::as_it_comes);
  if (!any_host) {
    auto const ours = checkHost(request, guard, refusal);
    if (!ours) tellRefused(nullptr, request, refusal.status, "host");
    if (!ours) return ours.error();
  }
  if (match.route != nullptr) return match.route;
  std::vector<std::string> allowed;
  for (auto const* route : match.fitting) {
    allowed.emplace_back(route->method);
    if (route->method == "GET") allowed.emplace_back("HEAD");
  }
  if (request.target == "*" || (!allowed.empty() && request.method == "OPTIONS")) {
    allowed.emplace_back("OPTIONS");
    refusal.status = 204;
    refusal.headers.push_back(Header{"allow", joined(allowed)});
    return nullptr;
  }
  if (allowed.empty()) return nothingThere();
  refusal.status = 405;
  allowed.emplace_back("OPTIONS");
  refusal.headers.push_back(Header{"allow", joined(allowed)});
  return Error(ErrorKind::unsupported, "this path takes " + joined(allowed) + ", not " + request.method);
}

void Router::tellRefused(Route const* route, Request const& request, int status, std::string why,
                         std::string key_id) const {
  if (keepers_.watch == nullptr) return;
  Refusal refusal(std::move(why), std::move(key_id));
  refusal.address = placeOf(request.peer);
  keepers_.watch->refused(route, status, std::move(refusal));
}

Result<void> Router::checkRole(Route const& route, Request const& request,
                               access::Caller const& caller) const {
  auto const* permission = permissionOf(route.operation_id);
  if (permission != nullptr && allows(*permission, caller.role)) return {};
  tellRefused(&route, request, 403, "role", caller.key_id);
  return Error(ErrorKind::forbidden, "an API key of the role " + std::string(access::name(caller.role)) +
                                         " may not do this (" + std::string(route.operation_id) +
                                         "); GET /api/integrations/roles says what it may");
}

Task<void> Router::checkOwner(Route const* route, Request const* request, access::Caller const* caller) {
  auto const* permission = permissionOf(route->operation_id);
  bool const confined = caller->role == access::Role::vendor && permission->reach != Reach::nobodys;
  if (!confined) co_return Result<void>();
  auto checking = keepers_.ownership.check(request, caller->vendor_id);
  auto const checked = co_await std::move(checking);
  if (checked) co_return checked;
  tellRefused(route, *request, statusOf(checked.error().kind), "vendor", caller->key_id);
  co_return checked.error();
}

Result<void> Router::checkQuery(Route const& route, Request& request) const {
  for (auto const& [name, value] : request.query) {
    if (hasControl(name) || hasControl(value))
      return Error(ErrorKind::invalidInput, "query parameters must not hold control characters");
    auto const known = std::find_if(route.query.begin(), route.query.end(),
                                    [&](QueryParameter const& parameter) { return parameter.name == name; });
    if (known == route.query.end()) return badParameter(name, "is not known here");
    TRY_VOID(checkValue(*known, value));
    if (!request.parameters.emplace(name, value).second) return badParameter(name, "is given twice");
  }
  for (QueryParameter const& parameter : route.query) {
    if (parameter.required && !request.parameters.contains(parameter.name))
      return badParameter(parameter.name, "is missing");
  }
  return {};
}

Result<void> Router::checkBody(Route const& route, Request& request, int& status) const {
  auto const* const said = request.header("content-type");
  if (!route.raw_body.empty()) {
    if (said != nullptr && said->starts_with(route.raw_body)) return {};
    status = 415;
    return Error(ErrorKind::unsupported,
                 "the body must be sent with Content-Type: " + std::string(route.raw_body));
  }
  if (route.body.empty()) {
    if (request.body.empty()) return {};
    return Error(ErrorKind::invalidInput, "this request takes no body");
  }
  auto const* type = request.header("content-type");
  if (type == nullptr || !isJson(*type)) {
    status = 415;
    return Error(ErrorKind::unsupported, "the body must be JSON: send Content-Type: application/json");
  }
  JsonLimits limits;
  limits.max_depth = 64;
  TRY(value, parseJson(request.body, limits));
  // The text may hold a password; the parsed value is wiped by the handler that takes it.
  wipe(request.body.data(), request.body.size());
  request.body.clear();
  TRY_VOID(bodies_.find(route.body)->second.require(value, "the body"));
  request.json = std::move(value);
  return {};
}

asio::awaitable<Response> Router::run(Route const* route, Request* request) {
  std::string const id = request->id;
  std::string failure;
  try {
    Task<Response> task = route->handler(std::move(*request));
    auto result = co_await std::move(task);
    if (result) co_return std::move(*result);
    co_return problem(result.error(), id);
  } catch (std::exception const& exception) {
    failure = exception.what();
  }
  log_->error("a handler failed",
              json::object{{"operation", route->operation_id}, {"what", failure}, {"request_id", id}});
  Error error(ErrorKind::transient,
              "Garland failed while it answered; the log has the reason under this request_id");
  error.effect = Effect::unknown;
  co_return problem(error, id, 500);
}

// No coroutine: each one on the way of a webhook costs it.
asio::awaitable<Response> Router::dispatch(Match match, Request* request, Guard guard) {
  Response refusal(0);
  auto const route = select(match, *request, guard, refusal);
  if (!route) {
    Response answer = problem(route.error(), request->id, refusal.status);
    for (Header& field : refusal.headers) answer.headers.push_back(std::move(field));
    return saying(std::move(answer));
  }
  if (*route == nullptr) return saying(std::move(refusal));
  if (!match.isForStrangers()) return serve(*route, request, std::move(guard));
  takePathParameters((*route)->pattern, *request);
  return run(*route, request);
}

asio::awaitable<Response> Router::serve(Route const* route, Request* request, Guard guard) {
  auto const id = request->id;
  std::optional<access::Caller> caller; // none: a stranger, or whoever holds a ticket
  if (!route->open && !hasTicket(*route, *request)) {
    auto admitting = keepers_.sign_in.admit(route, request, std::move(guard.api_key_hash));
    auto admitted = co_await std::move(admitting);
    if (!admitted.caller) co_return problem(*admitted.error, id, admitted.status);
    if (auto const may = checkRole(*route, *request, *admitted.caller); !may)
      co_return problem(may.error(), id);
    caller = std::move(admitted.caller);
    request->of_vendor = caller->vendor_id;
    request->by_key = caller->key_id;
    if (!request->of_vendor.empty()) narrow(*route, *request, request->of_vendor);
  }
  takePathParameters(route->pattern, *request);
  if (!route->as_it_comes) {
    if (auto const checked = checkQuery(*route, *request); !checked) co_return problem(checked.error(), id);
    int status = 0;
    if (auto const checked = checkBody(*route, *request, status); !checked)
      co_return problem(checked.error(), id, status);
  }
  auto const* const asks = caller ? &*caller : nullptr;
  if (asks != nullptr) {
    auto owning = checkOwner(route, request, asks);
    auto const owned = co_await std::move(owning);
    if (!owned) co_return problem(owned.error(), id);
  }
  if (keepers_.watch != nullptr) {
    auto telling = keepers_.watch->asked(route, request, asks);
    auto const told = co_await std::move(telling);
    if (!told) co_return problem(told.error(), id);
  }
  auto answering = run(route, request);
  auto answer = co_await std::move(answering);
  if (keepers_.watch != nullptr) keepers_.watch->ended(*route, id, answer.status);
  co_return answer;
}

} // namespace garland::api
