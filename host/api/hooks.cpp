#include "host/api/hooks.h"

#include "host/api/hook_content.h"
#include "host/api/packed_body.h"
#include "host/api/router.h"
#include "host/api/sign_in.h"
#include "host/api/stranger.h"
#include "host/base/utf8.h"
#include "host/vault/vault.h"
#include "host/webhooks/webhooks.h"

#include <algorithm>

namespace garland::api {
namespace {

constexpr Milliseconds kSameBytesFor{86'400'000};

Response ready() { return Response(200, json::object{{"status", "ready"}}); }

// The id that the sender gave this delivery, where the connector's manifest says that there is one.
std::string deliveryId(runtime::Catalogue const& catalogue, sync::IntakeDoor const& door,
                       Request const& request, json::object const& content) {
  auto const* plugin = catalogue.find(door.plugin_id);
  auto const* place =
      plugin == nullptr ? nullptr : find(plugin->manifest.document, "/intake/hook/delivery_id");
  if (place == nullptr) return {};
  if (auto const name = textOr(*place, "/header", ""); !name.empty()) {
    std::string lower = name;
    for (char& c : lower)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    auto const* value = request.header(lower);
    return value == nullptr ? std::string() : asUtf8(*value);
  }
  if (auto const name = textOr(*place, "/query", ""); !name.empty())
    for (auto const& [key, value] : request.query)
      if (key == name) return asUtf8(value);
  auto const pointer = textOr(*place, "/body", "");
  auto const* body = content.if_contains("json");
  return pointer.empty() || body == nullptr ? std::string() : textOr(*body, pointer, "");
}

std::string_view headerOf(Request const& request, std::string_view name) {
  auto const* value = request.header(name);
  return value == nullptr ? std::string_view() : *value;
}

// In the place of a body that cannot be unpacked, so that a person looks at the bytes.
std::string insteadOf(Request const& request, Error const& error) {
  return "a body of " + std::to_string(request.body.size()) + " bytes, packed as " +
         keyOf(asUtf8(headerOf(request, "content-encoding"))) +
         ", that could not be unpacked: " + error.message;
}

std::string summaryOf(Request const& request, json::object const& content) {
  auto text = request.method;
  auto const type = std::string(content.at("content_type").get_string());
  if (!type.empty()) text += " " + type;
  for (auto const* member : {"/event", "/trigger", "/type", "/email", "/name"}) {
    std::string said;
    for (auto const* part : {"json", "form", "query"}) // a GET says everything in its query
      if (auto const* values = content.if_contains(part); values != nullptr && said.empty())
        said = textOr(*values, member, "");
    if (!said.empty()) text += " " + said;
  }
  return text;
}

} // namespace

bool HookRate::admits(std::string const& connection_id, Monotonic now) {
  auto const [place, first] = buckets_.try_emplace(connection_id, Bucket{burst_, now});
  auto& bucket = place->second;
  auto const passed = std::chrono::duration<double>(now - bucket.at).count();
  bucket.at = now;
  bucket.tokens = std::min(burst_, bucket.tokens + passed * per_second_);
  if (bucket.tokens < 1) return false;
  bucket.tokens -= 1;
  return true;
}

std::string Hooks::urlOf(Secret const& token, unsigned short port) const {
  return outsideOf(with_, port) + "/hooks/" + std::string(token.reveal());
}

Task<Response> Hooks::take(Request request, unsigned short port) {
  auto door = with_.engine.intake().findDoor(sync::IntakeSource::hook, request.text("token"));
  if (!door) {
    tellRefused(nullptr, request.peer, "unknown_address");
    co_return nothingThere();
  }
  if (!rate_.admits(door->connection_id, with_.clock.monotonic())) {
    tellRefused(&*door, request.peer, "too_often");
    Error error(ErrorKind::rateLimited, "this hook is called too often; try again in a second");
    error.retry_after = Milliseconds(1'000);
    co_return error;
  }
  if (door->signing.is_null()) {
    if (request.method == "HEAD" || (request.body.empty() && request.query.empty())) co_return ready();
    co_return co_await keep(&request, std::move(*door), std::string());
  }
  co_return co_await judge(&request, std::move(*door), outsideOf(with_, port));
}

// An address is a secret: who tries others may be guessing.
void Hooks::tellRefused(sync::IntakeDoor const* door, std::string const& peer,
                        std::string_view reason) const {
  if (with_.audit == nullptr) return;
  audit::Event event;
  event.kind = audit::Kind::refusal;
  event.act = "hook";
  event.person = placeOf(peer);
  if (door != nullptr) {
    event.vendor_id = door->vendor_id;
    event.connection_id = door->connection_id;
  }
  event.facts = json::object{{"reason", reason}};
  with_.audit->note(std::move(event));
}

Task<Response> Hooks::judge(Request* request, sync::IntakeDoor door, std::string outside) {
  CO_TRY(scheme, webhooks::Scheme::read(door.signing));
  CO_TRY(secret, co_await with_.engine.intake().signingSecret(door));
  webhooks::Keys keys;
  if (!secret.empty()) keys.secrets.push_back(std::move(secret));
  auto sent = signedRequest(*request, outside);
  if (auto handshake = webhooks::answerHandshake(scheme, sent, keys, with_.clock)) {
    if (!handshake->visit_url.empty())
      co_return Error(ErrorKind::unsupported, "a hook does not visit addresses that a request names");
    if (!handshake->keep_secret.empty()) {
      CO_TRY_VOID(co_await with_.engine.intake().sign(door.connection_id, door.signing,
                                                      std::move(handshake->keep_secret)));
    }
    co_return answerOf(std::move(*handshake));
  }
  if (request->method == "HEAD") co_return ready();
  auto verdict = webhooks::verify(scheme, sent, keys, with_.clock);
  request->body = std::move(sent.body);
  if (verdict.accepted()) co_return co_await keep(request, std::move(door), std::move(verdict.once_key));
  with_.log.warn(
      "a hook's request was refused: " + verdict.sentence,
      json::object{{"connection", door.connection_id}, {"reason", webhooks::name(verdict.reason)}});
  tellRefused(&door, request->peer, webhooks::name(verdict.reason));
  co_return Error(ErrorKind::forbidden, "the signature does not hold");
}

Task<Response> Hooks::keep(Request const* request, sync::IntakeDoor door, std::string once_key) {
  auto const type = headerOf(*request, "content-type");
  auto const plain = unpacked(headerOf(*request, "content-encoding"), request->body);
  auto content = hookContent(type, request->query, plain ? *plain : std::string());
  if (!plain) content["text"] = insteadOf(*request, plain.error());
  sync::Delivery delivery;
  delivery.connection_id = door.connection_id;
  delivery.summary = summaryOf(*request, content);
  if (!plain)
    delivery.summary += ": " + insteadOf(*request, plain.error());
  else if (content.contains("text"))
    if (auto const broken = brokenJson(type, *plain); !broken.empty()) delivery.summary += ": " + broken;
  auto id = once_key.empty() ? deliveryId(with_.catalogue, door, *request, content) : std::move(once_key);
  delivery.dedupe_key = "id " + keyOf(id);
  if (id.empty()) {
    delivery.dedupe_key =
        "bytes " + vault::sha256Hex(json::serialize(content) + (plain ? std::string() : request->body));
    delivery.same_for = kSameBytesFor;
  }
  delivery.content = std::move(content);
  delivery.raw = request->body;
  auto accepted = co_await with_.engine.intake().accept(std::move(delivery));
  if (!accepted) {
    with_.log.warn("a hook's delivery was not kept: " + accepted.error().message,
                   json::object{{"connection", door.connection_id}});
    co_return forStrangers(accepted.error());
  }
  json::object body{{"status", "received"}, {"id", accepted->id}, {"known", accepted->known}};
  co_return Response(200, std::move(body));
}

} // namespace garland::api
