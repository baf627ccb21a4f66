// Answers to requests by which a provider tries an address out. What is echoed comes from anybody, so it is
// bounded and never anything that a browser would run.
#include "host/webhooks/crypto.h"
#include "host/webhooks/request_values.h"

#include <algorithm>

namespace garland::webhooks {
namespace {

constexpr std::size_t kMostEchoBytes = 4096;

bool printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

// A value that is echoed: what is not short, plain text is no challenge of any provider's.
Found<std::string> echo(TextTemplate const& text, RequestValues& values) {
  TRY(value, values.render(text));
  if (value.size() > kMostEchoBytes) return Reject{Reason::tooLarge, "the challenge is too long"};
  if (!printable(value))
    return Reject{Reason::malformed, "the challenge holds more than printable characters"};
  return value;
}

Found<void> makeHmacs(Handshake const& handshake, Signature const& signature, Keys const& keys,
                      RequestValues& values) {
  for (auto const& [name, how] : handshake.hmac) {
    auto secret = keys.secrets.empty() ? std::string_view() : keys.secrets.front().reveal();
    if (secret.starts_with(signature.key_prefix)) secret.remove_prefix(signature.key_prefix.size());
    auto const key = decoded(signature.key_encoding, secret);
    if (!key || key->empty()) return Reject{Reason::noSecret, "no secret is kept for this webhook"};
    TRY(text, echo(how.signed_text, values));
    values.set(name, encoded(how.encoding, hmac(how.algorithm, *key, text)));
  }
  return {};
}

Found<void> fillBody(Handshake const& handshake, RequestValues& values, Response& response) {
  if (!handshake.json.empty()) {
    json::object object;
    for (auto const& [name, text] : handshake.json) {
      TRY(value, echo(text, values));
      object[name] = value;
    }
    response.body = json::serialize(object);
    response.headers.emplace_back("Content-Type", "application/json");
  } else if (!handshake.text.empty()) {
    TRY(value, echo(handshake.text, values));
    response.body = std::move(value);
    response.headers.emplace_back("Content-Type", "text/plain; charset=utf-8");
    response.headers.emplace_back("X-Content-Type-Options", "nosniff");
  }
  return {};
}

Found<Response> answer(Handshake const& handshake, RequestView& view, Keys const& keys,
                       RequestValues& values) {
  Response response;
  TRY_VOID(fillBody(handshake, values, response));
  for (auto const& [name, text] : handshake.headers) {
    TRY(value, echo(text, values));
    response.headers.emplace_back(name, std::move(value));
  }
  if (!handshake.keep_secret.empty()) {
    // Only while there is none: or anybody could put his own secret in place of the provider's.
    if (!keys.secrets.empty()) return Reject{Reason::seenBefore, "a secret is kept already"};
    TRY(secret, echo(handshake.keep_secret, values));
    if (secret.empty()) return Reject{Reason::missing, "the secret is empty"};
    response.keep_secret = Secret(std::move(secret));
  }
  if (handshake.visit) {
    TRY(url, view.one(handshake.visit->url));
    TRY_VOID(checkAddress(*handshake.visit, url));
    response.visit_url = std::move(url);
  }
  return response;
}

Found<Response> tryOne(Handshake const& handshake, Signature const& signature, RequestView& view,
                       Keys const& keys) {
  RequestValues values({view, handshake.values, keys});
  TRY_VOID(values.check(handshake.require));
  TRY_VOID(makeHmacs(handshake, signature, keys, values));
  return answer(handshake, view, keys, values);
}

} // namespace

std::optional<Response> answerHandshake(Scheme const& scheme, Request const& request, Keys const& keys,
                                        Clock const& clock) {
  RequestView view(request);
  for (auto const& handshake : scheme.data().handshakes) {
    if (handshake.method != request.method) continue;
    auto response = tryOne(handshake, scheme.data().signature, view, keys);
    if (!response) continue;
    if (handshake.is_signed && !verify(scheme, request, keys, clock).accepted()) continue;
    return std::move(*response);
  }
  return std::nullopt;
}

} // namespace garland::webhooks
