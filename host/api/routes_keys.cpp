// API keys: made, listed, rotated, revoked; and who may call what.
#include "host/api/permissions.h"
#include "host/api/routes.h"
#include "host/api/selection.h"
#include "host/api/shapes.h"

namespace garland::api {

namespace {

constexpr std::string_view kAll = "/api/integrations/keys";
constexpr std::int64_t kLifeSeconds = 365 * 86'400;
constexpr std::int64_t kOverlapSeconds = 86'400;

json::value timeOrNull(std::optional<TimePoint> const& when) {
  return when ? json::value(rfc3339(*when)) : json::value();
}

json::object shapeOf(access::Key const& key, TimePoint now) {
  json::object out{{"id", key.id}, {"name", key.name}, {"role", access::nameOrUnknown(key.role)}};
  out["vendor_id"] = key.vendor_id.empty() ? json::value() : json::value(key.vendor_id);
  out["state"] = access::stateOf(key, now);
  out["created"] = rfc3339(key.created);
  out["expires"] = rfc3339(key.expires);
  out["revoked"] = timeOrNull(key.revoked);
  out["last_used"] = timeOrNull(key.last_used);
  out["replaced_by"] = key.replaced_by.empty() ? json::value() : json::value(key.replaced_by);
  return out;
}

Response showOnce(int status, access::Issued const& issued, TimePoint now) {
  auto body = shapeOf(issued.key, now);
  body["key"] = issued.text.reveal();
  return Response(status, std::move(body));
}

} // namespace

void Routes::addKeyRoutes(std::vector<Route>& table) {
  auto const add = adder(table);
  add(Route{"GET", "/api/integrations/roles", "listRoles",
            "Which role may call which route: all, own (what belongs to the vendor whose key it is) or none.",
            200, "RoleMatrix"},
      &Routes::listRoles);
  Route made{"POST", kAll,       "addKey", "Makes an API key for a role. Its text is shown this once.",
             201,    "KeyIssued"};
  made.body = "KeyInput";
  add(made, &Routes::addKey);
  Route list{"GET", kAll,     "listKeys", "API keys, oldest first, with their last use; never their text.",
             200,   "KeyPage"};
  list.query = {{"vendor_id", ParameterType::text, false, "Only those of this vendor."},
                {"after", ParameterType::text, false, "Continue after this key."},
                {"limit", ParameterType::integer, false, "At most so many.", 1, 1000}};
  add(list, &Routes::listKeys);
  Route rotate{"POST",
               "/api/integrations/keys/{key}/rotate",
               "rotateKey",
               "Makes another key for the same, with as long a life; the one before goes on for a while. A "
               "vendor's key may be asked for that by itself only. 409: it was rotated, or counts no more.",
               201,
               "KeyIssued"};
  rotate.body = "KeyRotation";
  add(rotate, &Routes::rotateKey);
  add(Route{"POST", "/api/integrations/keys/{key}/revoke", "revokeKey",
            "The key is refused from now on, by every daemon. The key that it was rotated to (replaced_by) "
            "is left as it is.",
            200, "Key"},
      &Routes::revokeKey);
}

Result<access::Keys*> Routes::keys(Request const& request) const {
  if (with_.keys == nullptr)
    return Error(ErrorKind::unsupported, "this daemon keeps no API keys but the one of its key file");
  if (request.parameters.contains("key")) {
    TRY_VOID(requireId("key", request.text("key"), "key"));
  }
  return with_.keys;
}

Task<Response> Routes::listRoles(Request) { co_return Response(200, role_matrix_); }

Task<Response> Routes::addKey(Request request) {
  CO_TRY(keys, this->keys(request));
  access::NewKey wish;
  wish.name = textOr(request.json, "/name", "");
  wish.role = access::roleNamed(textOr(request.json, "/role", "")).value_or(access::Role::auditor);
  wish.vendor_id = textOr(request.json, "/vendor_id", "");
  wish.life = std::chrono::seconds(integerOr(request.json, "/life_seconds", kLifeSeconds));
  if (!wish.vendor_id.empty()) {
    std::vector<std::string> asked(1, wish.vendor_id);
    CO_TRY(spans, co_await with_.engine.feedSpans(std::move(asked)));
    if (spans.empty()) co_return Error(ErrorKind::notFound, "there is no vendor " + wish.vendor_id);
  }
  CO_TRY(issued, co_await keys->add(std::move(wish)));
  co_return showOnce(201, issued, with_.clock.now());
}

Task<Response> Routes::listKeys(Request request) {
  CO_TRY(keys, this->keys(request));
  access::KeyQuery query;
  query.vendor_id = request.text("vendor_id");
  CO_TRY_VOID(requireIdIfAny("ven", query.vendor_id, "vendor"));
  query.after_id = request.text("after");
  query.limit = static_cast<int>(request.integer("limit", kPage));
  auto const limit = askForOneMore(query);
  CO_TRY(found, co_await keys->list(std::move(query)));
  bool const more = std::ssize(found) > limit;
  if (more) found.erase(found.begin() + limit, found.end());
  json::array items;
  for (auto const& key : found) items.push_back(shapeOf(key, with_.clock.now()));
  json::object body{{"items", std::move(items)}, {"next_after", nullptr}};
  if (more) body["next_after"] = found.back().id;
  co_return Response(200, std::move(body));
}

Task<Response> Routes::rotateKey(Request request) {
  CO_TRY(keys, this->keys(request));
  std::chrono::seconds const overlap(integerOr(request.json, "/overlap_seconds", kOverlapSeconds));
  CO_TRY(issued, co_await keys->rotate(request.text("key"), overlap));
  co_return showOnce(201, issued, with_.clock.now());
}

Task<Response> Routes::revokeKey(Request request) {
  CO_TRY(keys, this->keys(request));
  CO_TRY(key, co_await keys->revoke(request.text("key")));
  co_return Response(200, shapeOf(key, with_.clock.now()));
}

} // namespace garland::api
