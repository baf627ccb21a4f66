// Intake: hooks that strangers call, and what people do about the items that came in.
#include "host/api/routes.h"
#include "host/api/selection.h"
#include "host/api/shapes.h"

#include "host/base/bytes.h"
#include "host/base/secret.h"
#include "host/webhooks/webhooks.h"

namespace garland::api {

namespace {

Result<sync::IntakeQuery> readQuery(Request const& request) {
  TRY(query, readPage<sync::IntakeQuery>(request));
  if (auto const state = request.text("state"); !state.empty()) {
    query.state = sync::intakeStateNamed(state);
    if (!query.state)
      return Error(ErrorKind::invalidInput,
                   "query parameter \"state\" must be waiting, taken, ignored, review or dismissed",
                   "?state");
  }
  return query;
}

// What a hook has no place for. Better said here than by refusing every request.
Result<void> checkForHook(webhooks::Scheme const& scheme) {
  std::string wants;
  for (auto const& [name, about] : scheme.parameters()) wants += (wants.empty() ? "" : " and ") + name;
  if (scheme.needsCertificate()) wants = "a certificate";
  if (scheme.needsVisit()) wants = "somebody to visit an address";
  if (wants.empty()) return {};
  return Error(ErrorKind::invalidInput,
               "a hook cannot verify requests by this scheme: it wants " + wants +
                   ", and a hook has a secret only",
               "/scheme");
}

// A preset by its name, or the scheme itself; null: requests are not signed.
Result<json::value> readScheme(json::value const& body) {
  auto const* wanted = find(body, "/scheme");
  if (wanted->is_null()) return json::value();
  json::value scheme = *wanted;
  if (wanted->is_string()) scheme = json::object{{"signature", wanted->get_string()}};
  auto read = webhooks::Scheme::read(scheme);
  if (!read) {
    auto error = std::move(read).error();
    error.field = "/scheme";
    return error;
  }
  TRY_VOID(checkForHook(*read));
  if (textOr(body, "/secret", "").empty() && !read->tellsItsSecret())
    return Error(ErrorKind::invalidInput, "requests cannot be verified without the secret that signs them",
                 "/secret");
  if (auto const secret = textOr(body, "/secret", ""); !secret.empty()) {
    TRY_VOID(webhooks::checkSecret(*read, Secret(secret)));
  }
  return scheme;
}

} // namespace

void Routes::addIntakeRoutes(std::vector<Route>& table) {
  auto const add = adder(table);
  for (auto const* method : {"POST", "GET"}) {
    bool const posts = std::string_view(method) == "POST";
    Route hook{method, "/hooks/{token}", posts ? "callHook" : "tryHook",
               "Hands an item in to the connection whose secret the token is: JSON, a form or a text, of at "
               "most 1 MiB. It is durable once this answers 200."};
    hook.answer = "HookAnswer";
    hook.open = true;
    hook.as_it_comes = true;
    add(hook, &Routes::takeHook);
  }
  add(Route{"POST",
            "/api/integrations/connections/{connection}/hook",
            "openHook",
            "The URL to which the account's provider sends what happens there; made by the first call and "
            "shown once. Also says how its requests are signed.",
            200,
            "Hook",
            {},
            "HookInput"},
      &Routes::openHook);
  Route list{"GET",       "/api/integrations/intake",
             "listItems", "What came in by itself: hooks, mails, rows of files; oldest first.",
             200,         "ItemPage",
             {}};
  list.query = pageParameters("waiting, taken, ignored, review or dismissed.", "Continue after this item.");
  add(list, &Routes::listItems);
  add(Route{"GET",
            "/api/integrations/intake/{item}",
            "getItem",
            "One item, with what it says.",
            200,
            "Item",
            {}},
      &Routes::showItem);
  add(Route{"POST",
            "/api/integrations/intake/{item}/retry",
            "retryItem",
            "Has its connector read it again, now. 409: it is taken, or being read.",
            200,
            "Item",
            {}},
      &Routes::retryItem);
  add(Route{"POST",
            "/api/integrations/connections/{connection}/intake/retry",
            "retryItems",
            "The same for every item of a connection that waits for a person.",
            200,
            "Retried",
            {}},
      &Routes::retryItems);
  add(Route{"POST",
            "/api/integrations/intake/{item}/accept",
            "acceptItem",
            "Says that somebody looked at it and it is genuine: its connector reads it once more, and asks "
            "for no "
            "proof of who sent it. Goes into the audit trail. 409: it is not acceptable; what makes it wait, "
            "such "
            "as that no rule fits it, is mended otherwise, or it is taken, or being read.",
            200,
            "Item",
            {},
            "ItemAcceptance"},
      &Routes::acceptItem);
  add(Route{"POST",
            "/api/integrations/intake/{item}/dismiss",
            "dismissItem",
            "Says that it needs nothing. 409: it is taken, or being read.",
            200,
            "Item",
            {},
            "ItemDismissal"},
      &Routes::dismissItem);
}

Task<Response> Routes::takeHook(Request request) { return hooks_.take(std::move(request), port_()); }

Task<Response> Routes::openHook(Request request) {
  auto const connection = request.text("connection");
  CO_TRY_VOID(requireId("con", connection, "connection"));
  json::value scheme;
  bool const signs = find(request.json, "/scheme") != nullptr;
  if (signs) {
    CO_TRY(read, readScheme(request.json));
    scheme = std::move(read);
  }
  Secret secret(textOr(request.json, "/secret", ""));
  if (auto* text = request.json.as_object().if_contains("secret"); text != nullptr && text->is_string())
    wipe(text->get_string().data(), text->get_string().size());
  bool const rotate = boolOr(request.json, "/rotate", false);
  auto& intake = with_.engine.intake();
  CO_TRY(opened, co_await intake.openDoor(connection, sync::IntakeSource::hook, rotate));
  if (signs) {
    CO_TRY(door, co_await intake.sign(connection, std::move(scheme), std::move(secret)));
    opened.door = std::move(door);
  }
  json::object body{{"connection_id", connection}, {"url", nullptr}};
  if (!opened.token.empty()) body["url"] = hooks_.urlOf(opened.token, port_());
  body["created"] = rfc3339(opened.door.created);
  body["signed"] = !opened.door.signing.is_null();
  co_return Response(200, std::move(body));
}

Task<Response> Routes::listItems(Request request) {
  CO_TRY(query, readQuery(request));
  auto const limit = askForOneMore(query);
  CO_TRY(items, co_await with_.engine.intake().list(std::move(query)));
  co_return Response(200, pageOf(std::move(items), limit, &sync::IntakeItem::id));
}

Task<Response> Routes::showItem(Request request) {
  CO_TRY_VOID(requireId("itm", request.text("item"), "item"));
  CO_TRY(item, co_await with_.engine.intake().one(request.text("item")));
  CO_TRY(content, co_await with_.engine.intake().contentOf(item.id));
  auto body = shape(item);
  body["content"] = std::move(content.content);
  body["raw"] = base64(content.raw);
  co_return Response(200, std::move(body));
}

Task<Response> Routes::retryItem(Request request) {
  CO_TRY_VOID(requireId("itm", request.text("item"), "item"));
  CO_TRY(item, co_await with_.engine.intake().retry(request.text("item")));
  co_return Response(200, shape(item));
}

Task<Response> Routes::retryItems(Request request) {
  CO_TRY_VOID(requireId("con", request.text("connection"), "connection"));
  CO_TRY(count, co_await with_.engine.intake().retryAll(request.text("connection")));
  json::object body;
  body["retried"] = count;
  co_return Response(200, std::move(body));
}

Task<Response> Routes::acceptItem(Request request) {
  CO_TRY_VOID(requireId("itm", request.text("item"), "item"));
  auto who = textOr(request.json, "/by", "");
  CO_TRY(item, co_await with_.engine.intake().acceptAsGenuine(request.text("item"), std::move(who)));
  co_return Response(200, shape(item));
}

Task<Response> Routes::dismissItem(Request request) {
  CO_TRY_VOID(requireId("itm", request.text("item"), "item"));
  auto why = textOr(request.json, "/why", "");
  CO_TRY(item, co_await with_.engine.intake().dismiss(request.text("item"), std::move(why)));
  co_return Response(200, shape(item));
}

} // namespace garland::api
