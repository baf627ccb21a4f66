// Connecting an account, looking at it, letting it go. Passwords come in here: they are moved into
// Secrets and the parsed text is wiped before the engine is asked.
#include "host/api/routes.h"
#include "host/api/selection.h"
#include "host/api/shapes.h"

#include "host/base/secret.h"

namespace garland::api {

namespace {

Secret takeSecret(json::value& value) {
  auto& text = value.as_string();
  Secret secret(std::string(text.data(), text.size()));
  wipe(text.data(), text.size());
  return secret;
}

sync::Credentials readCredentials(json::object& body) {
  sync::Credentials credentials;
  if (!body.contains("credentials")) return credentials;
  for (auto& slot : body["credentials"].as_object()) {
    std::vector<std::pair<std::string, Secret>> fields;
    for (auto& field : slot.value().as_object()) fields.emplace_back(field.key(), takeSecret(field.value()));
    credentials.emplace_back(std::string(slot.key()), std::move(fields));
  }
  return credentials;
}

} // namespace

sync::ConnectRequest readConnect(json::value& body) {
  sync::ConnectRequest request;
  request.vendor_id = textOr(body, "/vendor_id", "");
  request.plugin_id = textOr(body, "/plugin", "");
  auto& object = body.as_object();
  request.settings = object.contains("settings") ? object["settings"] : json::value(json::object());
  request.allow_private_network = boolOr(body, "/allow_private_network", false);
  request.credentials = readCredentials(object);
  return request;
}

void Routes::addConnectionRoutes(std::vector<Route>& table) {
  auto const add = adder(table);
  Route connect{
      "POST",
      "/api/integrations/vendor/connect",
      "connect",
      "Connects a vendor's account: checks settings and credential at the provider, then keeps them. An "
      "account that is connected already (200) gets the new credential and keeps everything else.",
      201,
      "Connection",
      {},
      "ConnectInput"};
  connect.other_success = 200;
  add(connect, &Routes::connectVendor);
  Route list{
      "GET", "/api/integrations/connections", "listConnections", "Connected accounts.", 200, "ConnectionList",
      {}};
  list.query = {{"vendor_id", ParameterType::text, false, "Only those of this vendor."}};
  add(list, &Routes::listConnections);
  add(Route{"GET",
            "/api/integrations/connections/{connection}",
            "getConnection",
            "One connected account.",
            200,
            "Connection",
            {}},
      &Routes::showConnection);
  add(Route{"PATCH",
            "/api/integrations/connections/{connection}",
            "changeSettings",
            "Changes settings of an account after trying them at the provider: credential, links and records "
            "stay, and the next sync brings everything in anew. Given again, the credential is replaced, and "
            "only then may the account be at another host. 409 if it were another account with them.",
            200,
            "Connection",
            {},
            "SettingsInput"},
      &Routes::changeSettings);
  Route disconnect{"DELETE",
                   "/api/integrations/connections/{connection}",
                   "disconnect",
                   "Forgets the credential and the links of an account, and deletes what came in by itself "
                   "for it (its hook, "
                   "its mail address, the items); its records stay with the vendor. 409 if edits made here "
                   "are not written "
                   "there yet, or items wait to be read or for a person.",
                   204,
                   "",
                   {}};
  disconnect.query = {
      {"discard", ParameterType::flag, false, "Forget edits that are not written yet, and items that wait."}};
  add(disconnect, &Routes::disconnect);
  add(Route{"POST",
            "/api/integrations/connections/{connection}/confirm-deletes",
            "confirmDeletes",
            "Lets the next sync apply the deletions that were held because they are many.",
            204,
            "",
            {}},
      &Routes::confirmDeletes);
  add(Route{"POST",
            "/api/integrations/connections/{connection}/test",
            "testConnection",
            "Asks the provider, read-only, whether the account can be reached and is the one that was "
            "connected. "
            "409 if it is paused or was revoked.",
            200,
            "Trial",
            {}},
      &Routes::testConnection);
  add(Route{"POST",
            "/api/integrations/connections/{connection}/rotate",
            "rotateConnection",
            "Has the provider give another token in the place of the one there is, now. 501 if the account "
            "signs in "
            "with what was typed: connect it again with another.",
            200,
            "Connection",
            {}},
      &Routes::rotateConnection);
  add(Route{"POST",
            "/api/integrations/connections/{connection}/revoke",
            "revokeConnection",
            "Takes the sign-in of an account back: at the provider, if it can be asked, and here, where the "
            "credential is forgotten in any case. Records, links and waiting writes stay; connecting the "
            "account "
            "again goes on with them. 409 if it is taken back already, which changes nothing.",
            200,
            "Connection",
            {}},
      &Routes::revokeConnection);
  add(Route{"POST",
            "/api/integrations/connections/{connection}/pause",
            "pauseConnection",
            "Puts an account to rest, over restarts too: what comes in for it is kept, and nothing is done "
            "about "
            "it. The answer comes when nothing of it is under way: a sync ends at its next checkpoint.",
            200,
            "Connection",
            {}},
      &Routes::pauseConnection);
  add(Route{"POST",
            "/api/integrations/connections/{connection}/resume",
            "resumeConnection",
            "Lets a paused account go on with what waited meanwhile, and with a sync.",
            200,
            "Connection",
            {}},
      &Routes::resumeConnection);
  add(Route{"POST",
            "/api/integrations/connections/{connection}/resync",
            "resyncConnection",
            "Forgets how far syncs came and starts one, which brings everything in anew, into the same "
            "records; "
            "one that runs ends first, at its next checkpoint. 409 if the account is paused.",
            202,
            "Run",
            {}},
      &Routes::resyncConnection);
  add(
      Route{
          "POST",
          "/api/integrations/connections/{connection}/retry",
          "retryConnection",
          "Lets the next sync try again what was set aside there: writes, and calls that ended their worker.",
          200,
          "Retried",
          {}},
      &Routes::retryConnection);
}

Task<Response> Routes::connectVendor(Request request) {
  sync::ConnectRequest wish = readConnect(request.json);
  CO_TRY_VOID(requireId("ven", wish.vendor_id, "vendor"));
  CO_TRY(found, usablePlugin(wish.plugin_id));
  wish.plugin_id = found->manifest.id;
  CO_TRY(connected, co_await with_.engine.connect(std::move(wish)));
  json::object body = shapeFor(request, connected.connection);
  body["reconnected"] = connected.again;
  Response response(connected.again ? 200 : 201, std::move(body));
  response.headers.push_back(Header{"location", "/api/integrations/connections/" + connected.connection.id});
  co_return response;
}

Task<Response> Routes::listConnections(Request request) {
  auto const vendor = request.text("vendor_id");
  CO_TRY_VOID(requireIdIfAny("ven", vendor, "vendor"));
  CO_TRY(connections, co_await with_.engine.connections(vendor));
  for (auto& connection : connections) hideOtherKeys(request, connection);
  co_return Response(200, listOf(connections));
}

Task<Response> Routes::showConnection(Request request) {
  CO_TRY_VOID(requireId("con", request.text("connection"), "connection"));
  CO_TRY(connection, co_await with_.engine.connection(request.text("connection")));
  co_return Response(200, shapeFor(request, std::move(connection)));
}

Task<Response> Routes::changeSettings(Request request) {
  CO_TRY_VOID(requireId("con", request.text("connection"), "connection"));
  auto changes = std::move(request.json.at("settings").as_object());
  auto typed = readCredentials(request.json.as_object());
  CO_TRY(changed, co_await with_.engine.changeSettings(request.text("connection"), std::move(changes),
                                                       std::move(typed)));
  co_return Response(200, shapeFor(request, std::move(changed)));
}

Task<Response> Routes::disconnect(Request request) {
  CO_TRY_VOID(requireId("con", request.text("connection"), "connection"));
  bool const discard = request.flag("discard");
  CO_TRY_VOID(co_await with_.engine.disconnect(request.text("connection"), discard));
  co_return Response(204);
}

Task<Response> Routes::testConnection(Request request) {
  CO_TRY_VOID(requireId("con", request.text("connection"), "connection"));
  CO_TRY(trial, co_await with_.engine.test(request.text("connection")));
  json::object body;
  body["ok"] = trial.ok;
  body["account"] = trial.account;
  body["problem"] = trial.error ? trial.error->message : std::string();
  co_return Response(200, std::move(body));
}

Task<Response> Routes::rotateConnection(Request request) {
  CO_TRY_VOID(requireId("con", request.text("connection"), "connection"));
  CO_TRY(connection, co_await with_.engine.rotate(request.text("connection")));
  co_return Response(200, shapeFor(request, std::move(connection)));
}

Task<Response> Routes::revokeConnection(Request request) {
  CO_TRY_VOID(requireId("con", request.text("connection"), "connection"));
  CO_TRY(connection, co_await with_.engine.revoke(request.text("connection"), request.by_key));
  co_return Response(200, shapeFor(request, std::move(connection)));
}

Task<Response> Routes::pauseConnection(Request request) {
  CO_TRY_VOID(requireId("con", request.text("connection"), "connection"));
  CO_TRY(connection, co_await with_.engine.pause(request.text("connection"), request.by_key));
  co_return Response(200, shapeFor(request, std::move(connection)));
}

Task<Response> Routes::resumeConnection(Request request) {
  CO_TRY_VOID(requireId("con", request.text("connection"), "connection"));
  CO_TRY(connection, co_await with_.engine.resume(request.text("connection")));
  co_return Response(200, shapeFor(request, std::move(connection)));
}

Task<Response> Routes::resyncConnection(Request request) {
  CO_TRY_VOID(requireId("con", request.text("connection"), "connection"));
  CO_TRY(run, co_await with_.engine.resync(request.text("connection")));
  Response response(202, shape(run));
  response.headers.push_back(Header{"location", "/api/integrations/status/" + run.id});
  co_return response;
}

Task<Response> Routes::retryConnection(Request request) {
  CO_TRY_VOID(requireId("con", request.text("connection"), "connection"));
  CO_TRY(count, co_await with_.engine.retryConnection(request.text("connection")));
  json::object body;
  body["retried"] = count;
  co_return Response(200, std::move(body));
}

Task<Response> Routes::confirmDeletes(Request request) {
  CO_TRY_VOID(requireId("con", request.text("connection"), "connection"));
  CO_TRY_VOID(co_await with_.engine.confirmDeletes(request.text("connection")));
  co_return Response(204);
}

} // namespace garland::api
