// Webhooks: the door for providers, the endpoint of a connection, and what people do about deliveries.
#include "host/api/routes.h"
#include "host/api/selection.h"
#include "host/api/shapes.h"

#include "host/base/bytes.h"
#include "host/base/secret.h"
#include "host/vault/vault.h"
#include "host/webhooks/webhooks.h"

namespace garland::api {

namespace {

constexpr std::int64_t kOverlapSeconds = 86'400;

using Parameters = std::map<std::string, std::string, std::less<>>;

// Only for what it is handed to the provider by hand: a secret that we make up.
Secret newSecret(Random& random) {
  std::string bytes(32, '\0');
  random.fill(std::as_writable_bytes(std::span(bytes)));
  Secret secret(vault::sha256Hex(bytes));
  wipe(bytes.data(), bytes.size());
  return secret;
}

// What a daemon that fetches nothing cannot do. Better said here than by refusing every request.
Result<void> checkForEndpoint(webhooks::Scheme const& scheme, egress::Client const* egress) {
  if (egress != nullptr || (!scheme.needsCertificate() && !scheme.needsVisit())) return {};
  return Error(ErrorKind::unsupported,
               "webhooks of this connector cannot be verified: that takes a "
               "certificate or an address to be fetched, and this daemon fetches none");
}

// What is still to be done to the address before the provider is given it.
std::string noteOn(json::value const& declared, bool needs_public_url) {
  std::string note;
  if (needs_public_url)
    note = "the provider signs the address that it was given: name the one by which it reaches this "
           "server in [hooks] public_url of garland.toml, and register that";
  std::string members;
  if (auto const* names = find(declared, "/query"); names != nullptr && names->is_array())
    for (auto const& name : names->get_array())
      members += (members.empty() ? "" : " and ") + std::string(name.get_string()) + "=VALUE";
  if (!members.empty())
    note += (note.empty() ? "" : "; ") + ("add " + members) +
            " to the address, for each hook that is registered; the connector's README tells the values";
  return note;
}

Result<std::optional<Parameters>> readParameters(json::value const& body, webhooks::Scheme const& scheme) {
  auto const* given = find(body, "/parameters");
  if (given == nullptr || !given->is_object()) return std::optional<Parameters>();
  Parameters parameters;
  for (auto const& member : given->get_object()) {
    std::string const name(member.key());
    if (!scheme.parameters().contains(name))
      return Error(ErrorKind::invalidInput, "the signature needs no value \"" + name + "\"",
                   "/parameters/" + name);
    parameters[name] = std::string(member.value().as_string());
  }
  return std::optional<Parameters>(std::move(parameters));
}

Result<std::optional<sync::WebhookState>> readState(std::string const& word, std::string const& field) {
  if (word.empty()) return std::optional<sync::WebhookState>();
  auto state = sync::webhookStateNamed(word);
  if (!state) return Error(ErrorKind::invalidInput, "a state is waiting, done, dead or dropped", field);
  return state;
}

Result<sync::WebhookQuery> readQuery(Request const& request) {
  TRY(query, readPage<sync::WebhookQuery>(request));
  TRY(state, readState(request.text("state"), "?state"));
  query.state = state;
  return query;
}

Result<sync::WebhookRange> readRange(json::value const& body) {
  sync::WebhookRange range;
  range.connection_id = textOr(body, "/connection_id", "");
  TRY_VOID(requireIdIfAny("con", range.connection_id, "connection"));
  TRY(state, readState(textOr(body, "/state", ""), "/state"));
  range.state = state;
  TRY(from, readTime(body, "/from"));
  range.from = from;
  TRY(until, readTime(body, "/until"));
  range.until = until;
  if (range.connection_id.empty() && !range.from && !range.state)
    return Error(ErrorKind::invalidInput, "say which: connection_id, state or from", "/connection_id");
  return range;
}

} // namespace

void Routes::addWebhookRoutes(std::vector<Route>& table) {
  auto const add = adder(table);
  struct Door {
    std::string_view method, pattern, id, summary;
  };
  static constexpr Door doors[] = {
      {"POST", "/api/integrations/webhook/{system}/{endpoint}", "callWebhook",
       "Takes a delivery of a provider, verified by its signature. It is durable once this answers 200."},
      {"GET", "/api/integrations/webhook/{system}/{endpoint}", "tryWebhook",
       "Answers a provider that tries the address out."},
      {"POST", "/api/integrations/webhook/{system}", "callWebhookOfAll",
       "The same at the address of all accounts: the delivery says which endpoint it is about."},
      {"GET", "/api/integrations/webhook/{system}", "tryWebhookOfAll",
       "Answers a provider that tries the address of all accounts out."}};
  for (auto const& door : doors) {
    Route route{door.method, door.pattern, door.id, door.summary};
    route.answer = "WebhookAnswer";
    route.open = true;
    route.as_it_comes = true;
    add(route, &Routes::takeWebhook);
  }
  add(Route{"POST",
            "/api/integrations/connections/{connection}/webhook",
            "setUpWebhook",
            "The address to which the account's provider sends its webhooks, and what verifies them.",
            200,
            "WebhookEndpoint",
            {},
            "WebhookInput"},
      &Routes::setUpWebhook);
  Route list{"GET",
             "/api/integrations/webhooks",
             "listWebhooks",
             "Deliveries of providers; oldest first. state=dead is the dead-letter queue.",
             200,
             "WebhookPage",
             {}};
  list.query = pageParameters("waiting, done, dead or dropped.", "Continue after this delivery.");
  add(list, &Routes::listWebhooks);
  add(Route{"GET",
            "/api/integrations/webhooks/refused",
            "listRefusedWebhooks",
            "Deliveries that this daemon has refused within the hour, by connection and reason.",
            200,
            "RefusedWebhookList",
            {}},
      &Routes::listRefusedWebhooks);
  add(Route{"GET",
            "/api/integrations/webhooks/{webhook}",
            "getWebhook",
            "One delivery, with what it says.",
            200,
            "Webhook",
            {}},
      &Routes::showWebhook);
  add(Route{"POST",
            "/api/integrations/webhooks/replay",
            "replayWebhooks",
            "Has many deliveries read again, now: of a connection, a time, a state.",
            200,
            "Replayed",
            {},
            "WebhookRange"},
      &Routes::replayWebhooks);
  add(Route{"POST",
            "/api/integrations/webhooks/{webhook}/replay",
            "replayWebhook",
            "Has its connector read it again, now.",
            200,
            "Webhook",
            {}},
      &Routes::replayWebhook);
  add(Route{"POST",
            "/api/integrations/webhooks/{webhook}/drop",
            "dropWebhook",
            "Says that it needs nothing. 409: it is done.",
            200,
            "Webhook",
            {},
            "WebhookDrop"},
      &Routes::dropWebhook);
}

Task<Response> Routes::takeWebhook(Request request) {
  return webhook_door_.take(std::move(request), port_());
}

Task<Response> Routes::setUpWebhook(Request request) {
  auto const id = request.text("connection");
  CO_TRY_VOID(requireId("con", id, "connection"));
  CO_TRY(connection, co_await with_.engine.connection(id));
  auto const* plugin = with_.catalogue.find(connection.plugin_id);
  if (plugin == nullptr || plugin->manifest.webhooks.is_null())
    co_return Error(ErrorKind::invalidInput, connection.plugin_id + " reads no webhooks");
  CO_TRY(scheme, webhooks::Scheme::read(plugin->manifest.webhooks));
  CO_TRY_VOID(checkForEndpoint(scheme, with_.egress));
  sync::WebhookSetup setup;
  setup.connection_id = id;
  setup.name = textOr(request.json, "/name", "");
  setup.rotate = boolOr(request.json, "/rotate", false);
  setup.overlap = std::chrono::seconds(integerOr(request.json, "/overlap_seconds", kOverlapSeconds));
  CO_TRY(parameters, readParameters(request.json, scheme));
  setup.parameters = std::move(parameters);
  Secret made;
  if (auto* text = request.json.as_object().if_contains("secret"); text != nullptr && text->is_string()) {
    setup.secret = Secret(std::string(text->get_string()));
    wipe(text->get_string().data(), text->get_string().size());
    CO_TRY_VOID(webhooks::checkSecret(scheme, *setup.secret));
  } else if (scheme.carriesItsSecret() && (setup.rotate || !with_.engine.webhooks().endpointOf(id))) {
    made = newSecret(with_.random);
    setup.secret = made.clone();
  } else if (setup.rotate) {
    co_return Error(ErrorKind::invalidInput, "rotating takes the new secret that the provider shows",
                    "/secret");
  }
  CO_TRY(endpoint, co_await with_.engine.webhooks().setUp(std::move(setup)));
  CO_TRY(keys, co_await with_.engine.webhooks().keysOf(endpoint));
  auto url = webhook_door_.urlOf(*endpoint, port_());
  if (auto const member = scheme.secretsMember(); !member.empty() && !made.empty())
    url += "?" + member + "=" + std::string(made.reveal());
  json::object body{{"connection_id", id}, {"name", endpoint->name}, {"url", std::move(url)}};
  body["created"] = rfc3339(endpoint->created);
  body["scheme"] = scheme.summary();
  body["secrets"] = keys.secrets.size();
  body["secret"] = nullptr;
  if (!made.empty()) body["secret"] = made.reveal();
  json::array missing;
  for (auto const& [name, about] : scheme.parameters())
    if (!keys.parameters.contains(name)) missing.emplace_back(name);
  body["missing_parameters"] = std::move(missing);
  body["note"] = nullptr;
  auto const note = noteOn(plugin->manifest.webhooks, scheme.needsUrl() && with_.public_url.empty());
  if (!note.empty()) body["note"] = note;
  co_return Response(200, std::move(body));
}

Task<Response> Routes::listWebhooks(Request request) {
  CO_TRY(query, readQuery(request));
  auto const limit = askForOneMore(query);
  CO_TRY(webhooks, co_await with_.engine.webhooks().list(std::move(query)));
  co_return Response(200, pageOf(std::move(webhooks), limit, &sync::Webhook::id));
}

Task<Response> Routes::listRefusedWebhooks(Request) {
  auto const lines = webhook_door_.refusals().lines();
  co_return Response(200, listOf(lines));
}

Task<Response> Routes::showWebhook(Request request) {
  CO_TRY_VOID(requireId("whk", request.text("webhook"), "webhook"));
  CO_TRY(webhook, co_await with_.engine.webhooks().one(request.text("webhook")));
  CO_TRY(content, co_await with_.engine.webhooks().contentOf(webhook.id));
  auto body = shape(webhook);
  body["content"] = std::move(content.shown);
  body["raw"] = base64(content.body);
  co_return Response(200, std::move(body));
}

Task<Response> Routes::replayWebhook(Request request) {
  CO_TRY_VOID(requireId("whk", request.text("webhook"), "webhook"));
  CO_TRY(webhook, co_await with_.engine.webhooks().replay(request.text("webhook")));
  co_return Response(200, shape(webhook));
}

Task<Response> Routes::replayWebhooks(Request request) {
  CO_TRY(range, readRange(request.json));
  CO_TRY(count, co_await with_.engine.webhooks().replayRange(std::move(range)));
  json::object body;
  body["replayed"] = count;
  co_return Response(200, std::move(body));
}

Task<Response> Routes::dropWebhook(Request request) {
  CO_TRY_VOID(requireId("whk", request.text("webhook"), "webhook"));
  auto why = textOr(request.json, "/why", "");
  CO_TRY(webhook, co_await with_.engine.webhooks().drop(request.text("webhook"), std::move(why)));
  co_return Response(200, shape(webhook));
}

} // namespace garland::api
