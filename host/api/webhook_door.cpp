#include "host/api/webhook_door.h"

#include "host/api/hook_content.h"
#include "host/api/packed_body.h"
#include "host/api/problem.h"
#include "host/api/stranger.h"
#include "host/base/utf8.h"
#include "host/vault/vault.h"

#include <algorithm>
#include <utility>

namespace garland::api {
namespace {

constexpr std::string_view kNobodysScheme = "svix"; // any that is verified over the bytes
constexpr Milliseconds kAgain{10'000};
constexpr char const* kReceived = R"({"status":"received"})";

std::vector<std::string> wordsAt(json::value const& document, std::string_view pointer) {
  std::vector<std::string> words;
  if (auto const* list = find(document, pointer); list != nullptr && list->is_array())
    for (auto const& word : list->get_array())
      if (auto const* text = word.if_string()) words.emplace_back(*text);
  return words;
}

json::value valueOrNull(json::value const& document, std::string_view pointer) {
  auto const* found = find(document, pointer);
  return found == nullptr ? json::value() : *found;
}

std::string const* headerOf(webhooks::Request const& request, std::string_view name) {
  for (auto const& [known, value] : request.headers)
    if (known == name) return &value;
  return nullptr;
}

Response received() {
  Response response(200);
  response.content_type = "application/json";
  response.body = kReceived;
  return response;
}

std::string nobodysWord(Random& random) {
  std::string bytes(32, '\0');
  random.fill(std::as_writable_bytes(std::span(bytes)));
  return vault::sha256Hex(bytes);
}

} // namespace

WebhookDoor::WebhookDoor(Dependencies const& with)
    : with_(with), provider_(with.executor, with.clock, with.egress, with.extra_ca_file),
      refusals_(with.clock) {
  nobodys_way_ = newWay(webhooks::Scheme::named(kNobodysScheme).value());
  with_.engine.webhooks().whenGone([this](std::string const& connection_id) { forget(connection_id); });
}

WebhookDoor::~WebhookDoor() { with_.engine.webhooks().whenGone(nullptr); }

// Its secrets are nobody's any more, and what was refused in its name keeps nothing from anybody.
void WebhookDoor::forget(std::string const& connection_id) {
  rings_.erase(connection_id);
  refusals_.forget(connection_id);
}

std::shared_ptr<WebhookDoor::Way> WebhookDoor::newWay(webhooks::Scheme scheme) {
  auto way = std::make_shared<Way>(std::move(scheme));
  auto ring = std::make_shared<Ring>();
  ring->keys.secrets.emplace_back(nobodysWord(with_.random));
  for (auto const& [name, about] : way->scheme.parameters())
    ring->keys.parameters[name] = nobodysWord(with_.random);
  way->ring = std::move(ring);
  return way;
}

std::string WebhookDoor::urlOf(sync::WebhookEndpoint const& endpoint, unsigned short port) const {
  auto const base = outsideOf(with_, port);
  auto const short_name = endpoint.plugin_id.substr(endpoint.plugin_id.rfind('.') + 1);
  auto const* plugin = with_.catalogue.find(endpoint.plugin_id);
  bool const named_inside = plugin != nullptr && find(plugin->manifest.webhooks, "/endpoint") != nullptr;
  auto const url = base + "/api/integrations/webhook/" + short_name;
  return named_inside ? url : url + "/" + endpoint.name;
}

std::shared_ptr<WebhookDoor::Way const> WebhookDoor::wayOf(runtime::PluginInfo const* plugin) {
  if (plugin == nullptr || plugin->manifest.webhooks.is_null()) return nobodys_way_;
  auto& kept = ways_[plugin->manifest.id];
  if (kept && kept->digest == plugin->digest) return kept;
  auto const& declared = plugin->manifest.webhooks;
  auto scheme = webhooks::Scheme::read(declared);
  if (!scheme) return nobodys_way_;
  auto way = newWay(std::move(*scheme));
  way->digest = plugin->digest;
  way->endpoint = valueOrNull(declared, "/endpoint");
  way->delivery_id = valueOrNull(declared, "/delivery_id");
  way->headers = wordsAt(declared, "/headers");
  way->query = wordsAt(declared, "/query");
  kept = std::move(way);
  return kept;
}

// Nobody's endpoint has nobody's; null: it has to be opened, as it is once, and again when it has changed or
// an older secret has ended.
std::shared_ptr<WebhookDoor::Ring const> WebhookDoor::knownRing(Visit const& visit) const {
  if (!visit.endpoint) return visit.way->ring;
  auto const kept = rings_.find(visit.endpoint->connection_id);
  bool const good = kept != rings_.end() && kept->second->revision == visit.endpoint->revision &&
                    (!kept->second->until || with_.clock.now() < *kept->second->until);
  return good ? kept->second : nullptr;
}

// Nothing is kept of who was forgotten while it was read: nobody would forget it any more.
Task<std::shared_ptr<WebhookDoor::Ring const>>
WebhookDoor::openRing(std::shared_ptr<sync::WebhookEndpoint const> endpoint) {
  CO_TRY(keys, co_await with_.engine.webhooks().keysOf(endpoint));
  auto ring = std::make_shared<Ring>();
  ring->revision = endpoint->revision;
  ring->until = keys.until;
  ring->keys.secrets = std::move(keys.secrets);
  ring->keys.parameters = std::move(keys.parameters);
  auto const now = with_.engine.webhooks().find(endpoint->plugin_id, endpoint->name);
  if (now && now->connection_id == endpoint->connection_id)
    rings_.insert_or_assign(endpoint->connection_id, ring);
  co_return std::shared_ptr<Ring const>(std::move(ring));
}

WebhookDoor::Shared WebhookDoor::visitOf(Request& request, unsigned short port) {
  auto visit = std::make_shared<Visit>();
  auto const* plugin = with_.catalogue.find(request.text("system"));
  visit->way = wayOf(plugin);
  visit->system = plugin == nullptr ? "none" : plugin->manifest.id;
  visit->sent = signedRequest(request, outsideOf(with_, port));
  visit->query = std::move(request.query);
  visit->request_id = request.id;
  if (plugin == nullptr) return visit;
  auto name = request.text("endpoint");
  if (name.empty() && !visit->way->endpoint.is_null())
    name = webhooks::valueAt(visit->way->endpoint, visit->sent);
  visit->endpoint = with_.engine.webhooks().find(visit->system, name);
  return visit;
}

// One coroutine for what nearly all are: each one more on the way costs every webhook.
Task<Response> WebhookDoor::take(Request request, unsigned short port) {
  auto const visit = visitOf(request, port);
  visit->ring = knownRing(*visit);
  if (!visit->ring) {
    auto opened = co_await openRing(visit->endpoint);
    if (!opened) co_return unreadable(*visit, opened.error());
    visit->ring = std::move(*opened);
  }
  if (visit->way->scheme.needsCertificate()) {
    CO_TRY_VOID(co_await certify(visit));
  }
  if (auto answer =
          webhooks::answerHandshake(visit->way->scheme, visit->sent, visit->ring->keys, with_.clock)) {
    CO_TRY_VOID(co_await follow(visit, &*answer));
    with_.metrics.webhookCame(visit->system, "handshake");
    co_return answerOf(std::move(*answer));
  }
  if (visit->sent.method == "HEAD") co_return Response(200);
  auto verdict = webhooks::verify(visit->way->scheme, visit->sent, visit->ring->keys, with_.clock);
  if (verdict.accepted()) trust(*visit);
  if (!visit->endpoint) co_return refused(*visit, "unknown_endpoint", "nobody's endpoint was called");
  if (!verdict.accepted()) co_return refused(*visit, webhooks::name(verdict.reason), verdict.sentence);
  if (auto refusal = unpack(*visit)) co_return std::move(*refusal);
  auto webhook = toKeep(*visit, std::move(verdict.once_key));
  auto const known = co_await with_.engine.webhooks().accept(std::move(webhook));
  co_return keptAs(*visit, known);
}

Error WebhookDoor::unreadable(Visit const& visit, Error const& why) {
  with_.metrics.webhookCame(visit.system, "failed");
  if (told_.admits(visit.system, with_.clock.monotonic()))
    with_.log.error("what verifies webhooks could not be read: " + why.message);
  Error error(ErrorKind::transient, "this could not be kept; send it again later");
  error.retry_after = kAgain;
  return error;
}

// Finds the certificate that verifies this delivery, unless it is refused anyway. For nobody's endpoint too:
// how long it takes tells nobody which there are.
Task<void> WebhookDoor::certify(Shared visit) {
  auto const& scheme = visit->way->scheme;
  auto const judged = webhooks::verify(scheme, visit->sent, visit->ring->keys, with_.clock);
  if (judged.reason != webhooks::Reason::certificateNeeded) co_return Result<void>();
  auto url = webhooks::certificateUrl(scheme, visit->sent);
  if (!url) co_return refused(*visit, name(webhooks::Reason::untrustedHost), url.error().message);
  visit->certificate_url = std::move(*url);
  auto found = co_await provider_.certificate(visit->system, visit->certificate_url);
  if (!found)
    co_return later(*visit, "no_certificate", "its certificate cannot be had: " + found.error().message);
  visit->certificate = std::move(*found);
  auto ring = std::make_shared<Ring>();
  ring->keys.certificate = *visit->certificate;
  ring->keys.parameters = visit->ring->keys.parameters;
  for (auto const& secret : visit->ring->keys.secrets) ring->keys.secrets.push_back(secret.clone());
  visit->ring = std::move(ring);
  co_return Result<void>();
}

void WebhookDoor::trust(Visit const& visit) {
  if (visit.certificate) provider_.keep(visit.certificate_url, visit.certificate);
}

// The answer to a provider that tries the address out. A secret that it tells is durable, and an address that
// it names was visited, before it is answered.
Task<void> WebhookDoor::follow(Shared visit, webhooks::Response* answer) {
  if (!answer->visit_url.empty()) {
    CO_TRY_VOID(co_await confirm(visit, std::move(answer->visit_url)));
  }
  if (answer->keep_secret.empty() || !visit->endpoint) co_return Result<void>();
  sync::WebhookSetup setup;
  setup.connection_id = visit->endpoint->connection_id;
  setup.secret = std::move(answer->keep_secret);
  CO_TRY_VOID(co_await with_.engine.webhooks().setUp(std::move(setup)));
  co_return Result<void>();
}

// The scheme has verified what names the address (webhooks::answerHandshake).
Task<void> WebhookDoor::confirm(Shared visit, std::string url) {
  trust(*visit);
  if (!visit->endpoint) co_return refused(*visit, "unknown_endpoint", "nobody's endpoint was called");
  auto const confirmed = co_await provider_.confirm(visit->system, std::move(url));
  if (!confirmed)
    co_return later(*visit, "not_confirmed", "it was not confirmed: " + confirmed.error().message);
  co_return Result<void>();
}

// What may be right and cannot be told now: the provider sends it again.
Error WebhookDoor::later(Visit const& visit, std::string_view outcome, std::string const& sentence) {
  with_.metrics.webhookCame(visit.system, outcome);
  if (told_.admits(visit.system, with_.clock.monotonic()))
    with_.log.warn("a webhook has to come again: " + sentence,
                   json::object{{"system", visit.system}, {"reason", outcome}});
  Error error(ErrorKind::transient, "this could not be verified; send it again later");
  error.retry_after = kAgain;
  return error;
}

// In figures, for whoever looks at health, and in the audit chain.
void WebhookDoor::countRefused(Visit const& visit, std::string_view reason) {
  with_.metrics.webhookCame(visit.system, reason);
  refusals_.refused(visit.system, visit.endpoint ? visit.endpoint->connection_id : std::string(),
                    std::string(reason));
  if (with_.audit == nullptr) return;
  audit::Event event;
  event.kind = audit::Kind::refusal;
  event.act = "webhook";
  if (visit.endpoint) event.connection_id = visit.endpoint->connection_id;
  event.facts = json::object{{"system", visit.system}, {"reason", reason}};
  with_.audit->note(std::move(event));
}

// The same answer whatever the reason was. The log tells it, but a flood of forgeries does not fill the disk.
Error WebhookDoor::refused(Visit const& visit, std::string_view reason, std::string const& sentence) {
  countRefused(visit, reason);
  if (told_.admits(visit.system, with_.clock.monotonic())) {
    json::object fields{{"system", visit.system}, {"reason", reason}};
    if (visit.endpoint) fields["connection"] = visit.endpoint->connection_id;
    with_.log.warn("a webhook was refused: " + sentence, std::move(fields));
  }
  return Error(ErrorKind::forbidden, "the signature does not hold");
}

// Verified and told apart are the bytes as they came; the connector reads what is in them. One that cannot be
// unpacked is refused, and not kept for a person as a hook's is: its provider shows it, and sends it again.
std::optional<Response> WebhookDoor::unpack(Visit& visit) {
  auto const* encoding = headerOf(visit.sent, "content-encoding");
  if (encoding == nullptr || visit.sent.body.empty()) return std::nullopt;
  auto plain = unpacked(*encoding, visit.sent.body);
  if (plain) {
    visit.packed = std::exchange(visit.sent.body, std::move(*plain));
    return std::nullopt;
  }
  auto error = std::move(plain).error();
  error.message = "the body could not be unpacked: " + error.message;
  countRefused(visit, "packed");
  if (told_.admits(visit.system, with_.clock.monotonic()))
    with_.log.warn("a webhook was refused: " + error.message,
                   json::object{{"connection", visit.endpoint->connection_id}});
  bool const otherwise = error.kind == ErrorKind::unsupported;
  auto response = problem(error, visit.request_id, otherwise ? 415 : 0);
  if (otherwise) response.headers.emplace_back("accept-encoding", "gzip, deflate");
  return response;
}

// By the id that the signature or the manifest names; else by where it came to and what it says.
std::string WebhookDoor::keyFor(Visit const& visit, std::string once_key) const {
  auto id = std::move(once_key);
  if (id.empty() && !visit.way->delivery_id.is_null())
    id = webhooks::valueAt(visit.way->delivery_id, visit.sent);
  if (!id.empty()) return "id " + keyOf(asUtf8(id));
  auto const query = visit.sent.url.substr(std::min(visit.sent.url.find('?'), visit.sent.url.size()));
  return "bytes " + vault::sha256Hex(visit.system + "/" + visit.endpoint->name + query + "\n" +
                                     vault::sha256(visit.packed.empty() ? visit.sent.body : visit.packed));
}

sync::NewWebhook WebhookDoor::toKeep(Visit& visit, std::string once_key) const {
  json::object headers;
  for (auto const& name : visit.way->headers)
    if (auto const* value = headerOf(visit.sent, name)) headers[name] = asUtf8(*value);
  json::object query;
  for (auto const& name : visit.way->query)
    for (auto const& [known, value] : visit.query)
      if (known == name) query[name] = asUtf8(value);
  auto const* type = headerOf(visit.sent, "content-type");
  json::object shown{{"headers", std::move(headers)}, {"query", std::move(query)}};
  shown["content_type"] = type == nullptr ? std::string() : asUtf8(*type);

  sync::NewWebhook webhook;
  webhook.vendor_id = visit.endpoint->vendor_id;
  webhook.connection_id = visit.endpoint->connection_id;
  webhook.key = keyFor(visit, std::move(once_key));
  webhook.shown = json::serialize(shown);
  webhook.body = std::move(visit.sent.body);
  return webhook;
}

Result<Response> WebhookDoor::keptAs(Visit const& visit, Result<bool> const& known) {
  if (!known) {
    with_.metrics.webhookCame(visit.system, "overload");
    if (told_.admits(visit.system, with_.clock.monotonic()))
      with_.log.warn("a webhook was not kept: " + known.error().message,
                     json::object{{"connection", visit.endpoint->connection_id}});
    return forStrangers(known.error());
  }
  refusals_.taken(visit.endpoint->connection_id);
  with_.metrics.webhookCame(visit.system, *known ? "known" : "accepted");
  return received();
}

} // namespace garland::api
